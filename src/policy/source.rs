//! Where a version has to come from: reviews, checks, the tag, approvals, protection.

use crate::finding::Location;

/// Settings of the gates that ask GitHub; each is off unless the policy has its key.
#[derive(Debug, Clone, Default)]
pub struct SourceGates {
    /// The commit came by a pull request that others approved.
    pub review: Option<Asked<ReviewGate>>,
    /// Other checks on it were green: names, or none for all that ran.
    pub status_checks: Option<Asked<Vec<String>>>,
    /// The tag is annotated, or signed.
    pub tag_signature: Option<Asked<TagSignatureGate>>,
    /// The reviewers of the environment of this name let the run in.
    pub approval: Option<Asked<String>>,
    /// Branch and tag are protected.
    pub protection: Option<Asked<ProtectionGate>>,
}

/// What a gate asks for, and of which versions.
#[derive(Debug, Clone)]
pub struct Asked<T> {
    /// What.
    pub what: T,
    /// Stages whose versions it is asked of; empty means all.
    pub stages: Vec<String>,
    /// Where the policy says so.
    pub at: Location,
}

impl<T> Asked<T> {
    /// Whether it is asked of versions that go to a stage.
    pub fn of_stage(&self, stage: &str) -> bool {
        self.stages.is_empty() || self.stages.iter().any(|one| one == stage)
    }
}

/// Settings of the review gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewGate {
    /// People who have to approve.
    pub approvals: usize,
    /// Slug of the team that they have to be of.
    pub team: Option<String>,
    /// The branch that it has to be merged into; `None` for the default one.
    pub branch: Option<String>,
    /// Addresses of tools that sign as co-authors, in small letters.
    pub machines: Vec<String>,
}

/// Settings of the tag-signature gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSignatureGate {
    /// An object of its own.
    pub annotated: bool,
    /// Signed, and verified by GitHub.
    pub signed: bool,
}

/// Settings of the protection gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionGate {
    /// The branch; `None` for the default one.
    pub branch: Option<String>,
    /// The tag too.
    pub tag: bool,
}
