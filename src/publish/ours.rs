//! Which commit is this version's. Somebody may have committed on top of it, and such a commit holds
//! the version's record too, with files that nobody weighed: the title tells the two apart.

use super::lag::awaited;
use super::look::{commit_of, landed};
use super::{Landed, Plan, Progress, PublishError};
use crate::hub::Hub;
use crate::hub::wire::CommitEntry;

/// Whether a record is of this version with these bytes.
pub(super) fn is_this(record: &Landed, plan: &Plan) -> bool {
    record.version == plan.version.to_string() && record.manifest_digest == plan.manifest
}

/// The head of a branch of the target repository.
pub(super) async fn head_of(
    hub: &Hub,
    plan: &Plan,
    branch: &str,
) -> Result<Option<String>, PublishError> {
    let refs = hub.refs(&plan.target.repo).await?.unwrap_or_default();
    Ok(commit_of(&refs.branches, branch))
}

/// The head of the target branch.
pub(super) async fn head(hub: &Hub, plan: &Plan) -> Result<Option<String>, PublishError> {
    head_of(hub, plan, &plan.target.revision).await
}

/// This version's commit among the newest of the target branch.
pub(super) async fn ours(hub: &Hub, plan: &Plan) -> Result<Option<String>, PublishError> {
    let Some(head) = head(hub, plan).await? else { return Ok(None) };
    let commits = hub.newest_commits(&plan.target.repo, &head).await?.unwrap_or_default();
    ours_among(hub, plan, &commits, None).await
}

/// This version's commit from `head` down to `parent`, which is waited for: `head` was just told.
pub(super) async fn ours_above(
    hub: &Hub,
    plan: &Plan,
    parent: &str,
    head: &str,
    progress: &dyn Progress,
) -> Result<Option<String>, PublishError> {
    let commits = history(hub, plan, head, progress).await?;
    ours_among(hub, plan, &commits, Some(parent)).await
}

/// The newest commits from `head` down.
pub(super) async fn history(
    hub: &Hub,
    plan: &Plan,
    head: &str,
    progress: &dyn Progress,
) -> Result<Vec<CommitEntry>, PublishError> {
    let look = async || Ok(hub.newest_commits(&plan.target.repo, head).await?);
    Ok(awaited(hub, "the commit", progress, look).await?.unwrap_or_default())
}

async fn ours_among(
    hub: &Hub,
    plan: &Plan,
    commits: &[CommitEntry],
    parent: Option<&str>,
) -> Result<Option<String>, PublishError> {
    let title = plan.summary();
    let after = commits.iter().take_while(|commit| parent != Some(commit.id.as_str()));
    for commit in after.filter(|commit| commit.title == title) {
        let record = landed(hub, &plan.target, &commit.id).await?;
        if record.is_some_and(|record| is_this(&record, plan)) {
            return Ok(Some(commit.id.clone()));
        }
    }
    Ok(None)
}
