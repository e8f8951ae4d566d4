//! Finds the files of DVC: below the policy's folder, and beside it up to the workspace.

use walkdir::{DirEntry, WalkDir};

use super::Base;

/// Most names that are looked at.
const MAX_NAMES: usize = 50_000;
/// Most files that are read.
const MAX_FILES: usize = 2_000;
/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 12;
/// Folders of other people's files.
const FOREIGN: [&str; 4] = ["node_modules", "site-packages", "__pycache__", "target"];

/// Paths relative to the base, in the order in which they are read: a folder's `dvc.yaml` tells
/// what the paths in its `dvc.lock` are relative to, and so comes first.
pub(super) fn files(base: &Base) -> Vec<String> {
    let mut found = Vec::new();
    let depth = base.shown("").split('/').filter(|part| !part.is_empty()).count();
    for up in (1..=depth).rev() {
        let folder = "../".repeat(up);
        let names = std::fs::read_dir(base.folder.join(&folder)).into_iter().flatten();
        let names = names.filter_map(Result::ok).take(MAX_NAMES);
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        found.extend(names.filter(|name| is_one(name)).map(|name| format!("{folder}{name}")));
    }
    let walk = WalkDir::new(&base.folder).max_depth(MAX_DEPTH).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(is_own).filter_map(Result::ok).take(MAX_NAMES) {
        let relative = entry.path().strip_prefix(&base.folder).unwrap_or(entry.path());
        if !entry.file_type().is_dir()
            && let (Some(path), Some(name)) = (relative.to_str(), entry.file_name().to_str())
            && is_one(name)
        {
            found.push(path.to_owned());
        }
    }
    found.sort_by_key(|path| (!path.ends_with("dvc.yaml"), !path.ends_with("dvc.lock")));
    found.truncate(MAX_FILES);
    found
}

fn is_own(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_str().unwrap_or_default();
    let hidden = name.starts_with('.') && entry.depth() > 0;
    !entry.file_type().is_dir() || !(hidden || FOREIGN.contains(&name))
}

fn is_one(name: &str) -> bool {
    matches!(name, "dvc.yaml" | "dvc.lock")
        || name.strip_suffix(".dvc").is_some_and(|stem| !stem.is_empty())
}
