#![no_main]

use libfuzzer_sys::fuzz_target;
use weighbridge_fuzz::look_as_any;

fuzz_target!(|data: &[u8]| look_as_any(
    &["m.onnx", "saved_model.pb", "m.tflite", "m.h5", "m.mlmodel", "m.pdmodel", "m.pte"],
    data
));
