//! What the Hub token may be.

use super::{Check, Layers};
use crate::hub::RepoId;
use crate::policy::raw;
use crate::policy::token::TokenGate;

/// Kinds of places on the Hub, as they stand before a name.
const SHELVES: [&str; 4] = ["models/", "datasets/", "spaces/", "resource-groups/"];

impl Check<'_> {
    pub(super) fn token(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> TokenGate {
        let default = TokenGate::default();
        let fine_grained = gates.get(|own| own.token.as_ref()?.fine_grained);
        let max_age = gates.get(|own| own.token.as_ref()?.max_age).unwrap_or(default.max_age);
        let warn_before = gates.get(|own| own.token.as_ref()?.warn_before);
        let accounts = gates.get(|own| own.token.as_ref()?.accounts.as_deref());
        let may_write = gates.get(|own| own.token.as_ref()?.may_write.as_deref());
        let key = |check: &Self, name: &str| check.key(model, &format!("gates/token/{name}"));
        if max_age == 0 {
            let help = "give the days that a token may be old: 90";
            self.wrong(&key(self, "max-age"), "`max-age` is 0 days", help);
        }
        if let Some(days) = warn_before.filter(|days| *days >= max_age) {
            let message = format!("`warn-before` is {days} days, and `max-age` is {max_age}");
            let help = "warn for fewer days than a token may be old";
            self.wrong(&key(self, "warn-before"), message, help);
        }
        for (index, account) in accounts.iter().copied().flatten().enumerate() {
            if RepoId::new(account, "x").is_err() {
                let message = format!("`{account}` cannot be a Hub account");
                let help = "use ASCII letters and digits, with single `-` between";
                self.wrong(&format!("{}/{index}", key(self, "accounts")), message, help);
            }
        }
        for (index, place) in may_write.iter().copied().flatten().enumerate() {
            if !is_place(place) {
                let message = format!("`{place}` names nothing that a token may write");
                let help = "expected a repository (`acme/other`, `datasets/acme/data`), all of a \
                            namespace (`acme`), or `resource-groups/NAME`";
                self.wrong(&format!("{}/{index}", key(self, "may-write")), message, help);
            }
        }
        // Models are on the shelf that needs no name.
        let place = |text: &String| text.strip_prefix("models/").unwrap_or(text).to_owned();
        let at = self.key(model, "gates/token");
        TokenGate {
            fine_grained: fine_grained.unwrap_or(default.fine_grained),
            max_age,
            warn_before: warn_before.unwrap_or(default.warn_before.min(max_age.saturating_sub(1))),
            accounts: accounts.unwrap_or_default().to_vec(),
            may_write: may_write.unwrap_or_default().iter().map(place).collect(),
            at: self.at(&at),
        }
    }
}

/// A namespace, a repository, or what stands on another shelf.
fn is_place(text: &str) -> bool {
    let (shelf, name) = SHELVES
        .iter()
        .find_map(|shelf| Some((*shelf, text.strip_prefix(shelf)?)))
        .unwrap_or(("", text));
    match shelf {
        "resource-groups/" => !name.trim().is_empty() && !name.chars().any(char::is_control),
        "" if !name.contains('/') => RepoId::new(name, "x").is_ok(),
        _ => name.parse::<RepoId>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::parse;

    fn gate(token: &str) -> Result<crate::policy::TokenGate, String> {
        let text = format!("model: {{name: churn, owner: acme}}\ngates: {{token: {token}}}\n");
        let policy = parse("w.yml", &text, &[]).map_err(|error| error.to_string())?;
        Ok(policy.models[0].gates.token.clone())
    }

    #[test]
    fn what_is_not_said_is_careful() {
        let gate = gate("{}").expect("valid");
        assert!(gate.fine_grained && gate.accounts.is_empty() && gate.may_write.is_empty());
        assert_eq!((gate.max_age, gate.warn_before), (90, 14));
        assert_eq!(gate.at.to_string(), "w.yml:2:16");
    }

    #[test]
    fn what_is_said_is_kept() {
        let gate = gate(
            "{fine-grained: false, max-age: 7, accounts: [acme-ci], may-write: [acme, models/acme/x, \
             datasets/acme/log, resource-groups/Risk team]}",
        )
        .expect("valid");
        assert!(!gate.fine_grained && gate.is_machine("Acme-CI") && !gate.is_machine("ada"));
        assert_eq!((gate.max_age, gate.warn_before), (7, 6), "no longer than it may be old");
        for place in ["acme", "acme/x", "datasets/acme/log", "resource-groups/Risk team"] {
            assert!(gate.named(place), "{place}");
        }
        assert!(!gate.named("acme/log"));
    }

    #[test]
    fn what_cannot_be_is_a_problem_at_its_place() {
        for (token, problem) in [
            ("{max-age: 0}", "`max-age` is 0 days"),
            ("{max-age: 10, warn-before: 10}", "`warn-before` is 10 days, and `max-age` is 10"),
            ("{accounts: ['a b']}", "`a b` cannot be a Hub account"),
            ("{may-write: [a/b/c]}", "`a/b/c` names nothing that a token may write"),
            (
                "{may-write: [datasets/acme]}",
                "`datasets/acme` names nothing that a token may write",
            ),
            ("{may-write: ['*']}", "`*` names nothing that a token may write"),
            ("{max-agee: 3}", "did you mean `max-age`?"),
        ] {
            let said = gate(token).expect_err(token);
            assert!(said.contains(problem), "{token}: {said}");
        }
    }
}
