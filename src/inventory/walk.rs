//! The walk: every name below a folder becomes a file to weigh or a name that is not.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{InventoryError, Unweighed};
use crate::policy::Pattern;
use crate::rel_path::RelPath;

/// A file to weigh.
pub(super) struct Found {
    pub(super) path: RelPath,
    pub(super) on_disk: PathBuf,
    pub(super) shown: String,
    pub(super) size: u64,
}

/// What a walk found.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) files: Vec<Found>,
    pub(super) unweighed: Vec<Unweighed>,
}

/// Walks `root`, shown to people as `shown_root`. Links are not followed, but a link to a file
/// inside the root stands for that file.
pub(super) fn walk(
    root: &Path,
    shown_root: &str,
    include: &[Pattern],
    exclude: &[Pattern],
) -> Result<Walk, InventoryError> {
    let real_root = root
        .canonicalize()
        .map_err(|source| InventoryError::Folder { shown: shown_root.to_owned(), source })?;
    let mut walk = Walk::default();
    let entries = WalkDir::new(root).follow_links(false).sort_by_file_name();
    // `.git` is never published, wherever it stands.
    for entry in entries.into_iter().filter_entry(|entry| entry.file_name() != ".git") {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root);
                let shown = shown(shown_root, path.strip_prefix(root).unwrap_or(path));
                walk.unweighed.push(Unweighed::Unreadable { shown, why: error.to_string() });
                continue;
            }
        };
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        if entry.file_type().is_dir() {
            continue;
        }
        let shown = shown(shown_root, relative);
        let path = match RelPath::from_path(relative) {
            Ok(path) => path,
            Err(error) => {
                walk.unweighed.push(Unweighed::BadName { shown, why: error.to_string() });
                continue;
            }
        };
        if let Some(pattern) = left_out(&path, include, exclude) {
            walk.unweighed.push(Unweighed::Excluded { shown, pattern });
            continue;
        }
        let on_disk = if entry.file_type().is_symlink() {
            match link_target(entry.path(), &real_root) {
                Ok(target) => target,
                Err(why) => {
                    walk.unweighed.push(Unweighed::BadLink { shown, why });
                    continue;
                }
            }
        } else {
            entry.path().to_owned()
        };
        match std::fs::metadata(&on_disk) {
            Ok(found) if found.is_file() => {
                walk.files.push(Found { path, on_disk, shown, size: found.len() });
            }
            Ok(_) => walk.unweighed.push(Unweighed::NotAFile { shown }),
            Err(error) => {
                walk.unweighed.push(Unweighed::Unreadable { shown, why: error.to_string() });
            }
        }
    }
    Ok(walk)
}

/// A single file, as it was named; a link stands for what it leads to.
pub(super) fn one_file(path: &Path, shown: &str) -> Result<Option<Found>, InventoryError> {
    let found = std::fs::metadata(path)
        .map_err(|source| InventoryError::Folder { shown: shown.to_owned(), source })?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    // A name that could not be published can be scanned all the same.
    let name = RelPath::from_path(Path::new(name)).or_else(|_| RelPath::parse("file"));
    let Ok(name) = name else { return Ok(None) };
    let on_disk = path.to_owned();
    let found = Found { path: name, on_disk, shown: printable(shown), size: found.len() };
    Ok(path.is_file().then_some(found))
}

/// The pattern that leaves a path out.
fn left_out(path: &RelPath, include: &[Pattern], exclude: &[Pattern]) -> Option<String> {
    let matching = |patterns: &[Pattern]| {
        patterns.iter().find(|pattern| pattern.glob.is_match(path.as_str())).cloned()
    };
    if let Some(pattern) = matching(exclude) {
        return Some(pattern.text);
    }
    (!include.is_empty() && matching(include).is_none()).then(|| "not in include".to_owned())
}

fn link_target(link: &Path, real_root: &Path) -> Result<PathBuf, String> {
    let target = link.canonicalize().map_err(|error| format!("it leads nowhere: {error}"))?;
    if !target.starts_with(real_root) {
        return Err("it leads out of the folder".into());
    }
    if target.is_dir() {
        return Err("it leads to a folder".into());
    }
    Ok(target)
}

/// A path as people see it: printable, whatever the name holds.
pub(super) fn shown(root: &str, relative: &Path) -> String {
    let printable = printable(&relative.to_string_lossy());
    if root.is_empty() { printable } else { format!("{}/{printable}", root.trim_end_matches('/')) }
}

pub(super) fn printable(path: &str) -> String {
    let allowed = |c: char| matches!(c, '/' | '.') || RelPath::parse(&c.to_string()).is_ok();
    path.chars().map(|c| if allowed(c) { c } else { '\u{FFFD}' }).collect()
}
