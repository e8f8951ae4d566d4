//! Reading part reports: how much is read is bounded, and what was read must have its digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::shape::{Part, SCHEMA, Sealed};
use super::{FILES, PartsError};
use crate::digest::Digest;
use crate::inventory::{Shard, printable};

/// Bytes of all reports of a release: about a thousand for each of the most files that the Hub
/// advises to have.
const MOST_BYTES: u64 = 128 << 20;

/// A part as it was found.
pub(super) struct Found {
    /// As people see it.
    pub(super) name: String,
    /// The folder that it lies in.
    pub(super) folder: PathBuf,
    pub(super) shard: Shard,
    pub(super) digest: Digest,
    pub(super) part: Part,
}

/// The parts in a folder, or one below: artifacts are downloaded into a folder of their own each, or
/// all into one.
pub(super) fn parts(folder: &Path, shown: &str) -> Result<Vec<Found>, PartsError> {
    let mut left = MOST_BYTES;
    let mut found = Vec::new();
    let entries = WalkDir::new(folder).min_depth(1).max_depth(2).sort_by_file_name().into_iter();
    let entries = entries.filter_entry(|entry| entry.file_name() != FILES);
    for entry in entries {
        let entry = entry.map_err(|error| PartsError::Disk {
            doing: "read",
            path: shown.to_owned(),
            source: error.into(),
        })?;
        if entry.file_type().is_file() && is_part(&entry.file_name().to_string_lossy()) {
            let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let name = printable(&relative.to_string_lossy());
            found.push(part(entry.path(), name, &mut left)?);
        }
    }
    if found.is_empty() {
        return Err(PartsError::None(shown.to_owned()));
    }
    Ok(found)
}

fn is_part(name: &str) -> bool {
    name.strip_prefix("weighbridge-part-").is_some_and(|rest| rest.strip_suffix(".json").is_some())
}

fn part(path: &Path, name: String, left: &mut u64) -> Result<Found, PartsError> {
    let unusable = |why: String| PartsError::Unusable { part: name.clone(), why };
    let disk = |source| PartsError::Disk { doing: "read", path: name.clone(), source };
    let file = fs::File::open(path).map_err(disk)?;
    let size = file.metadata().map_err(disk)?.len();
    *left = left.checked_sub(size).ok_or_else(|| {
        unusable(format!("with it all parts have more than {} MB", MOST_BYTES >> 20))
    })?;
    let sealed: Sealed = serde_json::from_reader(BufReader::new(file.take(size)))
        .map_err(|error| unusable(error.to_string().chars().take(300).collect()))?;
    let Sealed { digest, part } = sealed;
    if part.schema != SCHEMA {
        return Err(unusable(format!("it is `{:.40}`, not `{SCHEMA}`", part.schema)));
    }
    if part.digest() != digest {
        let why = "its content has another digest than it says".to_owned();
        return Err(PartsError::Altered { part: name, why });
    }
    let shard = Shard::new(part.shard, part.of);
    let shard = shard.ok_or_else(|| unusable(format!("it is {}/{}", part.shard, part.of)))?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    Ok(Found { name, folder, shard, digest, part })
}

/// The digests that stage jobs gave out: a JSON object of them, as `toJSON(needs.stage.outputs)` makes
/// it, or the digests with blanks or commas between.
pub fn digests(text: &str) -> Result<BTreeSet<Digest>, PartsError> {
    let bad = |why: String| PartsError::Digests(why);
    let text = text.trim();
    if text.starts_with('{') {
        let by_name: BTreeMap<String, String> =
            serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        let named = by_name.iter().map(|(name, digest)| {
            digest.parse().map_err(|error| bad(format!("`{name:.80}`: {error}")))
        });
        return named.collect();
    }
    let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|error| bad(format!("{error}")))).collect()
}
