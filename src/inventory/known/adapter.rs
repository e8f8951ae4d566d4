//! `adapter_config.json` of PEFT.

use super::Known;
use super::base::{Base, Relation, id};
use super::document::Document;
use crate::inventory::Inventory;
use crate::json::Value;

/// Settings that tell one adapter from another.
const SETTINGS: [&str; 10] = [
    "r",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "modules_to_save",
    "bias",
    "use_dora",
    "use_rslora",
    "num_virtual_tokens",
    "layers_to_transform",
];

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let Some(config) = Document::json(inventory, "adapter_config.json") else { return };
    known.model.extend(config.fact("Adapter", config.at(&["peft_type"])));
    known.model.extend(config.fact("Task of the adapter", config.at(&["task_type"])));
    known.software.extend(config.fact("peft", config.at(&["peft_version"])));
    for name in SETTINGS {
        known.training.extend(config.fact(name, config.at(&[name])));
    }
    let base = config.at(&["base_model_name_or_path"]).and_then(Value::text).and_then(id);
    known.bases.extend(base.map(|id| Base {
        id,
        relation: Some(Relation::Adapter),
        file: config.path().to_owned(),
        is_stated: true,
    }));
}
