#![no_main]

use libfuzzer_sys::fuzz_target;
use weighbridge_fuzz::look_as_any;

fuzz_target!(|data: &[u8]| look_as_any(
    &[
        "config.json",
        "m.py",
        "m.jinja",
        "m.yaml",
        "m.pmml",
        "m.ipynb",
        "requirements.txt",
        "net.prototxt",
        "schema.json",
        "README.md"
    ],
    data
));
