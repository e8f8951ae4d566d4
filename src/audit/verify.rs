//! The whole chain, from its first line to its last: one file at a time, one line at a time.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use super::chain::{Chain, Entry, Flaw, LINE};
use super::file::FileName;
use super::history::{self, Depth, History};
use super::log::{Log, LogError};
use crate::digest::Digest;

/// The first line that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// Why.
    pub flaw: Flaw,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.flaw)
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verification {
    /// Files that were read.
    pub files: usize,
    /// Where the chain breaks, if it does; the rest is of what comes before that.
    pub broken: Option<Broken>,
    /// The chain.
    pub chain: Chain,
    /// Whether the line that was asked for is in it.
    pub holds: Option<bool>,
    /// The newest records that hold, the oldest first.
    pub newest: VecDeque<Entry>,
    /// What the history of the repository shows, where it was asked for.
    pub history: Option<History>,
}

impl Verification {
    /// Whether the chain is whole, has the line that was asked for, and was never rewritten as far as was
    /// seen.
    pub fn passed(&self) -> bool {
        self.chain_holds() && self.history.as_ref().is_none_or(History::passed)
    }

    /// Whether the chain is whole and has the line that was asked for.
    pub fn chain_holds(&self) -> bool {
        self.broken.is_none() && self.holds != Some(false)
    }
}

/// Verifies the log on the Hub, at the commit that its branch is at, and the history of its repository
/// so far as `depth` says. `head` must be the hash of one of its lines; the newest `keep` records are
/// handed out.
pub async fn verify_hub(
    log: &Log,
    head: Option<Digest>,
    keep: usize,
    depth: Option<&Depth>,
) -> Result<Verification, LogError> {
    let mut walk = Walk::new(Chain::default(), head, keep);
    let (commit, names) = log.files().await?;
    let is_empty = names.is_empty();
    for name in names {
        let bytes = log.read(&commit, name).await?;
        // A slice can always be read.
        if !walk.file(&log.path(name), bytes.as_slice()).unwrap_or(false) {
            break;
        }
    }
    let mut found = walk.found;
    if let Some(depth) = depth {
        found.history = Some(history::walk(log, &commit, depth).await?);
    }
    // Nothing is not whole; that something was there is a finding.
    if is_empty && found.passed() { Err(log.nothing()) } else { Ok(found) }
}

/// As [`verify_hub`], of a log whose files lie in a folder.
pub fn verify_folder(
    folder: &Path,
    head: Option<Digest>,
    keep: usize,
) -> Result<Verification, LogError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| LogError::Folder { path, source }
    };
    let entries = std::fs::read_dir(folder).map_err(failed(folder))?;
    let mut names: Vec<FileName> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    names.sort();
    if names.is_empty() {
        return Err(LogError::Empty(folder.display().to_string()));
    }
    let mut walk = Walk::new(Chain::default(), head, keep);
    for name in names {
        let path = folder.join(name.to_string());
        let lines = BufReader::new(File::open(&path).map_err(failed(&path))?);
        if !walk.file(&path.display().to_string(), lines).map_err(failed(&path))? {
            break;
        }
    }
    Ok(walk.found)
}

/// The chain at the end of a file, whose first line is taken at its word.
pub(super) fn tail(shown: &str, bytes: &[u8]) -> Result<Chain, Broken> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let broken = |flaw| Broken { file: shown.to_owned(), line: 1, flaw };
    let mut walk = Walk::new(Chain::before(first).map_err(broken)?, None, 0);
    // A slice can always be read.
    let _ = walk.file(shown, bytes);
    match walk.found.broken {
        Some(broken) => Err(broken),
        None => Ok(walk.found.chain),
    }
}

struct Walk {
    head: Option<Digest>,
    keep: usize,
    found: Verification,
}

impl Walk {
    fn new(chain: Chain, head: Option<Digest>, keep: usize) -> Self {
        let holds = head.map(|_| false);
        Self { head, keep, found: Verification { chain, holds, ..Verification::default() } }
    }

    /// Takes the lines of the next file; whether all of them hold.
    fn file(&mut self, shown: &str, mut lines: impl BufRead) -> io::Result<bool> {
        self.found.files += 1;
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            // One byte beyond the longest line tells that it is longer.
            let mut bounded = lines.by_ref().take(LINE as u64 + 1);
            if bounded.read_until(b'\n', &mut line)? == 0 && number > 0 {
                return Ok(true);
            }
            number += 1;
            let ended = line.pop_if(|last| *last == b'\n').is_some();
            let entry = if ended || line.len() > LINE {
                self.found.chain.take(&line)
            } else {
                Err(Flaw::Unended)
            };
            match entry {
                Ok(entry) => self.seen(entry),
                Err(flaw) => {
                    let file = shown.to_owned();
                    self.found.broken = Some(Broken { file, line: number, flaw });
                    return Ok(false);
                }
            }
        }
    }

    fn seen(&mut self, entry: Entry) {
        if self.head == Some(entry.digest) {
            self.found.holds = Some(true);
        }
        self.found.newest.push_back(entry);
        if self.found.newest.len() > self.keep {
            self.found.newest.pop_front();
        }
    }
}
