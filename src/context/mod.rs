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
    /// Who started it again, where that is known.
    pub triggering_actor: Option<String>,
    /// A person started it in the CI's own pages: `workflow_dispatch`, GitLab's "Run pipeline".
    pub by_hand: bool,
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
    /// Pull requests that wait together to be merged: what they hold is on no branch yet.
    MergeGroup,
    /// Something that people without write access can cause (a comment, an issue, a run that follows a
    /// pull request's), by name.
    ByAnyone(String),
    /// Something of which it is not known who can cause it, by name.
    Unknown(String),
    /// Anything else that takes write access, by name; empty where no CI tells.
    Other(String),
}

impl Event {
    /// In one word, for records.
    pub fn as_str(&self) -> &str {
        match self {
            Self::TagPush => "tag-push",
            Self::BranchPush => "branch-push",
            Self::PullRequest { .. } => "pull-request",
            Self::Dispatch => "dispatch",
            Self::Schedule => "schedule",
            Self::MergeGroup => "merge-group",
            Self::ByAnyone(name) | Self::Unknown(name) | Self::Other(name) => name,
        }
    }
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
    /// `GITHUB_RUN_ID`.
    pub run_id: Option<u64>,
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
                triggering_actor: None,
                by_hand: false,
                run_url: None,
                github: None,
            })
        }
    }

    /// Where people find what made a release: the run, else the repository.
    pub fn source_url(&self) -> Option<String> {
        self.run_url.clone().or_else(|| self.repository_url())
    }

    /// Address of the repository on GitHub.
    pub fn repository_url(&self) -> Option<String> {
        Some(format!("{}/{}", self.github.as_ref()?.server_url, self.repository.as_ref()?))
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
    fn a_run_that_follows_another_is_ours_only_if_that_was() {
        let after = |event: &str, there: &str| {
            let file = payload(&format!(
                r#"{{"repository":{{"full_name":"acme/churn"}},"workflow_run":{{"event":"{event}","head_repository":{there}}}}}"#
            ));
            let path = file.path().to_str().expect("utf-8");
            github(&[("GITHUB_EVENT_NAME", "workflow_run"), ("GITHUB_EVENT_PATH", path)]).event
        };
        let ours = r#"{"full_name":"acme/churn"}"#;
        assert_eq!(after("push", ours), Event::Other("workflow_run".into()));
        for (event, there) in [
            ("pull_request", ours),
            ("pull_request_target", ours),
            ("issue_comment", ours),
            ("workflow_run", ours),
            ("", ours),
            ("push", r#"{"full_name":"eve/churn"}"#),
            ("push", "null"),
        ] {
            let expected = Event::ByAnyone("workflow_run".into());
            assert_eq!(after(event, there), expected, "{event} of {there}");
        }
        let alone = github(&[("GITHUB_EVENT_NAME", "workflow_run")]).event;
        assert_eq!(alone, Event::ByAnyone("workflow_run".into()));
        let comment = github(&[("GITHUB_EVENT_NAME", "issue_comment")]).event;
        assert_eq!(comment, Event::ByAnyone("issue_comment".into()));
    }

    #[test]
    fn an_event_that_is_not_known_is_nobodys() {
        for name in ["deployment_status", "registry_package", "Push", "what_comes_next", ""] {
            let event = github(&[("GITHUB_EVENT_NAME", name)]).event;
            assert_eq!(event, Event::Unknown(name.into()));
        }
        assert_eq!(github(&[("GITHUB_EVENT_NAME", "merge_group")]).event, Event::MergeGroup);
        assert_eq!(github(&[("GITHUB_EVENT_NAME", "release")]).event.as_str(), "release");
        for (source, expected) in [
            ("push", Event::BranchPush),
            ("web", Event::Dispatch),
            ("parent_pipeline", Event::Other("parent_pipeline".into())),
            ("external", Event::Unknown("external".into())),
            ("", Event::Unknown(String::new())),
        ] {
            let read = |tag| {
                let env: Environment =
                    [("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", source), ("CI_COMMIT_TAG", tag)]
                        .into_iter()
                        .collect();
                Context::read(&env, None).expect("readable").event
            };
            assert_eq!(read(""), expected, "{source}");
            let of_tag = match expected {
                Event::Unknown(_) => expected,
                _ => Event::TagPush,
            };
            assert_eq!(read("v1.0.0"), of_tag, "{source} of a tag");
        }
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
                .chain([("CI_PIPELINE_SOURCE", "push")])
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
