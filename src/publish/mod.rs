//! Plan (pure) → execute → verify.

mod execute;
mod look;
mod plan;
mod transfer;

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::failure::Advise;
use crate::hub::{HubError, Sending};
use crate::own_files;
use crate::policy::Publish;
use crate::rel_path::RelPath;
use crate::release::{Published, RemoteFile};

pub use execute::execute;
pub use look::{licenses, look};
pub use plan::{Plan, PlanView, Step, plan};

pub use crate::own_files::{CARD, RECORD};

/// A file that weighbridge writes itself; it wins over a file of the same path in the folder.
#[derive(Debug, Clone)]
pub struct Document {
    /// Path in the repository.
    pub path: RelPath,
    /// Content.
    pub bytes: Vec<u8>,
}

/// What stands on the Hub before publishing.
#[derive(Debug, Clone, Default)]
pub struct Remote {
    /// Whether the repository exists.
    pub exists: bool,
    /// Versions, and the files of this very version.
    pub published: Published,
    /// Commit of this version's tag.
    pub tagged: Option<String>,
    /// Head of the target branch.
    pub head: Option<String>,
    /// Where the target branch would start, when it is not there: the head of `main`.
    pub start: Option<String>,
    /// Files at that head.
    pub files: Vec<RemoteFile>,
    /// Paths of those at that head that are in Xet storage.
    pub in_xet: BTreeSet<String>,
    /// The release record at that head.
    pub record: Option<Landed>,
}

impl Remote {
    /// Files at the head that stay, as the policy wants, in a version that has none of its own at
    /// their paths. What weighbridge wrote is never among them: it speaks of the version it was
    /// written for.
    pub fn kept(&self, policy: &Publish) -> Vec<String> {
        let written = self.record.as_ref().map(|record| record.written.as_slice());
        let is_ours = |path: &String| {
            own_files::taken(path).is_some() || written.unwrap_or_default().contains(path)
        };
        let is_kept = |path: &str| {
            path == ".gitattributes"
                || policy.keep.iter().any(|pattern| pattern.glob.is_match(path))
        };
        let paths = self.files.iter().map(|file| &file.path);
        paths.filter(|path| is_kept(path) && !is_ours(path)).cloned().collect()
    }
}

/// What a release record tells of the commit it is in.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Landed {
    /// Version.
    pub version: String,
    /// Manifest digest of the files that were weighed.
    pub manifest_digest: Digest,
    /// Paths of what weighbridge wrote itself.
    #[serde(default)]
    pub written: Vec<String>,
}

/// What publishing did.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Nothing was written: the version was there already.
    pub already_published: bool,
    /// `namespace/name`.
    pub repo_id: String,
    /// Commit on the Hub.
    pub revision: String,
    /// Tag on the Hub.
    pub tag: String,
    /// Digest of the release record as published.
    pub record_digest: String,
    /// Files added or changed.
    pub written: usize,
    /// Files there already.
    pub unchanged: usize,
    /// Files deleted.
    pub deleted: usize,
    /// Bytes brought into large-file storage.
    pub bytes_sent: u64,
}

/// Told what publishing does, and how its large files go.
pub trait Progress: Sending {
    /// A step begins.
    fn doing(&self, step: &str);
}

/// Publishing that did not end.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The Hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The pass is for other bytes than the plan's.
    #[error("the plan is not what the gates have passed")]
    NotCleared,
    /// No token.
    #[error("there is no Hub token")]
    NoToken,
    /// The token may only read.
    #[error("the token of `{user}` may only read")]
    ReadOnly {
        /// User name.
        user: String,
    },
    /// README.md would go to large-file storage.
    #[error("the Hub wants README.md in large-file storage, where it does not parse it")]
    CardAsLarge,
    /// What arrived is not what was weighed.
    #[error("what arrived is not what was weighed: {0}")]
    Differs(String),
    /// Somebody else commits to the branch.
    #[error("somebody else commits to `{0}` at the same time")]
    Contended(String),
    /// The Hub's own scan objects.
    #[error("the Hub's own scan objects: {0}")]
    HubScan(String),
    /// The tag is there on another commit.
    #[error(
        "the tag `{tag}` exists on the Hub at {commit:.12}, another commit than this version's"
    )]
    TagElsewhere {
        /// Tag.
        tag: String,
        /// Its commit.
        commit: String,
    },
}

impl Advise for PublishError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Hub(error) => return error.fix(),
            Self::NotCleared => "run the release again; if it happens twice, report it".into(),
            Self::NoToken => {
                "give one in the input `hf-token` (`hf-token: ${{ secrets.HF_TOKEN }}`) or in HF_TOKEN; try without any: `weighbridge rehearse`".into()
            }
            Self::ReadOnly { .. } => {
                "make a fine-grained token with `Write access to contents/settings` of the target repository at https://huggingface.co/settings/tokens".into()
            }
            Self::CardAsLarge => "remove the pattern that matches README.md from .gitattributes in the Hub repository".into(),
            Self::Differs(_) => "no tag was made; run it again, and look at who else writes to the repository".into(),
            Self::Contended(_) => "run it again when the other release has ended".into(),
            Self::HubScan(_) => "no tag was made; look at the files' page on the Hub, mend them and release a new version".into(),
            Self::TagElsewhere { .. } => "release a new version; a published tag never moves".into(),
        })
    }
}
