//! What the token gate can say.

use std::collections::BTreeSet;

use super::Work;
use crate::finding::{Level, Rule};

pub(super) const READ_ONLY: Rule = Rule {
    id: "token-read-only",
    level: Level::Error,
    summary: "a token that may not write the target repository",
    reason: "The release would end in its first write, after everything was weighed.",
    fix: "make a fine-grained token with `Write access to contents/settings` of the target repository at \
          https://huggingface.co/settings/tokens, of an account that the organisation lets write",
    example: "a token of the role `read`",
};

pub(super) const NOT_FINE_GRAINED: Rule = Rule {
    id: "token-not-fine-grained",
    level: Level::Error,
    summary: "a token that can do all that its user can",
    reason: "Stolen from one pipeline, it writes and deletes every repository of the user and of all of \
             their organisations.",
    fix: "make a fine-grained token with `Write access to contents/settings` of the target repository \
          alone at https://huggingface.co/settings/tokens, or release by trusted publishing; until \
          then: `gates: {token: {fine-grained: false}}`",
    example: "a token of the role `write`",
};

pub(super) const OVER_POWERFUL: Rule = Rule {
    id: "token-over-powerful",
    level: Level::Error,
    summary: "a fine-grained token that can do more than write the repositories of the policy",
    reason: "What a release does not need, only a thief uses.",
    fix: "make a token for the repositories of the policy alone; what it may write beside them by intent \
          is named in `gates.token.may-write`",
    example: "`repo.write` on the whole organisation acme, to release acme/churn",
};

pub(super) const TOO_OLD: Rule = Rule {
    id: "token-too-old",
    level: Level::Error,
    summary: "a token older than `gates.token.max-age`",
    reason: "Hub tokens do not end by themselves: every copy that was ever made of it still works.",
    fix: "make a new one at https://huggingface.co/settings/tokens (`Invalidate and refresh` keeps its \
          scopes), store it as the secret, and revoke the old one; or release by trusted publishing",
    example: "a token of 120 days with `max-age: 90`",
};

pub(super) const AGES: Rule = Rule {
    id: "token-ages",
    level: Level::Warning,
    summary: "a token in the last days of `gates.token.max-age`",
    reason: "When they are over it releases nothing, on a day that nobody has chosen.",
    fix: "make a new one at https://huggingface.co/settings/tokens now (`Invalidate and refresh` keeps its \
          scopes) and store it as the secret",
    example: "a token of 80 days with `max-age: 90, warn-before: 14`",
};

pub(super) const PERSONAL: Rule = Rule {
    id: "personal-token",
    level: Level::Warning,
    summary: "a person's token releases to the stage `production`",
    reason: "It goes when the person goes, and what anybody does with it is done in that name.",
    fix: "release by trusted publishing, which stores no token; or use the token of a machine account and \
          name that: `gates: {token: {accounts: [NAME]}}`; to forbid it: `rules: {personal-token: error}`",
    example: "a token of ada, with `accounts: [acme-ci]`",
};

pub(super) const NOT_TOLD: Rule = Rule {
    id: "token-not-told",
    level: Level::Error,
    summary: "the Hub does not tell what the token may do, or how old it is",
    reason: "A token that cannot be judged may be one of those that are refused.",
    fix: "use a fine-grained token of huggingface.co; on a Hub that never tells: `rules: {token-not-told: \
          warning}`",
    example: "an answer without `createdAt`",
};

/// Repositories that a fix names.
const MOST_NAMED: usize = 8;

/// How to get the token that is wanted, with the repositories of the policy by name.
pub(super) fn narrow(work: &Work<'_>) -> String {
    let mut repos: BTreeSet<String> =
        work.target.iter().map(|target| target.repo.to_string()).collect();
    for model in &work.policy.models {
        let names = model.stages.iter().filter(|stage| !stage.repo.contains("{major}"));
        let each =
            names.map(|stage| format!("{}/{}", stage.namespace, stage.repo_name(&model.name, "")));
        repos.extend(each);
    }
    let more = repos.len().saturating_sub(MOST_NAMED);
    let named: Vec<_> = repos.into_iter().take(MOST_NAMED).collect();
    let and = if more > 0 { format!(" and {more} more") } else { String::new() };
    let first = named.first().map_or("OWNER/NAME", String::as_str);
    format!(
        "make a fine-grained token with `Write access to contents/settings` of {}{and} and nothing else at \
         https://huggingface.co/settings/tokens (a repository can be chosen there once it exists: \
         `hf repos create {first} --private`); what the token may write beside them by intent is named in \
         `gates.token.may-write`",
        named.join(", ")
    )
}
