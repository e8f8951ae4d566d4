//! What git tracks: the files that a push publishes to whoever can see the repository.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository};

use super::GitError;

/// A regular file in git's index; the rest of a mode is permissions. Links and submodules have
/// kinds of their own.
const REGULAR: u32 = 0o100_000;
const KIND: u32 = 0o170_000;
/// More files than any source repository has; the rest is counted.
const MOST_TRACKED: usize = 200_000;

/// The files of a checkout that git tracks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tracked {
    /// The checkout's folder.
    pub root: PathBuf,
    /// Regular files, relative to it, sorted.
    pub files: Vec<PathBuf>,
    /// How many more there are.
    pub beyond: usize,
}

/// The tracked files of the repository that `path` lies in; none where there is no checkout.
pub fn tracked(path: &Path) -> Result<Option<Tracked>, GitError> {
    let repository = match Repository::discover(path) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(GitError::at(path, error)),
    };
    let Some(root) = repository.workdir().map(Path::to_owned) else { return Ok(None) };
    let index = repository.index().map_err(|error| GitError::at(path, error))?;
    let regular = index.iter().filter(|entry| entry.mode & KIND == REGULAR);
    let mut files: Vec<_> =
        regular.map(|entry| PathBuf::from(OsStr::from_bytes(&entry.path))).collect();
    files.sort_unstable();
    // A file in conflict is there in several stages.
    files.dedup();
    let beyond = files.len().saturating_sub(MOST_TRACKED);
    files.truncate(MOST_TRACKED);
    Ok(Some(Tracked { root, files, beyond }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_what_is_untracked_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(tracked(folder.path()).expect("no repository is fine"), None);
        let repository = Repository::init(folder.path()).expect("a repository");
        std::fs::create_dir(folder.path().join("b")).expect("a folder");
        for name in ["z.txt", "b/a.txt", "untracked"] {
            std::fs::write(folder.path().join(name), "x").expect("written");
        }
        std::os::unix::fs::symlink("z.txt", folder.path().join("link")).expect("a link");
        let mut index = repository.index().expect("an index");
        for name in ["z.txt", "b/a.txt", "link"] {
            index.add_path(Path::new(name)).expect("added");
        }
        index.write().expect("written");
        let found = tracked(&folder.path().join("b")).expect("readable").expect("a checkout");
        assert_eq!(found.files, [Path::new("b/a.txt"), Path::new("z.txt")]);
        assert_eq!(found.root, folder.path().canonicalize().expect("there"));
        assert_eq!(found.beyond, 0);
    }
}
