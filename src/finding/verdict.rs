//! The verdict: every gate's findings under the policy's overrides, and the pass they may yield.

use std::collections::BTreeMap;

use globset::GlobMatcher;
use jiff::civil::Date;

use super::{Emergency, Finding, Level, Location, Rule, Tally};
use crate::digest::Digest;
use crate::failure::Failure;

/// What one gate did.
#[derive(Debug)]
pub struct Weighing {
    /// The gate's name, kebab-case.
    pub gate: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Everything it had to say.
    pub findings: Vec<Finding>,
}

impl Weighing {
    /// Whether the policy says nothing of the gate.
    pub fn is_not_asked(&self) -> bool {
        matches!(&self.outcome, Outcome::Skipped(note) if note == NOT_ASKED)
    }

    /// How it ended, in the word that records have for it: `passed`, `blocked`, `skipped` or `broken`.
    pub fn word(&self) -> &'static str {
        match &self.outcome {
            Outcome::Judged(_) if Tally::of(&self.findings).errors > 0 => "blocked",
            Outcome::Judged(_) => "passed",
            Outcome::Skipped(_) => "skipped",
            Outcome::Broken(_) => "broken",
        }
    }
}

/// Why a gate was skipped that the policy says nothing of.
pub const NOT_ASKED: &str = "not asked for";

/// How a gate ended.
#[derive(Debug)]
pub enum Outcome {
    /// It judged; the text is one line for the table of gates ("12 tests, all passed").
    Judged(String),
    /// There was nothing for it to judge, or the policy turned it off; the text says why.
    Skipped(String),
    /// It could not do its work: the run ends with exit code 2.
    Broken(Failure),
}

/// What the policy says about rules: levels by rule id, and single findings allowed.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Level by rule id; `None` turns the rule off.
    pub levels: BTreeMap<String, Option<Level>>,
    /// Findings that are allowed.
    pub allowances: Vec<Allowance>,
}

/// One finding allowed by name, with a reason and an end.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// Rule id.
    pub rule: String,
    /// Paths it covers, as in findings; `None` covers findings without a path too.
    pub path: Option<GlobMatcher>,
    /// The callable or class it covers; `None` covers all.
    pub callable: Option<String>,
    /// The file's digest it covers; `None` covers every content.
    pub sha256: Option<Digest>,
    /// Why it is allowed.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Where the policy says so.
    pub at: Location,
}

const ALLOWANCE_EXPIRED: Rule = Rule {
    id: "allowance-expired",
    level: Level::Error,
    summary: "an allowance in the policy is past its date",
    reason: "An exception is a decision for a while; past its date somebody has to decide again.",
    fix: "remove the entry from `allow:`, or have it reviewed and set a new `expires:` date",
    example: "allow: [{rule: unsafe-pickle, path: old.pkl, reason: \"…\", expires: 2020-01-01}]",
};

const ALLOWANCE_UNUSED: Rule = Rule {
    id: "allowance-unused",
    level: Level::Warning,
    summary: "an allowance in the policy covers no finding",
    reason: "A stale exception silently covers the next finding of its kind.",
    fix: "remove the entry from `allow:`",
    example: "allow: [{rule: unsafe-pickle, path: gone.pkl, …}] with no gone.pkl in the folder",
};

/// The rules of the verdict itself.
pub const RULES: &[&Rule] = &[&ALLOWANCE_EXPIRED, &ALLOWANCE_UNUSED];

/// Everything the gates said, after the policy's overrides.
#[derive(Debug)]
pub struct Verdict {
    weighings: Vec<Weighing>,
    allowed: Vec<(Finding, String)>,
    emergency: Option<Emergency>,
}

impl Verdict {
    /// Applies the overrides: levels first, then allowances that still hold on `today`.
    /// Allowances that have expired or match nothing become findings of the gate `policy`.
    pub fn judge(weighings: Vec<Weighing>, overrides: &Overrides, today: Date) -> Self {
        let mut used = vec![false; overrides.allowances.len()];
        let mut allowed = Vec::new();
        let mut judged = Vec::new();
        for mut weighing in weighings {
            let mut kept = Vec::new();
            for mut finding in weighing.findings {
                match overrides.levels.get(finding.rule.id) {
                    Some(None) => continue,
                    Some(Some(level)) => finding.level = *level,
                    None => {}
                }
                let cover =
                    overrides.allowances.iter().position(|allowance| allowance.covers(&finding));
                match cover {
                    Some(index) => {
                        used[index] = true;
                        let allowance = &overrides.allowances[index];
                        if allowance.expires >= today {
                            allowed.push((finding, allowance.reason.clone()));
                        } else {
                            kept.push(finding);
                        }
                    }
                    None => kept.push(finding),
                }
            }
            weighing.findings = kept;
            judged.push(weighing);
        }
        let about_allowances = stale_allowances(overrides, &used, today);
        if !about_allowances.is_empty() {
            judged.push(Weighing {
                gate: "policy",
                outcome: Outcome::Judged("allowances need attention".into()),
                findings: about_allowances,
            });
        }
        Self { weighings: judged, allowed, emergency: None }
    }

