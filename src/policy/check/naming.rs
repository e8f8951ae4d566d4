//! How repositories are called.

use super::{Check, Layers, suggest};
use crate::policy::{Convention, Part, raw};

impl Check<'_> {
    pub(super) fn naming(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
    ) -> Option<Convention> {
        let convention = gates.get(|own| own.naming.as_ref()?.convention.as_deref());
        let allowed = gates.get(|own| own.naming.as_ref()?.allowed.as_ref());
        let key = self.key(model, "gates/naming/allowed");
        for (name, values) in allowed.into_iter().flatten() {
            self.values(&format!("{key}/{name}"), name, values);
        }
        let Some(convention) = convention else {
            if allowed.is_some() {
                let message = "`allowed` is for a convention, and there is none";
                self.wrong(&key, message, "add `convention: \"{team}-{model}-v{major}\"`");
            }
            return None;
        };
        let values = |name: &str| allowed.and_then(|allowed| allowed.get(name)).cloned();
        match Convention::parse(convention, |name| values(name).unwrap_or_default()) {
            Ok(convention) => {
                for name in allowed.into_iter().flat_map(|allowed| allowed.keys()) {
                    self.is_named(&format!("{key}/{name}"), name, &convention);
                }
                Some(convention)
            }
            Err(why) => {
                let key = self.key(model, "gates/naming/convention");
                self.wrong(&key, why, "write one like `{team}-{project}-{model}-v{major}`");
                None
            }
        }
    }

    /// Values for a placeholder that the convention does not have decide nothing.
    fn is_named(&mut self, key: &str, name: &str, convention: &Convention) {
        let words = convention.parts.iter().filter_map(|part| match part {
            Part::Word { name, .. } => Some(name.as_str()),
            _ => None,
        });
        let words: Vec<_> = words.collect();
        if !words.contains(&name) {
            let help = suggest(name, &words, format!("expected one of {}", words.join(", ")));
            self.wrong(key, format!("the convention has no `{{{name}}}`"), help);
        }
    }

    fn values(&mut self, key: &str, name: &str, values: &[String]) {
        if values.is_empty() {
            self.wrong(key, format!("`{name}` may be nothing"), "name its values");
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        for (index, value) in values.iter().enumerate() {
            if value.is_empty() || !value.chars().all(fits) {
                let help = "use letters, digits, `-`, `_` and `.`";
                let message = format!("`{value}` can be in no repository's name");
                self.wrong(&format!("{key}/{index}"), message, help);
            }
        }
    }
}
