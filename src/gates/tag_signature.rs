//! Is the tag an object of its own, and signed by somebody GitHub knows?

use super::asked;
use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Level, Rule};
use crate::github::Signature;

const UNKNOWN: Rule = Rule {
    id: "tag-signature-unknown",
    level: Level::Error,
    summary: "the policy asks about the tag, and GitHub could not be asked about it",
    reason: "A gate that cannot see is no gate.",
    fix: "run it on GitHub Actions with `permissions: {contents: read}`",
    example: "gates: {tag-signature: {signed: true}} in a job whose token may not read the repository",
};

const NOT_THERE: Rule = Rule {
    id: "tag-not-on-github",
    level: Level::Error,
    summary: "GitHub has no tag of this name",
    reason: "A version is what a tag names for everybody; one that is only here names nothing.",
    fix: "push the tag: `git push origin TAG`; where it is there, the token lacks `contents: read`",
    example: "a dispatch with the tag of a version that was never tagged",
};

const ELSEWHERE: Rule = Rule {
    id: "tag-elsewhere",
    level: Level::Error,
    summary: "on GitHub the tag leads to another commit than the one that is weighed",
    reason: "What is published would not be what the tag names.",
    fix: "check out the tag: `actions/checkout` with `ref: TAG`; a tag that was moved wants a new version instead",
    example: "a dispatch for v1.0.0 that checked main out",
};

const RENAMED: Rule = Rule {
    id: "tag-of-another-name",
    level: Level::Error,
    summary: "the tag was made under another name than the one it has on GitHub",
    reason: "A tag object can be pushed again under any name: its message and its signature are for the name it was made with.",
    fix: "tag the commit itself under the new name (`git tag -s v1.2.4 COMMIT`), and delete the one with the wrong name",
    example: "git push origin v1.0.0:refs/tags/v2.0.0",
};

const LIGHTWEIGHT: Rule = Rule {
    id: "tag-not-annotated",
    level: Level::Error,
    summary: "the tag is light-weight",
    reason: "A light-weight tag tells neither who made it nor when.",
    fix: "tag the next version with `git tag -a v1.2.4 -m 'Release 1.2.4'` (or `-s`, which signs too); a pushed tag is not to be moved",
    example: "git tag v1.2.3 && git push origin v1.2.3",
};

const UNSIGNED: Rule = Rule {
    id: "tag-not-signed",
    level: Level::Error,
    summary: "the tag has no signature that GitHub verifies",
    reason: "Anybody who may push can make a tag in any name; a signature proves whose it is.",
    fix: "tag with `git tag -s`, and give GitHub the public key: https://docs.github.com/authentication/managing-commit-signature-verification",
    example: "an annotated tag by a key that GitHub does not know",
};

/// The tag-signature gate.
pub struct TagSignature;

impl Gate for TagSignature {
    fn name(&self) -> &'static str {
        "tag-signature"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&UNKNOWN, &NOT_THERE, &ELSEWHERE, &RENAMED, &LIGHTWEIGHT, &UNSIGNED]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let asked = load.model.gates.source.tag_signature.as_ref();
        let fact = match asked::fact(load, asked, |facts| facts.tag.as_ref(), &UNKNOWN) {
            Ok(fact) => fact,
            Err(otherwise) => return Ok(otherwise),
        };
        let Some(tag) = fact.told else {
            let finding = fact.finding(&NOT_THERE, "GitHub has no tag of this name");
            return Ok(Judgement::new("not on GitHub", vec![finding]));
        };
        let mut findings = Vec::new();
        if tag.commit != fact.facts.commit {
            let message = format!(
                "`{}` leads to {:.12} on GitHub, and {:.12} is weighed",
                tag.name, tag.commit, fact.facts.commit
            );
            findings.push(fact.finding(&ELSEWHERE, message));
        }
        if let Some(made_as) = tag.made_as.as_ref().filter(|made_as| **made_as != tag.name) {
            let message = format!("`{}` on GitHub is a tag that was made as `{made_as}`", tag.name);
            findings.push(fact.finding(&RENAMED, message));
        }
        let kind = if tag.annotated { "annotated" } else { "light-weight" };
        // A signature needs an object to stand in, so a light-weight tag is told by that alone.
        if !tag.annotated {
            findings.push(fact.finding(&LIGHTWEIGHT, format!("`{}` is light-weight", tag.name)));
        }
        let signature = match &tag.signature {
            Some(Signature { verified: true, .. }) => "signature verified".to_owned(),
            Some(Signature { reason, .. }) => format!("signature not verified ({reason})"),
            None => "no signature".to_owned(),
        };
        let verified = tag.signature.as_ref().is_some_and(|signature| signature.verified);
        if fact.asked.what.signed && tag.annotated && !verified {
            findings.push(fact.finding(&UNSIGNED, format!("`{}`: {signature}", tag.name)));
        }
        Ok(Judgement::new(format!("{kind}, {signature}"), findings))
    }
}

#[cfg(test)]
mod tests;
