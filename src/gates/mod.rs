//! Gates: small, independent, pure judgements over what was gathered.
//!
//! Adding one is one file here and one line in [`ALL`].

pub mod approval;
mod asked;
pub mod audit_log;
pub mod benchmarks;
pub mod card;
pub mod card_completeness;
mod card_downloads;
mod card_numbers;
mod card_sections;
pub mod changelog;
pub mod leaks;
pub mod license;
pub mod lineage;
pub mod naming;
pub mod protection;
pub mod review;
#[cfg(test)]
mod sample;
pub mod scan;
pub mod size;
pub mod status_checks;
pub mod tag_signature;
pub mod tests;
pub mod token;
pub mod version;

use std::time::SystemTime;

use jiff::civil::Date;

use crate::audit::Reach;
use crate::evidence::Evidence;
use crate::finding::{Finding, Rule};
use crate::github::SourceFacts;
use crate::hub::wire::WhoAmI;
use crate::inventory::Inventory;
use crate::leaks::Leaks;
use crate::policy::{Model, Policy};
use crate::release::{Changes, GitFacts, Published, Target, Versioning};
use crate::test_run::TestRun;

/// Every gate, in the order of reports.
pub const ALL: &[&dyn Gate] = &[
    &version::Version,
    &naming::Naming,
    &changelog::Changelogs,
    &tests::Tests,
    &benchmarks::Benchmarks,
    &scan::Scan,
    &leaks::Leaks,
    &size::Size,
    &card::Card,
    &license::License,
    &lineage::Lineage,
    &token::Token,
    &review::Review,
    &status_checks::StatusChecks,
    &tag_signature::TagSignature,
    &approval::Approval,
    &protection::Protection,
    &audit_log::AuditLog,
];

/// Every rule with its gate's name, those of the verdict itself included.
pub fn catalogue() -> Vec<(&'static str, &'static Rule)> {
    let gates =
        ALL.iter().flat_map(|gate| gate.rules().into_iter().map(|rule| (gate.name(), rule)));
    gates.chain(crate::finding::VERDICT_RULES.iter().map(|rule| ("policy", *rule))).collect()
}

/// Everything a gate may look at.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The model being weighed.
    pub model: &'a Model,
    /// Whether there is a version.
    pub versioning: &'a Versioning,
    /// Where it goes, when there is a version.
    pub target: Option<&'a Target>,
    /// What git says.
    pub git: &'a GitFacts,
    /// What changed since the version before.
    pub changes: &'a Changes,
    /// The files.
    pub inventory: &'a Inventory,
    /// What tests and training left.
    pub evidence: &'a Evidence,
    /// The policy's test command, when it has one and this mode runs it.
    pub test_run: Option<&'a TestRun>,
    /// What the Hub has, when it was asked.
    pub published: Option<&'a Published>,
    /// What GitHub knows of where the version comes from, when it was asked.
    pub source: Option<&'a SourceFacts>,
    /// Whether the policy's audit log can be added to, when the Hub was asked.
    pub audit_log: Option<&'a Reach>,
    /// The finished card, exactly as it would be published.
    pub card: &'a str,
    /// The README that the card was made from, as it stands in the repository, when the policy
    /// keeps one.
    pub readme: Option<&'a crate::source::SourceFile>,
    /// Secrets in what git tracks; none where nothing is tracked.
    pub leaks: Option<&'a Leaks>,
    /// Whose the Hub token is and what it may do, when there is one.
    pub holder: Option<&'a WhoAmI>,
    /// A rehearsal: the tag may be made up.
    pub rehearsal: bool,
    /// The day of the run.
    pub today: Date,
    /// When the checkout was made (mtime of the checkout's HEAD log or index), if known.
    pub checkout: Option<SystemTime>,
}

/// What a gate says: findings, and one line for the table.
#[derive(Debug)]
pub struct Judgement {
    /// One line for the table of gates.
    pub note: String,
    /// Everything it found.
    pub findings: Vec<Finding>,
    /// There was nothing to judge; `note` says why.
    pub skipped: bool,
}

impl Judgement {
    /// A judgement.
    pub fn new(note: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self { note: note.into(), findings, skipped: false }
    }

    /// Nothing to judge, and why.
    pub fn skipped(note: impl Into<String>) -> Self {
        Self { note: note.into(), findings: Vec::new(), skipped: true }
    }
}

/// One gate.
pub trait Gate: Send + Sync {
    /// Kebab-case name.
    fn name(&self) -> &'static str;
    /// Every rule it may speak by.
    fn rules(&self) -> Vec<&'static Rule>;
    /// The judgement; pure. A gate that cannot do its work returns a failure (exit code 2).
    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, crate::failure::Failure>;
}
