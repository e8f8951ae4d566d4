//! `trainer_state.json` of transformers' Trainer: how far it went. Its `training_args.bin` is a
//! pickle and never read.

use super::Known;
use super::document::Document;
use crate::inventory::Inventory;

/// What is shown, with the key for it.
const FACTS: [(&str, &str); 6] = [
    ("Epochs", "epoch"),
    ("Steps", "global_step"),
    ("Train batch size", "train_batch_size"),
    ("Best value of the watched metric", "best_metric"),
    ("Step of the best value", "best_global_step"),
    ("Floating-point operations", "total_flos"),
];

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let Some(state) = Document::json(inventory, "trainer_state.json") else { return };
    for (name, key) in FACTS {
        let number = state.at(&[key]).filter(|value| value.number().is_some());
        known.training.extend(state.fact(name, number));
    }
}
