//! GitLab CI. <https://docs.gitlab.com/ci/variables/predefined_variables/>

use super::{Ci, Context, Environment, Event};

/// What starts a pipeline and takes a member's rights, or a token that a member made; `push`, `schedule`
/// and those that are started by hand among them.
/// <https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable>
const BY_WRITERS: [&str; 9] =
    ["api", "chat", "parent_pipeline", "pipeline", "push", "schedule", "trigger", "web", "webide"];

pub(super) fn is_here(env: &Environment) -> bool {
    env.get("GITLAB_CI") == Some("true")
}

pub(super) fn read(env: &Environment) -> Context {
    let owned = |name| env.get(name).map(str::to_owned);
    let merge_request = env.get("CI_MERGE_REQUEST_IID").and_then(|number| number.parse().ok());
    // One that GitLab builds for another host; only those of branches here get a pipeline.
    let external = env.get("CI_EXTERNAL_PULL_REQUEST_IID").and_then(|number| number.parse().ok());
    let source = env.get("CI_PIPELINE_SOURCE").unwrap_or_default();
    let event = match (merge_request.or(external), source) {
        (Some(number), _) => Event::PullRequest {
            number,
            head: owned("CI_COMMIT_SHA").unwrap_or_default(),
            fork: merge_request.is_some()
                && env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH") != env.get("CI_PROJECT_PATH"),
            target: false,
        },
        (None, other) if !BY_WRITERS.contains(&other) => Event::Unknown(other.to_owned()),
        (None, _) if env.get("CI_COMMIT_TAG").is_some() => Event::TagPush,
        (None, "push") => Event::BranchPush,
        (None, "web" | "api" | "trigger") => Event::Dispatch,
        (None, "schedule") => Event::Schedule,
        (None, other) => Event::Other(other.to_owned()),
    };
    Context {
        ci: Ci::GitLab,
        event,
        workspace: super::workspace(env.get("CI_PROJECT_DIR")),
        repository: owned("CI_PROJECT_PATH"),
        commit: owned("CI_COMMIT_SHA"),
        tag: owned("CI_COMMIT_TAG"),
        actor: owned("GITLAB_USER_LOGIN"),
        triggering_actor: None,
        by_hand: source == "web",
        run_url: owned("CI_PIPELINE_URL"),
        github: None,
    }
}
