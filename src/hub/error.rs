//! What the Hub refused, and what to do about it.

use std::time::Duration;

use super::{RepoId, Shelf};
use crate::failure::Advise;
use crate::http::HttpError;

/// A call to the Hub that failed.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The endpoint is no address.
    #[error("`{0}` is not an http(s) address")]
    BadEndpoint(String),
    /// A request failed.
    #[error("cannot {doing}")]
    Request {
        /// What was being done, as "cannot …" continues.
        doing: String,
        /// Why.
        source: HttpError,
    },
    /// The token may not make a repository.
    #[error("cannot create the repository {repo}")]
    NotMade {
        /// The repository.
        repo: Box<RepoId>,
        /// Whether it is to be private.
        private: bool,
        /// The Hub's answer.
        source: HttpError,
    },
    /// The Hub refuses one object of an upload.
    #[error("the Hub refuses `{path}`: {why}")]
    Object {
        /// Path or digest.
        path: String,
        /// Its words.
        why: String,
    },
    /// Storage does not take the signed address any more that the Hub gave.
    #[error("storage refuses the address that the Hub gave for {what}: {source}")]
    AddressRefused {
        /// The file, or its part.
        what: String,
        /// Storage's answer.
        source: HttpError,
    },
    /// A file that was weighed is not there any more as it was.
    #[error("{0}")]
    Moved(String),
    /// The Xet transfer failed.
    #[error("the Xet transfer failed: {0}")]
    Xet(String),
    /// Nothing moves in the Xet transfer, of whatever file.
    #[error("the Xet transfer failed: {0}")]
    Standstill(String),
    /// Several large files could not be sent, or several groups of them; all others were.
    #[error("{}", .0.iter().map(HubError::in_full).collect::<Vec<_>>().join("; and "))]
    Unsent(Vec<HubError>),
    /// A file is larger than what is read of it.
    #[error("{path}: it is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        path: String,
        /// Bytes.
        limit: usize,
    },
    /// The Hub's answer does not fit the protocol.
    #[error("the Hub's answer does not fit: {0}")]
    Protocol(String),
}

impl HubError {
    /// The failing request's status.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Request { source, .. } | Self::NotMade { source, .. } => source.status(),
            _ => None,
        }
    }

    /// With its causes, in one line.
    pub fn in_full(&self) -> String {
        match self {
            Self::Request { source, .. } | Self::NotMade { source, .. } => {
                format!("{self}: {source}")
            }
            _ => self.to_string(),
        }
    }

    /// The Hub's own word for the refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Request { source: HttpError::Status(refusal), .. }
            | Self::NotMade { source: HttpError::Status(refusal), .. } => refusal.code.as_deref(),
            _ => None,
        }
    }

    /// How long to wait before try number `next` (the second is 2).
    pub fn pause(&self, next: u32) -> Duration {
        match self {
            Self::Request { source, .. } | Self::NotMade { source, .. } => source.pause(next),
            _ => Duration::from_secs(1),
        }
    }

    /// Whether it may be the trouble of one file alone, so that the others may still arrive.
    pub(super) fn spares_others(&self) -> bool {
        match self {
            Self::Request { source, .. } => source.passes(),
            Self::Xet(_) | Self::Unsent(_) => true,
            _ => false,
        }
    }

    /// Together with what spared the rest before.
    pub(super) fn after(self, before: Option<Self>) -> Self {
        match before {
            None => self,
            Some(Self::Unsent(mut all)) => {
                all.push(self);
                Self::Unsent(all)
            }
            Some(one) => Self::Unsent(vec![one, self]),
        }
    }

    /// Whether the Hub may have done it all the same.
    pub fn maybe_done(&self) -> bool {
        match self {
            Self::Request { source, .. } | Self::NotMade { source, .. } => source.maybe_done(),
            _ => false,
        }
    }
}

/// For `map_err`: names what was being done.
pub(super) fn doing(what: impl Into<String>) -> impl FnOnce(HttpError) -> HubError {
    let doing = what.into();
    move |source| HubError::Request { doing, source }
}

