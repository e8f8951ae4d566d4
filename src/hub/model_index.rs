//! The Hub's rules for `model-index`, the results a card reports.
//!
//! Source: hub-docs, model card metadata; messages as the server's pre-receive hook prints them.

use super::card_rules::{CardCheck, Fix, is_hub_id, short, unset};
use super::yaml_tree::{Node, Value};

/// Checks the whole value of the key.
pub(super) fn check(check: &mut CardCheck, node: &Node) {
    for (entry, path) in items(check, node, "model-index") {
        text(check, entry, &path, "name", true);
        let Some(results) = required(check, entry, &path, "results") else { continue };
        for (result, path) in items(check, results, &format!("{path}.results")) {
            one_result(check, result, &path);
        }
    }
}

fn one_result(check: &mut CardCheck, result: &Node, path: &str) {
    if let Some(task) = required(check, result, path, "task") {
        text(check, task, &format!("{path}.task"), "type", true);
        text(check, task, &format!("{path}.task"), "name", false);
    }
    if let Some(dataset) = required(check, result, path, "dataset") {
        one_dataset(check, dataset, &format!("{path}.dataset"));
    }
    if let Some(metrics) = required(check, result, path, "metrics") {
        for (metric, path) in items(check, metrics, &format!("{path}.metrics")) {
            text(check, metric, &path, "type", true);
            required(check, metric, &path, "value");
        }
    }
    if let Some(source) = result.get("source") {
        text(check, source, &format!("{path}.source"), "url", true);
    }
}

fn one_dataset(check: &mut CardCheck, dataset: &Node, path: &str) {
    text(check, dataset, path, "name", true);
    text(check, dataset, path, "type", true);
    for key in ["config", "split", "revision"] {
        text(check, dataset, path, key, false);
    }
    if let Some(kind) = dataset.get("type")
        && let Some(id) = kind.as_text()
        && !is_hub_id(id)
    {
        let id = short(id);
        let message = format!(
            "\"{path}.type\" with value \"{id}\" fails to match the pattern of a dataset id: \
             `name` or `namespace/name` of letters, digits, `_`, `-` and `.`"
        );
        let fix = Fix::Write("name the dataset as `namespace/name`; its title belongs in `name`");
        check.refuse(kind, message, fix);
    }
    if let Some(split) = dataset.get("split").filter(|split| split.as_text() == Some("None")) {
        let message = format!("\"{path}.split\" is the word None, which a tool left behind");
        check.warn(split, message, Fix::Remove("split"));
    }
}

/// The value of a key that has to be there.
fn required<'a>(check: &mut CardCheck, node: &'a Node, path: &str, key: &str) -> Option<&'a Node> {
    let found = node.get(key);
    if found.is_none() {
        let message = match node.value {
            Value::Map(_) => format!("\"{path}.{key}\" is required"),
            _ => format!("\"{path}\" must be of type object"),
        };
        check.refuse(node, message, Fix::Write("add it, or remove the result it belongs to"));
    }
    found
}

/// A key whose value is text when it is there.
fn text(check: &mut CardCheck, node: &Node, path: &str, key: &'static str, needed: bool) {
    let found = if needed { required(check, node, path, key) } else { node.get(key) };
    if let Some(found) = found
        && found.as_text().is_none()
    {
        let fix = match key {
            // Only what may be absent can go.
            "config" | "split" | "revision" => unset(found, key, "write text, in quotes"),
            _ => Fix::Write("write text, in quotes"),
        };
        check.refuse(found, format!("\"{path}.{key}\" must be a string"), fix);
    }
}

/// The items of a list, each with its path; anything else is refused.
fn items<'a>(check: &mut CardCheck, node: &'a Node, path: &str) -> Vec<(&'a Node, String)> {
    if let Value::List(items) = &node.value {
        let path = |index| format!("{path}[{index}]");
        return items.iter().enumerate().map(|(index, item)| (item, path(index))).collect();
    }
    let fix = Fix::Write("begin each entry with `- `");
    check.refuse(node, format!("\"{path}\" must be an array"), fix);
    Vec::new()
}
