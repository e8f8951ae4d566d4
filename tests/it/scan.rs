//! The scanner against files that real libraries write, and against files that attack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::support::action::done;
use crate::support::counterpart::need;
use crate::support::workspace::{POLICY, Workspace};

#[derive(Deserialize)]
struct Scanned {
    files: Vec<File>,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct File {
    path: String,
}

#[derive(Deserialize)]
struct Finding {
    path: String,
    rule: String,
    level: String,
    message: String,
}

impl Scanned {
    /// Files with an error, by name below the folder; with what was said.
    fn blocked(&self, root: &str) -> BTreeMap<String, Vec<String>> {
        let mut blocked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for finding in self.findings.iter().filter(|finding| finding.level == "error") {
            let said = format!("[{}] {}", finding.rule, finding.message);
            blocked.entry(below(root, &finding.path)).or_default().push(said);
        }
        blocked
    }
}

fn below(root: &str, path: &str) -> String {
    path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').to_owned()
}

/// Runs `tests/counterparts/scan/<script>`, and the scanner on what it wrote.
fn scan_what(python: &Path, script: &str, into: &Path) -> (PathBuf, Scanned) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = into.join("files");
    let script = root.join("tests/counterparts/scan").join(script);
    done(Command::new(python).arg(script).arg(&folder).env("OMP_NUM_THREADS", "1"));
    let path = folder.to_str().expect("UTF-8");
    let run = Workspace::empty().run(&["scan", path, "--format", "json"]);
    let scanned = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.all()));
    (folder, scanned)
}

#[test]
fn nothing_that_real_libraries_write_is_blocked() {
    let Some(python) = need("scan::nothing_that_real_libraries_write", "venv/bin/python") else {
        return;
    };
    let into = tempfile::tempdir().expect("a folder");
    let (folder, scanned) = scan_what(&python, "benign.py", into.path());
    assert!(scanned.files.len() > 5500, "{} files", scanned.files.len());
    let blocked = scanned.blocked(folder.to_str().expect("UTF-8"));
    assert!(blocked.is_empty(), "{blocked:#?}");
}

#[test]
fn whatever_attacks_is_blocked() {
    let Some(python) = need("scan::whatever_attacks", "venv/bin/python") else { return };
    let into = tempfile::tempdir().expect("a folder");
    let (folder, scanned) = scan_what(&python, "malicious.py", into.path());
    let root = folder.to_str().expect("UTF-8");
    let blocked = scanned.blocked(root);
    let missed: Vec<_> = scanned
        .files
        .iter()
        .map(|file| below(root, &file.path))
        .filter(|name| !name.starts_with("mutations"))
        .filter(|name| !blocked.contains_key(name))
        .collect();
    assert!(scanned.files.len() > 5000, "{} files", scanned.files.len());
    assert!(missed.is_empty(), "{missed:#?}");

    // The page of attacks names every one of them, and nothing that is not there.
    let page = include_str!("../../docs/attacks.md");
    let named: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.rsplit_once(" | ")?.1.strip_suffix(" |"))
        .flat_map(|cell| cell.split_whitespace())
        .filter_map(|glob| glob.strip_prefix('`')?.strip_suffix('`'))
        .collect();
    let files: Vec<_> = blocked.keys().filter(|name| !name.starts_with("mutations")).collect();
    for glob in &named {
        let glob = globset::Glob::new(glob).expect(glob).compile_matcher();
        assert!(files.iter().any(|name| glob.is_match(name)), "no file is {}", glob.glob());
    }
    for name in files {
        let known = named
            .iter()
            .any(|glob| globset::Glob::new(glob).expect(glob).compile_matcher().is_match(name));
        assert!(known, "docs/attacks.md does not name {name}");
    }

    // What CPython's own machine would import from a mutation is never passed over.
    let reached = std::fs::read(folder.join("mutations.json")).expect("what the unpickler saw");
    let reached: BTreeMap<String, BTreeSet<String>> =
        serde_json::from_slice(&reached).expect("JSON");
    let dangerous = [
        "os.system",
        "posix.system",
        "nt.system",
        "builtins.eval",
        "builtins.exec",
        "subprocess.Popen",
        "pickle.loads",
        "pty.spawn",
    ];
    let passed: Vec<_> = reached
        .iter()
        .filter(|(name, names)| {
            dangerous.iter().any(|name| names.contains(*name)) && !blocked.contains_key(*name)
        })
        .collect();
    let reaching = reached.values().filter(|names| names.contains("os.system")).count();
    assert!(reaching > 500, "{reaching} mutations still reach os.system");
    assert!(passed.is_empty(), "{passed:#?}");
}

#[test]
fn a_class_of_the_authors_own_is_allowed_by_name_and_content() {
    let workspace = Workspace::healthy();
    let pickle = b"\x80\x02cmypackage.models\nNet\n)\x81.";
    workspace.write("model/net.pkl", pickle);
    let said = workspace.run(&["check"]).expect(0).says("mypackage.models.Net");
    assert!(
        said.stdout.contains("callable: mypackage.models.Net"),
        "ready to paste: {}",
        said.all()
    );
    let digest = weighbridge::digest::Digest::of(pickle);
    for (entry, allowed) in [
        ("callable: mypackage.models.Net".to_owned(), 1),
        (format!("callable: mypackage.models.Net, sha256: \"{digest}\""), 1),
        ("callable: mypackage.models.Other".to_owned(), 0),
        (format!("sha256: \"{}\"", "0".repeat(64)), 0),
    ] {
        let allow = format!(
            "allow:\n  - {{rule: custom-class, {entry}, reason: Ours., expires: 2999-01-01}}\n"
        );
        workspace.write("weighbridge.yml", format!("{POLICY}{allow}"));
        workspace.run(&["check"]).expect(0);
        let report = workspace.report();
        assert_eq!(report["allowed"].as_array().expect("a list").len(), allowed, "{entry}");
    }
    workspace.write("weighbridge.yml", format!("{POLICY}allow:\n  - {{rule: custom-class, sha256: xyz, reason: Ours., expires: 2999-01-01}}\n"));
    workspace.run(&["check"]).expect(2).says("`sha256` is no digest");
}

#[test]
fn the_page_of_formats_is_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let stored = std::fs::read_to_string(page).expect("docs/formats.md");
    let run = Workspace::empty().run(&["rules", "--format", "formats"]).expect(0);
    assert_eq!(
        stored, run.stdout,
        "refresh it: cargo run -- rules --format formats > docs/formats.md"
    );
}

#[test]
fn what_a_pickle_does_is_told_step_by_step() {
    let workspace = Workspace::healthy();
    workspace.write("model/x.pkl", b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.");
    let run = workspace.run(&["scan", "--explain", "model/x.pkl"]).expect(1);
    for line in [
        "       2  GLOBAL            os.system",
        "      13  BINUNICODE        'id'",
        "      20  TUPLE1            ('id',)",
        "      21  REDUCE            os.system('id')",
        "          ^ error: calls `os.system('id')`, of a module that runs commands",
    ] {
        assert!(run.stdout.lines().any(|told| told == line), "{line}\n{}", run.all());
    }
    workspace
        .run(&["scan", "--explain", "model/LICENSE"])
        .expect(0)
        .says("there is no pickle in it");
    workspace.run(&["scan", "--explain", "model"]).expect(2).says("name a file");
}
