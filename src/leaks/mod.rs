//! Secrets in the files that git tracks: what a push shows to everybody who can see the repository,
//! whether it is ever part of a model or not. What is found is never shown.
//!
//! The files of the artifact folder are not read here: the inventory has scanned them in its one pass.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::finding::Location;
use crate::scan;
use crate::workspace::{self, Refused};

/// Bytes by which a binary file is told, as git tells it.
const HEAD: u64 = 8_000;
/// Bytes that are looked at of one file: settings, code and notebooks are shorter, and so are most
/// pictures and archives.
const MOST_OF_ONE: u64 = 8 << 20;
/// Bytes of texts that are looked at in all, and bytes of other files: pictures leave texts unread no
/// more than texts do pictures.
const MOST_IN_ALL: u64 = 1 << 30;
/// Files that are read before the bytes are counted: so the same files are always the ones left out,
/// however many threads there are.
const AT_ONCE: usize = 64;
/// Secrets that are told of one repository.
const MOST_FOUND: usize = 200;

/// A file to look at.
#[derive(Debug, Clone)]
pub struct Suspect {
    /// Where it is.
    pub on_disk: PathBuf,
    /// As findings show it.
    pub shown: String,
}

/// A secret in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// File, line and column.
    pub at: Location,
    /// What it is; not the secret.
    pub what: String,
}

/// What a search found, and how far it got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaks {
    /// Secrets, in the order of the files.
    pub found: Vec<Leak>,
    /// Texts that were looked at.
    pub texts: usize,
    /// Files that are no text, in which tokens were looked for.
    pub binaries: usize,
    /// Files of which only the beginning was looked at, as shown.
    pub cut: Vec<String>,
    /// Files that were not looked at, because too much was, or because they cannot be read.
    pub left: usize,
}

/// Searches files that lie below `root`.
pub fn search(root: &Path, files: &[Suspect]) -> Leaks {
    search_within(root, files, MOST_IN_ALL)
}

fn search_within(root: &Path, files: &[Suspect], most: u64) -> Leaks {
    let mut leaks = Leaks::default();
    let (mut of_texts, mut of_binaries) = (0, 0);
    for (index, batch) in files.chunks(AT_ONCE).enumerate() {
        if of_texts >= most || leaks.found.len() >= MOST_FOUND {
            leaks.left += files.len() - index * AT_ONCE;
            break;
        }
        let binaries = of_binaries < most;
        let looked: Vec<_> = batch.par_iter().map(|file| look(root, file, binaries)).collect();
        for (file, seen) in batch.iter().zip(looked) {
            match seen {
                Seen::Searched { read, cut, is_text, found } => {
                    let (files, bytes) = if is_text {
                        (&mut leaks.texts, &mut of_texts)
                    } else {
                        (&mut leaks.binaries, &mut of_binaries)
                    };
                    *files += 1;
                    *bytes += read;
                    leaks.found.extend(found);
                    leaks.cut.extend(cut.then(|| file.shown.clone()));
                }
                Seen::Nothing => {}
                Seen::Left => leaks.left += 1,
            }
        }
    }
    leaks.found.truncate(MOST_FOUND);
    leaks
}

/// What became of one file.
enum Seen {
    Searched {
        read: u64,
        cut: bool,
        is_text: bool,
        found: Vec<Leak>,
    },
    /// It is not there: a file may be deleted and still tracked.
    Nothing,
    /// It cannot be read, or too much was.
    Left,
}

/// Looks at a file; at one that is no text only if `binaries` says so.
fn look(root: &Path, file: &Suspect, binaries: bool) -> Seen {
    let read = match workspace::open(&file.on_disk, &[root]) {
        Ok(open) => beginning(open, binaries),
        // What is a folder or a link now is not what git tracks.
        Err(Refused::Missing | Refused::NotAFile | Refused::Outside | Refused::GitsOwn) => {
            return Seen::Nothing;
        }
        Err(Refused::Io(error)) => Err(error),
    };
    let Ok(Some((is_text, bytes))) = read else { return Seen::Left };
    let read = bytes.len() as u64;
    let found = if is_text { in_text(&file.shown, &bytes) } else { in_binary(&file.shown, bytes) };
    Seen::Searched { read, cut: read >= MOST_OF_ONE, is_text, found }
}

/// A file as far as it is looked at, and whether it is a text; nothing of one that is not wanted.
fn beginning(file: File, binaries: bool) -> io::Result<Option<(bool, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut file = file.take(HEAD);
    file.read_to_end(&mut bytes)?;
    let is_text = scan::may_be_text(&bytes);
    if !is_text && !binaries {
        return Ok(None);
    }
    file.set_limit(MOST_OF_ONE - bytes.len() as u64);
    file.read_to_end(&mut bytes)?;
    Ok(Some((is_text, bytes)))
}

fn in_text(shown: &str, text: &[u8]) -> Vec<Leak> {
    let leak = |seen: scan::Detection| {
        let at = Location { line: seen.line, column: seen.column, ..Location::file(shown) };
        Leak { at, what: seen.message }
    };
    scan::secrets(text).into_iter().map(leak).collect()
}

/// As bytes, and once more without zeroes: so UTF-16 stands in programs, and in texts without a mark.
fn in_binary(shown: &str, mut bytes: Vec<u8>) -> Vec<Leak> {
    let leak = |offset, what| {
        let at = Location { offset, ..Location::file(shown) };
        Leak { at, what: scan::told(what) }
    };
    let found = scan::tokens(&bytes);
    if !found.is_empty() {
        return found.into_iter().map(|(at, what)| leak(Some(at as u64), what)).collect();
    }
    bytes.retain(|byte| *byte != 0);
    scan::tokens(&bytes).into_iter().map(|(_, what)| leak(None, what)).collect()
}

#[cfg(test)]
mod tests;
