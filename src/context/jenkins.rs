//! Jenkins, with the variables of multibranch pipelines.
//! <https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables>

use super::{Ci, Context, Environment, Event};

pub(super) fn is_here(env: &Environment) -> bool {
    env.get("JENKINS_URL").is_some()
}

pub(super) fn read(env: &Environment) -> Context {
    let owned = |name| env.get(name).map(str::to_owned);
    let change = env.get("CHANGE_ID").and_then(|number| number.parse().ok());
    let event = match change {
        Some(number) => Event::PullRequest {
            number,
            head: owned("GIT_COMMIT").unwrap_or_default(),
            fork: env.get("CHANGE_FORK").is_some(),
            target: false,
        },
        None if env.get("TAG_NAME").is_some() => Event::TagPush,
        None if env.get("BRANCH_NAME").is_some() => Event::BranchPush,
        None => Event::Other(String::new()),
    };
    Context {
        ci: Ci::Jenkins,
        event,
        workspace: super::workspace(env.get("WORKSPACE")),
        repository: None,
        commit: owned("GIT_COMMIT"),
        tag: owned("TAG_NAME"),
        actor: owned("BUILD_USER_ID"),
        triggering_actor: None,
        run_url: owned("BUILD_URL"),
        github: None,
    }
}
