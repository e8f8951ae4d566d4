//! Gradient boosting: XGBoost, LightGBM, `CatBoost`.

use super::call::{Call, Snippet};

/// JSON files that lie beside models.
const BESIDE: [&str; 5] =
    ["config.json", "metrics.json", "params.json", "package.json", "weighbridge.json"];

/// Both of XGBoost's formats (JSON and UBJSON) load the same way.
pub(super) fn xgboost(call: &Call<'_>) -> Option<Snippet> {
    let class = match call.task() {
        "tabular-classification" => "XGBClassifier",
        "tabular-regression" => "XGBRegressor",
        _ => "Booster",
    };
    let file = call.file(&[".ubj"]).or_else(|| call.largest(".json", &BESIDE))?;
    let load = format!("model = xgboost.{class}()\nmodel.load_model(path)");
    Some(call.download("import xgboost", file, &load))
}

pub(super) fn lightgbm(call: &Call<'_>) -> Option<Snippet> {
    let beside = ["requirements.txt", "LICENSE.txt", "NOTICE.txt"];
    let file = call.file(&[".lgb"]).or_else(|| call.largest(".txt", &beside))?;
    Some(call.download("import lightgbm", file, "model = lightgbm.Booster(model_file=path)"))
}

pub(super) fn catboost(call: &Call<'_>) -> Option<Snippet> {
    let class = match call.task() {
        "tabular-classification" => "CatBoostClassifier",
        "tabular-regression" => "CatBoostRegressor",
        _ => "CatBoost",
    };
    let load = format!("model = catboost.{class}().load_model(path)");
    Some(call.download("import catboost", call.file(&[".cbm"])?, &load))
}
