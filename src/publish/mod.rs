//! Plan (pure) → execute → verify.

mod attempt;
mod execute;
mod lag;
mod look;
mod ours;
mod pieces;
mod plan;
mod resemblance;
mod stage;
mod standing;
mod transfer;
mod verify;

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::failure::Advise;
use crate::hub::{HubError, Sending};
use crate::inventory::Shard;
use crate::own_files;
use crate::policy::Publish;
use crate::rel_path::RelPath;
use crate::release::{Published, RemoteFile};

pub use attempt::{Unfinished, publish};
pub use look::{licenses, look};
pub use plan::{Plan, PlanView, Step, plan};
pub use resemblance::look_into;
pub use stage::{Brought, stage};
pub use standing::Standing;

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
    /// Files at that head, or where the branch would start.
    pub files: Vec<RemoteFile>,
    /// Paths of those that are in Xet storage.
    pub in_xet: BTreeSet<String>,
    /// Paths of those in which little was found of the files of their names now.
    pub trained_anew: BTreeSet<String>,
    /// The release record there.
    pub record: Option<Landed>,
    /// Branches that earlier runs of this version built pieces on.
    pub pieces: Vec<String>,
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
    /// Those of them that are not the record itself; records of older programs do not tell.
    #[serde(default)]
    pub documents: Vec<LandedDocument>,
    /// It is as it was written, by the digest that it ends with.
    #[serde(skip)]
    pub whole: bool,
}

/// A file that weighbridge wrote.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct LandedDocument {
    /// Path.
    pub path: String,
    /// Digest.
    pub sha256: Digest,
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
    /// The repository is not there, and the token of a trusted publisher cannot make it.
    #[error("there is no repository {repo}, and a token of trusted publishing cannot make one")]
    NotMade {
        /// The repository.
        repo: String,
    },
    /// README.md would go to large-file storage.
    #[error("the Hub wants README.md in large-file storage, where it does not parse it")]
    CardAsLarge,
    /// What a part of the release says that it brought is not there.
    #[error("`{path}`, of the share {shard}: {why}")]
    NotStaged {
        /// Path in the repository.
        path: String,
        /// Whose it is.
        shard: Shard,
        /// What is wrong.
        why: String,
    },
    /// What arrived is not what was weighed.
    #[error("what arrived is not what was weighed: {0}")]
    Differs(String),
    /// Somebody else commits to the branch.
    #[error("somebody else commits to `{0}` at the same time")]
    Contended(String),
    /// The Hub took the tag and does not list it.
    #[error("the Hub took the tag `{0}` and does not list it")]
    TagUnseen(String),
    /// A signal.
    #[error("somebody asked it to stop (Ctrl-C, or the job was cancelled)")]
    Interrupted,
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
            Self::NotMade { repo } => format!("make it once by hand: `hf repos create {repo} --private`; then add the trusted publisher in its settings"),
            Self::CardAsLarge => "remove the pattern that matches README.md from .gitattributes in the Hub repository".into(),
            Self::NotStaged { shard, .. } => {
                format!("run the stage job of the share {shard} again, then this one with its new part; nothing was committed")
            }
            Self::Differs(_) => "run it again: what does not hold is sent again; and look at who else writes to the repository".into(),
            Self::Contended(_) => "run it again when the other release has ended".into(),
            Self::HubScan(_) => "no tag was made; look at the files' page on the Hub, mend them and release a new version".into(),
            Self::TagUnseen(_) => "look at the versions in the Hub repository, and run it again".into(),
            Self::Interrupted => "run it again when it may go on".into(),
            Self::TagElsewhere { .. } => "release a new version; a published tag never moves".into(),
        })
    }
}
