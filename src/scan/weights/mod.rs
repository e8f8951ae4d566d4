//! Weights with a header of their own: nothing in them runs, but a lie in the header is an attack
//! on the loader.

pub(super) mod gguf;
pub(super) mod msgpack;
pub(super) mod numpy;
pub(super) mod safetensors;
