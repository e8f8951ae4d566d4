//! Were the other checks on the commit green?

use super::asked::{self, Fact, named};
use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Rule};
use crate::github::{Check, CheckOutcome, Checks};

const UNKNOWN: Rule = Rule {
    id: "status-checks-unknown",
    level: Level::Error,
    summary: "the policy asks for other checks, and GitHub could not be asked about them",
    reason: "A gate that cannot see is no gate.",
    fix: "run it on GitHub Actions with `permissions: {checks: read, statuses: read, pull-requests: read}`",
    example: "gates: {status-checks: {}} in a job whose token may not read checks",
};

const MISSING: Rule = Rule {
    id: "status-check-missing",
    level: Level::Error,
    summary: "a check that the policy requires did not run",
    reason: "A check that never ran found nothing, which looks like one that passed.",
    fix: "run it on the tagged commit, or correct its name in `gates.status-checks.required`: GitHub shows it on the commit's page",
    example: "required: [tests] where the job is called `test`",
};

const NOT_GREEN: Rule = Rule {
    id: "status-check-not-green",
    level: Level::Error,
    summary: "a check on the commit failed, was skipped, or has not ended",
    reason: "It says no, or not yet.",
    fix: "mend what it found and tag the commit with the repair; where it only has not ended, run this again afterwards",
    example: "a tag on a commit whose tests are red",
};

/// The status-checks gate.
pub struct StatusChecks;

impl Gate for StatusChecks {
    fn name(&self) -> &'static str {
        "status-checks"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&UNKNOWN, &MISSING, &NOT_GREEN]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let asked = load.model.gates.source.status_checks.as_ref();
        Ok(match asked::fact(load, asked, |facts| facts.checks.as_ref(), &UNKNOWN) {
            Ok(fact) if fact.asked.what.is_empty() => all(&fact),
            Ok(fact) => required(&fact),
            Err(otherwise) => otherwise,
        })
    }
}

/// All that ran; one that was skipped was not meant to.
fn all(fact: &Fact<'_, Vec<String>, Checks>) -> Judgement {
    let Checks { tagged, head } = fact.told;
    let checks: Vec<_> = tagged.iter().chain(head).filter(|check| !check.own).collect();
    if checks.is_empty() {
        let message = "no check ran on the commit, and the policy asks for all that ran";
        let finding = fact.finding(&MISSING, message);
        let fix = "run checks on the commit, or remove `gates.status-checks`";
        return Judgement::new("none ran", vec![finding.with_fix(fix)]);
    }
    let green =
        |check: &&Check| matches!(check.outcome, CheckOutcome::Green | CheckOutcome::Skipped);
    let count = checks.iter().filter(|check| green(check)).count();
    let findings = checks.iter().filter(|check| !green(check)).map(|check| red(fact, check));
    Judgement::new(format!("{count} of {} green", checks.len()), findings.collect())
}

/// The named ones: as they ended on the tagged commit, else on the head of its pull request.
fn required(fact: &Fact<'_, Vec<String>, Checks>) -> Judgement {
    let Checks { tagged, head } = fact.told;
    let mut green = Vec::new();
    let mut findings = Vec::new();
    for name in &fact.asked.what {
        let ran = |on: &'_ [Check]| -> Vec<Check> {
            on.iter().filter(|check| check.name == *name && !check.own).cloned().collect()
        };
        let ran = Some(ran(tagged)).filter(|ran| !ran.is_empty()).unwrap_or_else(|| ran(head));
        if ran.is_empty() {
            let own = tagged.iter().chain(head).any(|check| check.name == *name);
            let message = if own {
                format!("the check `{name}` is of this very run, which does not wait for itself")
            } else {
                format!("the check `{name}` did not run on the commit or its pull request's head")
            };
            findings.push(fact.finding(&MISSING, message));
        }
        // One name can be several runs, on the push and on the pull request: each has its say.
        match ran.iter().find(|check| check.outcome != CheckOutcome::Green) {
            Some(check) => findings.push(red(fact, check)),
            None if !ran.is_empty() => green.push(name.clone()),
            None => {}
        }
    }
    let count = format!("{} of {} green", green.len(), fact.asked.what.len());
    let note = if green.is_empty() { count } else { format!("{count}: {}", named(&green)) };
    Judgement::new(note, findings)
}

fn red(fact: &Fact<'_, Vec<String>, Checks>, check: &Check) -> Finding {
    let how = match &check.outcome {
        CheckOutcome::Green => "is green".to_owned(),
        CheckOutcome::Skipped => "was skipped".to_owned(),
        CheckOutcome::Running => "has not ended".to_owned(),
        CheckOutcome::Red(word) => format!("ended with `{word}`"),
    };
    fact.finding(&NOT_GREEN, format!("the check `{}` {how} on {:.12}", check.name, check.commit))
}

#[cfg(test)]
mod tests;
