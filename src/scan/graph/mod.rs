//! Compute graphs: what operators they call, and which files they open.

pub(super) mod hdf5;
pub(super) mod onnx;
mod protobuf;
pub(super) mod saved_model;
pub(super) mod tflite;
