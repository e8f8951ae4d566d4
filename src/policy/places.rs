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

    /// The position of the value at `key`, or of the nearest value above it that is there.
    pub(super) fn position(&self, key: &str) -> Position {
        self.walk(key).0
    }

    /// The position of the value at `key`; `None` when the file does not set it.
    pub(super) fn exact(&self, key: &str) -> Option<Position> {
        let (at, whole) = self.walk(key);
        whole.then_some(at)
    }

    fn walk(&self, key: &str) -> (Position, bool) {
        let mut node = self.root;
        for part in key.split('/').filter(|part| !part.is_empty()) {
            let next = match &node.value {
                Value::Map(entries) => {
                    entries.iter().find(|entry| entry.key == part).map(|entry| &entry.node)
                }
                Value::List(items) => part.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            match next {
                Some(found) => node = found,
                None => return (node.at, false),
            }
        }
        (node.at, true)
    }
}
