//! transformers' Trainer: `all_results.json` and its kin, and `trainer_state.json`.

use super::document::Document;
use super::{Number, Reader, Results, Spot, count};

pub(super) const RESULTS: Reader = Reader {
    format: "transformers",
    written_by: "transformers Trainer (`all_results.json`, `eval_results.json`, …)",
    claims: |document| {
        document.map().is_some_and(|map| {
            ["eval_runtime", "train_runtime", "predict_runtime", "test_runtime"]
                .iter()
                .any(|key| map.value.get(key).is_some())
        })
    },
    read: |document| {
        let root = document.map().ok_or("no map")?;
        let numbers = root.entries().filter_map(|(key, spot)| number(&root, key, &spot)).collect();
        Ok(Results { numbers, ..Results::default() })
    },
};

pub(super) const STATE: Reader = Reader {
    format: "trainer-state",
    written_by: "transformers Trainer (`trainer_state.json`)",
    claims: |document| document.has(&["log_history", "global_step"]),
    read: state,
};

fn number(all: &Spot<'_>, key: &str, spot: &Spot<'_>) -> Option<Number> {
    let unit = if key.ends_with("_runtime") {
        Some("s")
    } else if key.ends_with("_per_second") {
        Some("1/s")
    } else {
        None
    };
    let part = key.split('_').next().unwrap_or_default();
    Some(Number {
        samples: count(all.get(&format!("{part}_samples"))),
        unit: unit.map(str::to_owned),
        ..spot.number(key)?
    })
}

/// The best value as the trainer kept it, and the last one of each other metric.
fn state(document: &Document<'_>) -> Result<Results, String> {
    let root = document.map().ok_or("no map")?;
    let mut numbers: Vec<Number> =
        root.get("best_metric").and_then(|spot| spot.number("best_metric")).into_iter().collect();
    for entry in root.get("log_history").iter().flat_map(Spot::items) {
        for (key, spot) in entry.entries().filter(|(key, _)| !matches!(*key, "step" | "epoch")) {
            let Some(number) = number(&entry, key, &spot) else { continue };
            match numbers.iter_mut().find(|known| known.metric == key) {
                Some(known) => *known = number,
                None => numbers.push(number),
            }
        }
    }
    Ok(Results { numbers, ..Results::default() })
}
