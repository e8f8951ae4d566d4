//! Who called us and why: CI event, runner, workspace. The only reader of the environment.

use std::path::PathBuf;

use crate::http::Secret;

/// The facts of the call, parsed once.
#[derive(Debug, Clone)]
pub struct Context {
    /// Which CI.
    pub ci: Ci,
    /// What happened.
    pub event: Event,
    /// The checked-out repository.
    pub workspace: PathBuf,
    /// `owner/name` of the source repository.
    pub repository: Option<String>,
    /// Commit the event names.
    pub commit: Option<String>,
    /// Tag that was pushed, short name.
    pub tag: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// Address of this run, for the card and the release record.
    pub run_url: Option<String>,
    /// GitHub's own files and addresses, when this is a GitHub runner.
    pub github: Option<GitHubRunner>,
}

/// Which CI called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ci {
    /// GitHub Actions (or `act`).
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Jenkins.
    Jenkins,
    /// A plain shell.
    Shell,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A tag was pushed.
    TagPush,
    /// A branch was pushed.
    BranchPush,
    /// A pull request; `fork` when its head is in another repository.
    PullRequest {
        /// Number.
        number: u64,
        /// Head commit: checks belong there, not on the merge commit.
        head: String,
        /// From another repository: read-only token, no secrets.
        fork: bool,
        /// Under `pull_request_target`: never run or publish anything of the pull request's.
        target: bool,
    },
    /// Started by hand.
    Dispatch,
    /// A schedule.
    Schedule,
    /// Anything else, by name; empty for a plain shell.
    Other(String),
}

/// GitHub's runner.
#[derive(Debug, Clone)]
pub struct GitHubRunner {
    /// API base, `GITHUB_API_URL`.
    pub api_url: String,
    /// Web base, `GITHUB_SERVER_URL`.
    pub server_url: String,
    /// `GITHUB_OUTPUT`.
    pub output: Option<PathBuf>,
    /// `GITHUB_STEP_SUMMARY`.
    pub summary: Option<PathBuf>,
    /// The `github-token` input, else `GITHUB_TOKEN`.
    pub token: Option<Secret>,
    /// `GITHUB_JOB`.
    pub job: Option<String>,
}
