//! Who called us and why: CI event, runner, workspace. The only reader of the environment.

mod environment;
mod github;
mod gitlab;
mod jenkins;
mod oidc;

use std::path::PathBuf;

pub use environment::Environment;
pub use oidc::{ID_TOKEN_VARIABLES, IdTokenRequest, Oidc};

use crate::failure::Failure;
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
    /// `RUNNER_TEMP`: emptied after the job, never part of the checkout.
    pub temp: Option<PathBuf>,
}

impl Context {
    /// Reads the call: GitHub first, then GitLab, Jenkins, a plain shell. `github_token` is the
    /// `github-token` input.
    pub fn read(env: &Environment, github_token: Option<Secret>) -> Result<Self, Failure> {
        if github::is_here(env) {
            github::read(env, github_token)
        } else if gitlab::is_here(env) {
            Ok(gitlab::read(env))
        } else if jenkins::is_here(env) {
            Ok(jenkins::read(env))
        } else {
            Ok(Self {
                ci: Ci::Shell,
                event: Event::Other(String::new()),
                workspace: workspace(None),
                repository: None,
                commit: None,
                tag: None,
                actor: env.get("USER").map(str::to_owned),
                run_url: None,
                github: None,
            })
        }
    }

    /// Where people find what made a release: the run, else the repository.
    pub fn source_url(&self) -> Option<String> {
        let repository =
            || Some(format!("{}/{}", self.github.as_ref()?.server_url, self.repository.as_ref()?));
        self.run_url.clone().or_else(repository)
    }

    /// The commit that a check run belongs to: a pull request's head, not the merge commit that
    /// GitHub checks out for it.
    pub fn checked_commit(&self) -> Option<&str> {
        match &self.event {
            Event::PullRequest { head, .. } if !head.is_empty() => Some(head),
            _ => self.commit.as_deref(),
        }
    }
}

/// The CI's workspace, else the current folder.
fn workspace(named: Option<&str>) -> PathBuf {
    match named {
        Some(path) => PathBuf::from(path),
        None => std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn github(pairs: &[(&str, &str)]) -> Context {
        let env: Environment = [("GITHUB_ACTIONS", "true"), ("GITHUB_REPOSITORY", "acme/churn")]
            .iter()
            .chain(pairs)
            .copied()
            .collect();
        Context::read(&env, None).expect("readable")
    }

    fn payload(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("temp file");
        std::fs::write(file.path(), text).expect("written");
        file
    }

    #[test]
    fn a_tag_push_names_the_tag() {
        let context = github(&[
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_REF", "refs/tags/churn/v1.2.0"),
            ("GITHUB_REF_TYPE", "tag"),
            ("GITHUB_RUN_ID", "7"),
        ]);
        assert_eq!(context.event, Event::TagPush);
        assert_eq!(context.tag.as_deref(), Some("churn/v1.2.0"));
        assert_eq!(
            context.run_url.as_deref(),
            Some("https://github.com/acme/churn/actions/runs/7")
        );
    }

    #[test]
    fn a_branch_push_and_a_dispatch_have_no_tag() {
        let push = github(&[("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/main")]);
        assert_eq!((push.event, push.tag), (Event::BranchPush, None));
        let dispatch = github(&[
            ("GITHUB_EVENT_NAME", "workflow_dispatch"),
            ("GITHUB_REF", "refs/heads/main"),
        ]);
        assert_eq!((dispatch.event, dispatch.tag), (Event::Dispatch, None));
    }

    #[test]
    fn a_pull_request_knows_its_head_and_whether_it_is_a_fork() {
        let text = |repo: &str| {
            format!(
                r#"{{"repository":{{"full_name":"acme/churn"}},"pull_request":{{"number":5,"head":{{"sha":"abc","repo":{repo}}}}}}}"#
            )
        };
        for (repo, fork) in [
            (r#"{"full_name":"acme/churn"}"#, false),
            (r#"{"full_name":"eve/churn"}"#, true),
            ("null", true),
        ] {
            let file = payload(&text(repo));
            let path = file.path().to_str().expect("utf-8");
            let context =
                github(&[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_EVENT_PATH", path)]);
            let expected =
                Event::PullRequest { number: 5, head: "abc".into(), fork, target: false };
            assert_eq!(context.event, expected, "{repo}");
            assert_eq!(context.checked_commit(), Some("abc"));
        }
    }

    #[test]
    fn a_pull_request_without_payload_is_still_one() {
        let context =
            github(&[("GITHUB_EVENT_NAME", "pull_request_target"), ("GITHUB_SHA", "abc")]);
        assert!(matches!(context.event, Event::PullRequest { fork: true, target: true, .. }));
    }

    #[test]
    fn a_broken_payload_is_an_error_that_names_the_file() {
        let file = payload("{");
        let path = file.path().to_str().expect("utf-8");
        let env: Environment =
            [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", path)].into_iter().collect();
        let failure = Context::read(&env, None).expect_err("broken");
        assert!(failure.what().contains(path));
    }

    #[test]
    fn other_runners_are_recognised() {
        let gitlab: Environment =
            [("GITLAB_CI", "true"), ("CI_COMMIT_TAG", "v1.0.0"), ("CI_PROJECT_PATH", "g/p")]
                .into_iter()
                .collect();
        let context = Context::read(&gitlab, None).expect("readable");
        assert_eq!(
            (context.ci, context.event, context.tag.as_deref()),
            (Ci::GitLab, Event::TagPush, Some("v1.0.0"))
        );
        let jenkins: Environment =
            [("JENKINS_URL", "http://j"), ("CHANGE_ID", "4")].into_iter().collect();
        let context = Context::read(&jenkins, None).expect("readable");
        assert!(matches!(context.event, Event::PullRequest { number: 4, fork: false, .. }));
        let shell = Context::read(&Environment::default(), None).expect("readable");
        assert_eq!((shell.ci, shell.event), (Ci::Shell, Event::Other(String::new())));
    }
}
