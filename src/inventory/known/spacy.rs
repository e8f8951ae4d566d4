//! `meta.json` of spaCy pipelines.

use super::Known;
use super::document::Document;
use crate::inventory::Inventory;

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let Some(meta) = Document::json(inventory, "meta.json") else { return };
    let Some(version) = meta.at(&["spacy_version"]) else { return };
    known.model.extend(meta.fact("Pipeline", meta.at(&["pipeline"])));
    known.software.extend(meta.fact("spacy", Some(version)));
}
