//! The commits that lead from one version to the next.

use std::path::Path;

use git2::{Oid, Repository, Sort};

use super::conventional::{self, Change};

/// Commits that are walked over; no release of a model has more.
const MOST_WALKED: usize = 10_000;
/// Commits that are kept; the rest is counted.
const MOST_KEPT: usize = 500;

/// What git tells of the changes since the version before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commits {
    /// The tag they follow; `None` from the beginning.
    pub since: Option<String>,
    /// The changes, the newest first; merges are left out.
    pub changes: Vec<Change>,
    /// Why nothing is known of them.
    pub unknown: Option<String>,
}

impl Commits {
    /// Notes in the form of Keep a Changelog; `None` where there is nothing to say. `show` writes
    /// what a commit says.
    pub fn notes(&self, show: fn(&str) -> String) -> Option<String> {
        (!self.changes.is_empty()).then(|| conventional::notes(&self.changes, show))
    }

    /// `3 commits since v1.0.0`, or why nothing is known.
    pub fn told(&self) -> String {
        if let Some(why) = &self.unknown {
            return why.clone();
        }
        let count = match self.changes.len() {
            1 => "1 commit".to_owned(),
            MOST_KEPT => format!("{MOST_KEPT} commits and more"),
            count => format!("{count} commits"),
        };
        match &self.since {
            Some(tag) => format!("{count} since {tag}"),
            None => count,
        }
    }
}

/// Where to walk.
pub(super) struct Way<'a> {
    /// The repository's root folder.
    pub(super) root: &'a Path,
    /// From here back, …
    pub(super) head: &'a str,
    /// … to this tag and its commit.
    pub(super) since: Option<(&'a str, &'a str)>,
    /// Only commits that touch something below this folder of the repository; empty for all.
    pub(super) folder: &'a str,
    /// The history is cut off.
    pub(super) shallow: bool,
}

/// Walks. A history that cannot be read tells nothing, which is no error: notes are a courtesy.
pub(super) fn walk(way: &Way<'_>) -> Commits {
    let since = way.since.map(|(tag, _)| tag.to_owned());
    if way.shallow {
        let why = "the history is cut off here (`fetch-depth: 0` brings it)";
        return Commits { since, unknown: Some(why.into()), ..Commits::default() };
    }
    match changes(way) {
        Ok(changes) => Commits { since, changes, unknown: None },
        Err(error) => {
            let why = format!("the history cannot be read: {}", error.message());
            Commits { since, unknown: Some(why), ..Commits::default() }
        }
    }
}

fn changes(way: &Way<'_>) -> Result<Vec<Change>, git2::Error> {
    let repository = Repository::open(way.root)?;
    let mut walk = repository.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
    walk.push(Oid::from_str(way.head)?)?;
    if let Some((_, commit)) = way.since {
        walk.hide(Oid::from_str(commit)?)?;
    }
    let mut changes = Vec::new();
    for id in walk.take(MOST_WALKED) {
        let commit = repository.find_commit(id?)?;
        let is_merge = commit.parent_count() > 1;
        if is_merge || !touches(&repository, &commit, way.folder)? {
            continue;
        }
        changes.push(conventional::read(&commit.id().to_string(), commit.message_bytes()));
        if changes.len() == MOST_KEPT {
            break;
        }
    }
    Ok(changes)
}

/// Whether a commit leaves something else in a folder than its parent has there.
fn touches(
    repository: &Repository,
    commit: &git2::Commit<'_>,
    folder: &str,
) -> Result<bool, git2::Error> {
    if folder.is_empty() {
        return Ok(true);
    }
    // A folder that is the same has the same id: no file of it is looked at.
    let id = |commit: git2::Commit<'_>| -> Result<Option<Oid>, git2::Error> {
        Ok(commit.tree()?.get_path(Path::new(folder)).ok().map(|entry| entry.id()))
    };
    let now = id(repository.find_commit(commit.id())?)?;
    let before = match commit.parents().next() {
        Some(parent) => id(parent)?,
        None => None,
    };
    Ok(now != before)
}
