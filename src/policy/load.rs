//! Reading the file: text → tree → structure → raw → [`Policy`].

use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;

use super::places::Places;
use super::problem::{PolicyError, Problem};
use super::{Policy, check, raw, structure, tree};
use crate::source::{Position, SourceFile};

/// Bytes; no honest policy is larger.
const LIMIT: u64 = 1024 * 1024;

/// Reads the policy at `path`, shown to people as `shown`; `known_rules` are the ids that `rules:`
/// and `allow:` may name.
pub fn load(path: &Path, shown: &str, known_rules: &[&str]) -> Result<Policy, PolicyError> {
    let text = read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => {
            PolicyError::Missing { path: shown.to_owned(), beside: misnamed(path) }
        }
        _ => PolicyError::Unreadable { path: shown.to_owned(), source },
    })?;
    parse(shown, &text, known_rules)
}

fn read(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    // The limit holds for devices and pipes too, which have no size.
    std::fs::File::open(path)?.take(LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(Error::other(format!("it is larger than {LIMIT} bytes")));
    }
    Ok(text)
}

/// A file beside the missing one that was probably meant.
fn misnamed(path: &Path) -> Option<String> {
    let names = ["weighbridge.yaml", "weighbridge.yml", ".weighbridge.yml", ".weighbridge.yaml"];
    let found = names.into_iter().find(|name| path.with_file_name(name).is_file())?;
    Some(found.to_owned())
}

/// Reads a policy from its text.
pub fn parse(shown: &str, text: &str, known_rules: &[&str]) -> Result<Policy, PolicyError> {
    let file = SourceFile::new(shown, text);
    let tree = match tree::read(text) {
        Ok(tree) => tree,
        Err(error) => return Err(invalid(file, vec![syntax(&error)])),
    };
    let structure = structure::check(&tree, &super::schema_value());
    let mut problems = structure.problems;
    if !structure.readable {
        return Err(invalid(file, problems));
    }
    // What the structure check lets through the types accept too.
    let raw: raw::File = match tree::read_as(text) {
        Ok(raw) => raw,
        Err(error) => {
            problems.push(syntax(&error));
            return Err(invalid(file, problems));
        }
    };
    let places = Places::new(&tree);
    let (mut policy, wrong) = check::check(&raw, &places, shown, known_rules);
    problems.extend(wrong);
    if !problems.is_empty() {
        return Err(invalid(file, problems));
    }
    policy.explained = super::explain::rows(&policy, &places);
    Ok(policy)
}

/// In the order of the file; what two models share is said once.
fn invalid(file: SourceFile, mut problems: Vec<Problem>) -> PolicyError {
    problems.sort_by(|a, b| (a.at, &a.message).cmp(&(b.at, &b.message)));
    problems.dedup();
    PolicyError::Invalid { file, problems }
}

fn syntax(error: &serde_yaml::Error) -> Problem {
    let at = error.location().map_or(Position { line: 1, column: 1 }, tree::position);
    let message = error.without_snippet().to_string();
    let help = "what opens, closes and indents here or just above does not fit together";
    Problem::new(at, without_place(&message)).help(help)
}

/// The message alone: its place is shown by us.
fn without_place(message: &str) -> &str {
    let end =
        message.find(" at line ").or_else(|| message.find("error: line ")).unwrap_or(message.len());
    let bare = &message[..end];
    if bare.is_empty() { message } else { bare }
}
