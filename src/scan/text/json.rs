//! JSON that comes with models: settings that name code, templates, indexes of shards.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{inside, jinja, keras, python, skops};
use crate::finding::{Level, Rule};
use crate::scan::{Detection, Limits, Subject};

pub(in crate::scan) const REMOTE: Rule = Rule {
    id: "remote-code",
    level: Level::Note,
    summary: "a model that needs its own code to load",
    reason: "Users have to trust it with `trust_remote_code=True`.",
    fix: "contribute the architecture to the library, or keep the code short and reviewed",
    example: "\"auto_map\": {\"AutoModel\": \"modeling_custom.Net\"}",
};

pub(in crate::scan) const FOREIGN: Rule = Rule {
    id: "foreign-code",
    level: Level::Error,
    summary: "settings that load code from another repository, or a function that runs things",
    reason: "That code can change at any time, and nobody here weighs it.",
    fix: "copy the code into the model's folder and name it there, or remove the setting",
    example: "\"auto_map\": {\"AutoModel\": \"someone/repo--modeling.Net\"}",
};

pub(in crate::scan) const ESCAPES: Rule = Rule {
    id: "path-escape",
    level: Level::Error,
    summary: "settings that name a file outside the model's folder",
    reason: "Loaders open what is named, wherever that is.",
    fix: "name files relative to the folder, without `..`",
    example: "\"weight_map\": {\"w\": \"../../../etc/passwd\"}",
};

pub(in crate::scan) const TWICE: Rule = Rule {
    id: "duplicate-key",
    level: Level::Error,
    summary: "settings that name code twice under one key",
    reason: "Readers take the first or the last of two keys: one sees other code than another.",
    fix: "keep one of the two",
    example: "\"auto_map\" twice in config.json",
};

/// Values are no deeper in honest settings.
const DEEPEST: usize = 120;

/// JSON that keeps duplicate keys apart.
pub(super) enum Value {
    Map(Vec<(String, Value)>),
    List(Vec<Value>),
    Text(String),
    Other,
}

impl Value {
    /// The last value under a key, as Python reads it.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => {
                entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> &[Value] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Value::Map(entries))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Value::List(items))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Files that name code or templates, however long they are.
pub(super) fn matters(name: &str) -> bool {
    name.ends_with("config.json")
        || matches!(
            name,
            "chat_template.json"
                | "schema.json"
                | "model_index.json"
                | "modules.json"
                | "additional_chat_templates.json"
        )
}

/// What loaders would do with it.
pub(super) fn scan(text: &str, subject: &Subject<'_>, limits: Limits<'_>) -> Vec<Detection> {
    // Python writes NaN and Infinity; their place in settings is none that matters here.
    let value: Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(value) => value,
        Err(_) => match serde_json::from_str(&without_nan(text)) {
            Ok(value) => value,
            Err(_) => return Vec::new(),
        },
    };
    let mut found = Vec::new();
    walk(&value, subject, 0, &mut found);
    if keras::is_model(&value) {
        found.extend(keras::scan(&value, limits));
    }
    if skops::is_schema(&value) {
        found.extend(skops::scan(&value));
    }
    found
}

fn without_nan(text: &str) -> String {
    let mut out = text.to_owned();
    for (word, number) in [("-Infinity", "0"), ("Infinity", "0"), ("NaN", "0")] {
        for before in [":", ": ", ",", ", ", "[", "[ "] {
            out = out.replace(&format!("{before}{word}"), &format!("{before}{number}"));
        }
    }
    out
}

fn walk(value: &Value, subject: &Subject<'_>, depth: usize, found: &mut Vec<Detection>) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Map(entries) => {
            for (index, (key, inner)) in entries.iter().enumerate() {
                let again = entries[..index].iter().any(|(earlier, _)| earlier == key);
                if again
                    && matches!(
                        key.as_str(),
                        "auto_map"
                            | "chat_template"
                            | "class_name"
                            | "module"
                            | "config"
                            | "__module__"
                            | "__class__"
                            | "weight_map"
                    )
                {
                    found.push(say(&TWICE, format!("`{key}` stands there twice")));
                }
                entry(key, inner, subject, found);
                walk(inner, subject, depth + 1, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| walk(item, subject, depth + 1, found)),
        Value::Text(_) | Value::Other => {}
    }
}

