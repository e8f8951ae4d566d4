//! What GitHub knows of where a version comes from, as plain data for the gates.

use super::approvals::{self, Approval};
use super::client::Client;
use super::error::GitHubError;
use super::protection::{self, Protection};
use super::pulls::{self, Origin};
use super::status_checks::{self, Asking, Checks};
use super::tags::{self, Tag};
use crate::failure::Advise as _;

/// What the policy wants to know; nothing else is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Who reviewed.
    pub review: Option<WantedReview>,
    /// What other checks said.
    pub checks: bool,
    /// The tag.
    pub tag: bool,
    /// Who let the run into an environment.
    pub approvals: bool,
    /// What protects: the branch, where one is named, and whether the tag is meant too.
    pub protection: Option<(Option<String>, bool)>,
}

/// Which reviews.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedReview {
    /// The branch that it was merged into; `None` for the default one.
    pub branch: Option<String>,
    /// The team that approvals must be of, where one is named.
    pub team: Option<String>,
    /// Addresses of tools that sign as co-authors, in small letters.
    pub machines: Vec<String>,
}

impl Wanted {
    /// Nothing has to be asked.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A fact that was asked for: itself, or why it is not known.
pub type Asked<T> = Result<T, Unknown>;

/// Why something is not known, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What was in the way.
    pub why: String,
    /// What to do.
    pub fix: String,
}

/// What GitHub knows of a version; `None` where it was not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFacts {
    /// The commit that it was asked about.
    pub commit: String,
    /// Address of the repository on GitHub.
    pub page: String,
    /// Who started the run, and who started it again; nobody where one of the two is not known.
    pub releasers: Vec<String>,
    /// How the commit came into the repository, with reviews where they were wanted.
    pub origin: Option<Asked<Origin>>,
    /// What other checks said.
    pub checks: Option<Asked<Checks>>,
    /// The tag; `None` inside where GitHub has none of that name.
    pub tag: Option<Asked<Option<Tag>>>,
    /// Who let the run into its environments.
    pub approvals: Option<Asked<Vec<Approval>>>,
    /// What protects branch and tag.
    pub protection: Option<Asked<Protection>>,
}

impl SourceFacts {
    /// Nothing that is wanted can be known, for one reason.
    pub fn unknown(wanted: &Wanted, why: &Unknown) -> Self {
        fn when<T>(wanted: bool, why: &Unknown) -> Option<Asked<T>> {
            wanted.then(|| Err(why.clone()))
        }
        Self {
            origin: when(wanted.review.is_some(), why),
            checks: when(wanted.checks, why),
            tag: when(wanted.tag, why),
            approvals: when(wanted.approvals, why),
            protection: when(wanted.protection.is_some(), why),
            ..Self::default()
        }
    }

    /// Asks GitHub for all that is wanted of a commit with a tag.
    pub async fn ask(
        github: &Client,
        wanted: &Wanted,
        commit: &str,
        tag: &str,
        asking: Asking<'_>,
    ) -> Self {
        let mut facts = Self { commit: commit.to_owned(), ..Self::default() };
        if wanted.review.is_some() || wanted.checks {
            let origin = pulls::origin(github, commit).await;
            if wanted.checks {
                facts.checks = Some(match &origin {
                    Ok(origin) => told(status_checks::checks(github, commit, origin, asking).await),
                    Err(error) => Err(Unknown::of(error)),
                });
            }
            if let Some(review) = &wanted.review {
                facts.origin = Some(told(match origin {
                    Ok(origin) => pulls::reviewed(github, origin, commit, review).await,
                    Err(error) => Err(error),
                }));
            }
        }
        if wanted.tag {
            facts.tag = Some(told(tags::tag(github, tag).await));
        }
        if wanted.approvals {
            facts.approvals = Some(match asking.run {
                Some(run) => told(approvals::approvals(github, run).await),
                None => Err(Unknown {
                    why: "GITHUB_RUN_ID is no number, so the run cannot be asked about".into(),
                    fix: "run it as a job of GitHub Actions".into(),
                }),
            });
        }
        if let Some((branch, of_tag)) = &wanted.protection {
            let tag = of_tag.then_some(tag);
            facts.protection =
                Some(told(protection::protection(github, commit, branch.as_deref(), tag).await));
        }
        facts
    }
}

impl Unknown {
    /// As an error tells it.
    pub fn of(error: &GitHubError) -> Self {
        Self { why: error.to_string(), fix: error.fix().unwrap_or_default() }
    }
}

fn told<T>(asked: Result<T, GitHubError>) -> Asked<T> {
    asked.map_err(|error| Unknown::of(&error))
}
