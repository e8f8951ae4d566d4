//! Did the commit come by a pull request that other people approved?

use std::collections::BTreeMap;

use super::asked::{self, Fact, named};
use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Rule};
use crate::github::{Elsewhere, Origin, PullRequest, Vote};
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
    summary: "the tagged commit came by no pull request that was merged into the branch",
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
    reason: "It was merged over the objection of a person who may write here; a second pull request of the same commit does not undo it.",
    fix: "have that person approve, or dismiss the review with a reason that stands on the pull request",
    example: "a reviewer who asked for changes after the approval of another",
};

const WRITERS: Rule = Rule {
    id: "review-writers-unknown",
    level: Level::Error,
    summary: "it is not known who wrote all of the pull request, so that an approval may be of a writer",
    reason: "Who approves their own work is no second pair of eyes; GitHub tells no account for some commits and co-authors, and lists 250 commits at most.",
    fix: "have one more person approve for each who is not known; or have them add the address to their account (Settings → Emails); a tool that signs as co-author is named by its address: `gates: {review: {machines: [agent@tools.example]}}`",
    example: "a commit by grace@laptop.local, and an approval by grace",
};

/// The review gate.
pub struct Review;

impl Gate for Review {
    fn name(&self) -> &'static str {
        "review"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&UNKNOWN, &NO_PULL_REQUEST, &MISSING, &WRITERS, &OBJECTION]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let asked = load.model.gates.source.review.as_ref();
        Ok(match asked::fact(load, asked, |facts| facts.origin.as_ref(), &UNKNOWN) {
            Ok(fact) => judge(&fact),
            Err(otherwise) => otherwise,
        })
    }
}

/// The best of the pull requests decides who approved, for a commit that came by two was looked at in
/// either; an objection in any of them stands.
fn judge(fact: &Fact<'_, ReviewGate, Origin>) -> Judgement {
    let judged = fact.told.pulls.iter().map(|pull| approvals(fact, pull));
    let Some((note, finding)) = judged.min_by_key(|(_, finding)| finding.is_some()) else {
        return Judgement::new("no merged pull request", vec![without(fact)]);
    };
    let mut objections: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (number, review) in fact.told.objections() {
        objections.entry(number).or_default().extend(review.by.clone());
    }
    let objections = objections.into_iter().map(|(number, by)| {
        fact.finding(&OBJECTION, format!("{} asked for changes in #{number}", named(&by)))
    });
    Judgement::new(note, finding.into_iter().chain(objections).collect())
}

fn without(fact: &Fact<'_, ReviewGate, Origin>) -> Finding {
    let commit = format!("{:.12}", fact.facts.commit);
    let Origin { part_of, unmerged, elsewhere, .. } = fact.told;
    if let Some(Elsewhere { number, into, wanted }) = elsewhere {
        let message = format!(
            "{commit} came by pull request #{number} into `{into}`, and not into `{wanted}`"
        );
        let fix = format!(
            "merge it into `{wanted}` by a pull request and tag what is merged; or, where versions come from `{into}`, say so: `gates: {{review: {{branch: {into}}}}}`"
        );
        return fact.finding(&NO_PULL_REQUEST, message).with_fix(fix);
    }
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

fn approvals(fact: &Fact<'_, ReviewGate, Origin>, pull: &PullRequest) -> (String, Option<Finding>) {
    let votes = pull.votes();
    let who = |vote: &Vote<'_>| vote.review.by.clone().unwrap_or_default();
    let approved: Vec<_> = votes.iter().filter(|vote| vote.counts.is_ok()).map(who).collect();
    let needed = fact.asked.what.approvals;
    let number = pull.number;
    let finding = if approved.len() < needed {
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
        Some(fact.finding(&MISSING, message))
    } else {
        writers(fact, pull, approved.len() - needed)
    };
    let approvals = if approved.len() == 1 { "approval" } else { "approvals" };
    let mut note = format!("pull request #{number}, {} {approvals}", approved.len());
    if !approved.is_empty() {
        note += &format!(": {}", named(&approved));
    }
    (note, finding)
}

/// What is not known of those who wrote, unless there are enough approvals to spare for all of them.
fn writers(
    fact: &Fact<'_, ReviewGate, Origin>,
    pull: &PullRequest,
    spare: usize,
) -> Option<Finding> {
    let number = pull.number;
    let Some(unknown) = pull.writers.unknown() else {
        let message = format!(
            "#{number} has 250 commits or more, and GitHub lists no more: who wrote the others may be among those who approved"
        );
        let fix = "merge what is smaller; or see to it that nobody approved who wrote in it, and allow this finding with that as the reason";
        return Some(fact.finding(&WRITERS, message).with_fix(fix));
    };
    if unknown <= spare {
        return None;
    }
    let strangers = pull.writers.strangers.iter();
    let strangers: Vec<_> =
        strangers.map(|one| format!("{} (in {:.12})", one.name, one.commit)).collect();
    let message = format!(
        "GitHub tells no account of some who wrote in #{number}, who may be among those who approved: {}",
        named(&strangers)
    );
    Some(fact.finding(&WRITERS, message))
}

#[cfg(test)]
mod tests;
