//! Who of the reviewers is of a team.
//! <https://docs.github.com/rest/teams/members#get-team-membership-for-a-user>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::{Client, segment};
use super::error::{GitHubError, Permission};
use super::reviews::{Review, State};

#[derive(Deserialize)]
struct Team {}

#[derive(Deserialize)]
struct Membership {
    state: String,
}

/// Says of each approval whether it is by a member of the organisation's team.
pub(super) async fn mark(
    github: &Client,
    team: &str,
    reviews: &mut [Review],
) -> Result<(), GitHubError> {
    let route = format!("/orgs/{}/teams/{}", segment(github.owner()), segment(team));
    // A token that may see no team gets the same answer for each person as for one who is not in
    // it: only the team itself tells the two apart.
    let Team {} = github.get(&route, Permission::Members).await?;
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    for review in reviews.iter_mut().filter(|review| review.state == State::Approved) {
        let Some(by) = &review.by else { continue };
        let member = match known.get(by) {
            Some(member) => *member,
            None => {
                let route = format!("{route}/memberships/{}", segment(by));
                let asked = github.get::<Membership>(&route, Permission::Members).await;
                let member = match asked {
                    Ok(membership) => membership.state == "active",
                    Err(error) if error.is_missing() => false,
                    Err(error) => return Err(error),
                };
                known.insert(by.clone(), member);
                member
            }
        };
        review.in_team = Some(member);
    }
    Ok(())
}
