//! Writing a part: its report, and beside it what goes into the commit.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::shape::{File, Part, SCHEMA, Sealed, kept_in};
use super::{Binding, FILES, PartsError};
use crate::digest::Digest;
use crate::http::Blotter;
use crate::hub::Blob;
use crate::inventory::{Shard, Share};

/// A part on disk.
#[derive(Debug)]
pub struct Written {
    /// Its folder.
    pub folder: PathBuf,
    /// The digest of the report's content.
    pub digest: Digest,
}

/// The folder of a part among the reports.
pub fn folder_of(reports: &Path, shard: Shard) -> PathBuf {
    reports.join(name(shard))
}

fn name(shard: Shard) -> String {
    format!("weighbridge-part-{}-of-{}", shard.number(), shard.of())
}

/// Writes a part into its folder below `reports`; one of an earlier run makes room. `small` are the
/// files whose content goes along; one at a time is in memory.
pub async fn write(
    reports: &Path,
    shard: Shard,
    binding: &Binding,
    weighed: &Share,
    small: &[Blob],
) -> Result<Written, PartsError> {
    let folder = folder_of(reports, shard);
    let made = match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(folder.join(FILES)),
    };
    made.map_err(|error| at(&folder, error))?;
    let secrets = Blotter::of_what_tells();
    for file in small {
        let bytes = file.read().await?;
        if secrets.finds(&bytes) {
            return Err(refused(&folder, format!("`{}`", file.path)));
        }
        let path = kept_in(&folder, &file.sha256);
        fs::write(&path, bytes).map_err(|error| at(&path, error))?;
    }
    let kept: BTreeSet<_> = small.iter().map(|file| file.path.as_str()).collect();
    let part = Part {
        schema: SCHEMA.to_owned(),
        shard: shard.number(),
        of: shard.of(),
        release: binding.clone(),
        listing: weighed.listing.digest(),
        names: match shard.number() {
            1 => weighed.listing.names.iter().map(Into::into).collect(),
            _ => Vec::new(),
        },
        unread: weighed.unread.iter().map(Into::into).collect(),
        files: weighed
            .inventory
            .weighed()
            .map(|file| File::of(file, kept.contains(file.path.as_str())))
            .collect(),
    };
    let digest = part.digest();
    let path = folder.join(format!("{}.json", name(shard)));
    let sealed = serde_json::to_string(&Sealed { digest, part });
    let mut report = sealed.map_err(|error| at(&path, error.into()))?;
    report.push('\n');
    // Its digest is of every word of it, so none can be blotted out.
    if secrets.finds(report.as_bytes()) {
        return Err(refused(&folder, "the part's report: a name, a finding or a document".into()));
    }
    fs::write(&path, report).map_err(|error| at(&path, error))?;
    Ok(Written { folder, digest })
}

/// Takes away what was written before a secret was found.
fn refused(folder: &Path, place: String) -> PartsError {
    PartsError::Secret(match fs::remove_dir_all(folder) {
        Ok(()) => place,
        Err(error) => {
            format!("{place} (and `{}` could not be taken away: {error})", folder.display())
        }
    })
}

fn at(path: &Path, source: io::Error) -> PartsError {
    PartsError::Disk { doing: "write", path: path.display().to_string(), source }
}
