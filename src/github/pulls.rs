//! The pull request that a commit came by.
//! <https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit>

use std::collections::BTreeSet;

use serde::Deserialize;

use super::client::Client;
use super::error::{GitHubError, Permission};
use super::reviews::{self, Review};

/// Pull requests that are looked at: a commit comes by one, seldom by two.
const MOST: usize = 5;

/// How a commit came into the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Merged pull requests whose result, or whose head, the commit is.
    pub pulls: Vec<PullRequest>,
    /// A merged pull request that the commit is only a part of.
    pub part_of: Option<u64>,
    /// A pull request with the commit that is not merged.
    pub unmerged: Option<u64>,
}

/// A merged pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// The commit that was looked at.
    pub head: String,
    /// The branch it was merged into.
    pub base: String,
    /// Who opened it; nobody where the account is gone.
    pub author: Option<String>,
    /// Who wrote or committed what is in it.
    pub writers: BTreeSet<String>,
    /// Every review, in order.
    pub reviews: Vec<Review>,
}

/// An account, as every answer has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
    #[serde(rename = "type", default)]
    kind: String,
}

impl User {
    /// Whether it is no person. `Organization` and `Mannequin` are none either.
    pub(super) fn is_machine(&self) -> bool {
        self.kind != "User" || self.login.ends_with("[bot]")
    }
}

#[derive(Deserialize)]
struct Wire {
    number: u64,
    merged_at: Option<String>,
    merge_commit_sha: Option<String>,
    user: Option<User>,
    head: Head,
    base: Base,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

#[derive(Deserialize)]
struct Base {
    #[serde(rename = "ref")]
    branch: String,
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct Commit {
    author: Option<Writer>,
    committer: Option<Writer>,
}

/// GitHub writes an empty object where the address belongs to no account.
#[derive(Deserialize)]
struct Writer {
    login: Option<String>,
}

/// The pull requests of a commit, without their reviews: a merge commit, a squashed one and the last
/// of a rebase are the `merge_commit_sha` of theirs.
pub(super) async fn origin(github: &Client, commit: &str) -> Result<Origin, GitHubError> {
    let route = github.route(&format!("/commits/{commit}/pulls"));
    let listed: Vec<Wire> =
        github.pages(&route, Permission::PullRequests, |page: Vec<Wire>| page).await?;
    let mut origin = Origin::default();
    for pull in listed {
        // One of a fork's own repository says nothing of ours.
        let ours = pull
            .base
            .repo
            .as_ref()
            .is_some_and(|repo| repo.full_name.eq_ignore_ascii_case(github.repository()));
        if !ours {
            continue;
        }
        let whole = pull.merge_commit_sha.as_deref() == Some(commit) || pull.head.sha == commit;
        match (&pull.merged_at, whole) {
            (None, _) => origin.unmerged = origin.unmerged.or(Some(pull.number)),
            (Some(_), false) => origin.part_of = origin.part_of.or(Some(pull.number)),
            (Some(_), true) if origin.pulls.len() < MOST => origin.pulls.push(PullRequest {
                number: pull.number,
                head: pull.head.sha,
                base: pull.base.branch,
                author: pull.user.map(|user| user.login),
                writers: BTreeSet::new(),
                reviews: Vec::new(),
            }),
            (Some(_), true) => {}
        }
    }
    Ok(origin)
}

/// Adds who wrote and who reviewed; of a team, where one is named.
pub(super) async fn reviewed(
    github: &Client,
    mut origin: Origin,
    team: Option<&str>,
) -> Result<Origin, GitHubError> {
    for pull in &mut origin.pulls {
        let route = github.route(&format!("/pulls/{}/commits", pull.number));
        let commits: Vec<Commit> =
            github.pages(&route, Permission::PullRequests, |page: Vec<Commit>| page).await?;
        let writers = commits.into_iter().flat_map(|commit| [commit.author, commit.committer]);
        // Merges and edits on the web are committed by GitHub itself.
        let writers = writers.filter_map(|writer| writer?.login);
        pull.writers = writers.filter(|login| login != "web-flow").collect();
        pull.reviews = reviews::of(github, pull.number).await?;
        if let Some(team) = team {
            super::teams::mark(github, team, &mut pull.reviews).await?;
        }
    }
    Ok(origin)
}
