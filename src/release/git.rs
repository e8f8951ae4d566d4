//! What git says of the checkout, read without a shell.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use git2::{
    AttrCheckFlags, AttrValue, ErrorCode, ObjectType, Repository, StatusEntry, StatusOptions,
};

use super::{GitFacts, GitTag};
use crate::digest::{Digest, Hasher};
use crate::failure::Advise;

/// More dirty files than anybody reads.
const DIRTY_SHOWN: usize = 100;
/// More tags than any repository of models has; the rest is not read.
const MOST_TAGS: usize = 50_000;
/// An LFS pointer is at most 1024 bytes (git-lfs, docs/spec.md).
const POINTER_LIMIT: usize = 1024;

/// Git that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("git repository at `{path}`")]
pub struct GitError {
    path: PathBuf,
    source: git2::Error,
}

impl GitError {
    pub(super) fn at(path: &Path, source: git2::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

impl Advise for GitError {
    fn fix(&self) -> Option<String> {
        match self.source.code() {
            ErrorCode::Owner => Some(
                "the checkout belongs to another user, as it does in a container: run \
                 `git config --global --add safe.directory '*'` first, or give the image an \
                 /etc/gitconfig with `[safe] directory = *`"
                    .into(),
            ),
            ErrorCode::NotFound => {
                Some("the repository is incomplete: check it out again (`git fsck` tells what is missing)".into())
            }
            _ => None,
        }
    }
}

impl GitFacts {
    /// Reads the repository that `path` lies in. No repository at all is no error: every fact is
    /// then absent.
    pub fn read(path: &Path) -> Result<Self, GitError> {
        let repository = match Repository::discover(path) {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(Self::default()),
            Err(source) => return Err(GitError { path: path.to_owned(), source }),
        };
        facts(&repository).map_err(|source| GitError { path: path.to_owned(), source })
    }
}

fn facts(repository: &Repository) -> Result<GitFacts, git2::Error> {
    let head = match repository.head() {
        Ok(head) => Some(head.peel_to_commit()?),
        // A repository without any commit has no head yet.
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => None,
        Err(error) => return Err(error),
    };
    // Git writes HEAD at a checkout of another branch, tag or commit, and not at a commit.
    let checked_out = std::fs::metadata(repository.path().join("HEAD"));
    Ok(GitFacts {
        head: head.as_ref().map(|commit| commit.id().to_string()),
        head_time: head.as_ref().map(|commit| commit.time().seconds()),
        dirty: if head.is_some() { dirty(repository)? } else { Vec::new() },
        tags: tags(repository)?,
        root: repository.workdir().map(Path::to_owned),
        shallow: repository.is_shallow(),
        checked_out: checked_out.and_then(|found| found.modified()).ok(),
    })
}

/// Tracked files that differ from the head commit.
fn dirty(repository: &Repository) -> Result<Vec<String>, git2::Error> {
    if repository.is_bare() {
        return Ok(Vec::new());
    }
    let mut options = StatusOptions::new();
    options.include_untracked(false).include_ignored(false).exclude_submodules(true);
    let statuses = repository.statuses(Some(&mut options))?;
    let changed = statuses.iter().filter(|entry| !is_smudged(repository, entry));
    let paths = changed.map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned());
    Ok(paths.take(DIRTY_SHOWN).collect())
}

/// Whether an entry differs only because Git LFS put the content in place of its pointer. Git
/// asks the `lfs` filter about that; libgit2 has no such filter and sees a changed file.
fn is_smudged(repository: &Repository, entry: &StatusEntry<'_>) -> bool {
    let only_content = entry.status() == git2::Status::WT_MODIFIED;
    let pointed = || {
        let path = Path::new(std::str::from_utf8(entry.path_bytes()).ok()?);
        let filter = repository.get_attr(path, "filter", AttrCheckFlags::FILE_THEN_INDEX).ok()?;
        if !matches!(AttrValue::from_string(filter), AttrValue::String("lfs")) {
            return None;
        }
        let tree = repository.head().ok()?.peel_to_tree().ok()?;
        let blob = repository.find_blob(tree.get_path(path).ok()?.id()).ok()?;
        let (oid, size) = pointer(blob.content())?;
        let on_disk = repository.workdir()?.join(path);
        let same_size = std::fs::symlink_metadata(&on_disk).ok()?.len() == size;
        (same_size && digest(&on_disk).ok()? == oid).then_some(())
    };
    only_content && pointed().is_some()
}

/// The SHA-256 and size that an LFS pointer names.
fn pointer(bytes: &[u8]) -> Option<(Digest, u64)> {
    if bytes.len() > POINTER_LIMIT {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    Some((value("oid sha256:")?.parse().ok()?, value("size ")?.parse().ok()?))
}

fn digest(path: &Path) -> std::io::Result<Digest> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn tags(repository: &Repository) -> Result<Vec<GitTag>, git2::Error> {
    let mut tags = Vec::new();
    for reference in repository.references_glob("refs/tags/*")?.take(MOST_TAGS) {
        let reference = reference?;
        // A tag on a tree or blob, or with a name that is no text, names no release.
        let Ok(commit) = reference.peel(ObjectType::Commit) else { continue };
        let Ok(name) = reference.shorthand() else { continue };
        let time = commit.as_commit().map_or(0, |commit| commit.time().seconds());
        tags.push(GitTag { name: name.to_owned(), commit: commit.id().to_string(), time });
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with the files of its one commit.
    fn repository(files: &[(&str, &str)]) -> (tempfile::TempDir, Repository) {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(folder.path()).expect("a repository");
        let mut index = repository.index().expect("an index");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
            index.add_path(Path::new(name)).expect("added");
        }
        index.write().expect("written");
        let tree = index.write_tree().expect("a tree");
        let who = git2::Signature::now("Ada", "ada@example.org").expect("a name");
        {
            let tree = repository.find_tree(tree).expect("a tree");
            repository.commit(Some("HEAD"), &who, &who, "One", &tree, &[]).expect("a commit");
        }
        (folder, repository)
    }

    fn read(folder: &tempfile::TempDir) -> GitFacts {
        GitFacts::read(folder.path()).expect("facts")
    }

    #[test]
    fn a_folder_without_git_has_no_facts() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(&folder), GitFacts::default());
        Repository::init(folder.path()).expect("a repository");
        let unborn = read(&folder);
        assert_eq!((unborn.head, unborn.dirty.len()), (None, 0));
        assert!(unborn.root.is_some() && unborn.checked_out.is_some());
    }

