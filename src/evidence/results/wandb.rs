//! Weights & Biases, `wandb-summary.json`: flat; what is not the user's begins with `_`; metrics
//! that are summarised in several ways are maps of those.

use super::{Lineage, Number, Reader, Results, Spot};

pub(super) const READER: Reader = Reader {
    format: "wandb-summary",
    written_by: "Weights & Biases (`wandb-summary.json`)",
    claims: |document| document.has(&["_wandb"]) || document.has(&["_runtime", "_timestamp"]),
    read: |document| {
        let root = document.map().ok_or("no map")?;
        let numbers = root.entries().flat_map(|(key, spot)| numbers(key, &spot)).collect();
        let lineage = Lineage { tool: Some("wandb".into()), ..Lineage::default() };
        Ok(Results { numbers, lineage, ..Results::default() })
    },
};

/// The numbers under a key of a summary, in a file or in the log of a run.
pub(super) fn numbers(key: &str, spot: &Spot<'_>) -> Vec<Number> {
    if key.starts_with('_') || spot.get("_type").is_some() {
        return Vec::new();
    }
    let mut found: Vec<Number> = spot.number(key).into_iter().collect();
    for (how, spot) in spot.entries() {
        let number = spot.number(key).map(|number| Number {
            // `define_metric(…, summary="last")` is what a bare number is too.
            filter: Some(how.to_owned()).filter(|how| how != "last"),
            ..number
        });
        if matches!(how, "min" | "max" | "mean" | "last" | "best") {
            found.extend(number);
        } else {
            found.extend(numbers(&format!("{key}.{how}"), &spot));
        }
    }
    found
}
