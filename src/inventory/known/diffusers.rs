//! `model_index.json` of diffusers.

use super::Known;
use super::document::Document;
use crate::inventory::Inventory;

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let Some(index) = Document::json(inventory, "model_index.json") else { return };
    known.model.extend(index.fact("Pipeline", index.at(&["_class_name"])));
    known.software.extend(index.fact("diffusers", index.at(&["_diffusers_version"])));
}
