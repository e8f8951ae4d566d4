//! `mergekit_config.yml`: the models that mergekit mixed, and how.

use super::Known;
use super::base::{Base, Relation, id};
use super::document::Document;
use crate::inventory::Inventory;
use crate::json::Value;

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let Some(config) = Document::yaml(inventory, "mergekit_config.yml") else { return };
    known.training.extend(config.fact("merge_method", config.at(&["merge_method"])));
    let slices = items(config.at(&["slices"])).iter().flat_map(|slice| items(slice.get("sources")));
    let parts = items(config.at(&["models"])).iter().chain(slices);
    let models = parts.filter_map(|part| part.get("model"));
    for model in config.at(&["base_model"]).into_iter().chain(models) {
        let Some(id) = model.text().and_then(id) else { continue };
        if known.bases.len() < super::MOST && !known.bases.iter().any(|base| base.id == id) {
            known.bases.push(Base {
                id,
                relation: Some(Relation::Merge),
                file: config.path().to_owned(),
                is_stated: true,
            });
        }
    }
}

fn items(list: Option<&Value>) -> &[Value] {
    list.map(Value::list).unwrap_or_default()
}
