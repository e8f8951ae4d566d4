//! Picks the texts of the Hub's licences out of the SPDX list: the whole list would make the binary
//! 6 MB larger. Written as gzip of `SPDX id NUL text NUL …`.

use std::io::Write as _;
use std::{env, fs, path::PathBuf};

use flate2::{Compression, write::GzEncoder};

const TABLE: &str = "src/hub/tables/licenses.tsv";

fn main() {
    println!("cargo::rerun-if-changed={TABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    let table = fs::read_to_string(TABLE).expect("the licence table is part of the source");
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    for id in rows.filter_map(|line| line.split('\t').nth(1)).filter(|id| *id != "-") {
        let text = spdx::text::LICENSE_TEXTS
            .iter()
            .find(|(known, _)| *known == id)
            .unwrap_or_else(|| panic!("{TABLE}: SPDX has no text of {id}"))
            .1;
        assert!(!text.contains('\0'), "{id}: a text has no NUL");
        packed.write_all(format!("{id}\0{text}\0").as_bytes()).expect("memory does not fail");
    }
    let out =
        PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("license_texts.gz");
    fs::write(out, packed.finish().expect("memory does not fail")).expect("cargo's folder is ours");
}
