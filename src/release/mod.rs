//! The release: tag, version, channel, changelog and the git facts they rest on.

mod changelog;
mod changes;
mod channel;
mod commits;
mod conventional;
mod git;
mod history;
mod spelling;
mod tag;
mod target;
mod tracked;

use std::collections::BTreeMap;

use jiff::civil::Date;
use semver::Version;

pub use changelog::{Changelog, Entry, Unreleased, says_nothing};
pub use changes::{Changes, Noted, changes};
pub use channel::Channel;
pub use commits::Commits;
pub use conventional::Change;
pub use git::GitError;
pub use history::history;
pub use tag::{newest, read_tag};
pub use target::{NoTarget, target};
pub use tracked::{Tracked, tracked};

use crate::hub::RepoId;

/// A release that a tag asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The tag as it stands in git, e.g. `churn/v1.2.0`.
    pub tag: String,
    /// Which model, by policy name.
    pub model: String,
    /// The version.
    pub version: Version,
    /// `production`, `staging` or `development`.
    pub channel: Channel,
}

impl Release {
    /// The tag made on the Hub: `v` and the version.
    pub fn hub_tag(&self) -> String {
        format!("v{}", self.version)
    }
}

/// Whether this run has a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versioning {
    /// No tag: a check of what would be released.
    Untagged,
    /// A tag that names no release; the text says why and what would be one.
    Unreadable {
        /// The tag.
        tag: String,
        /// Why it is none.
        why: String,
    },
    /// A release.
    Release(Release),
}

/// Where a release goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Stage name.
    pub stage: String,
    /// Repository on the Hub.
    pub repo: RepoId,
    /// Whether a repository made now is private.
    pub private: bool,
    /// The branch that gets the one commit.
    pub revision: String,
}

/// What git says of the checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitFacts {
    /// Commit that is checked out (40 hex digits).
    pub head: Option<String>,
    /// When that commit was made, in seconds since 1970.
    pub head_time: Option<i64>,
    /// Tracked files that differ from the commit, relative to the repository (first hundred).
    pub dirty: Vec<String>,
    /// All tags that point at commits.
    pub tags: Vec<GitTag>,
    /// The repository's root folder.
    pub root: Option<std::path::PathBuf>,
    /// The history is cut off, as CI systems fetch it: tags may be missing.
    pub shallow: bool,
    /// When git last checked a branch, tag or commit out here.
    pub checked_out: Option<std::time::SystemTime>,
}

/// A git tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitTag {
    /// Short name.
    pub name: String,
    /// The commit it points at, 40 hex digits.
    pub commit: String,
    /// When that commit was made, in seconds since 1970.
    pub time: i64,
}

impl GitFacts {
    /// The commit a tag points at, when the tag is known here.
    pub fn tagged(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.name == name).map(|tag| tag.commit.as_str())
    }

    /// When the commit was made that a tag points at, in RFC 3339.
    pub fn tagged_at(&self, name: &str) -> Option<String> {
        let tag = self.tags.iter().find(|tag| tag.name == name)?;
        Some(jiff::Timestamp::from_second(tag.time).ok()?.to_string())
    }

    /// Tags on the checked-out commit.
    pub fn tags_at_head(&self) -> impl Iterator<Item = &str> {
        let here = self.tags.iter().filter(|tag| Some(&tag.commit) == self.head.as_ref());
        here.map(|tag| tag.name.as_str())
    }
}

/// What the Hub already has of this model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Whether there is a repository at all.
    pub exists: bool,
    /// Versions by their tags.
    pub versions: Vec<Version>,
    /// The files of this very version, when it is published already.
    pub this_version: Option<Vec<RemoteFile>>,
    /// The release records of versions that this one is compared with, as they are on the Hub.
    pub records: BTreeMap<Version, Vec<u8>>,
    /// Licences of base models and datasets by id, as their own cards on the Hub state them.
    pub licenses: BTreeMap<String, Vec<String>>,
    /// Files that the version keeps from what the repository has now.
    pub kept: Vec<String>,
}

impl Published {
    /// The versions before `version` in its channel, the newest first.
    pub fn before(&self, version: &Version) -> Vec<&Version> {
        let channel = Channel::of(version);
        let mut earlier: Vec<_> = self
            .versions
            .iter()
            .filter(|one| Channel::of(one) == channel && *one < version)
            .collect();
        earlier.sort_by(|a, b| b.cmp(a));
        earlier.dedup();
        earlier
    }

    /// The newest version before `version` in its channel.
    pub fn last_before(&self, version: &Version) -> Option<&Version> {
        let channel = Channel::of(version);
        let earlier =
            self.versions.iter().filter(|one| Channel::of(one) == channel && *one < version);
        earlier.max()
    }
}

/// A file on the Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Path in the repository.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 for an LFS file, git blob id (40 digits) for a regular one.
    pub oid: String,
}

/// One version of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Version.
    pub version: Version,
    /// Day of the changelog entry or of the tag.
    pub date: Option<Date>,
    /// The changelog's text for it, if any (Markdown).
    pub notes: Option<String>,
}
