//! From the parts of a release to its inventory, the same that a single pass would have taken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::read::{self, Found};
use super::shape::kept_in;
use super::{Binding, PartsError};
use crate::digest::Digest;
use crate::inventory::{Artifact, Inventory, Listing, Place, Shard, Staged, Unread, Unweighed};
use crate::rel_path::RelPath;
use crate::scan;

/// What a release knows of its parts without them.
#[derive(Debug, Clone)]
pub struct Expected {
    /// What they are of.
    pub binding: Binding,
    /// Their digests, where the jobs that made them gave them out.
    pub digests: Option<BTreeSet<Digest>>,
}

/// Reads the parts in `folder`, and makes of them the inventory of `root`. `shown` and `shown_root` are
/// what people know the two as.
pub fn merge(
    folder: &Path,
    shown: &str,
    expected: &Expected,
    root: PathBuf,
    shown_root: &str,
) -> Result<Inventory, PartsError> {
    let parts = read::parts(folder, shown)?;
    are_expected(&parts, expected)?;
    let parts = all_of(parts)?;
    same_folder(&parts)?;

    let rules: BTreeMap<_, _> = scan::rules().into_iter().map(|rule| (rule.id, rule)).collect();
    let mut whole = Whole::default();
    let (of, listing) = (parts[0].shard.of(), parts[0].part.listing);
    for Found { name, folder, shard, part, .. } in parts {
        let altered = |why: String| PartsError::Altered { part: name.clone(), why };
        whole.names.extend(part.names.into_iter().map(Unweighed::from));
        for file in part.unread {
            let file = file.into_unread(shown_root);
            whole.list(&file.path, file.size, shard).map_err(altered)?;
            whole.unread.push(file);
        }
        for file in part.files {
            whole.list(&file.path, file.size, shard).map_err(altered)?;
            let staged = |kept: Option<&Digest>| Staged {
                shard,
                kept: kept.map(|digest| kept_in(&folder, digest)),
            };
            let artifact = file.into_artifact(&rules, shown_root, staged).map_err(altered)?;
            is_beside(&artifact).map_err(altered)?;
            whole.files.push(artifact);
        }
    }
    // Every job has listed the whole: together they must be it, and each its own share of it.
    let seen = Listing { files: whole.listed, names: whole.names };
    if seen.digest() != listing {
        return Err(PartsError::Torn("paths or sizes differ".into()));
    }
    if seen.is_empty() {
        return Err(PartsError::Torn("there is no file to publish".into()));
    }
    let cut = seen.cut(of);
    let mut shards = whole.shards.iter();
    if let Some((path, shard)) = shards.find(|(path, shard)| cut.get(path) != Some(&shard.number()))
    {
        return Err(PartsError::Torn(format!("`{path}` is not of the share {shard}")));
    }
    Ok(Inventory::assemble(root, whole.files, seen.names, whole.unread))
}

/// All parts together.
#[derive(Default)]
struct Whole {
    files: Vec<Artifact>,
    unread: Vec<Unread>,
    names: Vec<Unweighed>,
    listed: BTreeMap<RelPath, u64>,
    shards: BTreeMap<RelPath, Shard>,
}

impl Whole {
    fn list(&mut self, path: &RelPath, size: u64, shard: Shard) -> Result<(), String> {
        self.shards.insert(path.clone(), shard);
        match self.listed.insert(path.clone(), size) {
            None => Ok(()),
            Some(_) => Err(format!("`{path}` came twice")),
        }
    }
}

/// Each part is of this release, and has a digest that a job gave out.
fn are_expected(parts: &[Found], expected: &Expected) -> Result<(), PartsError> {
    for found in parts {
        if let Some((what, ours, theirs)) = expected.binding.differs(&found.part.release) {
            let part = found.name.clone();
            return Err(PartsError::Foreign { part, what, theirs, ours });
        }
        if expected.digests.as_ref().is_some_and(|digests| !digests.contains(&found.digest)) {
            let why = format!("no stage job gave out its digest, {}", found.digest);
            return Err(PartsError::Altered { part: found.name.clone(), why });
        }
    }
    Ok(())
}

/// One part for each share, in their order.
fn all_of(mut parts: Vec<Found>) -> Result<Vec<Found>, PartsError> {
    let of = parts[0].shard.of();
    if let Some(other) = parts.iter().find(|found| found.shard.of() != of) {
        return Err(PartsError::Foreign {
            part: other.name.clone(),
            what: "number of shares",
            theirs: other.shard.of().to_string(),
            ours: of.to_string(),
        });
    }
    parts.sort_by_key(|found| found.shard);
    if let Some([first, second]) =
        parts.array_windows().find(|[first, second]| first.shard == second.shard)
    {
        let (shard, first, second) = (first.shard, first.name.clone(), second.name.clone());
        return Err(PartsError::Doubled { shard, first, second });
    }
    let there: BTreeSet<_> = parts.iter().map(|found| found.shard).collect();
    let all = (1..=of).filter_map(|number| Shard::new(number, of));
    let missing: Vec<_> = all.filter(|shard| !there.contains(shard)).collect();
    if missing.is_empty() { Ok(parts) } else { Err(PartsError::Missing { missing, of }) }
}

fn same_folder(parts: &[Found]) -> Result<(), PartsError> {
    let first = &parts[0];
    match parts.iter().find(|found| found.part.listing != first.part.listing) {
        None => Ok(()),
        Some(other) => {
            let (first, part) = (first.name.clone(), other.name.clone());
            Err(PartsError::Folders { first, part })
        }
    }
}

/// Content that came along lies where it should. Its digest is checked when it is sent.
fn is_beside(file: &Artifact) -> Result<(), String> {
    let Place::Staged(Staged { kept: Some(kept), .. }) = &file.place else {
        return Ok(());
    };
    match std::fs::symlink_metadata(kept) {
        Ok(found) if found.is_file() && found.len() == file.size => Ok(()),
        Ok(_) => Err(format!("the content of `{}` beside it is something else", file.path)),
        Err(error) => Err(format!("the content of `{}` is not beside it: {error}", file.path)),
    }
}
