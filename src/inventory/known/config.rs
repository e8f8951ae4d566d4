//! `config.json`: of transformers above all; timm, skops and MLX write one too.

use super::base::{Base, Relation, id};
use super::document::{Document, list, shown};
use super::{Fact, Known};
use crate::inventory::Inventory;
use crate::json::Value;

/// Facts that are text, with the keys that libraries have for them.
const TEXTS: [(&str, &[&str]); 4] = [
    ("Architecture", &["architectures", "architecture"]),
    ("Model type", &["model_type"]),
    ("Problem type", &["problem_type"]),
    ("Data type", &["dtype", "torch_dtype"]),
];
/// Facts that are whole numbers.
const NUMBERS: [(&str, &[&str]); 6] = [
    (
        "Context length",
        &["max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "n_ctx"],
    ),
    ("Layers", &["num_hidden_layers", "n_layer", "n_layers", "num_layers"]),
    ("Hidden size", &["hidden_size", "n_embd", "d_model"]),
    ("Attention heads", &["num_attention_heads", "n_head", "n_heads"]),
    ("Experts", &["num_experts", "num_local_experts", "n_routed_experts"]),
    ("Vocabulary size", &["vocab_size"]),
];

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let Some(config) = Document::json(inventory, "config.json") else { return };
    for (name, keys) in TEXTS {
        let found = find(&config, keys, |value| matches!(value, Value::Text(_) | Value::List(_)));
        known.model.extend(config.fact(name, found));
    }
    for (name, keys) in NUMBERS {
        let found = find(&config, keys, |value| config.whole(value).is_some_and(|n| n != "0"));
        known.model.extend(config.fact(name, found));
    }
    known.model.extend(quantization(&config));
    known.model.extend(labels(&config));
    known.software.extend(config.fact("transformers", config.at(&["transformers_version"])));
    skops(&config, known);
    let base = config.at(&["_name_or_path"]).and_then(Value::text).and_then(id);
    known.bases.extend(base.map(|id| Base {
        id,
        relation: relation(inventory, &config),
        file: config.path().to_owned(),
        is_stated: false,
    }));
}

/// The first of the keys whose value is of the kind, at the top or in the part for text.
fn find<'d>(
    config: &'d Document<'_>,
    keys: &[&str],
    is_one: impl Fn(&Value) -> bool,
) -> Option<&'d Value> {
    let inner = keys.iter().map(|key| config.at(&["text_config", key]));
    let mut found = keys.iter().map(|key| config.at(&[key])).chain(inner).flatten();
    found.find(|value| is_one(value))
}

/// What was done to it since, where the folder shows that.
fn relation(inventory: &Inventory, config: &Document<'_>) -> Option<Relation> {
    if config.at(&["quantization_config"]).or_else(|| config.at(&["quantization"])).is_some() {
        return Some(Relation::Quantized);
    }
    inventory.get("trainer_state.json").map(|_| Relation::Finetune)
}

fn quantization(config: &Document<'_>) -> Option<Fact> {
    let word = |keys: &[&str]| config.at(keys).and_then(|value| config.shown(value));
    let method = word(&["quantization_config", "quant_method"]);
    let bits = ["quantization_config", "quantization"]
        .iter()
        .find_map(|part| config.whole(config.at(&[part, "bits"])?))
        .map(|bits| format!("{bits} bits"));
    let said = [method, bits].into_iter().flatten().collect::<Vec<_>>();
    config.said("Quantisation", &said.join(", "))
}

/// Labels that are shown.
const MOST_LABELS: usize = 20;

/// The labels in the order of their ids, unless nobody named them.
fn labels(config: &Document<'_>) -> Option<Fact> {
    let mut labels: Vec<(u64, &Value)> = match config.at(&["id2label"])? {
        Value::List(items) => (0..).zip(items).collect(),
        map => map
            .entries()
            .iter()
            .filter_map(|(key, label)| Some((key.name.parse().ok()?, label)))
            .collect(),
    };
    labels.sort_by_key(|(id, _)| *id);
    let is_named = |(id, label): &(u64, &Value)| label.text() != Some(&format!("LABEL_{id}"));
    if !labels.iter().any(is_named) {
        return None;
    }
    let first = labels.iter().take(MOST_LABELS).map(|(_, label)| {
        let label = label.text().and_then(shown).unwrap_or_else(|| "?".to_owned());
        label.chars().take(40).collect()
    });
    let first: Vec<String> = first.collect();
    let named = list(&first, labels.len());
    // Not through the limit of a value: twenty labels may be longer together.
    Some(Fact {
        name: "Labels".to_owned(),
        value: format!("{}: {named}", labels.len()),
        file: config.path().to_owned(),
    })
}

/// What skops writes for the Hub: `{"sklearn": {"columns": […], "environment": ["numpy=2.1"]}}`.
fn skops(config: &Document<'_>, known: &mut Known) {
    known.model.extend(config.fact("Features", config.at(&["sklearn", "columns"])));
    let packages = config.at(&["sklearn", "environment"]).map(Value::list).unwrap_or_default();
    for package in packages.iter().take(super::MOST).filter_map(Value::text) {
        if let Some((name, version)) = package.split_once('=') {
            let version = version.trim_start_matches('=');
            known.software.extend(config.said(name.trim(), version));
        }
    }
}
