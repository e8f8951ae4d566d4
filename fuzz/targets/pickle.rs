#![no_main]

use libfuzzer_sys::fuzz_target;
use weighbridge_fuzz::look;

fuzz_target!(|data: &[u8]| look("m.pkl", data));
