//! Every key of weighbridge.yml as a page: made from the schema, which is made from the types.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// docs/policy-keys.md.
pub fn keys_page() -> String {
    let schema = super::schema_value();
    let mut page = Page { schema: &schema, told: BTreeMap::new(), text: HEAD.to_owned() };
    page.section("", &schema);
    page.text
}

const HEAD: &str = "\
# Every key of weighbridge.yml

Made from the program's own types: `weighbridge schema --format markdown`. What the keys are for, with examples:
[policy.md](policy.md). In a repository of several models, an entry of `models` takes the keys of `model`.
";

struct Page<'s> {
    schema: &'s Value,
    /// Sections that stand on the page, with their paths; one that several keys lead to stands there
    /// once.
    told: BTreeMap<&'s str, String>,
    text: String,
}

impl<'s> Page<'s> {
    /// A section and, behind it, those that its keys lead to.
    fn section(&mut self, path: &str, section: &'s Value) {
        let Some(properties) = section.get("properties").and_then(Value::as_object) else { return };
        let title = if path.is_empty() { "The file".to_owned() } else { format!("`{path}`") };
        // Writing to a String cannot fail, here and below.
        let _ = write!(self.text, "\n## {title}\n");
        if !path.is_empty() {
            let _ = write!(self.text, "\n{}\n", prose(section));
        }
        // All of them before any of theirs: what stands at the top of the file is told there.
        let below: Vec<_> = properties
            .iter()
            .filter_map(|(key, value)| {
                let (name, suffix) = reference(value)?;
                let target = self.definition(name).filter(|of| of.get("properties").is_some())?;
                let dot = if path.is_empty() { "" } else { "." };
                if self.told.contains_key(name) {
                    return None;
                }
                let path = format!("{path}{dot}{key}{suffix}");
                self.told.insert(name, path.clone());
                Some((path, target))
            })
            .collect();
        self.text.push_str("\n| key | value | meaning |\n| --- | --- | --- |\n");
        let required: Vec<_> =
            section.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        for (key, value) in properties {
            let must =
                if required.contains(&&Value::from(key.as_str())) { ", required" } else { "" };
            let row = format!("| `{key}` | {}{must} | {} |\n", self.kind(value), prose(value));
            self.text.push_str(&row);
        }
        for (path, target) in below {
            self.section(&path, target);
        }
    }

    fn definition(&self, name: &str) -> Option<&'s Value> {
        self.schema.get("$defs")?.get(name)
    }

    /// What may stand behind a key, in words.
    fn kind(&self, value: &'s Value) -> String {
        if let Some((name, suffix)) = reference(value) {
            let one =
                self.definition(name).map_or_else(|| "a value".to_owned(), |of| self.named(of));
            let one = match self.told.get(name) {
                Some(path) => format!("[{one}](#{})", anchor(path)),
                None => one,
            };
            return match suffix {
                "[]" => format!("list of {}", plural(&one)),
                ".*" => format!("map to {one}"),
                _ => one,
            };
        }
        let Some(object) = value.as_object() else { return "a value".into() };
        match types(object).as_slice() {
            [one] => self.typed(one, object),
            several => several.join(" or "),
        }
    }

    fn typed(&self, name: &str, object: &'s Map<String, Value>) -> String {
        match name {
            "array" => object.get("items").map_or_else(
                || "list".to_owned(),
                |items| format!("list of {}", plural(&self.kind(items))),
            ),
            "object" => object.get("additionalProperties").map_or_else(
                || "map".to_owned(),
                |values| format!("map to {}", plural(&self.kind(values))),
            ),
            "boolean" => "`true` or `false`".to_owned(),
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            other => other.to_owned(),
        }
    }

    /// A definition: its words where it is a choice, else what it is.
    fn named(&self, definition: &'s Value) -> String {
        let choices = definition.get("oneOf").or_else(|| definition.get("enum"));
        let words: Vec<_> = choices
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|choice| choice.get("const").unwrap_or(choice).as_str())
            .map(|word| format!("`{word}`"))
            .collect();
        if !words.is_empty() {
            return words.join(", ");
        }
        if definition.get("properties").is_some() {
            "section".to_owned()
        } else {
            self.kind(definition)
        }
    }
}

/// The definition that a value leads to, and how: itself, as a list (`[]`), or as a map (`.*`).
fn reference(value: &Value) -> Option<(&str, &'static str)> {
    named(value)
        .map(|name| (name, ""))
        .or_else(|| {
            let any = value.get("anyOf")?.as_array()?;
            any.iter().find_map(named).map(|name| (name, ""))
        })
        .or_else(|| named(value.get("items")?).map(|name| (name, "[]")))
        .or_else(|| named(value.get("additionalProperties")?).map(|name| (name, ".*")))
}

fn named(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// The types that a value may have; `null` only says that the key may be left out.
fn types(object: &Map<String, Value>) -> Vec<&str> {
    match object.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect()
        }
        _ => vec!["value"],
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "text" => "texts".to_owned(),
        section if section.starts_with("[section]") => section.replacen("section", "sections", 1),
        other => other.to_owned(),
    }
}

/// How GitHub names the heading of a section.
fn anchor(path: &str) -> String {
    path.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// The description in one line, as a cell of a table takes it.
fn prose(value: &Value) -> String {
    let text = value.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
