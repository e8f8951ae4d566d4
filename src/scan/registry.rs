//! Every format that is recognised, in the order in which they are asked.

use super::Reader;
use super::archive::{compressed, sevenz, tar, zip};
use super::weights::{gguf, numpy, safetensors};
use super::{inert, pickle, text};

/// The first that recognises a file reads it: strong magic numbers before weak ones.
pub(super) const READERS: [&Reader; 20] = [
    &inert::EMPTY,
    &inert::LFS_POINTER,
    &gguf::READER,
    &numpy::READER,
    &zip::READER,
    &sevenz::READER,
    &compressed::GZIP,
    &compressed::BZIP2,
    &compressed::XZ,
    &compressed::ZSTD,
    &compressed::LZ4,
    &compressed::ZFILE,
    &inert::EXECUTABLE,
    &tar::READER,
    &safetensors::READER,
    &pickle::READER,
    &compressed::LZMA,
    &compressed::ZLIB,
    &text::READER,
    &inert::OTHER,
];
