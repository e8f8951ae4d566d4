//! raw → [`Policy`]: the meaning of every value, all problems collected. One file a section.

mod audit_log;
mod benchmarks;
mod card;
mod credentials;
mod gates;
mod hub;
mod model;
mod naming;
mod rules;
mod size;
mod source;
mod stages;
mod token;

use std::collections::BTreeSet;

pub(super) use stages::expand;

use globset::GlobBuilder;
use jiff::civil::Date;

use super::places::Places;
use super::problem::{Problem, closest};
use super::{Model, Pattern, Policy, TagGrammar, raw};
use crate::finding::Location;

/// What is being checked, and what was found wrong so far.
struct Check<'a> {
    places: &'a Places<'a>,
    shown: &'a str,
    known_rules: &'a [&'a str],
    problems: Vec<Problem>,
}

/// Checks a file that has the structure of the raw types. The policy is worth something only when
/// there is no problem.
pub(super) fn check(
    file: &raw::File,
    places: &Places<'_>,
    shown: &str,
    known_rules: &[&str],
) -> (Policy, Vec<Problem>) {
    let mut check = Check { places, shown, known_rules, problems: Vec::new() };
    let policy = check.file(file);
    (policy, check.problems)
}

/// A section of one model over the same section at the top of the file: each key that the model
/// sets wins over the same key there, so that loosening one thing loosens nothing else.
struct Layers<'a, T> {
    own: Option<&'a T>,
    shared: Option<&'a T>,
}

impl<'a, T> Layers<'a, T> {
    fn get<V>(&self, pick: impl Fn(&'a T) -> Option<V>) -> Option<V> {
        self.own.and_then(&pick).or_else(|| self.shared.and_then(pick))
    }
}

impl Check<'_> {
    fn file(&mut self, file: &raw::File) -> Policy {
        let models = self.models(file);
        self.told_apart(&models);
        self.repositories_told_apart(&models);
        let tags = match file.tags {
            None | Some(raw::Tags::Auto) => TagGrammar::Auto,
            Some(raw::Tags::Plain) => TagGrammar::Plain,
            Some(raw::Tags::Slash) => TagGrammar::Slash,
            Some(raw::Tags::At) => TagGrammar::At,
        };
        if tags == TagGrammar::Plain && models.len() > 1 {
            let message = "`plain` tags cannot say which of several models they release";
            self.wrong("tags", message, "write `slash` (name/v1.2.3) or `at` (name@v1.2.3)");
        }
        Policy {
            file: self.shown.to_owned(),
            tags,
            audit_log: self.audit_log(file),
            hub: self.hub(file),
            overrides: self.overrides(file),
            emergency: self.emergency(file),
            credentials: self.credentials(file.credentials.as_deref()),
            explained: Vec::new(),
            models,
        }
    }

    fn models(&mut self, file: &raw::File) -> Vec<Model> {
        match (&file.model, &file.models) {
            (Some(model), None) => vec![self.model(file, model, "model")],
            (None, Some(models)) if !models.is_empty() => {
                let each = models.iter().enumerate();
                each.map(|(index, model)| self.model(file, model, &model_key(index, false)))
                    .collect()
            }
            (Some(_), Some(_)) => {
                self.wrong("models", "both `model` and `models` are given", "keep one of the two");
                Vec::new()
            }
            (None, _) => {
                self.wrong("models", "no model is named", "add `model: {name: …, owner: …}`");
                Vec::new()
            }
        }
    }

    fn told_apart(&mut self, models: &[Model]) {
        let mut names = BTreeSet::new();
        for (index, model) in models.iter().enumerate() {
            if !names.insert(&model.name) {
                let message = format!("two models are named `{}`", model.name);
                let key = format!("{}/name", model_key(index, false));
                self.wrong(&key, message, "give each model its own name");
            }
        }
    }

    fn date(&mut self, key: &str, text: &str) -> Option<Date> {
        let date = text.trim().parse().ok();
        if date.is_none() {
            self.wrong(key, format!("`{text}` is not a date"), "expected YYYY-MM-DD");
        }
        date
    }

    /// A text that says something.
    fn said(&mut self, key: &str, text: &str) {
        if text.trim().is_empty() {
            let name = key.rsplit('/').next().unwrap_or(key);
            self.wrong(key, format!("`{name}` is empty"), "say it, or remove the key");
        }
    }

    /// A path that stays below the policy's folder, without `./` and the trailing `/`.
    fn relative(&mut self, key: &str, path: &str) -> String {
        let leaves = path.is_empty()
            || path.starts_with('/')
            || path.chars().nth(1) == Some(':')
            || path.split('/').any(|part| part == "..");
        if path.contains('\\') {
            let help = format!("write `{}`", path.replace('\\', "/"));
            self.wrong(key, format!("`{path}` is written with `\\`"), help);
        } else if leaves {
            let message = format!("`{path}` is not a path below this file's folder");
            self.wrong(key, message, "use a relative path without `..`");
        } else if path.chars().any(char::is_control) {
            self.wrong(key, "the path holds a control character", "rename the file");
        }
        let parts: Vec<_> =
            path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() { ".".into() } else { parts.join("/") }
    }

    fn patterns(&mut self, key: &str, texts: Option<&Vec<String>>) -> Vec<Pattern> {
        let each = texts.into_iter().flatten().enumerate();
        each.filter_map(|(index, text)| self.pattern(&format!("{key}/{index}"), text)).collect()
    }

    fn pattern(&mut self, key: &str, text: &str) -> Option<Pattern> {
        let bare = text.strip_prefix("./").unwrap_or(text);
        if bare.is_empty() || bare.starts_with('/') || bare.split('/').any(|part| part == "..") {
            let message = format!("`{text}` can match no path below its folder");
            self.wrong(key, message, "write the pattern without a leading `/` and without `..`");
            return None;
        }
        match glob(bare) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let message = format!("`{text}` is not a glob: {}", error.kind());
                self.wrong(key, message, "expected `*`, `**`, `?`, `[…]` and `{…}` in pairs");
                None
            }
        }
    }

    /// Where a section's key stands: in the model if it sets it, else at the top of the file.
    fn key(&self, model: &str, key: &str) -> String {
        self.places.layered(model, key)
    }

    fn wrong(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(self.places.position(key), message).help(help));
    }

    fn at(&self, key: &str) -> Location {
        Location::at(self.shown, self.places.position(key))
    }
}

/// Compiles a glob whose `*` does not cross `/`.
fn glob(text: &str) -> Result<Pattern, globset::Error> {
    let glob = GlobBuilder::new(text).literal_separator(true).build()?;
    Ok(Pattern { text: text.to_owned(), glob: glob.compile_matcher() })
}

/// The key path of a model.
pub(super) fn model_key(index: usize, single: bool) -> String {
    if single { "model".into() } else { format!("models/{index}") }
}

/// "did you mean", or what is known of the words that may stand there.
fn suggest(word: &str, known: &[&str], otherwise: impl Into<String>) -> String {
    closest(word, known).map_or_else(|| otherwise.into(), |near| format!("did you mean `{near}`?"))
}
