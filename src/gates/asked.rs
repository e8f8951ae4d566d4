//! What the gates that ask GitHub share: whether they are asked of this version, and the fact.

use super::{Judgement, Load};
use crate::finding::{Finding, NOT_ASKED, Rule};
use crate::github::{self, SourceFacts};
use crate::policy::source::Asked;

/// Most names that a message has.
const MOST_NAMED: usize = 10;

/// What a gate has to judge by.
pub(super) struct Fact<'a, G, F> {
    /// What the policy asks for.
    pub(super) asked: &'a Asked<G>,
    /// What GitHub says.
    pub(super) told: &'a F,
    /// All that it says.
    pub(super) facts: &'a SourceFacts,
}

impl<G, F> Fact<'_, G, F> {
    /// A finding at the place in the policy that asks.
    pub(super) fn finding(&self, rule: &'static Rule, message: impl Into<String>) -> Finding {
        Finding::new(rule, message, self.asked.at.clone())
    }
}

/// The fact that a gate judges; otherwise why there is nothing to judge, or that it cannot be known:
/// then `unknown` speaks, for a gate that is asked for is never passed by silence.
pub(super) fn fact<'a, G, F>(
    load: &Load<'a>,
    asked: Option<&'a Asked<G>>,
    pick: impl Fn(&'a SourceFacts) -> Option<&'a github::Asked<F>>,
    unknown: &'static Rule,
) -> Result<Fact<'a, G, F>, Judgement> {
    let skipped = |why: String| Err(Judgement::skipped(why));
    let Some(asked) = asked else { return skipped(NOT_ASKED.into()) };
    let Some(target) = load.target else {
        return skipped("known when a version is released".into());
    };
    if !asked.of_stage(&target.stage) {
        let stages = asked.stages.join(", ");
        return skipped(format!("asked of {stages}; this version goes to {}", target.stage));
    }
    let Some(facts) = load.source else {
        return skipped("known when the version is released: GitHub is not asked here".into());
    };
    match pick(facts) {
        Some(Ok(fact)) => Ok(Fact { asked, told: fact, facts }),
        Some(Err(github::Unknown { why, fix })) => {
            let finding = Finding::new(unknown, why.clone(), asked.at.clone()).with_fix(fix);
            Err(Judgement::new("GitHub could not be asked", vec![finding]))
        }
        None => {
            let finding = Finding::new(unknown, "GitHub was not asked", asked.at.clone());
            Err(Judgement::new("GitHub was not asked", vec![finding]))
        }
    }
}

/// Names in one line, the first of them where they are many.
pub(super) fn named(names: &[String]) -> String {
    let shown = names.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
