//! JSON that comes with models: settings that name code, templates, indexes of shards.

use std::collections::BTreeSet;

use super::{inside, jinja, keras, python, skops};
use crate::finding::{Level, Rule};
use crate::json::{Key, Unread, Value};
use crate::scan::{Detection, LIMIT, Limits, Subject};

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
    let value = match Value::parse(text) {
        Ok(value) => value,
        // Python's reader gives up too: nothing is loaded from it.
        Err(Unread::Broken) => return Vec::new(),
        Err(Unread::Deep) => {
            return vec![Detection::at(&LIMIT, "it nests deeper than is looked into", 0)];
        }
    };
    let mut found = Vec::new();
    walk(&value, subject, &mut found);
    if keras::is_model(&value) {
        found.extend(keras::scan(&value, limits));
    }
    if skops::is_schema(&value) {
        found.extend(skops::scan(&value));
    }
    on_lines(found, text)
}

/// Findings at bytes of a text, on their lines.
fn on_lines(mut found: Vec<Detection>, text: &str) -> Vec<Detection> {
    for seen in &mut found {
        let at = seen.offset.take().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
        let before = text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
        seen.line = u32::try_from(line).ok();
        seen.column = u32::try_from(before[start..].chars().count() + 1).ok();
    }
    found
}

/// Keys under which code, templates and files are named.
const NAMING: [&str; 8] = [
    "auto_map",
    "chat_template",
    "class_name",
    "module",
    "config",
    "__module__",
    "__class__",
    "weight_map",
];

fn walk(value: &Value, subject: &Subject<'_>, found: &mut Vec<Detection>) {
    match value {
        Value::Map(entries) => {
            let mut once = BTreeSet::new();
            for (key, inner) in entries {
                if NAMING.contains(&key.name.as_str()) && !once.insert(&key.name) {
                    found.push(say(&TWICE, key, format!("`{}` stands there twice", key.name)));
                }
                entry(key, inner, subject, found);
                walk(inner, subject, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| walk(item, subject, found)),
        _ => {}
    }
}

fn entry(key: &Key, value: &Value, subject: &Subject<'_>, found: &mut Vec<Detection>) {
    match key.name.as_str() {
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
                    found.push(say(&ESCAPES, key, format!("`{}` names `{path:.80}`", key.name)));
                }
            }
        }
        "_target_" => found.extend(value.text().and_then(target).map(|seen| seen_at(seen, key))),
        // sentence-transformers' list of modules.
        "type" if subject.file_name() == "modules.json" => {
            if let Some(class) =
                value.text().filter(|class| !class.starts_with("sentence_transformers."))
            {
                found.push(say(&REMOTE, key, format!("it needs the class `{class:.80}`")));
            }
        }
        "custom_pipeline" => {
            if let Some(path) = value.text() {
                found.push(say(&REMOTE, key, format!("it needs the pipeline `{path:.80}`")));
            }
        }
        _ => {}
    }
}

fn templates(value: &Value, key: &Key, found: &mut Vec<Detection>) {
    let mut look = |template: &str, place: &str| {
        found.extend(inside(jinja::scan(template), place).map(|seen| seen_at(seen, key)));
    };
    match value {
        Value::Text(template) => look(template, &key.name),
        Value::Map(entries) => {
            for (name, inner) in entries {
                if let Value::Text(template) = inner {
                    look(template, &format!("{}/{}", key.name, name.name));
                }
            }
        }
        Value::List(items) => items.iter().for_each(|item| templates(item, key, found)),
        _ => {}
    }
}

fn names_code(key: &Key, value: &Value, found: &mut Vec<Detection>) {
    let name = &key.name;
    let mut said = false;
    for class in texts(value) {
        if class.contains("--") || class.contains("://") {
            let message = format!("`{name}` loads `{class:.120}` from another repository");
            found.push(say(&FOREIGN, key, message));
        } else if class.contains("..") || class.starts_with('/') {
            found.push(say(&ESCAPES, key, format!("`{name}` names `{class:.120}`")));
        } else if !said {
            said = true;
            found.push(say(&REMOTE, key, format!("`{name}` needs `{class:.120}`")));
        }
    }
}

/// Hydra's `_target_`: a dotted name that is imported and called.
pub(super) fn target(name: &str) -> Option<Detection> {
    let (module, last) = name.rsplit_once('.')?;
    match crate::scan::pickle::refused(module, last) {
        Some(does) => {
            let message = format!("`_target_` calls `{name:.120}`, of a module that {does}");
            Some(Detection::at(&FOREIGN, message, 0))
        }
        None => Some(Detection::at(&REMOTE, format!("`_target_` needs `{name:.120}`"), 0)),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Text(text) => vec![text],
        Value::List(items) => items.iter().flat_map(texts).collect(),
        Value::Map(entries) => entries.iter().flat_map(|(_, inner)| texts(inner)).collect(),
        _ => Vec::new(),
    }
}

fn say(rule: &'static Rule, key: &Key, message: String) -> Detection {
    Detection::at(rule, message, key.at as u64)
}

fn seen_at(seen: Detection, key: &Key) -> Detection {
    Detection { offset: Some(key.at as u64), ..seen }
}

/// A Jupyter notebook: its code cells, as one would run them.
pub(super) fn notebook(text: &str) -> Vec<Detection> {
    let Ok(notebook) = Value::parse(text) else { return Vec::new() };
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
                let message = format!("it runs what it fetches (at `{place}`)");
                found.push(Detection::on_line(&python::UNSAFE, message, 1, 1));
            }
        }
    }
    found
}
