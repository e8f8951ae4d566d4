//! GitHub Actions: variables and the event payload.
//! <https://docs.github.com/actions/reference/workflows-and-actions/variables>

use std::path::PathBuf;

use serde::Deserialize;

use super::{Ci, Context, Environment, Event, GitHubRunner};
use crate::failure::Failure;
use crate::http::Secret;

/// Payloads are a few kilobytes; GitHub caps webhooks at 25 MB.
const PAYLOAD_LIMIT: u64 = 25 * 1024 * 1024;

/// Events that need no write access to the repository, or that an app causes from what a fork did, and
/// yet run with its secrets. What writes asks for [`BY_WRITERS`]; this list only says better why not.
/// <https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows>
const BY_ANYONE: [&str; 12] = [
    "check_run",
    "check_suite",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "issue_comment",
    "issues",
    "pull_request_comment",
    "pull_request_review_comment",
    "status",
    "watch",
];

/// Events that only people who may write can cause: no other begins a mode that writes. A run that
/// follows another run may follow anything.
const BY_WRITERS: [&str; 6] =
    ["create", "push", "release", "repository_dispatch", "schedule", "workflow_dispatch"];

/// Whether a GitHub runner (or `act`) started this process.
pub(super) fn is_here(env: &Environment) -> bool {
    env.get("GITHUB_ACTIONS") == Some("true")
}

/// The parts of the event payload that matter here.
#[derive(Debug, Default, Deserialize)]
struct Payload {
    #[serde(default)]
    pull_request: Option<PullRequest>,
    #[serde(default)]
    repository: Option<Repository>,
    #[serde(default)]
    workflow_run: Option<WorkflowRun>,
}

/// The run that a `workflow_run` follows.
#[derive(Debug, Deserialize)]
struct WorkflowRun {
    #[serde(default)]
    event: String,
    head_repository: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct PullRequest {
    number: u64,
    head: Head,
}

#[derive(Debug, Deserialize)]
struct Head {
    sha: String,
    /// Absent when the fork was deleted.
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: String,
}

pub(super) fn read(env: &Environment, token: Option<Secret>) -> Result<Context, Failure> {
    let payload = payload(env)?;
    let server_url = env.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").to_owned();
    let repository = env.get("GITHUB_REPOSITORY").map(str::to_owned);
    let on_tag = env.get("GITHUB_REF_TYPE") == Some("tag")
        || env.get("GITHUB_REF").is_some_and(|full| full.starts_with("refs/tags/"));
    let tag = on_tag
        .then(|| {
            let full = env.get("GITHUB_REF").and_then(|full| full.strip_prefix("refs/tags/"));
            full.or_else(|| env.get("GITHUB_REF_NAME")).map(str::to_owned)
        })
        .flatten();
    let run_url = match (&repository, env.get("GITHUB_RUN_ID")) {
        (Some(repository), Some(run)) => {
            Some(format!("{server_url}/{repository}/actions/runs/{run}"))
        }
        _ => None,
    };
    Ok(Context {
        ci: Ci::GitHub,
        event: event(env, payload, on_tag),
        workspace: super::workspace(env.get("GITHUB_WORKSPACE")),
        repository,
        commit: env.get("GITHUB_SHA").map(str::to_owned),
        tag,
        actor: env.get("GITHUB_ACTOR").map(str::to_owned),
        triggering_actor: env.get("GITHUB_TRIGGERING_ACTOR").map(str::to_owned),
        by_hand: env.get("GITHUB_EVENT_NAME") == Some("workflow_dispatch"),
        run_url,
        github: Some(GitHubRunner {
            api_url: env.get("GITHUB_API_URL").unwrap_or("https://api.github.com").to_owned(),
            server_url,
            output: env.get("GITHUB_OUTPUT").map(PathBuf::from),
            summary: env.get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            run_id: env.get("GITHUB_RUN_ID").and_then(|run| run.parse().ok()),
            temp: env.get("RUNNER_TEMP").map(PathBuf::from),
            token: token.or_else(|| env.get("GITHUB_TOKEN").and_then(Secret::new)),
        }),
    })
}

fn event(env: &Environment, payload: Payload, on_tag: bool) -> Event {
    let name = env.get("GITHUB_EVENT_NAME").unwrap_or_default();
    match (name, payload.pull_request) {
        ("pull_request" | "pull_request_target" | "pull_request_review", Some(pull)) => {
            let here = payload.repository.map(|repository| repository.full_name);
            let there = pull.head.repo.map(|repository| repository.full_name);
            Event::PullRequest {
                number: pull.number,
                head: pull.head.sha,
                // A deleted fork has no repository any more: treat it as foreign.
                fork: there.is_none() || there != here,
                target: name == "pull_request_target",
            }
        }
        // A payload that does not say more is still a pull request: never publish from it.
        ("pull_request" | "pull_request_target" | "pull_request_review", None) => {
            Event::PullRequest {
                number: 0,
                head: env.get("GITHUB_SHA").unwrap_or_default().to_owned(),
                fork: true,
                target: name == "pull_request_target",
            }
        }
        ("push", _) if on_tag => Event::TagPush,
        ("push", _) => Event::BranchPush,
        ("workflow_dispatch" | "repository_dispatch", _) => Event::Dispatch,
        ("schedule", _) => Event::Schedule,
        ("workflow_run", _) => {
            if follows_our_own(payload.workflow_run.as_ref(), payload.repository.as_ref()) {
                Event::Other(name.to_owned())
            } else {
                Event::ByAnyone(name.to_owned())
            }
        }
        ("merge_group", _) => Event::MergeGroup,
        (known, _) if BY_WRITERS.contains(&known) => Event::Other(known.to_owned()),
        (other, _) if BY_ANYONE.contains(&other) => Event::ByAnyone(other.to_owned()),
        (other, _) => Event::Unknown(other.to_owned()),
    }
}

/// Whether a `workflow_run` follows a run of this repository's own code. A run of a pull request may
/// have been a fork's, and what it left behind (artifacts, caches) is the fork's.
fn follows_our_own(before: Option<&WorkflowRun>, here: Option<&Repository>) -> bool {
    let (Some(before), Some(here)) = (before, here) else { return false };
    let there = before.head_repository.as_ref();
    there.is_some_and(|there| there.full_name == here.full_name)
        && BY_WRITERS.contains(&before.event.as_str())
}

fn payload(env: &Environment) -> Result<Payload, Failure> {
    let Some(path) = env.get("GITHUB_EVENT_PATH") else { return Ok(Payload::default()) };
    let doing = || format!("cannot read the event payload `{path}` (GITHUB_EVENT_PATH)");
    let size = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Payload::default()),
        Err(error) => return Err(Failure::new(doing()).because(&error)),
    };
    if size > PAYLOAD_LIMIT {
        return Err(Failure::new(format!(
            "{}: it is {size} bytes, GitHub's own limit is 25 MB",
            doing()
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| Failure::new(doing()).because(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::new(doing()).because(&error))
}
