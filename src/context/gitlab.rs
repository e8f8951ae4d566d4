//! GitLab CI. <https://docs.gitlab.com/ci/variables/predefined_variables/>

use super::{Ci, Context, Environment, Event};

pub(super) fn is_here(env: &Environment) -> bool {
    env.get("GITLAB_CI") == Some("true")
}

pub(super) fn read(env: &Environment) -> Context {
    let owned = |name| env.get(name).map(str::to_owned);
    let merge_request = env.get("CI_MERGE_REQUEST_IID").and_then(|number| number.parse().ok());
    let event = match (merge_request, env.get("CI_PIPELINE_SOURCE")) {
        (Some(number), _) => Event::PullRequest {
            number,
            head: owned("CI_COMMIT_SHA").unwrap_or_default(),
            fork: env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH") != env.get("CI_PROJECT_PATH"),
            target: false,
        },
        (None, _) if env.get("CI_COMMIT_TAG").is_some() => Event::TagPush,
        (None, Some("push")) => Event::BranchPush,
        (None, Some("web" | "api" | "trigger")) => Event::Dispatch,
        (None, Some("schedule")) => Event::Schedule,
        (None, other) => Event::Other(other.unwrap_or_default().to_owned()),
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
        run_url: owned("CI_PIPELINE_URL"),
        github: None,
    }
}
