//! Reading the file: text → tree → structure → raw → [`Policy`].

use std::path::Path;

use super::places::Places;
use super::problem::{PolicyError, Problem};
use super::{Policy, check, raw, structure, tree};
use crate::source::{Position, SourceFile};

/// No honest policy is larger.
const LIMIT: u64 = 1024 * 1024;

/// Reads the policy at `path`, shown to people as `shown`; `known_rules` are the ids that `rules:`
/// and `allow:` may name.
pub fn load(path: &Path, shown: &str, known_rules: &[&str]) -> Result<Policy, PolicyError> {
    let unreadable = |source| PolicyError::Unreadable { path: shown.to_owned(), source };
    let size = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(PolicyError::Missing(shown.to_owned()));
        }
        Err(error) => return Err(unreadable(error)),
    };
    if size > LIMIT {
        let error =
            std::io::Error::other(format!("it has {size} bytes, a policy has at most {LIMIT}"));
        return Err(unreadable(error));
    }
    parse(shown, &std::fs::read_to_string(path).map_err(unreadable)?, known_rules)
}

/// Reads a policy from its text.
pub fn parse(shown: &str, text: &str, known_rules: &[&str]) -> Result<Policy, PolicyError> {
    let file = SourceFile::new(shown, text);
    let invalid = |problems| PolicyError::Invalid { file: file.clone(), problems };
    let tree = tree::read(text, options()).map_err(|error| invalid(vec![syntax(&error)]))?;
    let mut problems = structure::check(&tree, &super::schema_value());
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.at);
        return Err(invalid(problems));
    }
    // What the schema accepts the types accept too; the error is for what YAML alone can tell.
    let raw: raw::File = serde_yaml::from_str_with_options(text, options())
        .map_err(|error| invalid(vec![syntax(&error)]))?;
    let places = Places::new(&tree);
    check::check(&raw, &places, shown, known_rules).map_err(invalid).map(|mut policy| {
        policy.explained = super::explain::rows(&policy, &places);
        policy
    })
}

fn options() -> serde_yaml::Options {
    serde_yaml::options! { strict_booleans: true, with_snippet: false }
}

fn syntax(error: &serde_yaml::Error) -> Problem {
    let at = error.location().map_or(Position { line: 1, column: 1 }, tree::position);
    let at = Position { line: at.line.max(1), column: at.column.max(1) };
    Problem::new(at, error.without_snippet().to_string())
}
