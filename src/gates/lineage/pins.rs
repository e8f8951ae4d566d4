//! Pins of DVC against the files as they were weighed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::rules::{DIFFERS, MISSING, UNVERIFIED};
use crate::digest::Md5;
use crate::evidence::{Pin, Reach, Stage, below};
use crate::finding::Finding;
use crate::gates::Load;
use crate::inventory::{Artifact, Unweighed};

/// How many pins hold, and what is said of the others. A file that several entries pin alike is
/// judged once.
pub(super) fn judge(load: &Load<'_>) -> (usize, Vec<Finding>) {
    let (mut held, mut findings) = (0, Vec::new());
    let mut seen = BTreeSet::new();
    for (pin, stage) in load.evidence.pipeline.all() {
        let Some(md5) = pin.md5 else { continue };
        if !seen.insert((&pin.path, md5)) {
            continue;
        }
        let outcome = match (&pin.reach, load.evidence.pipeline.evidence.get(&pin.path)) {
            (_, Some(found)) if !pin.is_folder => Some(compared(pin, *found, load)),
            (Reach::Inside(inside), _) if pin.is_folder => folder(pin, inside, load),
            (Reach::Inside(inside), _) => file(pin, inside, load),
            (Reach::Around, _) => {
                Some(Outcome::Unverified("it is of a folder around what is published".into()))
            }
            (Reach::Elsewhere, _) => None,
        };
        match outcome {
            None => {}
            Some(Outcome::Holds) => held += 1,
            Some(Outcome::Differs(found)) => findings.push(differs(pin, stage, md5, found)),
            Some(Outcome::Missing) => {
                let message = format!("`{}` is pinned here, and is not there", pin.path);
                findings.push(Finding::new(&MISSING, message, pin.at.clone()));
            }
            Some(Outcome::Unverified(why)) => {
                let message = format!("the pin of `{}` is not compared: {why}", pin.path);
                findings.push(Finding::new(&UNVERIFIED, message, pin.at.clone()));
            }
        }
    }
    (held, findings)
}

enum Outcome {
    Holds,
    Differs(Md5),
    Missing,
    Unverified(String),
}

fn file(pin: &Pin, inside: &str, load: &Load<'_>) -> Option<Outcome> {
    let Some(file) = weighed(inside, load) else { return missing(pin, load) };
    Some(compared(pin, file.md5?, load))
}

fn weighed<'l>(inside: &str, load: &Load<'l>) -> Option<&'l Artifact> {
    load.inventory.weighed().find(|file| file.path.as_str() == inside)
}

/// What is not published is not missed.
fn missing(pin: &Pin, load: &Load<'_>) -> Option<Outcome> {
    left_out(pin, load).is_none().then_some(Outcome::Missing)
}

fn compared(pin: &Pin, found: Md5, load: &Load<'_>) -> Outcome {
    if pin.md5 == Some(found) {
        return Outcome::Holds;
    }
    // DVC takes what has no NUL in its first 512 bytes for text, and before version 3 hashed that
    // with the line ends of Unix.
    let may_be_text = |file: &Artifact| !file.sample.contains(&0);
    let file = match &pin.reach {
        Reach::Inside(inside) => weighed(inside, load),
        Reach::Around | Reach::Elsewhere => None,
    };
    if pin.is_legacy && file.is_none_or(may_be_text) {
        let why = "DVC before version 3 hashed texts with other line ends; `dvc cache migrate --dvc-files` pins it anew";
        return Outcome::Unverified(why.into());
    }
    Outcome::Differs(found)
}

fn folder(pin: &Pin, inside: &str, load: &Load<'_>) -> Option<Outcome> {
    let files = load.inventory.weighed();
    let listed: Vec<(&str, Md5)> =
        files.filter_map(|file| Some((below(file.path.as_str(), inside)?, file.md5?))).collect();
    if listed.is_empty() {
        return missing(pin, load);
    }
    if let Some(name) = left_out(pin, load) {
        return Some(Outcome::Unverified(format!("`{name}` in it is not published")));
    }
    let found = digest_of(listed);
    if pin.is_legacy && pin.md5 != Some(found) {
        return Some(Outcome::Unverified("it was made by DVC before version 3".into()));
    }
    Some(if pin.md5 == Some(found) { Outcome::Holds } else { Outcome::Differs(found) })
}

/// The first name at or below the pin that is in the folder and was not weighed.
fn left_out<'l>(pin: &Pin, load: &Load<'l>) -> Option<&'l str> {
    load.inventory.unweighed.iter().find_map(|name| {
        let (Unweighed::Excluded { shown, .. }
        | Unweighed::BadLink { shown, .. }
        | Unweighed::BadName { shown, .. }
        | Unweighed::NotAFile { shown }
        | Unweighed::Unreadable { shown, .. }) = name;
        below(shown, &pin.path).map(|_| shown.as_str())
    })
}

/// The digest of a folder: the MD5 of what Python's `json.dumps` makes of the list of its files,
/// sorted by path.
fn digest_of(mut files: Vec<(&str, Md5)>) -> Md5 {
    files.sort_unstable();
    let mut hasher = crate::digest::Md5Hasher::default();
    for (index, (path, md5)) in files.iter().enumerate() {
        let before = if index == 0 { "[" } else { ", " };
        let entry = format!("{before}{{\"md5\": \"{md5}\", \"relpath\": {}}}", as_python(path));
        hasher.update(entry.as_bytes());
    }
    hasher.update(b"]");
    hasher.finish()
}

/// A text in JSON as Python writes it: nothing but ASCII.
fn as_python(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out + "\""
}

fn differs(pin: &Pin, stage: Option<&Stage>, pinned: Md5, found: Md5) -> Finding {
    let Pin { path, at, .. } = pin;
    let of_folder = if pin.is_folder { ".dir" } else { "" };
    let pinned = format!("{pinned}{of_folder}");
    let by = match stage {
        Some(stage) if stage.deps.iter().any(|dep| dep.at == *at) => {
            format!("the stage `{}` read one of {pinned}", stage.name)
        }
        Some(stage) => format!("the stage `{}` wrote one of {pinned}", stage.name),
        None => format!("{pinned} is pinned"),
    };
    let message = format!("`{path}` has the md5 {found}{of_folder}, and {by}");
    let record = match stage {
        Some(stage) => format!("`dvc repro {0}` (or `dvc commit {0}`)", stage.name),
        None => format!("`dvc add {path}`"),
    };
    let file = at.path.as_deref().unwrap_or_default();
    let fix = format!(
        "bring back what was recorded with `dvc checkout`; or record what is there with {record}, and \
         commit `{file}`"
    );
    Finding::new(&DIFFERS, message, at.clone()).with_fix(fix)
}
