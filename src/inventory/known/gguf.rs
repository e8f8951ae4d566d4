//! GGUF headers, as the scanner kept them.

use std::collections::BTreeMap;

use super::base::{Base, Relation, id};
use super::{Fact, Known};
use crate::inventory::Inventory;

/// Facts under the architecture's own prefix.
const OF_ARCHITECTURE: [(&str, &str); 5] = [
    ("Context length", "context_length"),
    ("Layers", "block_count"),
    ("Hidden size", "embedding_length"),
    ("Attention heads", "attention.head_count"),
    ("Experts", "expert_count"),
];
/// Facts on the whole. The licence is the policy's to say.
const GENERAL: [(&str, &str); 4] = [
    ("Name in the file", "general.name"),
    ("Version in the file", "general.version"),
    ("Size", "general.size_label"),
    ("Fine-tune", "general.finetune"),
];
/// Files that are read: quantisations of one model say the same.
const MOST_FILES: usize = 20;

pub(super) fn read(inventory: &Inventory, known: &mut Known) {
    let files = inventory.files.iter().filter(|file| file.format.as_str() == "gguf");
    for file in files.take(MOST_FILES) {
        let Some(said) = file.tensors.as_ref().map(|tensors| &tensors.metadata) else { continue };
        read_one(said, file.path.as_str(), known);
    }
}

fn read_one(said: &BTreeMap<String, String>, path: &str, known: &mut Known) {
    let mut add = |name: &str, value: Option<&String>| {
        let value = value.and_then(|value| super::document::shown(value));
        known.model.extend(value.and_then(|value| Fact::of(name, &value, path)));
    };
    let architecture = said.get("general.architecture");
    add("Architecture", architecture);
    for (name, key) in OF_ARCHITECTURE {
        add(name, architecture.and_then(|prefix| said.get(&format!("{prefix}.{key}"))));
    }
    add("Vocabulary size", said.get("tokenizer.ggml.tokens"));
    for (name, key) in GENERAL {
        add(name, said.get(key));
    }
    let file_type = said.get("general.file_type").and_then(|number| file_type(number));
    add("Quantisation", file_type.map(str::to_owned).as_ref());
    let relation = file_type
        .filter(|name| !["F32", "F16", "BF16"].contains(name))
        .map(|_| Relation::Quantized);
    let bases = said
        .iter()
        .filter(|(key, _)| key.starts_with("general.base_model.") && key.ends_with(".repo_url"));
    for (_, address) in bases {
        let Some(id) = id(address) else { continue };
        if !known.bases.iter().any(|base| base.id == id) {
            known.bases.push(Base { id, relation, file: path.to_owned(), is_stated: true });
        }
    }
}

/// The names of `LLAMA_FTYPE`.
fn file_type(number: &str) -> Option<&'static str> {
    const NAMES: [(u8, &str); 35] = [
        (0, "F32"),
        (1, "F16"),
        (2, "Q4_0"),
        (3, "Q4_1"),
        (7, "Q8_0"),
        (8, "Q5_0"),
        (9, "Q5_1"),
        (10, "Q2_K"),
        (11, "Q3_K_S"),
        (12, "Q3_K_M"),
        (13, "Q3_K_L"),
        (14, "Q4_K_S"),
        (15, "Q4_K_M"),
        (16, "Q5_K_S"),
        (17, "Q5_K_M"),
        (18, "Q6_K"),
        (19, "IQ2_XXS"),
        (20, "IQ2_XS"),
        (21, "Q2_K_S"),
        (22, "IQ3_XS"),
        (23, "IQ3_XXS"),
        (24, "IQ1_S"),
        (25, "IQ4_NL"),
        (26, "IQ3_S"),
        (27, "IQ3_M"),
        (28, "IQ2_S"),
        (29, "IQ2_M"),
        (30, "IQ4_XS"),
        (31, "IQ1_M"),
        (32, "BF16"),
        (36, "TQ1_0"),
        (37, "TQ2_0"),
        (38, "MXFP4_MOE"),
        (39, "NVFP4"),
        (40, "Q1_0"),
    ];
    let number: u8 = number.parse().ok()?;
    NAMES.iter().find(|(of, _)| *of == number).map(|(_, name)| *name)
}
