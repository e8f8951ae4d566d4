//! Every format that is recognised, in the order in which they are asked.

use super::Reader;
use super::archive::{compressed, sevenz, tar, zip};
use super::graph::{coreml, executorch, hdf5, onnx, paddle, saved_model, tflite};
use super::weights::{gguf, msgpack, numpy, safetensors};
use super::{inert, pickle, rdata, text};

/// The first that recognises a file reads it: strong magic numbers before weak ones.
pub(super) const READERS: [&Reader; 32] = [
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
    &rdata::READER,
    &hdf5::READER,
    &tflite::READER,
    &executorch::READER,
    &inert::EXECUTABLE,
    &tar::READER,
    &safetensors::READER,
    &saved_model::KERAS,
    &onnx::READER,
    &saved_model::READER,
    &coreml::READER,
    &paddle::READER,
    &msgpack::READER,
    &pickle::READER,
    &compressed::LZMA,
    &compressed::ZLIB,
    &inert::MEDIA,
    &text::READER,
    &text::OTHERWISE_ENCODED,
    &inert::OTHER,
];
