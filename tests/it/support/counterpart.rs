//! Real programs that tests run against, installed by `tests/run` into `target/counterparts`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the installed counterparts.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/counterparts")
}

/// The counterpart's program at `relative` (e.g. `venv/bin/python`), or `None` where this machine
/// lacks it: the test then returns, and is listed as NOT RUN at the end of `tests/run`. With
/// `CI=true` a missing counterpart fails the test instead.
pub(crate) fn need(test: &str, relative: &str) -> Option<PathBuf> {
    let path = folder().join(relative);
    if path.exists() {
        return Some(path);
    }
    // `tests/counterparts/install` names what it installs by what it is, not by its folder.
    let counterpart = match relative.split('/').next() {
        Some("venv") => "python",
        Some(folder) => folder,
        None => relative,
    };
    not_run(test, relative, counterpart);
    None
}

/// A Docker daemon that answers, and the image that plays GitHub's runner; as [`need`].
pub(crate) fn need_docker(test: &str) -> Option<()> {
    if !succeeds(Command::new("docker").arg("info")) {
        not_run(test, "Docker daemon", "docker");
        return None;
    }
    if !succeeds(Command::new("docker").args(["image", "inspect", "weighbridge-test-runner"])) {
        not_run(test, "image weighbridge-test-runner", "runner");
        return None;
    }
    Some(())
}

/// What the static binary is built with; as [`need`].
pub(crate) fn need_musl(test: &str) -> Option<()> {
    if succeeds(Command::new("musl-gcc").arg("--version")) {
        return Some(());
    }
    not_run(test, "musl-gcc", "musl");
    None
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Lists the test, with what the installer said about the counterpart.
fn not_run(test: &str, what: &str, counterpart: &str) {
    let why = std::fs::read_to_string(folder().join("missing").join(counterpart));
    let why = why.unwrap_or_else(|_| "tests/run installs it".into());
    let line = format!("NOT RUN {test}: no {what} ({})", why.trim());
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{line}");
    std::fs::create_dir_all(folder()).expect("target is writable");
    let mut list = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder().join("not-run.txt"))
        .expect("target is writable");
    writeln!(list, "{line}").expect("target is writable");
}
