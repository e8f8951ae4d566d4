//! What git says of the checkout, read without a shell.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Repository, StatusOptions};

use super::{GitFacts, GitTag};
use crate::failure::Advise;

/// More dirty files than anybody reads.
const DIRTY_SHOWN: usize = 100;

/// Git that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("git repository at `{path}`")]
pub struct GitError {
    path: PathBuf,
    source: git2::Error,
}

impl Advise for GitError {
    fn fix(&self) -> Option<String> {
        (self.source.code() == ErrorCode::Owner).then(|| {
            "the checkout belongs to another user: run `git config --global --add safe.directory '*'` first".into()
        })
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
    // A repository without any commit has no head yet.
    let head = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    Ok(GitFacts {
        head: head.as_ref().map(|commit| commit.id().to_string()),
        head_time: head.as_ref().map(|commit| commit.time().seconds()),
        dirty: if head.is_some() { dirty(repository)? } else { Vec::new() },
        tags: tags(repository)?,
        root: repository.workdir().map(Path::to_owned),
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
    let paths =
        statuses.iter().map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned());
    Ok(paths.take(DIRTY_SHOWN).collect())
}

fn tags(repository: &Repository) -> Result<Vec<GitTag>, git2::Error> {
    let mut tags = Vec::new();
    for reference in repository.references_glob("refs/tags/*")? {
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

    #[test]
    fn a_folder_without_git_has_no_facts() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(GitFacts::read(folder.path()).expect("no error"), GitFacts::default());
    }

    #[test]
    fn head_tags_and_dirty_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(folder.path()).expect("a repository");
        assert_eq!(GitFacts::read(folder.path()).expect("no commit yet").head, None);
        std::fs::write(folder.path().join("a"), "1").expect("written");
        let mut index = repository.index().expect("an index");
        index.add_path(Path::new("a")).expect("added");
        index.write().expect("written");
        let tree = repository.find_tree(index.write_tree().expect("a tree")).expect("a tree");
        let who = git2::Signature::now("Ada", "ada@example.org").expect("a name");
        let commit =
            repository.commit(Some("HEAD"), &who, &who, "One", &tree, &[]).expect("a commit");
        let object = repository.find_object(commit, None).expect("the commit");
        repository.tag("v1.0.0", &object, &who, "annotated", false).expect("tagged");
        std::fs::write(folder.path().join("untracked"), "1").expect("written");
        let clean = GitFacts::read(folder.path()).expect("facts");
        assert_eq!(clean.head, Some(commit.to_string()));
        assert_eq!(
            (clean.tags[0].name.as_str(), clean.tags[0].commit.clone()),
            ("v1.0.0", commit.to_string())
        );
        assert_eq!(clean.dirty, Vec::<String>::new());
        std::fs::write(folder.path().join("a"), "other").expect("written");
        assert_eq!(GitFacts::read(folder.path()).expect("facts").dirty, ["a"]);
    }
}