fn entry(key: &str, value: &Value, subject: &Subject<'_>, found: &mut Vec<Detection>) {
    match key {
        "chat_template" | "template" | "default_chat_template" => templates(value, key, found),
        "additional_chat_templates" => {
            if let Value::Map(entries) = value {
                entries.iter().for_each(|(_, template)| templates(template, key, found));
            }
        }
        "auto_map" | "custom_pipelines" => names_code(key, value, found),
        "weight_map" | "paths" => {
            for path in texts(value) {
                if crate::scan::archive_escapes(path).is_some() {
                    found.push(say(&ESCAPES, format!("`{key}` names `{path:.80}`")));
                }
            }
        }
        "_target_" => found.extend(value.text().and_then(target)),
        // sentence-transformers' list of modules.
        "type" if subject.file_name() == "modules.json" => {
            if let Some(class) =
                value.text().filter(|class| !class.starts_with("sentence_transformers."))
            {
                found.push(say(&REMOTE, format!("it needs the class `{class:.80}`")));
            }
        }
        "custom_pipeline" => {
            if let Some(path) = value.text() {
                found.push(say(&REMOTE, format!("it needs the pipeline `{path:.80}`")));
            }
        }
        _ => {}
    }
}

fn templates(value: &Value, place: &str, found: &mut Vec<Detection>) {
    match value {
        Value::Text(template) => found.extend(inside(jinja::scan(template), place)),
        Value::List(items) => items.iter().for_each(|item| templates(item, place, found)),
        Value::Map(entries) => {
            for (name, inner) in entries {
                if let Value::Text(template) = inner {
                    found.extend(inside(jinja::scan(template), &format!("{place}/{name}")));
                }
            }
        }
        Value::Other => {}
    }
}

fn names_code(key: &str, value: &Value, found: &mut Vec<Detection>) {
    let mut said = false;
    for class in texts(value) {
        if class.contains("--") || class.contains("://") {
            found.push(say(
                &FOREIGN,
                format!("`{key}` loads `{class:.120}` from another repository"),
            ));
        } else if class.contains("..") || class.starts_with('/') {
            found.push(say(&ESCAPES, format!("`{key}` names `{class:.120}`")));
        } else if !said {
            said = true;
            found.push(say(&REMOTE, format!("`{key}` needs `{class:.120}`")));
        }
    }
}

/// Hydra's `_target_`: a dotted name that is imported and called.
pub(super) fn target(name: &str) -> Option<Detection> {
    let (module, last) = name.rsplit_once('.')?;
    match crate::scan::pickle::refused(module, last) {
        Some(does) => {
            Some(say(&FOREIGN, format!("`_target_` calls `{name:.120}`, of a module that {does}")))
        }
        None => Some(say(&REMOTE, format!("`_target_` needs `{name:.120}`"))),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Text(text) => vec![text],
        Value::List(items) => items.iter().flat_map(texts).collect(),
        Value::Map(entries) => entries.iter().flat_map(|(_, inner)| texts(inner)).collect(),
        Value::Other => Vec::new(),
    }
}

fn say(rule: &'static Rule, message: String) -> Detection {
    Detection::on_line(rule, message, 1, 1)
}

/// A Jupyter notebook: its code cells, as one would run them.
pub(super) fn notebook(text: &str) -> Vec<Detection> {
    let Ok(notebook) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let cells = notebook.get("cells").map(Value::list).unwrap_or_default();
    let mut found = Vec::new();
    for (number, cell) in cells.iter().enumerate() {
        if cell.get("cell_type").and_then(Value::text) != Some("code") {
            continue;
        }
        let source = cell.get("source").map(texts).unwrap_or_default().concat();
        // Shell lines and magics are IPython's, and plain to see.
        let python: String = source
            .lines()
            .map(|line| {
                if line.trim_start().starts_with(['!', '%', '?']) {
                    "\n".to_owned()
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        let place = format!("cell {}", number + 1);
        found.extend(
            inside(python::scan(&python), &place)
                .filter(|seen| seen.rule.id != python::UNREADABLE.id),
        );
        for line in source.lines().filter(|line| line.trim_start().starts_with('!')) {
            let fetches = ["curl", "wget", "nc "].iter().any(|word| line.contains(word));
            if fetches
                && (line.contains("| sh")
                    || line.contains("|sh")
                    || line.contains("bash")
                    || line.contains("/dev/tcp"))
            {
                found.push(say(&python::UNSAFE, format!("it runs what it fetches (at `{place}`)")));
            }
        }
    }
    found
}
