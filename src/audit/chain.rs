//! A line, and what binds it to the one before it.
//!
//! ```text
//! {"sequence":2,"previous":"<sha-256>","id":"<sha-256>","schema":1,…}
//!               the whole line before │                └ the record: `{` and all from here on
//!                   without its break ┘         └ SHA-256 of that
//! ```
//!
//! A line can be written in one way only, so a change anywhere is one of these: the line is none any
//! more, its number is not the next, it does not name the line before it, or not its own record.

use std::fmt;

use serde::de::IgnoredAny;

use super::record::MAX_BYTES;
use crate::digest::Digest;

/// Most bytes of a line: a record, and what stands before it.
pub(super) const LINE: usize = MAX_BYTES + 1024;

/// The chain up to some line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// Number of the last line.
    sequence: u64,
    /// SHA-256 of the last line.
    head: Option<Digest>,
}

/// One line that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub sequence: u64,
    /// SHA-256 of the line before it.
    pub previous: Digest,
    /// SHA-256 of the record.
    pub id: Digest,
    /// SHA-256 of the line.
    pub digest: Digest,
    /// The record's JSON.
    pub record: String,
}

/// Why a line does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It is no line of a log.
    Unreadable(String),
    /// The line break behind it is missing.
    Unended,
    /// Its number is not the next.
    Sequence {
        /// What should stand there.
        expected: u64,
        /// What does.
        found: u64,
    },
    /// It does not name the line before it.
    Previous {
        /// What the line before it is.
        expected: Digest,
        /// What it names.
        found: Digest,
    },
    /// Its record is not the one it names.
    Record {
        /// What it names.
        expected: Digest,
        /// What the record is.
        found: Digest,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "it is no record: {why}"),
            Self::Unended => f.write_str("it does not end in a line break: the file was cut off"),
            Self::Sequence { expected, found } if found > expected => {
                let last = found - 1;
                let missing = if last == *expected {
                    format!("record {expected} is missing")
                } else {
                    format!("records {expected} to {last} are missing")
                };
                write!(f, "expected record {expected}, found {found}: {missing}")
            }
            Self::Sequence { expected, found } => write!(
                f,
                "expected record {expected}, found {found}: it stands here a second time, or was moved"
            ),
            Self::Previous { expected, found } => write!(
                f,
                "expected the hash {expected} of the line before it, found {found}: that line was changed, or records were put in its place"
            ),
            Self::Record { expected, found } => write!(
                f,
                "expected a record with the hash {expected}, found {found}: it was changed"
            ),
        }
    }
}

impl Chain {
    /// The chain before a line, as that line itself tells it.
    pub fn before(line: &[u8]) -> Result<Self, Flaw> {
        let entry = read(line)?;
        let sequence = entry.sequence.checked_sub(1);
        let sequence = sequence.ok_or_else(|| Flaw::Unreadable("records count from 1".into()))?;
        Ok(Self { sequence, head: (sequence > 0).then_some(entry.previous) })
    }

    /// Takes the next line, without its line break.
    pub fn take(&mut self, line: &[u8]) -> Result<Entry, Flaw> {
        let entry = read(line)?;
        let expected = self.sequence.saturating_add(1);
        if entry.sequence != expected {
            return Err(Flaw::Sequence { expected, found: entry.sequence });
        }
        let found = Digest::of(entry.record.as_bytes());
        if found != entry.id {
            return Err(Flaw::Record { expected: entry.id, found });
        }
        let expected = self.previous();
        if entry.previous != expected {
            return Err(Flaw::Previous { expected, found: entry.previous });
        }
        *self = Self { sequence: entry.sequence, head: Some(entry.digest) };
        Ok(entry)
    }

    /// The line that puts a record behind the last one, without its line break.
    pub fn line(&self, record: &str) -> String {
        write(
            self.sequence.saturating_add(1),
            self.previous(),
            Digest::of(record.as_bytes()),
            record,
        )
    }

    /// Number of the last line: how many there are.
    pub fn records(&self) -> u64 {
        self.sequence
    }

    /// SHA-256 of the last line.
    pub fn head(&self) -> Option<Digest> {
        self.head
    }

    fn previous(&self) -> Digest {
        self.head.unwrap_or(Digest::ZERO)
    }
}

fn write(sequence: u64, previous: Digest, id: Digest, record: &str) -> String {
    let rest = record.strip_prefix('{').unwrap_or(record);
    format!("{{\"sequence\":{sequence},\"previous\":\"{previous}\",\"id\":\"{id}\",{rest}")
}

fn read(line: &[u8]) -> Result<Entry, Flaw> {
    let wrong = |why: &str| Flaw::Unreadable(why.to_owned());
    if line.len() > LINE {
        return Err(Flaw::Unreadable(format!("it is longer than {LINE} bytes")));
    }
    let text = std::str::from_utf8(line).map_err(|_| wrong("it is not UTF-8"))?;
    let head =
        || wrong("it does not begin with `{\"sequence\":…,\"previous\":\"…\",\"id\":\"…\",`");
    let rest = text.strip_prefix("{\"sequence\":").ok_or_else(head)?;
    let (sequence, rest) = rest.split_once(",\"previous\":\"").ok_or_else(head)?;
    let (previous, rest) = rest.split_once("\",\"id\":\"").ok_or_else(head)?;
    let (id, rest) = rest.split_once("\",").ok_or_else(head)?;
    let sequence = sequence.parse().map_err(|_| head())?;
    let previous = previous.parse().map_err(|_| head())?;
    let id = id.parse().map_err(|_| head())?;
    let record = format!("{{{rest}");
    // `+1` and `01` are the same number to some.
    if write(sequence, previous, id, &record) != text {
        return Err(head());
    }
    serde_json::from_str::<IgnoredAny>(&record)
        .map_err(|error| Flaw::Unreadable(format!("it is not JSON: {error}")))?;
    Ok(Entry { sequence, previous, id, digest: Digest::of(line), record })
}
