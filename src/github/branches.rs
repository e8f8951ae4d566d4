//! The branch that versions come from.
//! <https://docs.github.com/rest/commits/commits#compare-two-commits>

use serde::Deserialize;

use super::client::{Client, segment};
use super::error::{GitHubError, Permission};

#[derive(Deserialize)]
struct Repository {
    default_branch: String,
}

#[derive(Deserialize)]
struct Comparison {
    status: String,
}

/// The branch of a name, or the repository's default one.
pub(super) async fn or_default(
    github: &Client,
    named: Option<&str>,
) -> Result<String, GitHubError> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    let found: Repository = github.get(&github.route(""), Permission::Metadata).await?;
    Ok(found.default_branch)
}

/// Whether a branch that ends in `tip` holds a commit. Both are commits, not names: a tag can bear the
/// name of a branch.
pub(super) async fn holds(github: &Client, tip: &str, commit: &str) -> Result<bool, GitHubError> {
    let route = format!("/compare/{}...{}?per_page=1", segment(tip), segment(commit));
    match github.get::<Comparison>(&github.route(&route), Permission::Contents).await {
        Ok(found) => Ok(matches!(found.status.as_str(), "identical" | "behind")),
        // The tip is there and was read: the commit is not, or has no history in common with it.
        Err(error) if error.is_missing() => Ok(false),
        Err(error) => Err(error),
    }
}
