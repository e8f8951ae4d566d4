//! The configuration files of sentence-transformers.

use super::Known;
use super::document::Document;
use crate::inventory::Inventory;
use crate::json::Value;

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    if let Some(config) = Document::json(inventory, "config_sentence_transformers.json") {
        known.model.extend(config.fact("Similarity", config.at(&["similarity_fn_name"])));
        let versions = config.at(&["__version__"]).map(Value::entries).unwrap_or_default();
        for (library, version) in versions.iter().take(super::MOST) {
            let name = library.name.replace("sentence_transformers", "sentence-transformers");
            known.software.extend(config.fact(&name, Some(version)));
        }
    }
    if let Some(config) = Document::json(inventory, "sentence_bert_config.json") {
        let length = config.at(&["max_seq_length"]).filter(|value| config.whole(value).is_some());
        known.model.extend(config.fact("Longest input", length));
    }
}
