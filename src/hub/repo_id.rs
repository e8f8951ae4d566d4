//! `namespace/name`, as the Hub allows it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A model repository's id. Rules as `huggingface_hub` 2.4 enforces them (`validate_repo_id`):
/// each part 1–96 of ASCII letters, digits, `-`, `_`, `.`; not starting or ending with `-` or
/// `.`; no `--`, no `..`, no `.git` ending. Weighbridge always needs the namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoId {
    namespace: String,
    name: String,
}

/// A text that is no repo id, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{id}` is not a Hub repo id: {why}")]
pub struct BadRepoId {
    id: String,
    why: &'static str,
}

impl RepoId {
    /// Checks both parts.
    pub fn new(namespace: &str, name: &str) -> Result<Self, BadRepoId> {
        let bad = |why| BadRepoId { id: format!("{namespace}/{name}"), why };
        check(namespace).map_err(bad)?;
        check(name).map_err(bad)?;
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// The user or organisation.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The repository's own name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn check(part: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match part {
        "" => Err("a part is empty"),
        _ if part.len() > 96 => Err("a part is longer than 96 characters"),
        _ if !part.chars().all(allowed) => {
            Err("only ASCII letters, digits, `-`, `_` and `.` may be used")
        }
        _ if part.starts_with(['-', '.']) || part.ends_with(['-', '.']) => {
            Err("a part starts or ends with `-` or `.`")
        }
        _ if part.contains("--") || part.contains("..") => Err("`--` and `..` may not be used"),
        _ if part.to_ascii_lowercase().ends_with(".git") => Err("a part ends with `.git`"),
        _ => Ok(()),
    }
}

impl FromStr for RepoId {
    type Err = BadRepoId;

    fn from_str(text: &str) -> Result<Self, BadRepoId> {
        match text.split_once('/') {
            Some((namespace, name)) => Self::new(namespace, name),
            None => Err(BadRepoId { id: text.to_owned(), why: "expected `namespace/name`" }),
        }
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Serialize for RepoId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hubs_rules() {
        for good in ["acme/churn", "a/b", "acme-ai/churn_v1.2"] {
            assert_eq!(good.parse::<RepoId>().expect(good).to_string(), good);
        }
        for bad in
            ["churn", "a/b/c", "-a/b", "a/b.", "a/b--c", "a/b..c", "a/b.git", "a/", "a/b@1", "ä/b"]
        {
            assert!(bad.parse::<RepoId>().is_err(), "{bad}");
        }
    }
}
