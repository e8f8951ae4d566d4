//! Requests to GitHub that failed, and which line of `permissions:` mends them.

use std::time::Duration;

use serde::Deserialize;

use crate::failure::Advise;
use crate::http::blotted;

/// Longest text of a server that is kept.
const WORDS: usize = 200;

/// What a token must be allowed, as `permissions:` of a job names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Make check runs.
    ChecksWrite,
    /// Read check runs.
    Checks,
    /// Read commit statuses.
    Statuses,
    /// Read pull requests and their reviews.
    PullRequests,
    /// Read branches and tags.
    Contents,
    /// Read workflow runs and their approvals.
    Actions,
    /// Read the repository's own data: every token for the repository may.
    Metadata,
    /// Read who may write to the repository.
    Collaborators,
    /// Read an organisation's teams: no token of a job may.
    Members,
}

impl Permission {
    /// What to do where it is lacking.
    fn fix(self) -> String {
        let line = match self {
            Self::ChecksWrite => "checks: write",
            Self::Checks => "checks: read",
            Self::Statuses => "statuses: read",
            Self::PullRequests => "pull-requests: read",
            Self::Contents => "contents: read",
            Self::Actions => "actions: read",
            Self::Metadata => {
                return "give the job's own token (`github-token: ${{ github.token }}`), or one that may read this repository".into();
            }
            Self::Collaborators => {
                return "give the job's own token (`github-token: ${{ github.token }}`), or that of a GitHub App with `Metadata: read`: a person's token tells who may write only to those who may themselves".into();
            }
            Self::Members => {
                return "GITHUB_TOKEN cannot read teams: give `github-token:` the token of a GitHub App (or a fine-grained token) with `Members: read` of the organisation beside what the job's token may, or leave `team` out".into();
            }
        };
        format!(
            "add `permissions: {{{line}}}` to the job (one that names any permission has only those it names; a fork's token cannot write)"
        )
    }
}

/// A request to GitHub that failed.
#[derive(Debug, thiserror::Error)]
pub enum GitHubError {
    /// It says no.
    #[error("GitHub answered {status} for {route}{words}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What was asked for, without the query.
        route: String,
        /// GitHub's own words behind a colon, cut.
        words: String,
        /// What the token must be allowed for it.
        needs: Permission,
    },
    /// It wants to be left alone, again and again or for longer than there is time.
    #[error("GitHub's rate limit is used up: it asks to wait {} s, and the run has {} s", .wait.as_secs(), .left.as_secs())]
    Limited {
        /// How long.
        wait: Duration,
        /// Until the run's deadline.
        left: Duration,
    },
    /// No answer came in time.
    #[error("GitHub did not answer in time for {0}")]
    Silent(String),
    /// No answer, or none that came to its end.
    #[error("GitHub cannot be reached for {route}: {why}")]
    Lost {
        /// What was asked for.
        route: String,
        /// The transport's words.
        why: String,
    },
    /// An answer that is not what GitHub's description says.
    #[error("GitHub's answer for {route} cannot be used: {why}")]
    Garbage {
        /// What was asked for.
        route: String,
        /// What is wrong with it.
        why: String,
    },
    /// More of something than is asked about one by one.
    #[error("{what}: GitHub was not asked about each")]
    TooMany {
        /// Of what.
        what: String,
        /// What to do.
        fix: &'static str,
    },
    /// The client could not be made.
    #[error("the GitHub client cannot be made: {0}")]
    Client(String),
}

impl GitHubError {
    /// A refusal, with GitHub's own words out of its body.
    pub(super) fn refused(status: u16, route: &str, body: &[u8], needs: Permission) -> Self {
        #[derive(Deserialize)]
        struct Words {
            message: String,
        }
        let words = serde_json::from_slice(body).map(|Words { message }| message);
        let words = words.map(|words| format!(": {:.WORDS$}", blotted(&words))).unwrap_or_default();
        Self::Refused { status, route: route.to_owned(), words, needs }
    }

    /// Whether there is no such thing, or none that the token may see.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

impl Advise for GitHubError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Refused { status: 403 | 404, needs, .. } => needs.fix(),
            Self::Refused { status: 401, .. } => {
                "the token is not valid (any more): give `github-token:` a fresh one".into()
            }
            Self::Limited { .. } => {
                "run it again later; a GitHub App's token has a limit of its own".into()
            }
            Self::Client(_) => {
                "set GITHUB_API_URL to GitHub's https address, or unset it: GitHub's own runner sets it".into()
            }
            Self::TooMany { fix, .. } => (*fix).to_owned(),
            Self::Refused { .. } | Self::Silent(_) | Self::Lost { .. } | Self::Garbage { .. } => {
                "run it again; https://www.githubstatus.com tells of incidents".into()
            }
        })
    }
}
