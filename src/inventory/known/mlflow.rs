//! `MLmodel`: what MLflow wrote beside the model that it logged.

use super::Known;
use super::document::Document;
use crate::inventory::Inventory;
use crate::json::Value;

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let Some(model) = Document::yaml(inventory, "MLmodel") else { return };
    known.software.extend(model.fact("mlflow", model.at(&["mlflow_version"])));
    let flavors = model.at(&["flavors"]).map(Value::entries).unwrap_or_default();
    let settings = flavors.iter().flat_map(|(_, flavor)| flavor.entries());
    for (key, version) in settings {
        // `sklearn_version`, `xgb_version`, `python_version`, …
        if let Some(library) = key.name.strip_suffix("_version")
            && known.software.len() < super::MOST
        {
            known.software.extend(model.fact(library, Some(version)));
        }
    }
}
