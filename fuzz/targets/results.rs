#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use weighbridge::digest::Digest;
use weighbridge::evidence::{Base, EvidenceFile, read_results, read_tests};

// Seeds: .xml .json .yaml .yml .toml .csv .tsv .txt .wandb
// One after the other: what a file is, its content says.
fuzz_target!(|data: &[u8]| {
    let file = EvidenceFile {
        shown: "evidence".into(),
        bytes: data.to_vec(),
        sha256: Digest::of(data),
        modified: None,
    };
    let _ = read_results(&file);
    let _ = read_tests(&file, &Base::new(Path::new("/nowhere"), ""));
});
