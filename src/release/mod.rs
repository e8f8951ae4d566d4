//! The release: tag, version, channel, changelog and the git facts they rest on.

use jiff::civil::Date;
use semver::Version;

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

/// Where a version belongs by its prerelease part (formats: none → production; `rc`, `beta`,
/// `preview` and unknown words → staging; `alpha`, `dev`, `nightly`, `snapshot` → development).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Full versions; on the Hub the branch `main`.
    Production,
    /// Candidates; the branch `staging`.
    Staging,
    /// Everything younger; the branch `development`.
    Development,
}

impl Channel {
    /// Name in the policy and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }

    /// The branch on the Hub that carries this channel.
    pub fn branch(self) -> &'static str {
        match self {
            Self::Production => "main",
            Self::Staging => "staging",
            Self::Development => "development",
        }
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
    /// Commit that the release's tag points at, when the tag is known locally.
    pub tagged: Option<String>,
    /// Tracked files that differ from the commit, relative to the repository (first hundred).
    pub dirty: Vec<String>,
    /// All tags, short names.
    pub tags: Vec<String>,
    /// The repository's root folder.
    pub root: Option<std::path::PathBuf>,
}

/// What the Hub already has of this model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Versions by their tags.
    pub versions: Vec<Version>,
    /// The files of this very version, when it is published already.
    pub this_version: Option<Vec<RemoteFile>>,
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