    #[test]
    fn a_head_that_is_broken_is_an_error() {
        let (folder, _) = repository(&[("a", "1")]);
        let nowhere = "0123456789012345678901234567890123456789\n";
        std::fs::write(folder.path().join(".git/HEAD"), nowhere).expect("written");
        let error = GitFacts::read(folder.path()).expect_err("no such commit");
        assert!(error.fix().expect("a fix").contains("check it out again"));
    }

    #[test]
    fn head_tags_and_dirty_files() {
        let (folder, repository) = repository(&[("a", "1"), ("b", "1")]);
        let commit = repository.head().expect("a head").peel_to_commit().expect("a commit");
        let who = commit.author().to_owned();
        repository.tag("v1.0.0", commit.as_object(), &who, "annotated", false).expect("tagged");
        repository.tag_lightweight("churn/v1.1.0", commit.as_object(), false).expect("tagged");
        let tree = commit.tree().expect("a tree");
        repository.tag_lightweight("a-tree", tree.as_object(), false).expect("tagged");
        std::fs::write(folder.path().join("untracked"), "1").expect("written");
        let clean = read(&folder);
        let id = commit.id().to_string();
        assert_eq!(clean.head.as_ref(), Some(&id));
        assert_eq!(clean.head_time, Some(commit.time().seconds()));
        assert_eq!(clean.tagged("v1.0.0"), Some(id.as_str()), "annotated tags are peeled");
        assert_eq!(clean.tagged("churn/v1.1.0"), Some(id.as_str()));
        assert_eq!(clean.tags.len(), 2, "a tag on a tree names no release");
        assert_eq!(clean.dirty, Vec::<String>::new());
        assert!(!clean.shallow);
        std::fs::write(folder.path().join("a"), "other").expect("written");
        std::fs::remove_file(folder.path().join("b")).expect("removed");
        assert_eq!(read(&folder).dirty, ["a", "b"]);
    }

    #[test]
    fn no_more_dirty_files_than_anybody_reads() {
        let names: Vec<_> = (0..150).map(|number| format!("f{number}")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
        let (folder, _) = repository(&files);
        for name in &names {
            std::fs::write(folder.path().join(name), "other").expect("written");
        }
        assert_eq!(read(&folder).dirty.len(), DIRTY_SHOWN);
    }

    #[test]
    fn content_in_place_of_its_lfs_pointer_is_not_dirty() {
        let content = "the weights";
        let pointer = format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
            Digest::of(content.as_bytes()),
            content.len()
        );
        let attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n";
        let (folder, _) = repository(&[(".gitattributes", attributes), ("w.bin", &pointer)]);
        std::fs::write(folder.path().join("w.bin"), content).expect("written");
        assert_eq!(read(&folder).dirty, Vec::<String>::new());
        std::fs::write(folder.path().join("w.bin"), "the Weights").expect("written");
        assert_eq!(read(&folder).dirty, ["w.bin"], "same size, other content");
    }
}
