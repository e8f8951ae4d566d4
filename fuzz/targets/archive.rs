#![no_main]

use libfuzzer_sys::fuzz_target;
use weighbridge_fuzz::look_as_any;

fuzz_target!(|data: &[u8]| look_as_any(&["m.zip", "m.pt", "m.tar", "m.gz", "m.joblib"], data));
