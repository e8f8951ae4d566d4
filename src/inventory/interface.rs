//! What whoever uses a model relies on: its tensors, what its graph takes and gives, its labels, its
//! library. Told by the one pass, kept in the release record, compared with the next version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Inventory;
use crate::digest::Digest;
use crate::policy::Model;

/// Entries of one set that are kept by name; of larger ones the digest alone.
const MOST_NAMED: usize = 512;
/// Bytes of names that are kept of one set.
const MOST_BYTES: usize = 32 * 1024;

/// What is relied on. The shape is that of the release record: fields may be added, never changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Hub `library_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Hub `pipeline_tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The tensors by the file that holds them; the shards of one are one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tensors: BTreeMap<String, Named>,
    /// What a graph or a pipeline takes and gives, by the file that says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signatures: BTreeMap<String, Named>,
    /// Labels by their number, as `config.json` has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Named>,
}

/// A set of things with names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// SHA-256 of the whole set as one compact JSON object with sorted keys.
    pub sha256: Digest,
    /// How many there are.
    pub count: usize,
    /// What each is, where they are few.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub each: BTreeMap<String, String>,
}

impl Named {
    fn of(each: BTreeMap<String, String>) -> Self {
        // A map of texts cannot fail to be JSON.
        let sha256 = Digest::of(&serde_json::to_vec(&each).unwrap_or_default());
        let count = each.len();
        let bytes: usize = each.iter().map(|(name, what)| name.len() + what.len()).sum();
        let few = count <= MOST_NAMED && bytes <= MOST_BYTES;
        Self { sha256, count, each: if few { each } else { BTreeMap::new() } }
    }
}

impl Interface {
    /// What a model's files show, and what the policy says of it.
    pub fn of(inventory: &Inventory, model: &Model) -> Self {
        let config = inventory.get("config.json").and_then(|file| file.text.as_deref());
        let config: Value =
            config.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let mut signatures = signatures(inventory);
        signatures.extend(columns(&config).map(|named| ("config.json".to_owned(), named)));
        Self {
            library: model.library.clone(),
            task: model.task.clone(),
            tensors: tensors(inventory),
            signatures,
            labels: labels(&config),
        }
    }
}

/// The tensors by model; one of which not all are known is left out.
fn tensors(inventory: &Inventory) -> BTreeMap<String, Named> {
    let mut models: BTreeMap<String, Option<BTreeMap<String, String>>> = BTreeMap::new();
    for file in &inventory.files {
        let Some(tensors) = file.tensors.as_ref().filter(|tensors| tensors.count > 0) else {
            continue;
        };
        let known =
            models.entry(unsharded(file.path.as_str())).or_insert_with(|| Some(BTreeMap::new()));
        if tensors.count == tensors.each.len() as u64 {
            known.iter_mut().for_each(|all| all.extend(tensors.each.clone()));
        } else {
            *known = None;
        }
    }
    models.into_iter().filter_map(|(name, all)| Some((name, Named::of(all?)))).collect()
}

fn signatures(inventory: &Inventory) -> BTreeMap<String, Named> {
    let signed = inventory.files.iter().filter_map(|file| {
        let signature = &file.tensors.as_ref()?.signature;
        let split = |value: &String| match value.split_once(": ") {
            Some((name, what)) => (name.to_owned(), what.to_owned()),
            None => (value.clone(), String::new()),
        };
        let each: BTreeMap<_, _> = signature.iter().map(split).collect();
        (!each.is_empty()).then(|| (file.path.to_string(), Named::of(each)))
    });
    signed.collect()
}

/// The columns that a scikit-learn pipeline takes, as skops writes them.
fn columns(config: &Value) -> Option<Named> {
    let columns = config.pointer("/sklearn/columns")?.as_array()?;
    let each = columns.iter().enumerate().filter_map(|(index, column)| {
        Some((format!("column {}", column.as_str()?), index.to_string()))
    });
    Some(Named::of(each.collect()))
}

