//! Gradient boosting: XGBoost, LightGBM, `CatBoost`.

use super::call::{Call, Snippet, ends};

/// Both of XGBoost's formats (JSON and UBJSON) load the same way.
pub(super) fn xgboost(call: &Call<'_>) -> Option<Snippet> {
    let class = match call.task() {
        "tabular-classification" => "XGBClassifier",
        "tabular-regression" => "XGBRegressor",
        _ => "Booster",
    };
    let file = call.one_file(
        |path, sample| ends(path, ".ubj") || (ends(path, ".json") && is_xgboost(sample)),
        is_usual,
    )?;
    let load = format!("model = xgboost.{class}()\nmodel.load_model(path)");
    Some(call.download("import xgboost", file, &load))
}

pub(super) fn lightgbm(call: &Call<'_>) -> Option<Snippet> {
    let is_model =
        |path: &str, sample: &[u8]| ends(path, ".lgb") || sample.starts_with(b"tree\nversion=");
    let file = call.one_file(is_model, is_usual)?;
    Some(call.download("import lightgbm", file, "model = lightgbm.Booster(model_file=path)"))
}

pub(super) fn catboost(call: &Call<'_>) -> Option<Snippet> {
    let class = match call.task() {
        "tabular-classification" => "CatBoostClassifier",
        "tabular-regression" => "CatBoostRegressor",
        _ => "CatBoost",
    };
    let load = format!("model = catboost.{class}().load_model(path)");
    let file = call.one_file(|path, _| ends(path, ".cbm"), is_usual)?;
    Some(call.download("import catboost", file, &load))
}

/// How a JSON model of XGBoost begins, whose keys are sorted. A saved configuration has a `learner`
/// too, and no `attributes` in it.
fn is_xgboost(sample: &[u8]) -> bool {
    let solid: Vec<_> = sample.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    solid.starts_with(br#"{"learner":{"attributes":"#)
}

/// Names by which models go, beside which others of their kind are parts or variants.
fn is_usual(name: &str) -> bool {
    let name = name.to_lowercase();
    ["model.", "xgboost", "lightgbm", "catboost"].iter().any(|start| name.starts_with(start))
}
