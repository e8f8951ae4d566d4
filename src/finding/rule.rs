//! A rule: one thing a gate can say, declared once beside the gate that says it.

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A remark.
    Note,
    /// To be looked at; does not block.
    Warning,
    /// Blocks the release.
    Error,
}

impl Level {
    /// `note`, `warning` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A named rule. `docs/rules.md`, `weighbridge rules` and the SARIF rules are made from these.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Kebab-case name, unique over all gates.
    pub id: &'static str,
    /// Level unless the policy says otherwise.
    pub level: Level,
    /// One line: what it finds.
    pub summary: &'static str,
    /// Why it matters.
    pub reason: &'static str,
    /// What to do, in words a person can paste.
    pub fix: &'static str,
    /// An input that makes it speak.
    pub example: &'static str,
}
