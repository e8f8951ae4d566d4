//! Paths of somebody's machine in settings that would be published.

use super::rules::MACHINE_PATH;
use crate::finding::{Finding, Location};
use crate::gates::Load;
use crate::hub::yaml_tree::{self, Node};
use crate::inventory::Artifact;
use crate::json::Value;
use crate::machine_path;
use crate::source::SourceFile;

/// Most findings of one file.
const MOST: usize = 20;
/// Parts of the names of values that are paths.
const OF_PATHS: [&str; 8] =
    ["path", "dir", "file", "folder", "checkpoint", "location", "uri", "cache"];

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
    let lower = key.to_lowercase();
    let is_path = if OF_PATHS.iter().any(|part| lower.contains(part)) {
        machine_path::is_one(value)
    } else {
        machine_path::is_surely_one(value)
    };
    if !is_path {
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
