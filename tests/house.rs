//! The house rules, kept by reading the source: arrows point down only, files have one purpose,
//! and what is generated is fresh. `docs/architecture.md` explains them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The floors of the house, top to bottom. A room may use rooms on floors below its own.
const FLOORS: [&[&str]; 6] = [
    &["modes"],
    &["publish", "report", "card", "provenance", "parts", "gates"],
    &["release", "inventory", "evidence", "test_run", "leaks", "audit", "rehearsal", "credentials"],
    &["policy", "context", "inputs"],
    &["hub", "github", "scan", "finding", "publishable"],
    &[
        "http",
        "digest",
        "rel_path",
        "machine_path",
        "source",
        "json",
        "markdown",
        "memory",
        "generated",
        "workspace",
        "own_files",
        "signals",
        "failure",
        "exit",
    ],
];

/// Rooms of one floor that use each other all the same, and why.
const EXCEPTIONS: [(&str, &str, &str); 6] = [
    ("scan", "finding", "a scanner declares its rules beside itself"),
    ("report", "publish", "progress and plans are rendered"),
    ("report", "gates", "the rule table lists every gate's rules"),
    ("inputs", "finding", "--fail-on is a level"),
    ("http", "failure", "HTTP errors advise"),
    ("http", "markdown", "a secret may be escaped as text is"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `src`, with its text.
fn sources() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("src is readable") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("UTF-8 source");
                found.insert(path.strip_prefix(root()).expect("below root").to_owned(), text);
            }
        }
    }
    assert!(found.len() > 40, "the walk found the source");
    found
}

/// `src/gates/scan.rs` and `src/gates.rs` are both of the room `gates`.
fn room(path: &Path) -> String {
    let first = path.iter().nth(1).expect("below src").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Rooms named as `crate::room` in code (comments do not count).
fn used_rooms(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut rooms = Vec::new();
    for line in code {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let end =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            rooms.push(rest[..end].to_owned());
        }
    }
    rooms
}

#[test]
fn every_room_has_a_floor() {
    for path in sources().keys() {
        let room = room(path);
        assert!(
            matches!(room.as_str(), "main" | "lib") || floor(&room).is_some(),
            "{room} stands on no floor"
        );
    }
}

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = room(&path);
        let Some(from_floor) = floor(&from) else { continue };
        for to in used_rooms(&text) {
            let Some(to_floor) = floor(&to) else { continue };
            let excepted = EXCEPTIONS.iter().any(|(a, b, _)| *a == from && *b == to);
            if from != to && to_floor <= from_floor && !excepted {
                wrong.push(format!("{}: {from} → {to}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point up or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn files_have_one_purpose() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "files over 500 lines: {long:?}");
}

#[test]
fn crates_with_one_user_have_one_user() {
    let only: [(&str, &[&str]); 8] = [
        ("sha2::", &["digest"]),
        ("sha1::", &["digest"]),
        ("md5::", &["digest"]),
        ("highway::", &["digest"]),
        ("octocrab::", &["github"]),
        // A repository of the embedded Hub is a git repository, so it may use git2 too.
        ("git2::", &["release", "rehearsal"]),
        ("serde_yaml::", &["policy", "hub", "card"]),
        ("std::env::var", &["context"]),
    ];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = room(&path);
        for (needle, rooms) in only {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            if code.contains(needle) && !rooms.contains(&from.as_str()) {
                wrong.push(format!("{} uses {needle}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_action_and_the_binary_name_the_same_inputs() {
    let action = std::fs::read_to_string(root().join("action.yml")).expect("action.yml");
    let inputs = action
        .split("\ninputs:")
        .nth(1)
        .expect("inputs")
        .split("\noutputs:")
        .next()
        .expect("inputs");
    let names: Vec<_> = inputs
        .lines()
        .filter(|line| {
            line.starts_with("  ") && !line.starts_with("   ") && line.trim_end().ends_with(':')
        })
        .map(|line| line.trim().trim_end_matches(':'))
        .collect();
    assert_eq!(names, weighbridge::inputs::ACTION_INPUTS);
}