    /// Passes over what blocks in the gates that the emergency is for. It stays among the findings,
    /// as a warning that says so. A gate that could not do its work, and one that the policy does not
    /// list, block as ever.
    #[must_use]
    pub fn passing_over(mut self, emergency: Emergency) -> Self {
        for weighing in self.weighings.iter_mut().filter(|one| emergency.covers(one.gate)) {
            let blocking = weighing.findings.iter_mut().filter(|one| one.level == Level::Error);
            let mut passed = 0;
            for finding in blocking {
                finding.level = Level::Warning;
                finding.passed_over = true;
                finding.message.insert_str(0, "PASSED OVER IN AN EMERGENCY: ");
                passed += 1;
            }
            if let (true, Outcome::Judged(note)) = (passed > 0, &mut weighing.outcome) {
                note.insert_str(0, "PASSED OVER IN AN EMERGENCY: ");
            }
        }
        self.emergency = Some(emergency);
        self
    }

    /// The emergency in which it was judged.
    pub fn emergency(&self) -> Option<&Emergency> {
        self.emergency.as_ref()
    }

    /// What blocked and was passed over, the gravest first.
    pub fn passed_over(&self) -> Vec<&Finding> {
        self.findings().into_iter().filter(|finding| finding.passed_over).collect()
    }

    /// What each gate did, in the registry's order.
    pub fn weighings(&self) -> &[Weighing] {
        &self.weighings
    }

    /// Findings the policy allowed, with the reason given.
    pub fn allowed(&self) -> &[(Finding, String)] {
        &self.allowed
    }

    /// All findings, the gravest first, in a stable order.
    pub fn findings(&self) -> Vec<&Finding> {
        let mut findings: Vec<_> =
            self.weighings.iter().flat_map(|weighing| &weighing.findings).collect();
        findings.sort_by(|a, b| {
            b.level
                .cmp(&a.level)
                .then_with(|| a.at.cmp(&b.at))
                .then_with(|| a.rule.id.cmp(b.rule.id))
        });
        findings
    }

    /// Gates that the policy says nothing of, which need no line each.
    pub fn not_asked(&self) -> Vec<&'static str> {
        let unasked = self.weighings.iter().filter(|weighing| weighing.is_not_asked());
        unasked.map(|weighing| weighing.gate).collect()
    }

    /// Counts by level.
    pub fn tally(&self) -> Tally {
        Tally::of(self.weighings.iter().flat_map(|weighing| &weighing.findings))
    }

    /// Gates that could not do their work.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &Failure)> {
        self.weighings.iter().filter_map(|weighing| match &weighing.outcome {
            Outcome::Broken(failure) => Some((weighing.gate, failure)),
            Outcome::Judged(_) | Outcome::Skipped(_) => None,
        })
    }

    /// Whether nothing blocks and every gate could do its work.
    pub fn passed(&self) -> bool {
        self.tally().errors == 0 && self.broken().next().is_none()
    }

    /// The pass to publish exactly the bytes named by `manifest`, if the verdict is a pass.
    pub fn clear(&self, manifest: Digest) -> Option<Cleared> {
        self.passed().then_some(Cleared { manifest })
    }
}

/// Leave to publish one set of bytes. Only [`Verdict::clear`] makes one, and publishing takes one:
/// what no gate has weighed cannot be uploaded.
///
/// ```compile_fail
/// let forged = weighbridge::finding::Cleared { manifest: todo!() };
/// ```
#[derive(Debug)]
pub struct Cleared {
    manifest: Digest,
}

impl Cleared {
    /// The digest of the manifest that was weighed.
    pub fn manifest(&self) -> Digest {
        self.manifest
    }
}

impl Allowance {
    /// Whether it is for this finding.
    pub fn covers(&self, finding: &Finding) -> bool {
        let is =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        self.rule == finding.rule.id
            && is(&self.callable, &finding.subject)
            && (self.sha256.is_none() || self.sha256 == finding.digest)
            && match (&self.path, &finding.at.path) {
                (None, _) => true,
                (Some(glob), Some(path)) => glob.is_match(path),
                (Some(_), None) => false,
            }
    }
}

fn stale_allowances(overrides: &Overrides, used: &[bool], today: Date) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (allowance, used) in overrides.allowances.iter().zip(used) {
        if allowance.expires < today {
            let message =
                format!("the allowance for `{}` ended on {}", allowance.rule, allowance.expires);
            findings.push(Finding::new(&ALLOWANCE_EXPIRED, message, allowance.at.clone()));
        } else if !used {
            let message =
                format!("the allowance for `{}` covers no finding of this run", allowance.rule);
            findings.push(Finding::new(&ALLOWANCE_UNUSED, message, allowance.at.clone()));
        }
    }
    findings
}
