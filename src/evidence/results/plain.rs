//! Any map of numbers, as people write it: names in names are joined with `/`.

use super::{Number, Reader, Results, Spot};

pub(super) const READER: Reader = Reader {
    format: "plain",
    written_by: "anything: a map of numbers in JSON, YAML or TOML",
    claims: |document| document.value.is_some(),
    read: |document| {
        let root = document.root().ok_or("no values")?;
        Ok(Results { numbers: nested(&root), ..Results::default() })
    },
};

/// Deepest maps in maps that are looked into.
const DEEPEST: usize = 16;

/// Every number in maps in maps. Lists are data, not metrics.
pub(super) fn nested(root: &Spot<'_>) -> Vec<Number> {
    let mut found = Vec::new();
    collect(root, "", DEEPEST, &mut found);
    found
}

fn collect(spot: &Spot<'_>, prefix: &str, depth: usize, found: &mut Vec<Number>) {
    if depth == 0 {
        return;
    }
    for (key, spot) in spot.entries() {
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") };
        found.extend(spot.number_or_text(&name));
        collect(&spot, &name, depth - 1, found);
    }
}
