//! What gates say: rules, findings, where they stand, and the verdict over all of them.

mod emergency;
mod location;
mod rule;
mod verdict;

use serde::Serialize;

use crate::digest::Digest;

pub use emergency::{Claim, Emergency, NEVER_PASSED_OVER, PASSED_OVER, Permit, Refusal};
pub use location::Location;
pub use rule::{Level, Rule};
pub use verdict::{
    Allowance, Cleared, NOT_ASKED, Outcome, Overrides, RULES as VERDICT_RULES, Verdict, Weighing,
};

/// One thing that a gate has to say, with its place and its fix.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule that speaks.
    pub rule: &'static Rule,
    /// The rule's level, after the policy raised or lowered it.
    pub level: Level,
    /// What was found, in one or two plain sentences. May hold text from files: renderers escape.
    pub message: String,
    /// Where.
    pub at: Location,
    /// What to do; starts as the rule's own fix.
    pub fix: String,
    /// The callable or class that it is about, dotted, where there is one.
    pub subject: Option<String>,
    /// Digest of the file that it is about, where there is one.
    pub digest: Option<Digest>,
    /// It blocked, and an emergency passed over it.
    pub passed_over: bool,
}

impl Finding {
    /// A finding at the rule's own level with the rule's own fix.
    pub fn new(rule: &'static Rule, message: impl Into<String>, at: Location) -> Self {
        let (message, fix) = (message.into(), rule.fix.to_owned());
        let level = rule.level;
        Self { rule, level, message, at, fix, subject: None, digest: None, passed_over: false }
    }

    /// Replaces the fix with one that fits this very case (an entry ready to paste, a command).
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }
}

/// How many findings there are of each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Findings that block.
    pub errors: usize,
    /// Findings to look at.
    pub warnings: usize,
    /// Remarks.
    pub notes: usize,
}

impl Tally {
    /// Counts findings by level.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut tally = Self::default();
        for finding in findings {
            match finding.level {
                Level::Error => tally.errors += 1,
                Level::Warning => tally.warnings += 1,
                Level::Note => tally.notes += 1,
            }
        }
        tally
    }
}
