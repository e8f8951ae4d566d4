//! Structure: every unknown key, missing key and wrong type of a file, collected at once by
//! walking its tree along the JSON Schema that the raw types yield.

use serde_json::Value as Schema;

use super::problem::Problem;
use super::tree::{Node, Value};
use crate::source::Position;

/// Checks a tree against the schema.
pub(super) fn check(node: &Node, schema: &Schema) -> Vec<Problem> {
    let mut walk = Walk { root: schema, problems: Vec::new() };
    walk.value(node, schema, "weighbridge.yml");
    walk.problems
}

struct Walk<'a> {
    root: &'a Schema,
    problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, node: &Node, schema: &'a Schema, name: &str) {
        let schema = self.resolve(schema);
        if let Some(choices) = choices(schema) {
            return self.choice(node, &choices, name);
        }
        let types = types(schema);
        let fits = match &node.value {
            Value::Null => types.contains(&"null"),
            Value::Bool(_) => types.contains(&"boolean"),
            Value::Integer(_) => types.contains(&"integer") || types.contains(&"number"),
            Value::Float(number) => types.contains(&"number") && number.is_finite(),
            Value::Text(_) => types.contains(&"string"),
            Value::List(_) => types.contains(&"array"),
            Value::Map(_) => types.contains(&"object"),
        };
        if !fits && !types.is_empty() {
            let problem = Problem::new(node.at, format!("`{name}` is {}", node.value.kind()));
            self.problems.push(problem.expected(expected(&types)));
            return;
        }
        match &node.value {
            Value::List(items) => {
                if let Some(item_schema) = schema.get("items") {
                    items.iter().for_each(|item| self.value(item, item_schema, name));
                }
            }
            Value::Map(_) => self.map(node, schema, name),
            Value::Integer(number) if *number < 0 && schema.get("minimum").is_some() => {
                let problem = Problem::new(node.at, format!("`{name}` is `{number}`"));
                self.problems.push(problem.expected("a whole number from 0"));
            }
            _ => {}
        }
    }

    fn map(&mut self, node: &Node, schema: &'a Schema, name: &str) {
        let Value::Map(entries) = &node.value else { return };
        let properties = schema.get("properties").and_then(Schema::as_object);
        for entry in entries {
            if let Some(inner) = properties.and_then(|known| known.get(&entry.key)) {
                self.value(&entry.node, inner, &entry.key);
            } else if let Some(inner @ Schema::Object(_)) = schema.get("additionalProperties") {
                self.value(&entry.node, inner, &entry.key);
            } else {
                let known: Vec<_> = properties
                    .into_iter()
                    .flat_map(serde_json::Map::keys)
                    .map(String::as_str)
                    .collect();
                self.problems.push(unknown(&entry.key, entry.key_at, name, &known));
            }
        }
        let required = schema.get("required").and_then(Schema::as_array).into_iter().flatten();
        for key in required.filter_map(Schema::as_str) {
            if !entries.iter().any(|entry| entry.key == key) {
                let problem = Problem::new(node.at, format!("`{name}` has no `{key}`"));
                self.problems.push(problem.help(format!("add `{key}: …`")));
            }
        }
    }

    fn choice(&mut self, node: &Node, choices: &[&str], name: &str) {
        let found = match &node.value {
            Value::Text(text) if choices.contains(&text.as_str()) => return,
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        };
        let mut problem = Problem::new(node.at, format!("`{name}` is {}", node.value.kind()))
            .expected(format!("one of {}", choices.join(", ")));
        if let Some(near) = found.and_then(|text| super::problem::closest(text, choices)) {
            problem = problem.help(format!("did you mean `{near}`?"));
        }
        self.problems.push(problem);
    }

    /// Follows `$ref`, and the one non-null branch of an optional value.
    fn resolve(&self, schema: &'a Schema) -> &'a Schema {
        if let Some(pointer) = schema.get("$ref").and_then(Schema::as_str) {
            let target = self.root.pointer(pointer.trim_start_matches('#'));
            return target.map_or(schema, |target| self.resolve(target));
        }
        let branches = schema.get("anyOf").and_then(Schema::as_array);
        let real = branches
            .into_iter()
            .flatten()
            .find(|branch| branch.get("type") != Some(&"null".into()));
        real.map_or(schema, |branch| self.resolve(branch))
    }
}

/// The values of an enumeration, in either of the shapes that schemars writes.
fn choices(schema: &Schema) -> Option<Vec<&str>> {
    if let Some(values) = schema.get("enum").and_then(Schema::as_array) {
        return Some(values.iter().filter_map(Schema::as_str).collect());
    }
    let branches = schema.get("oneOf").and_then(Schema::as_array)?;
    let mut all = Vec::new();
    for branch in branches {
        if let Some(value) = branch.get("const").and_then(Schema::as_str) {
            all.push(value);
        }
        all.extend(
            branch
                .get("enum")
                .and_then(Schema::as_array)
                .into_iter()
                .flatten()
                .filter_map(Schema::as_str),
        );
    }
    Some(all)
}

fn types(schema: &Schema) -> Vec<&str> {
    match schema.get("type") {
        Some(Schema::String(one)) => vec![one],
        Some(Schema::Array(many)) => many.iter().filter_map(Schema::as_str).collect(),
        _ => Vec::new(),
    }
}

fn expected(types: &[&str]) -> String {
    let words = types.iter().filter(|name| **name != "null").map(|name| match *name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a finite number",
        "string" => "a text",
        "array" => "a list",
        _ => "a map of keys and values",
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn unknown(key: &str, at: Position, inside: &str, known: &[&str]) -> Problem {
    let problem = Problem::new(at, format!("`{inside}` has no key `{key}`"));
    match super::problem::closest(key, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.expected(format!("one of {}", known.join(", "))),
    }
}
