//! `requirements.txt` in the artifact folder: the libraries that models are made with, of all it names.

use super::{Fact, Known};
use crate::inventory::Inventory;

/// Libraries whose version decides whether a model loads, or what it answers.
const LIBRARIES: [&str; 24] = [
    "catboost",
    "diffusers",
    "fastai",
    "flax",
    "jax",
    "keras",
    "lightgbm",
    "mlx",
    "numpy",
    "onnx",
    "onnxruntime",
    "peft",
    "pytorch-lightning",
    "scikit-learn",
    "sentence-transformers",
    "setfit",
    "skops",
    "spacy",
    "tensorflow",
    "timm",
    "tokenizers",
    "torch",
    "transformers",
    "xgboost",
];
const PATH: &str = "requirements.txt";

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let Some(text) = inventory.get(PATH).and_then(|file| file.text.as_deref()) else { return };
    let mut left = LIBRARIES.len();
    for line in text.lines() {
        // Behind these stand a comment, what the requirement holds for, and options of pip.
        let line = line.split(['#', ';', '\\']).next().unwrap_or_default();
        let line = line.split(" --").next().unwrap_or_default();
        let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        let (name, rest) = line.split_at(end.unwrap_or(line.len()));
        let name = name.to_ascii_lowercase().replace('_', "-");
        if !LIBRARIES.contains(&name.as_str()) || left == 0 {
            continue;
        }
        // Extras say nothing of the version, and an address is none.
        let rest = rest.rsplit_once(']').map_or(rest, |(_, rest)| rest).trim();
        let version = rest.strip_prefix("==").unwrap_or(rest).trim();
        if !version.starts_with('@') {
            known.software.extend(Fact::of(&name, version, PATH));
            left -= 1;
        }
    }
}
