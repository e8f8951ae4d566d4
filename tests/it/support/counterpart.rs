//! Real programs that tests run against, installed by `tests/run` into `target/counterparts`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder of the installed counterparts.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/counterparts")
}

/// The counterpart's program at `relative` (e.g. `venv/bin/python`), or `None` where this machine
/// lacks it: the test then returns, and is listed as NOT RUN at the end of `tests/run`. With
/// `CI=true` a missing counterpart fails the test instead.
pub fn need(test: &str, relative: &str) -> Option<PathBuf> {
    let path = folder().join(relative);
    if path.exists() {
        return Some(path);
    }
    let reason = format!("NOT RUN {test}: no {relative} (tests/run installs it)");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{reason}");
    std::fs::create_dir_all(folder()).expect("target is writable");
    let mut list = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder().join("not-run.txt"))
        .expect("target is writable");
    writeln!(list, "{reason}").expect("target is writable");
    None
}
