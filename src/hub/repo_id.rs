//! `namespace/name`, as the Hub allows it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Kinds of repositories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shelf {
    /// Models.
    #[default]
    Models,
    /// Datasets.
    Datasets,
}

impl Shelf {
    /// As it stands in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Datasets => "datasets",
        }
    }

    /// As requests name one of its repositories.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Models => "model",
            Self::Datasets => "dataset",
        }
    }
}

/// A repository's id: a model's, unless it is put on another shelf. Rules as `huggingface_hub` 2.4
/// enforces them (`validate_repo_id`): each part 1–96 of ASCII letters, digits, `-`, `_`, `.`; not
/// starting or ending with `-` or `.`; no `--`, no `..`, no `.git` ending. Weighbridge always needs
/// the namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoId {
    shelf: Shelf,
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
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Ok(Self { shelf: Shelf::Models, namespace, name })
    }

    /// The repository of this id on another shelf.
    #[must_use]
    pub fn on(self, other: Shelf) -> Self {
        Self { shelf: other, ..self }
    }

    /// Whether it is a model or a dataset.
    pub fn shelf(&self) -> Shelf {
        self.shelf
    }

    /// Its place in the addresses of the Hub's API: `models/namespace/name`.
    pub fn in_api(&self) -> String {
        format!("{}/{}/{}", self.shelf.as_str(), self.namespace, self.name)
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
    /// As in the addresses of its pages, where models have no shelf.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shelf != Shelf::Models {
            write!(f, "{}/", self.shelf.as_str())?;
        }
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

    #[test]
    fn a_dataset_says_so() {
        let model: RepoId = "acme/log".parse().expect("an id");
        let dataset = model.clone().on(Shelf::Datasets);
        assert_eq!(
            (model.to_string().as_str(), model.in_api().as_str()),
            ("acme/log", "models/acme/log")
        );
        assert_eq!(dataset.to_string(), "datasets/acme/log");
        assert_eq!(dataset.in_api(), "datasets/acme/log");
        assert_ne!(model, dataset);
    }
}
