//! The pull request that a commit came by.
//! <https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit>

use serde::Deserialize;

use super::client::{Client, segment};
use super::error::{GitHubError, Permission};
use super::facts::WantedReview;
use super::reviews::{self, Review, State};
use super::writers::{self, Writers};
use super::{access, branches, teams};

/// Pull requests that are looked at: a commit comes by one, seldom by two.
const MOST: usize = 30;

/// How a commit came into the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Merged pull requests whose result, or whose head, the commit is.
    pub pulls: Vec<PullRequest>,
    /// Others that hold the commit, or the head of one that brought it.
    pub beside: Vec<PullRequest>,
    /// A merged pull request that the commit is only a part of.
    pub part_of: Option<u64>,
    /// A pull request with the commit that is not merged.
    pub unmerged: Option<u64>,
    /// One that brought the commit, but into another branch than the one that is asked for.
    pub elsewhere: Option<Elsewhere>,
}

/// A pull request that was merged into another branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its number.
    pub number: u64,
    /// The branch that it was merged into.
    pub into: String,
    /// The one that is asked for.
    pub wanted: String,
}

/// A pull request.
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
    pub writers: Writers,
    /// Every review, in order.
    pub reviews: Vec<Review>,
}

/// An account, as every answer has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
    pub(super) id: Option<u64>,
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

/// The pull requests of a commit, without their reviews: a merge commit, a squashed one and the last
/// of a rebase are the `merge_commit_sha` of theirs.
pub(super) async fn origin(github: &Client, commit: &str) -> Result<Origin, GitHubError> {
    let mut origin = Origin::default();
    for pull in with(github, commit).await? {
        let whole = pull.merge_commit_sha.as_deref() == Some(commit) || pull.head.sha == commit;
        match &pull.merged_at {
            Some(_) if whole => {
                origin.pulls.push(pull.into());
                continue;
            }
            Some(_) => origin.part_of = origin.part_of.or(Some(pull.number)),
            None => origin.unmerged = origin.unmerged.or(Some(pull.number)),
        }
        origin.beside.push(pull.into());
    }
    Ok(origin)
}

/// The repository's own pull requests that GitHub associates with a commit. One of a fork's says nothing
/// of ours.
async fn with(github: &Client, commit: &str) -> Result<Vec<Wire>, GitHubError> {
    let route = github.route(&format!("/commits/{}/pulls", segment(commit)));
    let listed: Vec<Wire> =
        github.pages(&route, Permission::PullRequests, |page: Vec<Wire>| page).await?;
    let ours = |pull: &Wire| {
        let repository = pull.base.repo.as_ref();
        repository.is_some_and(|own| own.full_name.eq_ignore_ascii_case(github.repository()))
    };
    Ok(listed.into_iter().filter(ours).collect())
}

/// Leaves what goes into the branch that is asked for, and adds who wrote and who reviewed.
pub(super) async fn reviewed(
    github: &Client,
    mut origin: Origin,
    commit: &str,
    wanted: &WantedReview,
) -> Result<Origin, GitHubError> {
    let branch = branches::or_default(github, wanted.branch.as_deref()).await?;
    let (into, elsewhere): (Vec<_>, Vec<_>) =
        origin.pulls.into_iter().partition(|pull| pull.base == branch);
    origin.pulls = into;
    origin.elsewhere = elsewhere.into_iter().next().map(|pull| Elsewhere {
        number: pull.number,
        into: pull.base,
        wanted: branch.clone(),
    });
    if origin.pulls.is_empty() {
        return Ok(origin);
    }
    origin.beside.retain(|pull| pull.base == branch);
    for head in origin.pulls.iter().map(|pull| &pull.head).filter(|head| *head != commit) {
        for pull in with(github, head).await? {
            let mut known = origin.pulls.iter().chain(&origin.beside);
            if pull.base.branch == branch && known.all(|known| known.number != pull.number) {
                origin.beside.push(pull.into());
            }
        }
    }
    if origin.pulls.len() + origin.beside.len() > MOST {
        return Err(GitHubError::TooMany {
            what: format!("more than {MOST} pull requests into `{branch}` hold {commit:.12}"),
            fix: "tag a commit of its own, such as the one that a new pull request is merged as",
        });
    }
    for pull in &mut origin.pulls {
        pull.writers = writers::of(github, pull.number, &wanted.machines).await?;
    }
    for pull in origin.pulls.iter_mut().chain(&mut origin.beside) {
        pull.reviews = reviews::of(github, pull.number).await?;
    }
    // Of those beside, only an objection counts.
    let beside = origin.beside.iter_mut().flat_map(|pull| &mut pull.reviews);
    let objections = beside.filter(|review| review.state == State::ChangesRequested);
    let reviews = origin.pulls.iter_mut().flat_map(|pull| &mut pull.reviews);
    access::mark(github, reviews.chain(objections)).await?;
    if let Some(team) = &wanted.team {
        for pull in &mut origin.pulls {
            teams::mark(github, team, &mut pull.reviews).await?;
        }
    }
    Ok(origin)
}

impl From<Wire> for PullRequest {
    fn from(wire: Wire) -> Self {
        Self {
            number: wire.number,
            head: wire.head.sha,
            base: wire.base.branch,
            author: wire.user.map(|user| user.login),
            writers: Writers::default(),
            reviews: Vec::new(),
        }
    }
}
