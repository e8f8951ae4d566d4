//! Who of the reviewers may write to the repository. What a review tells of its author does not tell
//! that: a member of the organisation and an invited collaborator may be let in to read only.
//! <https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::{Client, segment};
use super::error::{GitHubError, Permission};
use super::reviews::{Review, State};

/// People who are asked about: anybody may review what is public.
const MOST: usize = 100;

#[derive(Deserialize)]
struct Access {
    /// `maintain` is told as `write`, `triage` as `read`, a role of one's own as what it builds on.
    permission: String,
}

/// Says of each review that decides whether its author may write.
pub(super) async fn mark(
    github: &Client,
    reviews: impl Iterator<Item = &mut Review>,
) -> Result<(), GitHubError> {
    let decides = |state| matches!(state, State::Approved | State::ChangesRequested);
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    for review in reviews.filter(|review| decides(review.state) && !review.machine) {
        let Some(by) = &review.by else { continue };
        review.may_write = match known.get(by) {
            Some(may) => *may,
            None if known.len() >= MOST => {
                return Err(GitHubError::TooMany {
                    what: format!("more than {MOST} people approved the commit or objected to it"),
                    fix: "bring it by a new pull request, and limit reviews to people with explicit access (Settings → Moderation options → Code review limits)",
                });
            }
            None => {
                let may = may_write(github, by).await?;
                known.insert(by.clone(), may);
                may
            }
        };
    }
    Ok(())
}

async fn may_write(github: &Client, login: &str) -> Result<bool, GitHubError> {
    let route = github.route(&format!("/collaborators/{}/permission", segment(login)));
    match github.get::<Access>(&route, Permission::Collaborators).await {
        Ok(access) => Ok(matches!(access.permission.as_str(), "admin" | "write")),
        // The account is gone.
        Err(error) if error.is_missing() => Ok(false),
        Err(error) => Err(error),
    }
}
