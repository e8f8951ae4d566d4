//! Where the value of a key path stands in the file.

use super::tree::{Node, Value};
use crate::source::Position;

/// Positions by key path: `models/0/gates/benchmarks/1/min`.
pub(super) struct Places<'a> {
    root: &'a Node,
}

impl<'a> Places<'a> {
    pub(super) fn new(root: &'a Node) -> Self {
        Self { root }
    }

    /// The position of the value at `path`, or of the nearest value above it that is there.
    pub(super) fn position(&self, path: &str) -> Position {
        self.walk(path).0.at
    }

    /// The position of the value at `path`; `None` when the file does not set it.
    pub(super) fn exact(&self, path: &str) -> Option<Position> {
        let (node, whole) = self.walk(path);
        (whole && !matches!(node.value, Value::Null)).then_some(node.at)
    }

    /// `path` inside the model where the model sets it, else `path` at the top of the file.
    pub(super) fn layered(&self, model: &str, path: &str) -> String {
        let inside = format!("{model}/{path}");
        if self.exact(&inside).is_some() { inside } else { path.to_owned() }
    }

    /// The position of a key itself in the map at `path`.
    pub(super) fn key(&self, path: &str, key: &str) -> Option<Position> {
        let Value::Map(entries) = &self.walk(path).0.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_at)
    }

    /// The deepest node on the way to `path`, and whether it is the one asked for.
    fn walk(&self, path: &str) -> (&'a Node, bool) {
        let mut node = self.root;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let next = match &node.value {
                Value::Map(entries) => {
                    entries.iter().find(|entry| entry.key == part).map(|entry| &entry.node)
                }
                Value::List(items) => part.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            match next {
                Some(found) => node = found,
                None => return (node, false),
            }
        }
        (node, true)
    }
}