impl Advise for HubError {
    fn fix(&self) -> Option<String> {
        let source = match self {
            Self::BadEndpoint(_) => return Some("set HF_ENDPOINT (input `hf-endpoint`) to an address such as https://huggingface.co".into()),
            Self::Moved(_) => return Some(MOVED.into()),
            Self::Unsent(all) => return all.first().and_then(Advise::fix),
            Self::Xet(_) | Self::Standstill(_) => return Some("check the network and the proxy (HTTPS_PROXY), and run it again: what arrived whole is not sent again".into()),
            Self::AddressRefused { .. } => return Some("run it again, what arrived whole is not sent again; if it says the same, a proxy (HTTPS_PROXY) may change the request, or this machine's clock may be wrong".into()),
            Self::Object { .. } | Self::TooLarge { .. } => return Some("look at this file in the Hub repository, and run it again".into()),
            Self::Protocol(_) => return Some(NOT_A_HUB.into()),
            Self::NotMade { repo, private, .. } => return Some(by_hand(repo, *private)),
            Self::Request { source, .. } => source,
        };
        let fix = match source {
            HttpError::Body(_) => MOVED,
            HttpError::Unreachable { .. } | HttpError::Cut { .. } | HttpError::Silent { .. } => {
                "check the network, the proxy (HTTPS_PROXY) and the address in HF_ENDPOINT, and run it again"
            }
            HttpError::Deadline { .. } => {
                "run it again, it goes on where this run ended; or give it more time: `--timeout MINUTES` (input `timeout`)"
            }
            HttpError::Garbage { .. } | HttpError::TooLarge { .. } => NOT_A_HUB,
            HttpError::Client(_) => "check the proxy (HTTPS_PROXY) and the address in HF_ENDPOINT",
            HttpError::Status(refusal) => match refusal.status {
                401 => {
                    "give a valid token in the input `hf-token` (or HF_TOKEN); make one at https://huggingface.co/settings/tokens"
                }
                403 => {
                    "the token may not do this: give it the permission `Write access to contents/settings` for this repository; one that is not there yet is made by hand first (`hf repos create NAMESPACE/NAME --private`)"
                }
                404 => {
                    "check `owner:` in weighbridge.yml: the user or organisation must exist, and the token must be allowed to see the repository"
                }
                409 => {
                    "somebody else may have changed the same thing at the same moment: run it again; if the Hub says the same, mend what its words name"
                }
                412 => "the branch moved while publishing: run it again, nothing was overwritten",
                413 => {
                    "the request is too large for the Hub, or for a proxy before it: split the largest file into shards; or have commits hold less: `publish: {largest-commit: {files: 1000, bytes: 16MB}}`"
                }
                429 => {
                    "the Hub's rate limit is used up: run it again after the window (five minutes)"
                }
                500.. => {
                    "the Hub has a problem of its own (https://status.huggingface.co): run it again when it is over"
                }
                _ => {
                    "mend what the Hub's words name, and run it again; if they name nothing of yours, report it"
                }
            },
        };
        Some(fix.to_owned())
    }
}

/// How a repository comes to be that no token of single repositories can make.
fn by_hand(repo: &RepoId, private: bool) -> String {
    let (namespace, name) = (repo.namespace(), repo.name());
    let shelf = if repo.shelf() == Shelf::Datasets { " --repo-type dataset" } else { "" };
    let private = if private { " --private" } else { "" };
    format!(
        "where the Hub's words name another reason, such as a limit of the plan, mend that; else make it \
         once by hand, for a token of single repositories can make none: \
         `hf repos create {namespace}/{name}{shelf}{private}`; then give the token `Write access to \
         contents/settings` of {repo} at https://huggingface.co/settings/tokens, and run it again"
    )
}

const MOVED: &str = "let nothing write to the folder while it is released, then run it again";
const NOT_A_HUB: &str = "run it again; if it says the same, look at what answers in the Hub's place: a proxy (HTTPS_PROXY), or another address in HF_ENDPOINT";
