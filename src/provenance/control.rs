//! Who reviewed and approved a release, what protects where it comes from, and what was passed over.

use serde::{Deserialize, Serialize};

use super::AllowedRecord;
use crate::finding::Verdict;
use crate::github::{
    Approval, Branch, Check, CheckOutcome, PullRequest, SourceFacts, Tag, TagRules,
};
use crate::markdown;

/// Checks that are written down.
const MOST_CHECKS: usize = 200;

/// Evidence of a release's reviews and approvals, as GitHub told it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlRecord {
    /// Who started the run, and who started it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releasers: Vec<String>,
    /// The pull requests that the commit came by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pull_requests: Vec<PullRequestRecord>,
    /// Other checks on the commit and on the head of its pull request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckRecord>,
    /// The tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagRecord>,
    /// Who let the run into environments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalRecord>,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<BranchRecord>,
    /// Kinds of the active rules for the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_rules: Option<Vec<String>>,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PullRequestRecord {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// The commit that was looked at.
    pub head: String,
    /// The branch it was merged into.
    pub base: String,
    /// Who opened it.
    pub author: Option<String>,
    /// Where each reviewer stood at the end.
    pub votes: Vec<VoteRecord>,
}

/// A review that decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteRecord {
    /// Who.
    pub by: String,
    /// GitHub's number of the review.
    pub id: u64,
    /// Its place on the pull request's page.
    pub url: String,
    /// When.
    pub at: Option<String>,
    /// The commit that was looked at.
    pub commit: Option<String>,
    /// An approval that counts.
    pub counts: bool,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// A check run or commit status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// Its name.
    pub name: String,
    /// The commit it ran on.
    pub commit: String,
    /// `green`, `skipped`, `running`, or GitHub's word for what is none of these.
    pub outcome: String,
}

/// The tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagRecord {
    /// Its name.
    pub name: String,
    /// What it leads to.
    pub commit: String,
    /// An object of its own.
    pub annotated: bool,
    /// GitHub verifies its signature.
    pub verified: bool,
    /// GitHub's word for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An answer of a reviewer of environments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRecord {
    /// Who.
    pub by: Option<String>,
    /// Yes, and not no.
    pub approved: bool,
    /// For which.
    pub environments: Vec<String>,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BranchRecord {
    /// Its name.
    pub name: String,
    /// Protected, by GitHub's own word.
    pub protected: bool,
    /// Kinds of the active rules for it.
    pub rules: Vec<String>,
    /// The commit lies on it.
    #[serde(default)]
    pub holds_commit: bool,
}

/// An emergency: what blocked, and who passed over it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmergencyRecord {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Vec<String>,
    /// The gates that it may have passed over.
    pub gates: Vec<String>,
    /// What it did pass over; `reason` is the emergency's.
    pub passed_over: Vec<AllowedRecord>,
}

impl ControlRecord {
    /// What GitHub told; `None` where it was asked nothing, or told nothing.
    pub fn of(facts: &SourceFacts) -> Option<Self> {
        let told = facts.origin.iter().flatten();
        let checks = facts.checks.iter().flatten();
        let checks = checks.flat_map(|checks| checks.tagged.iter().chain(&checks.head));
        let protection = facts.protection.as_ref().and_then(|asked| asked.as_ref().ok());
        let tag = facts.tag.iter().flatten().flatten().next();
        let tag_rules = protection.and_then(|found| found.tag.as_ref());
        let record = Self {
            releasers: Vec::new(),
            pull_requests: told
                .flat_map(|origin| &origin.pulls)
                .map(|pull| PullRequestRecord::of(pull, &facts.page))
                .collect(),
            checks: checks
                .filter(|check| !check.own)
                .take(MOST_CHECKS)
                .map(CheckRecord::of)
                .collect(),
            tag: tag.map(TagRecord::of),
            approvals: facts.approvals.iter().flatten().flatten().map(ApprovalRecord::of).collect(),
            branch: protection.map(|found| BranchRecord::of(&found.branch)),
            tag_rules: tag_rules.map(|TagRules { rules, .. }| rules.iter().cloned().collect()),
        };
        let is_empty = record == Self::default();
        (!is_empty).then(|| Self { releasers: facts.releasers.clone(), ..record })
    }
}

impl PullRequestRecord {
    fn of(pull: &PullRequest, page: &str) -> Self {
        let url = format!("{page}/pull/{}", pull.number);
        let votes = pull.votes().into_iter().map(|vote| VoteRecord {
            by: vote.review.by.clone().unwrap_or_default(),
            id: vote.review.id,
            url: format!("{url}#pullrequestreview-{}", vote.review.id),
            at: vote.review.at.clone(),
            commit: vote.review.commit.clone(),
            counts: vote.counts.is_ok(),
            why_not: vote.counts.err().map(|why| why.to_string()),
        });
        Self {
            number: pull.number,
            votes: votes.collect(),
            url,
            head: pull.head.clone(),
            base: pull.base.clone(),
            author: pull.author.clone(),
        }
    }
}

impl CheckRecord {
    fn of(check: &Check) -> Self {
        let outcome = match &check.outcome {
            CheckOutcome::Green => "green",
            CheckOutcome::Skipped => "skipped",
            CheckOutcome::Running => "running",
            CheckOutcome::Red(word) => word,
        };
        Self { name: check.name.clone(), commit: check.commit.clone(), outcome: outcome.to_owned() }
    }
}

impl TagRecord {
    fn of(tag: &Tag) -> Self {
        Self {
            name: tag.name.clone(),
            commit: tag.commit.clone(),
            annotated: tag.annotated,
            verified: tag.signature.as_ref().is_some_and(|signature| signature.verified),
            reason: tag.signature.as_ref().map(|signature| signature.reason.clone()),
        }
    }
}

impl ApprovalRecord {
    fn of(approval: &Approval) -> Self {
        Self {
            by: approval.by.clone(),
            approved: approval.approved,
            environments: approval.environments.clone(),
        }
    }
}

impl BranchRecord {
    fn of(branch: &Branch) -> Self {
        Self {
            name: branch.name.clone(),
            protected: branch.protected,
            rules: branch.rules.iter().cloned().collect(),
            holds_commit: branch.holds,
        }
    }
}

impl EmergencyRecord {
    /// The emergency in which a verdict was found.
    pub(super) fn of(verdict: &Verdict) -> Option<Self> {
        let emergency = verdict.emergency()?;
        let passed_over = verdict.passed_over().into_iter();
        Some(Self {
            reason: emergency.reason().to_owned(),
            by: emergency.by().to_vec(),
            gates: emergency.gates().to_vec(),
            passed_over: passed_over
                .map(|finding| AllowedRecord::of(finding, emergency.reason()))
                .collect(),
        })
    }
}

/// What a version says of itself on the Hub, with the emergency in which it was released.
pub fn emergency_notes(verdict: &Verdict, notes: Option<String>) -> Option<String> {
    let passed_over = verdict.passed_over();
    let Some(emergency) = verdict.emergency().filter(|_| !passed_over.is_empty()) else {
        return notes;
    };
    let rules: Vec<_> = passed_over.iter().map(|finding| finding.rule.id).collect();
    let said = format!(
        "EMERGENCY RELEASE by {}: {}. Passed over: {}.",
        markdown::text(&emergency.by().join(", ")),
        markdown::text(emergency.reason().trim_end_matches('.')),
        rules.join(", ")
    );
    Some(notes.map_or_else(|| said.clone(), |notes| format!("{said}\n\n{notes}")))
}
