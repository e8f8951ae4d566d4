//! Reviews of a pull request, and which of them count.
//! <https://docs.github.com/rest/pulls/reviews#list-reviews-for-a-pull-request>

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::client::Client;
use super::error::{GitHubError, Permission};
use super::pulls::{Origin, PullRequest, User};

/// One review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// GitHub's number.
    pub id: u64,
    /// Who; nobody where the account is gone.
    pub by: Option<String>,
    /// The number of their account.
    pub by_id: Option<u64>,
    /// An app or a bot, no person.
    pub machine: bool,
    /// What it says.
    pub state: State,
    /// The commit that was looked at.
    pub commit: Option<String>,
    /// When.
    pub at: Option<String>,
    /// May write to the repository; only told of a review that decides.
    pub may_write: bool,
    /// Of the team that is asked for; only told where one is.
    pub in_team: Option<bool>,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Yes.
    Approved,
    /// Not so.
    ChangesRequested,
    /// It said yes or no once, and somebody took it back.
    Dismissed,
    /// Nothing that decides: a comment, or one not yet sent.
    Remark,
}

/// Where a person stands at the end: the last review that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote<'a> {
    /// The review.
    pub review: &'a Review,
    /// Whether it is an approval that counts, or why not.
    pub counts: Result<(), Refused>,
}

/// Why a review is no approval that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It asks for changes.
    ChangesRequested,
    /// It was dismissed.
    Dismissed,
    /// It is of the author of the pull request.
    Author,
    /// It is of somebody who wrote a commit in it.
    Writer,
    /// It is no person's.
    Machine,
    /// It looked at another commit.
    Stale,
    /// Its author may not write to the repository.
    NoWriteAccess,
    /// Its author is not of the team.
    NotInTeam,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChangesRequested => "asks for changes",
            Self::Dismissed => "was dismissed",
            Self::Author => "opened the pull request",
            Self::Writer => "wrote a commit in it",
            Self::Machine => "is no person",
            Self::Stale => "looked at an older commit",
            Self::NoWriteAccess => "may not write to the repository",
            Self::NotInTeam => "is not of the team",
        })
    }
}

impl PullRequest {
    /// Where each reviewer stands at the end, by name. A remark takes nothing back.
    pub fn votes(&self) -> Vec<Vote<'_>> {
        let mut last: BTreeMap<String, &Review> = BTreeMap::new();
        for review in self.reviews.iter().filter(|review| review.state != State::Remark) {
            if let Some(by) = &review.by {
                last.insert(by.to_ascii_lowercase(), review);
            }
        }
        last.into_values().map(|review| Vote { review, counts: self.counts(review) }).collect()
    }

    fn counts(&self, review: &Review) -> Result<(), Refused> {
        let is = |name: &String| review.by.as_ref().is_some_and(|by| by.eq_ignore_ascii_case(name));
        let refusals = [
            (review.state == State::ChangesRequested, Refused::ChangesRequested),
            (review.state == State::Dismissed, Refused::Dismissed),
            (review.machine, Refused::Machine),
            (self.author.as_ref().is_some_and(is), Refused::Author),
            (self.writers.hold(review), Refused::Writer),
            (review.commit.as_deref() != Some(self.head.as_str()), Refused::Stale),
            (!review.may_write, Refused::NoWriteAccess),
            (review.in_team == Some(false), Refused::NotInTeam),
        ];
        refusals.iter().find(|(applies, _)| *applies).map_or(Ok(()), |(_, why)| Err(*why))
    }
}

impl Origin {
    /// Who asked for changes and has not taken it back, and in which pull request: in one that brought the
    /// commit, or, of the same head, in another. A clean pull request does not outdo it.
    pub fn objections(&self) -> Vec<(u64, &Review)> {
        let heads: Vec<_> = self.pulls.iter().map(|pull| pull.head.as_str()).collect();
        let same = |pull: &PullRequest, review: &Review| {
            let looked_at = review.commit.as_deref().into_iter().chain([pull.head.as_str()]);
            looked_at.into_iter().any(|commit| heads.contains(&commit))
        };
        let all = self.pulls.iter().chain(&self.beside);
        let all = all.flat_map(|pull| pull.votes().into_iter().map(move |vote| (pull, vote)));
        let objects = all.filter(|(pull, Vote { review, counts })| {
            let open = *counts == Err(Refused::ChangesRequested);
            open && review.may_write && !review.machine && same(pull, review)
        });
        objects.map(|(pull, vote)| (pull.number, vote.review)).collect()
    }
}

#[derive(Deserialize)]
struct Wire {
    id: u64,
    user: Option<User>,
    #[serde(default)]
    state: String,
    commit_id: Option<String>,
    submitted_at: Option<String>,
}

/// Every review of a pull request, in the order in which they were given.
pub(super) async fn of(github: &Client, number: u64) -> Result<Vec<Review>, GitHubError> {
    let route = github.route(&format!("/pulls/{number}/reviews"));
    let mut listed: Vec<Wire> =
        github.pages(&route, Permission::PullRequests, |page: Vec<Wire>| page).await?;
    // They come so; a page that changed under our hands may not.
    listed.sort_by(|a, b| (&a.submitted_at, a.id).cmp(&(&b.submitted_at, b.id)));
    listed.dedup_by_key(|review| review.id);
    Ok(listed.into_iter().map(Review::from).collect())
}

impl From<Wire> for Review {
    fn from(wire: Wire) -> Self {
        let state = match wire.state.to_ascii_uppercase().as_str() {
            "APPROVED" => State::Approved,
            "CHANGES_REQUESTED" => State::ChangesRequested,
            "DISMISSED" => State::Dismissed,
            _ => State::Remark,
        };
        Self {
            id: wire.id,
            machine: wire.user.as_ref().is_none_or(User::is_machine),
            by_id: wire.user.as_ref().and_then(|user| user.id),
            by: wire.user.map(|user| user.login),
            state,
            commit: wire.commit_id,
            at: wire.submitted_at,
            may_write: false,
            in_team: None,
        }
    }
}
