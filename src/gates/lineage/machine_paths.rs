//! Paths of somebody's machine in settings that would be published.

use super::rules::MACHINE_PATH;
use crate::finding::{Finding, Location};
use crate::gates::Load;
use crate::hub::yaml_tree::{self, Node};
use crate::inventory::Artifact;
use crate::json::Value;
use crate::machine_path;
use crate::publishable;
use crate::source::SourceFile;

/// Most findings of one file.
const MOST: usize = 20;
/// Words in the names of values that are paths.
const OF_PATHS: [&str; 10] = [
    "path",
    "dir",
    "directory",
    "file",
    "filename",
    "folder",
    "checkpoint",
    "location",
    "uri",
    "cache",
];
/// Words in the names of values that are paths on a server.
const OF_ADDRESSES: [&str; 5] = ["api", "endpoint", "route", "url", "http"];

pub(super) fn judge(load: &Load<'_>) -> Vec<Finding> {
    load.inventory.files.iter().flat_map(of_file).collect()
}

fn of_file(file: &Artifact) -> Vec<Finding> {
    let Some(text) = &file.text else { return Vec::new() };
    let name = file.path.as_str();
    let mut found = Vec::new();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if ending == "json" {
        if let Ok(value) = Value::parse(text) {
            let source = SourceFile::new(&file.shown, text.as_str());
            in_json(&value, "", 0, &mut |key, value, at| {
                let at = Location::at(&file.shown, source.position(at));
                found.extend(finding(key, value, at));
            });
        }
    } else if (ending == "yaml" || name == "MLmodel")
        && let Ok(Some(root)) = yaml_tree::parse(text)
    {
        in_yaml(&root, "", &mut |key, node, value| {
            found.extend(finding(key, value, Location::at(&file.shown, node.at)));
        });
    }
    found.truncate(MOST);
    found
}

/// Every text with the key it stands under, and the byte of that key.
fn in_json(value: &Value, key: &str, at: usize, each: &mut dyn FnMut(&str, &str, usize)) {
    match value {
        Value::Text(text) => each(key, text, at),
        Value::List(items) => items.iter().for_each(|item| in_json(item, key, at, each)),
        Value::Map(entries) => {
            for (key, value) in entries {
                in_json(value, &key.name, key.at, each);
            }
        }
        Value::Number(..) | Value::Bool(_) | Value::Null => {}
    }
}

fn in_yaml(node: &Node, key: &str, each: &mut dyn FnMut(&str, &Node, &str)) {
    match &node.value {
        yaml_tree::Value::Scalar { text, .. } => each(key, node, text),
        yaml_tree::Value::List(items) => items.iter().for_each(|item| in_yaml(item, key, each)),
        yaml_tree::Value::Map(entries) => {
            for (name, value) in entries {
                let yaml_tree::Value::Scalar { text, .. } = &name.value else { continue };
                in_yaml(value, text, each);
            }
        }
    }
}

fn finding(key: &str, value: &str, at: Location) -> Option<Finding> {
    let is_path = if names_path(key) { machine_path::is_one } else { machine_path::is_surely_one };
    if !is_path(value) {
        return None;
    }
    let told = machine_path::name_of(value).map_or("…".into(), |name| format!("…/{name}"));
    let shown: String = key.chars().take(60).collect();
    let message = format!("`{shown}` is a path of the machine that made it (`{told}`)");
    let finding = Finding::new(&MACHINE_PATH, message, at);
    Some(match key {
        "base_model_name_or_path" => finding.with_fix(
            "set `base_model_name_or_path` to the base model's id on the Hub (`owner/name`): PEFT loads \
             the base model from there",
        ),
        "_name_or_path" => finding.with_fix(
            "set `_name_or_path` to the base model's id on the Hub, or remove it: loading does not need it",
        ),
        "best_model_checkpoint" => finding.with_fix(
            "leave the state of the training out (`exclude: [trainer_state.json]`), or set \
             `best_model_checkpoint` to null",
        ),
        _ => finding,
    })
}

/// Whether a key says that its value is a path of a machine: `output_dir`, `tokenizerFile`, `savepath`.
fn names_path(key: &str) -> bool {
    let words = publishable::words(key);
    let words: Vec<_> = words.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let is_of = |known: &[&str]| {
        words.iter().any(|word| {
            known.contains(word) || word.strip_suffix('s').is_some_and(|one| known.contains(&one))
        })
    };
    let joined = words.iter().any(|word| word.ends_with("path") || word.ends_with("dir"));
    (joined || is_of(&OF_PATHS)) && !is_of(&OF_ADDRESSES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_whole_words() {
        for (key, value, is_path) in [
            ("output_dir", "/ceph/ada/x", true),
            ("tokenizerFile", "/ceph/ada/x", true),
            ("savepath", "/ceph/ada/x", true),
            ("checkpoints", "/ceph/ada/x", true),
            ("anything", "/home/ada/x", true),
            ("endpoint_path", "/home/ada/x", true),
            ("profile", "/api/v1", false),
            ("direction", "/x/y", false),
            ("anything", "/ceph/ada/x", false),
            ("endpoint_path", "/v1/chat/completions", false),
        ] {
            let found = finding(key, value, Location::release());
            assert_eq!(found.is_some(), is_path, "{key}: {value}");
        }
    }
}
