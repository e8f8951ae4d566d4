//! Part reports: what a job of the mode `stage` tells of its share of a release, in place of the bytes.
//!
//! A part is a folder: `weighbridge-part-3-of-8.json`, and in `files/` what goes into the commit itself,
//! named by its digest. Whoever reads parts believes none of it: their digest is recomputed, they must
//! be of the very release that takes them, and together they must be the folder that each of them saw.

mod merge;
mod read;
mod shape;
#[cfg(test)]
mod tests;
mod write;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::failure::Advise;
use crate::hub::HubError;
use crate::inventory::Shard;

pub use merge::{Expected, merge};
pub use read::digests;
pub use write::{Written, folder_of, write};

/// Where the small files of parts lie.
const FILES: &str = "files";

/// What a part and the release that takes it must agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Version of weighbridge: what another one saw may be judged otherwise.
    pub weighbridge: String,
    /// Model.
    pub model: String,
    /// Tag in the source repository.
    pub tag: String,
    /// Version.
    pub version: String,
    /// `namespace/name` on the Hub.
    pub repo: String,
    /// Branch that gets the commit.
    pub revision: String,
    /// Source commit.
    pub commit: Option<String>,
    /// Address of the CI run, the same for all its jobs.
    pub run: Option<String>,
    /// SHA-256 of the policy file.
    pub policy: Digest,
}

impl Binding {
    /// The first thing in which another differs: what it is, its own, the other's.
    fn differs(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let some = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let of = |one: &Self| {
            [
                ("version of weighbridge", one.weighbridge.clone()),
                ("model", one.model.clone()),
                ("tag", one.tag.clone()),
                ("version", one.version.clone()),
                ("repository on the Hub", one.repo.clone()),
                ("branch on the Hub", one.revision.clone()),
                ("source commit", some(&one.commit)),
                ("run", some(&one.run)),
                ("policy file", one.policy.to_string()),
            ]
        };
        let mut pairs = of(self).into_iter().zip(of(other));
        pairs.find(|(own, other)| own != other).map(|((what, own), (_, other))| (what, own, other))
    }
}

/// Parts that make no release.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    /// A folder or file that cannot be read or written.
    #[error("cannot {doing} `{path}`")]
    Disk {
        /// `read` or `write`.
        doing: &'static str,
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// There is none.
    #[error("there is no part (`weighbridge-part-1-of-…json`) in `{0}`")]
    None(String),
    /// A file that is no part.
    #[error("`{part}` is no part that this version reads: {why}")]
    Unusable {
        /// Which.
        part: String,
        /// Why.
        why: String,
    },
    /// A part that is not as a job wrote it.
    #[error("`{part}` was altered: {why}")]
    Altered {
        /// Which.
        part: String,
        /// How it shows.
        why: String,
    },
    /// A part of something else.
    #[error(
        "`{part}` is of another release: its {what} is `{theirs:.200}`, and that of this one `{ours}`"
    )]
    Foreign {
        /// Which.
        part: String,
        /// In what it differs.
        what: &'static str,
        /// The part's.
        theirs: String,
        /// The release's.
        ours: String,
    },
    /// Shares with no part.
    #[error("of the {of} shares, {} did not come", list(.missing))]
    Missing {
        /// Which.
        missing: Vec<Shard>,
        /// How many there should be.
        of: u16,
    },
    /// A share with two parts.
    #[error("the share {shard} came twice: `{first}` and `{second}`")]
    Doubled {
        /// Which.
        shard: Shard,
        /// A part.
        first: String,
        /// The other.
        second: String,
    },
    /// Jobs that saw different folders.
    #[error("`{part}` saw another folder than `{first}`: the paths or sizes of the files differ")]
    Folders {
        /// A part.
        first: String,
        /// One that differs.
        part: String,
    },
    /// Parts that do not go together, though each is as it says.
    #[error(
        "together the parts are not the folder that each of them saw: {0}; one was altered, and which cannot be told"
    )]
    Torn(String),
    /// A small file that is not any more what was weighed.
    #[error(transparent)]
    Moved(#[from] HubError),
    /// What would be written holds a secret of this run, and every job could read it.
    #[error(
        "a secret of this very run stands in {0}, which would be handed to the release as an artifact"
    )]
    Secret(String),
    /// The expected digests cannot be read.
    #[error("the expected digests of the parts cannot be read: {0}")]
    Digests(String),
}

impl Advise for PartsError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Disk { .. } => {
                "give the folder that the part reports were downloaded to: `--parts DIR` (input `parts`)".into()
            }
            Self::None(_) => {
                "download the artifact of every `stage` job to that folder before the release".into()
            }
            Self::Unusable { part, .. } | Self::Altered { part, .. } => {
                format!("run the stage job of `{part}` again, and find out what wrote to its artifact")
            }
            Self::Foreign { .. } => {
                "give the release the parts of its own run only, staged from the same commit, tag and policy".into()
            }
            Self::Missing { missing, .. } => format!(
                "let the release need every stage job, and download all artifacts; to make one again: `weighbridge stage --shard {}`",
                missing.first().map(ToString::to_string).unwrap_or_default()
            ),
            Self::Doubled { .. } => {
                "give every job of the matrix a number of its own, and download into an empty folder".into()
            }
            Self::Folders { .. } => {
                "let every stage job have the same files: the same commit or artifact, written to its end".into()
            }
            Self::Torn(_) => {
                "run all stage jobs again, and find out what wrote to their artifacts".into()
            }
            Self::Moved(error) => return error.fix(),
            Self::Secret(_) => {
                "find out how it got there, revoke it where it was issued, and take it out before anything is published".into()
            }
            Self::Digests(_) => {
                "give the outputs `part-digest` of all stage jobs: `${{ toJSON(needs.stage.outputs) }}`, or the digests with blanks between".into()
            }
        })
    }
}

fn list(shards: &[Shard]) -> String {
    shards.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
