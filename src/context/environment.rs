//! The process environment, read once.

use std::collections::BTreeMap;

/// Every variable that is valid UTF-8. An empty value counts as absent: CI systems set inputs
/// that nobody gave to the empty string.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; `None` when unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// An action input. The runner upper-cases the name and keeps its dashes
    /// (`INPUT_HF-TOKEN`); shells cannot set such names, so underscores are taken too. Not where the
    /// runner did set the input, if only to nothing: an earlier step could have set the other.
    pub fn input(&self, name: &str) -> Option<&str> {
        let name = format!("INPUT_{}", name.to_uppercase());
        let spelt = if self.0.contains_key(&name) { name } else { name.replace('-', "_") };
        self.get(&spelt)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Names only: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_come_in_both_spellings_and_empty_is_absent() {
        let env: Environment =
            [("INPUT_HF-TOKEN", "a"), ("INPUT_DRY_RUN", "true"), ("INPUT_TAG", "")]
                .into_iter()
                .collect();
        assert_eq!(env.input("hf-token"), Some("a"));
        assert_eq!(env.input("dry-run"), Some("true"));
        assert_eq!(env.input("tag"), None);
        let env: Environment =
            [("INPUT_HF-ENDPOINT", ""), ("INPUT_HF_ENDPOINT", "https://evil.example")]
                .into_iter()
                .collect();
        assert_eq!(env.input("hf-endpoint"), None, "the runner's own word is the last");
        assert!(!format!("{env:?}").contains("\"a\""), "values stay out of debug output");
    }
}