/// The labels: `id2label` of transformers, else `label_names` of timm.
fn labels(config: &Value) -> Option<Named> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let each: BTreeMap<_, _> = match (config.get("id2label"), config.get("label_names")) {
        (Some(Value::Object(labels)), _) => {
            labels.iter().map(|(id, label)| (id.clone(), text(label))).collect()
        }
        (_, Some(Value::Array(labels))) => {
            let numbered = labels.iter().enumerate();
            numbered.map(|(id, label)| (id.to_string(), text(label))).collect()
        }
        _ => return None,
    };
    Some(Named::of(each))
}

/// The path of the model that a file is a shard of: `model.safetensors` for
/// `model-00001-of-00002.safetensors`.
pub fn unsharded(path: &str) -> String {
    let digits = |c: char| c.is_ascii_digit();
    for (at, _) in path.match_indices("-of-") {
        let (before, after) = (&path[..at], &path[at + 4..]);
        let (stem, tail) = (before.trim_end_matches(digits), after.trim_start_matches(digits));
        if let Some(name) = stem.strip_suffix('-')
            && stem.len() < before.len()
            && tail.len() < after.len()
        {
            return format!("{name}{tail}");
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::testing::safetensors;

    fn of(files: &[(&str, Vec<u8>)]) -> Interface {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, content) in files {
            std::fs::write(folder.path().join(path), content).expect("written");
        }
        let text = "model: {name: churn, owner: o, library: timm}\n";
        let policy = crate::policy::parse("p", text, &[]).expect("valid");
        let inventory = super::super::take(folder.path(), "", &[], &[], &|_| {}).expect("weighed");
        Interface::of(&inventory, &policy.models[0])
    }

    #[test]
    fn shards_are_one_model_however_it_is_cut() {
        let whole = of(&[("model.safetensors", safetensors(&[("a", &[2]), ("b", &[3])], 0))]);
        let cut = of(&[
            ("model-00001-of-00002.safetensors", safetensors(&[("b", &[3])], 1)),
            ("model-00002-of-00002.safetensors", safetensors(&[("a", &[2])], 2)),
        ]);
        assert_eq!(whole, cut);
        let named = &whole.tensors["model.safetensors"];
        assert_eq!((named.count, named.each["b"].as_str()), (2, "F32 [3]"));
        let other = of(&[("model.safetensors", safetensors(&[("a", &[2]), ("b", &[4])], 0))]);
        assert_ne!(whole.tensors, other.tensors);
    }

    #[test]
    fn large_sets_are_told_by_their_digest() {
        let names: Vec<_> = (0..=MOST_NAMED).map(|number| format!("t{number}")).collect();
        let tensors: Vec<(&str, &[u64])> =
            names.iter().map(|name| (name.as_str(), &[1_u64][..])).collect();
        let many = of(&[("m.safetensors", safetensors(&tensors, 0))]);
        let set = &many.tensors["m.safetensors"];
        assert_eq!((set.count, set.each.len()), (MOST_NAMED + 1, 0));
    }

    #[test]
    fn labels_and_columns_of_a_configuration() {
        for (config, expected) in [
            (r#"{"id2label": {"0": "stays", "1": "leaves"}}"#, Some("stays leaves")),
            (r#"{"label_names": ["cat", "dog"]}"#, Some("cat dog")),
            (r#"{"id2label": [1]}"#, None),
            ("{\"id2label\": {\"0\":", None),
            (&"[".repeat(100_000), None),
        ] {
            let labels = of(&[("config.json", config.as_bytes().to_vec())]).labels;
            let labels = labels.map(|named| named.each.into_values().collect::<Vec<_>>().join(" "));
            assert_eq!(labels.as_deref(), expected, "{config:.60}");
        }
        let skops = br#"{"sklearn": {"columns": ["age", "tenure"]}}"#.to_vec();
        assert_eq!(of(&[("config.json", skops)]).signatures["config.json"].count, 2);
    }

    #[test]
    fn names_of_shards() {
        for (path, expected) in [
            ("a/model-00001-of-00002.safetensors", "a/model.safetensors"),
            ("q4-00001-of-00009.gguf", "q4.gguf"),
            ("model.safetensors", "model.safetensors"),
            ("best-of-breed.bin", "best-of-breed.bin"),
            ("1-of-2", "1-of-2"),
        ] {
            assert_eq!(unsharded(path), expected);
        }
    }
}
