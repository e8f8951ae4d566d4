//! Settings of a training as files of their own: `params.yaml` of DVC and its kin, whole, and of
//! `training_args.json` those that decide what comes out.

use super::Known;
use super::document::Document;
use crate::inventory::Inventory;

/// The Trainer's arguments that are shown, of over a hundred.
const ARGUMENTS: [&str; 16] = [
    "learning_rate",
    "num_train_epochs",
    "max_steps",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "lr_scheduler_type",
    "warmup_steps",
    "warmup_ratio",
    "optim",
    "weight_decay",
    "max_grad_norm",
    "label_smoothing_factor",
    "bf16",
    "fp16",
    "seed",
    "data_seed",
];

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    for path in ["params.yaml", "hyperparams.yaml"] {
        if let Some(settings) = Document::yaml(inventory, path) {
            known.training.extend(settings.leaves());
        }
    }
    if let Some(arguments) = Document::json(inventory, "training_args.json") {
        for name in ARGUMENTS {
            known.training.extend(arguments.fact(name, arguments.at(&[name])));
        }
    }
}
