//! Who let a run into its environments.
//! <https://docs.github.com/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run>

use serde::Deserialize;

use super::client::Client;
use super::error::{GitHubError, Permission};
use super::pulls::User;

/// One answer of a reviewer of environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who; nobody where the account is gone.
    pub by: Option<String>,
    /// An app or a bot, no person.
    pub machine: bool,
    /// Yes, and not no.
    pub approved: bool,
    /// Names of the environments it is for.
    pub environments: Vec<String>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    state: String,
    user: Option<User>,
    #[serde(default)]
    environments: Vec<Environment>,
}

#[derive(Deserialize)]
struct Environment {
    name: Option<String>,
}

/// Every answer for a run. GitHub gives them all at once.
pub(super) async fn approvals(github: &Client, run: u64) -> Result<Vec<Approval>, GitHubError> {
    let route = github.route(&format!("/actions/runs/{run}/approvals"));
    let listed: Vec<Wire> = github.get(&route, Permission::Actions).await?;
    let each = listed.into_iter().map(|wire| Approval {
        machine: wire.user.as_ref().is_none_or(User::is_machine),
        by: wire.user.map(|user| user.login),
        approved: wire.state == "approved",
        environments: wire.environments.into_iter().filter_map(|one| one.name).collect(),
    });
    Ok(each.collect())
}
