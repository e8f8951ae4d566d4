//! Every format that is recognised, in the order in which they are asked.

use super::Reader;
use super::archive::{compressed, sevenz, tar, zip};
use super::graph::{hdf5, onnx, saved_model, tflite};
use super::weights::{gguf, numpy, safetensors};
use super::{inert, pickle, text};

/// The first that recognises a file reads it: strong magic numbers before weak ones.
pub(super) const READERS: [&Reader; 26] = [
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
    &hdf5::READER,
    &tflite::READER,
    &inert::EXECUTABLE,
    &tar::READER,
    &safetensors::READER,
    &saved_model::KERAS,
    &onnx::READER,
    &saved_model::READER,
    &pickle::READER,
    &compressed::LZMA,
    &compressed::ZLIB,
    &text::READER,
    &text::OTHERWISE_ENCODED,
    &inert::OTHER,
];
