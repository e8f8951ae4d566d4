//! Levels of rules, and findings allowed for a while.

use std::collections::BTreeMap;

use super::{Check, suggest};
use crate::finding::{Allowance, Overrides};
use crate::policy::raw;

impl Check<'_> {
    pub(super) fn overrides(&mut self, file: &raw::File) -> Overrides {
        let mut levels = BTreeMap::new();
        for (rule, level) in file.rules.iter().flatten() {
            self.rule("rules", rule);
            levels.insert(rule.clone(), (*level).into());
        }
        let allowed = file.allow.iter().flatten().enumerate();
        let allowances = allowed
            .filter_map(|(index, allow)| self.allowance(&format!("allow/{index}"), allow))
            .collect();
        Overrides { levels, allowances }
    }

    fn allowance(&mut self, key: &str, allow: &raw::Allow) -> Option<Allowance> {
        self.rule(&format!("{key}/rule"), &allow.rule);
        if allow.reason.trim().is_empty() {
            let help = "say why the finding is allowed";
            self.wrong(&format!("{key}/reason"), "`reason` is empty", help);
        }
        let path = allow.path.as_ref();
        let path = path.and_then(|text| self.pattern(&format!("{key}/path"), text));
        let sha256 = allow.sha256.as_ref().and_then(|text| {
            let digest = text.strip_prefix("sha256:").unwrap_or(text).parse().ok();
            if digest.is_none() {
                let help = "write the 64 hexadecimal digits that `sha256sum` prints";
                self.wrong(&format!("{key}/sha256"), "`sha256` is no digest", help);
            }
            digest
        });
        Some(Allowance {
            rule: allow.rule.clone(),
            path: path.map(|pattern| pattern.glob),
            callable: allow.callable.clone(),
            sha256,
            reason: allow.reason.clone(),
            expires: self.date(&format!("{key}/expires"), &allow.expires)?,
            at: self.at(key),
        })
    }

    /// `key` is that of the value, or of the map whose key the rule is.
    fn rule(&mut self, key: &str, rule: &str) {
        if self.known_rules.contains(&rule) {
            return;
        }
        let help = suggest(rule, self.known_rules, "`weighbridge rules` lists them");
        let problem = super::Problem::new(
            self.places.key(key, rule).unwrap_or_else(|| self.places.position(key)),
            format!("there is no rule `{rule}`"),
        );
        self.problems.push(problem.help(help));
    }
}
