//! Structure: every unknown key, missing key and wrong type of a file, collected at once by
//! walking its tree along the JSON Schema that the raw types yield.

use serde_json::Value as Schema;

use super::problem::Problem;
use super::tree::{Node, Value};
use crate::source::Position;

/// What the structure is like.
pub(super) struct Findings {
    /// Everything that is wrong with it.
    pub(super) problems: Vec<Problem>,
    /// Whether the raw types can be read all the same: keys too many do not hinder that.
    pub(super) readable: bool,
}

/// Checks a tree against the schema.
pub(super) fn check(node: &Node, schema: &Schema) -> Findings {
    if matches!(node.value, Value::Null) {
        let problem = Problem::new(node.at, "the file is empty");
        let problems = vec![problem.help("begin with `model: {name: …, owner: …}`")];
        return Findings { problems, readable: false };
    }
    let mut walk = Walk { root: schema, problems: Vec::new(), readable: true };
    walk.value(node, schema, "weighbridge.yml");
    Findings { problems: walk.problems, readable: walk.readable }
}

struct Walk<'a> {
    root: &'a Schema,
    problems: Vec<Problem>,
    readable: bool,
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
            self.unreadable(problem.help(mend(&node.value, &types)));
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
                self.unreadable(problem.expected("a whole number from 0"));
            }
            _ => {}
        }
    }

    fn map(&mut self, node: &Node, schema: &'a Schema, name: &str) {
        let Value::Map(entries) = &node.value else { return };
        let properties = schema.get("properties").and_then(Schema::as_object);
        for (index, entry) in entries.iter().enumerate() {
            if let Some(first) = entries[..index].iter().find(|first| first.key == entry.key) {
                let message = format!("`{}` is given twice", entry.key);
                let help = format!("remove it, or the one on line {}", first.key_at.line);
                self.problems.push(Problem::new(entry.key_at, message).help(help));
            }
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
                let elsewhere = self.sections_with(&entry.key);
                self.problems.push(unknown(&entry.key, entry.key_at, name, &known, &elsewhere));
            }
        }
        let required = schema.get("required").and_then(Schema::as_array).into_iter().flatten();
        for key in required.filter_map(Schema::as_str) {
            if !entries.iter().any(|entry| entry.key == key) {
                let problem = Problem::new(node.at, format!("`{name}` has no `{key}`"));
                self.unreadable(problem.help(format!("add `{key}: …`")));
            }
        }
    }

    fn unreadable(&mut self, problem: Problem) {
        self.problems.push(problem);
        self.readable = false;
    }

    /// Keys of the file whose section knows `key`: where a key in the wrong place may belong.
    fn sections_with(&self, key: &str) -> Vec<&'a str> {
        let top = self.root.get("properties").and_then(Schema::as_object);
        let knows = |schema: &'a Schema| {
            let section = self.resolve(schema);
            let section = section.get("items").map_or(section, |items| self.resolve(items));
            section.get("properties").is_some_and(|keys| keys.get(key).is_some())
        };
        let sections = top.into_iter().flatten().filter(|(_, schema)| knows(schema));
        sections.map(|(name, _)| name.as_str()).collect()
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
        self.unreadable(problem);
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

/// What was expected, and how to write it where the slip is a common one.
fn mend(found: &Value, types: &[&str]) -> String {
    let scalar = match found {
        Value::Text(text) if text.chars().count() <= 60 => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Float(value) if value.is_finite() => Some(value.to_string()),
        _ => None,
    };
    let expected = expected(types);
    match (scalar, found) {
        (Some(text), Value::Text(_)) if types.contains(&"array") => {
            format!("expected {expected}: write `[{text}]`")
        }
        (Some(text), _) if types.contains(&"string") => {
            format!("expected {expected}: write `\"{text}\"`")
        }
        (Some(text), Value::Text(_))
            if types.contains(&"boolean")
                && matches!(text.as_str(), "yes" | "on" | "Yes" | "On") =>
        {
            format!("expected {expected}: write `true`")
        }
        (Some(text), Value::Text(_))
            if types.contains(&"boolean")
                && matches!(text.as_str(), "no" | "off" | "No" | "Off") =>
        {
            format!("expected {expected}: write `false`")
        }
        _ => format!("expected {expected}"),
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

fn unknown(key: &str, at: Position, inside: &str, known: &[&str], elsewhere: &[&str]) -> Problem {
    let problem = Problem::new(at, format!("`{inside}` has no key `{key}`"));
    match super::problem::closest(key, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None if !elsewhere.is_empty() => {
            problem.help(format!("`{key}` belongs under `{}:`", elsewhere.join(":` or `")))
        }
        None => problem.expected(format!("one of {}", known.join(", "))),
    }
}
