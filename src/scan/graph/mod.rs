//! Compute graphs: what operators they call, and which files they open.

pub(super) mod coreml;
pub(super) mod executorch;
pub(super) mod hdf5;
pub(super) mod onnx;
mod onnx_value;
pub(super) mod paddle;
mod protobuf;
pub(super) mod saved_model;
pub(super) mod tflite;
