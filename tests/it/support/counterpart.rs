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
    not_run(test, relative, &installer_said(counterpart));
    None
}

/// A Docker daemon that answers, and the image that plays GitHub's runner; as [`need`].
pub(crate) fn need_docker(test: &str) -> Option<()> {
    if !succeeds(Command::new("docker").arg("info")) {
        not_run(test, "Docker daemon", &installer_said("docker"));
        return None;
    }
    if !succeeds(Command::new("docker").args(["image", "inspect", "weighbridge-test-runner"])) {
        not_run(test, "image weighbridge-test-runner", &installer_said("runner"));
        return None;
    }
    Some(())
}

/// What the static binary is built with; as [`need`].
pub(crate) fn need_musl(test: &str) -> Option<()> {
    if succeeds(Command::new("musl-gcc").arg("--version")) {
        return Some(());
    }
    not_run(test, "musl-gcc", &installer_said("musl"));
    None
}

/// That processes of this machine leave core files when they are aborted, as one just did or did not;
/// as [`need`].
pub(crate) fn need_core_files(test: &str, left_one: bool) -> Option<()> {
    if left_one {
        return Some(());
    }
    let most = rustix::process::getrlimit(rustix::process::Resource::Core).maximum;
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let why = match most {
        Some(0) => "their hard limit (RLIMIT_CORE) is 0".to_owned(),
        _ => format!("the kernel writes none; its core_pattern is `{}`", pattern.trim()),
    };
    not_run(test, "core files", &why);
    None
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// What the installer said about a counterpart.
fn installer_said(counterpart: &str) -> String {
    let why = std::fs::read_to_string(folder().join("missing").join(counterpart));
    why.unwrap_or_else(|_| "tests/run installs it".into())
}

/// Lists the test, and why it cannot be.
fn not_run(test: &str, what: &str, why: &str) {
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
