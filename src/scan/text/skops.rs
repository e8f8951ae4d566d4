//! skops: the schema of a `.skops` file names a class and a way to load it for every object.
//! <https://skops.readthedocs.io/en/stable/persistence.html>; CVE-2025-54412, -54413, -54886.

use crate::finding::{Level, Rule};
use crate::json::Value;
use crate::scan::{Detection, pickle};

pub(in crate::scan) const UNSAFE: Rule = Rule {
    id: "unsafe-skops",
    level: Level::Error,
    summary: "a skops file that names what runs things",
    reason: "Who loads it with `trusted` types runs them; some loaders ran them without.",
    fix: "write the file again with `skops.io.dump` from the fitted estimator",
    example: "\"__module__\": \"os\", \"__class__\": \"system\"",
};

pub(in crate::scan) const CUSTOM: Rule = Rule {
    id: "untrusted-type",
    level: Level::Warning,
    summary: "a skops file of a class that is not known",
    reason: "Whoever loads the model has to trust that class by name.",
    fix: "use estimators of known packages, or allow it: allow: [{rule: untrusted-type, callable: SUBJECT, reason: …, expires: …}]",
    example: "\"__module__\": \"mypackage\"",
};

/// Whether this is a schema.
pub(super) fn is_schema(value: &Value) -> bool {
    value.get("__loader__").is_some() && value.get("__class__").is_some()
}

/// What loading would reach.
pub(super) fn scan(value: &Value) -> Vec<Detection> {
    let mut found = Vec::new();
    node(value, &mut found);
    found.truncate(50);
    found
}

fn node(value: &Value, found: &mut Vec<Detection>) {
    match value {
        Value::Map(entries) => {
            let text = |key: &str| value.get(key).and_then(Value::text);
            if let (Some(module), Some(class)) = (text("__module__"), text("__class__")) {
                let before = found.len();
                let shown = format!("{module:.80}.{class:.80}");
                let loader = text("__loader__").unwrap_or_default();
                if matches!(loader, "OperatorFuncNode" | "MethodNode")
                    && !is_harmless(module, class)
                {
                    say(
                        &UNSAFE,
                        format!("`{shown}` is loaded as a {loader}, which calls what it names"),
                        &shown,
                        found,
                    );
                } else if let Some(does) = pickle::refused(module, class) {
                    say(&UNSAFE, format!("`{shown}` is of a module that {does}"), &shown, found);
                } else if !pickle::is_known(module, class) {
                    say(&CUSTOM, format!("it needs `{shown}`"), &shown, found);
                }
                let place = value.place("__class__") as u64;
                found[before..].iter_mut().for_each(|seen| seen.offset = Some(place));
            }
            entries.iter().for_each(|(_, inner)| node(inner, found));
        }
        Value::List(items) => items.iter().for_each(|item| node(item, found)),
        _ => {}
    }
}

fn is_harmless(module: &str, class: &str) -> bool {
    matches!(module, "operator" | "_operator") && class == "itemgetter"
}

fn say(rule: &'static Rule, message: String, subject: &str, found: &mut Vec<Detection>) {
    if found.iter().any(|seen| seen.subject.as_deref() == Some(subject)) {
        return;
    }
    let mut seen = Detection::at(rule, message, 0);
    seen.subject = Some(subject.to_owned());
    found.push(seen);
}
