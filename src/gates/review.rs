//! Did the commit come by a pull request that other people approved?

use super::asked::{self, Fact, named};
use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Rule};
use crate::github::{Origin, PullRequest, Refused, Vote};
use crate::policy::source::ReviewGate;

const UNKNOWN: Rule = Rule {
    id: "review-unknown",
    level: Level::Error,
    summary: "the policy asks for reviews, and GitHub could not be asked about them",
    reason: "A gate that cannot see is no gate: what is not known to be approved is not released.",
    fix: "run it on GitHub Actions with `permissions: {contents: read, pull-requests: read}`",
    example: "gates: {review: {}} in a job whose token may not read pull requests",
};

const NO_PULL_REQUEST: Rule = Rule {
    id: "no-pull-request",
    level: Level::Error,
    summary: "the tagged commit came by no merged pull request",
    reason: "What was pushed past the review nobody but its author has looked at.",
    fix: "open a pull request with the commit, have it approved and merged, and tag what is merged",
    example: "a tag on a commit that was pushed to main directly",
};

const MISSING: Rule = Rule {
    id: "review-missing",
    level: Level::Error,
    summary: "the pull request has fewer approvals that count than the policy asks for",
    reason: "An approval counts if a person who may write here, and wrote nothing of it, looked at exactly what was merged.",
    fix: "have the pull request approved at its head: a merged one can still be reviewed by people who did not before",
    example: "an approval, and then one more commit",
};

const OBJECTION: Rule = Rule {
    id: "review-changes-requested",
    level: Level::Error,
    summary: "somebody asked for changes in the pull request, and has not taken it back",
    reason: "It was merged over the objection of a person who may write here.",
    fix: "have that person approve, or dismiss the review with a reason that stands on the pull request",
    example: "a reviewer who asked for changes after the approval of another",
};

/// The review gate.
pub struct Review;

impl Gate for Review {
    fn name(&self) -> &'static str {
        "review"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&UNKNOWN, &NO_PULL_REQUEST, &MISSING, &OBJECTION]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let asked = load.model.gates.source.review.as_ref();
        Ok(match asked::fact(load, asked, |facts| facts.origin.as_ref(), &UNKNOWN) {
            Ok(fact) => judge(&fact),
            Err(otherwise) => otherwise,
        })
    }
}

/// The best of the pull requests decides: a commit that came by two was looked at in either.
fn judge(fact: &Fact<'_, ReviewGate, Origin>) -> Judgement {
    let judged = fact.told.pulls.iter().map(|pull| of(fact, pull));
    let Some((note, findings)) = judged.min_by_key(|(_, findings)| findings.len()) else {
        return Judgement::new("no merged pull request", vec![without(fact)]);
    };
    Judgement::new(note, findings)
}

fn without(fact: &Fact<'_, ReviewGate, Origin>) -> Finding {
    let commit = format!("{:.12}", fact.facts.commit);
    let Origin { part_of, unmerged, .. } = fact.told;
    match (part_of, unmerged) {
        (Some(number), _) => {
            let message = format!(
                "{commit} is only a part of pull request #{number}: nobody approved the model as it was then"
            );
            let fix = format!("tag the commit that #{number} was merged as, or its last one");
            fact.finding(&NO_PULL_REQUEST, message).with_fix(fix)
        }
        (None, Some(number)) => {
            let message = format!("{commit} is in pull request #{number}, which is not merged");
            let fix = format!("have #{number} approved and merged, and tag what is merged");
            fact.finding(&NO_PULL_REQUEST, message).with_fix(fix)
        }
        (None, None) => fact.finding(&NO_PULL_REQUEST, format!("{commit} came by no pull request")),
    }
}

fn of(fact: &Fact<'_, ReviewGate, Origin>, pull: &PullRequest) -> (String, Vec<Finding>) {
    let votes = pull.votes();
    let who = |vote: &Vote<'_>| vote.review.by.clone().unwrap_or_default();
    let approved: Vec<_> = votes.iter().filter(|vote| vote.counts.is_ok()).map(who).collect();
    let needed = fact.asked.what.approvals;
    let number = pull.number;
    let mut findings = Vec::new();
    if approved.len() < needed {
        let team = fact.asked.what.team.as_ref();
        let of_team = team.map(|team| format!(" of the team {team}")).unwrap_or_default();
        let mut message = format!(
            "pull request #{number} has {} of {needed} approvals{of_team} at {:.12}",
            approved.len(),
            pull.head
        );
        let not = votes.iter().filter_map(|vote| {
            let why = vote.counts.err()?;
            Some(format!("{} ({why})", who(vote)))
        });
        let not: Vec<_> = not.collect();
        if !not.is_empty() {
            message += &format!("; not counted: {}", named(&not));
        }
        findings.push(fact.finding(&MISSING, message));
    }
    let objects = |vote: &&Vote<'_>| {
        vote.counts == Err(Refused::ChangesRequested)
            && vote.review.may_write
            && !vote.review.machine
    };
    let objections: Vec<_> = votes.iter().filter(objects).map(who).collect();
    if !objections.is_empty() {
        let message = format!("{} asked for changes in #{number}", named(&objections));
        findings.push(fact.finding(&OBJECTION, message));
    }
    let approvals = if approved.len() == 1 { "approval" } else { "approvals" };
    let mut note = format!("pull request #{number}, {} {approvals}", approved.len());
    if !approved.is_empty() {
        note += &format!(": {}", named(&approved));
    }
    (note, findings)
}

#[cfg(test)]
mod tests;
