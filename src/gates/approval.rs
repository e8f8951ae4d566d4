//! Did the reviewers of the environment let this run in, and not who started it?

use super::asked::{self, named};
use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Level, Rule};

const UNKNOWN: Rule = Rule {
    id: "approval-unknown",
    level: Level::Error,
    summary: "the policy asks for an environment's approval, and it cannot be known",
    reason: "A gate that cannot see is no gate.",
    fix: "run it on GitHub Actions with `permissions: {actions: read}`",
    example: "gates: {approval: {environment: production}} in a job whose token may not read runs",
};

const MISSING: Rule = Rule {
    id: "approval-missing",
    level: Level::Error,
    summary: "no reviewer of the environment let this run in",
    reason: "The environment has no reviewers, or the job does not run in it.",
    fix: "write `environment: NAME` into the job, and give the environment required reviewers (Settings → Environments)",
    example: "gates: {approval: {environment: production}} in a job without `environment:`",
};

const BY_RELEASER: Rule = Rule {
    id: "approval-by-releaser",
    level: Level::Error,
    summary: "only who started the run let it in",
    reason: "Four eyes are two people.",
    fix: "have another reviewer approve a new run; tick \"Prevent self-review\" in the environment's settings",
    example: "a dispatch by ada, approved by ada",
};

/// The approval gate.
pub struct Approval;

impl Gate for Approval {
    fn name(&self) -> &'static str {
        "approval"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&UNKNOWN, &MISSING, &BY_RELEASER]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let asked = load.model.gates.source.approval.as_ref();
        let fact = match asked::fact(load, asked, |facts| facts.approvals.as_ref(), &UNKNOWN) {
            Ok(fact) => fact,
            Err(otherwise) => return Ok(otherwise),
        };
        if fact.facts.releasers.is_empty() {
            let message = "it is not known who started this run, and who started it again";
            let fix = "run it as a job of GitHub Actions, which sets GITHUB_ACTOR and GITHUB_TRIGGERING_ACTOR";
            let finding = fact.finding(&UNKNOWN, message).with_fix(fix);
            return Ok(Judgement::new("started by nobody knows whom", vec![finding]));
        }
        let environment = &fact.asked.what;
        let is_it = |name: &String| name.eq_ignore_ascii_case(environment);
        let approved = fact
            .told
            .iter()
            .filter(|one| one.approved && !one.machine && one.environments.iter().any(is_it));
        let by = approved.filter_map(|one| one.by.clone());
        let releases = |login: &String| {
            fact.facts.releasers.iter().any(|releaser| releaser.eq_ignore_ascii_case(login))
        };
        let (own, others): (Vec<_>, Vec<_>) = by.partition(releases);
        if !others.is_empty() {
            let note = format!("{environment}: {}", named(&others));
            return Ok(Judgement::new(note, Vec::new()));
        }
        let finding = if own.is_empty() {
            let message = format!("nobody let this run into the environment `{environment}`");
            fact.finding(&MISSING, message)
        } else {
            let message = format!("{} both started the run and let it in", named(&own));
            fact.finding(&BY_RELEASER, message)
        };
        Ok(Judgement::new(format!("{environment}: by nobody else"), vec![finding]))
    }
}

#[cfg(test)]
mod tests;
