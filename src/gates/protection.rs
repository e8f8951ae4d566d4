//! Are the branch and the tag protected from a push past everybody?

use super::asked;
use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Level, Rule};

const UNKNOWN: Rule = Rule {
    id: "protection-unknown",
    level: Level::Error,
    summary: "the policy asks for protection, and GitHub could not be asked about it",
    reason: "A gate that cannot see is no gate.",
    fix: "run it on GitHub Actions with `permissions: {contents: read}`",
    example: "gates: {protection: {}} in a job whose token may not read the repository",
};

const BRANCH: Rule = Rule {
    id: "branch-unprotected",
    level: Level::Error,
    summary: "the branch is not protected",
    reason: "Whoever may push can put a commit on it that nobody has looked at.",
    fix: "protect it: Settings → Rules → New branch ruleset, with \"Require a pull request before merging\"",
    example: "main without any rule",
};

const OFF: Rule = Rule {
    id: "commit-off-branch",
    level: Level::Error,
    summary: "the tagged commit is not on the branch",
    reason: "What protects a branch says nothing of a commit beside it: anybody who may push can make one and tag it.",
    fix: "merge it, and tag what is merged; or name the branch that versions come from: `gates: {protection: {branch: …}}`",
    example: "a tag on a commit of a branch that was never merged into main",
};

const TAG: Rule = Rule {
    id: "tag-unprotected",
    level: Level::Error,
    summary: "no active ruleset keeps the tag from being moved and deleted",
    reason: "A tag that can be moved names other bytes tomorrow.",
    fix: "Settings → Rules → New tag ruleset, active, for `v*`, with \"Restrict updates\" and \"Restrict deletions\"",
    example: "v1.0.0 in a repository whose rulesets are for branches only",
};

/// The rule that makes pushes go by a pull request, and the one that forbids them.
const GUARDS_BRANCH: [&str; 2] = ["pull_request", "update"];
/// The rules that keep a tag where it is.
const GUARDS_TAG: [&str; 2] = ["update", "deletion"];

/// The protection gate.
pub struct Protection;

impl Gate for Protection {
    fn name(&self) -> &'static str {
        "protection"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&UNKNOWN, &BRANCH, &OFF, &TAG]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let asked = load.model.gates.source.protection.as_ref();
        let fact = match asked::fact(load, asked, |facts| facts.protection.as_ref(), &UNKNOWN) {
            Ok(fact) => fact,
            Err(otherwise) => return Ok(otherwise),
        };
        let mut findings = Vec::new();
        let branch = &fact.told.branch;
        let guarded =
            branch.protected || GUARDS_BRANCH.iter().any(|rule| branch.rules.contains(*rule));
        if !guarded {
            let message = format!("the branch `{}` is not protected", branch.name);
            findings.push(fact.finding(&BRANCH, message));
        }
        if !branch.holds {
            let commit = &fact.facts.commit;
            let message = format!("{commit:.12} is not on the branch `{}`", branch.name);
            findings.push(fact.finding(&OFF, message));
        }
        let mut note =
            format!("{} {}", branch.name, if guarded { "protected" } else { "not protected" });
        if let Some(tag) = &fact.told.tag {
            let lacking: Vec<_> =
                GUARDS_TAG.iter().filter(|rule| !tag.rules.contains(**rule)).copied().collect();
            if lacking.is_empty() {
                note += ", tag protected";
            } else {
                note += ", tag not protected";
                let mut message = format!(
                    "no active ruleset for the tag has the rule {}",
                    lacking.join(", nor one the rule ")
                );
                if !tag.unread.is_empty() {
                    message += &format!(
                        "; not understood, and taken to protect nothing: {}",
                        asked::named(&tag.unread)
                    );
                }
                findings.push(fact.finding(&TAG, message));
            }
        }
        Ok(Judgement::new(note, findings))
    }
}

#[cfg(test)]
mod tests;
