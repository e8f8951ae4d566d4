//! Keras models as JSON: `config.json` of a `.keras` file, `model_config` of an HDF5 file. Every
//! object names its class and the module it is imported from.
//! <https://keras.io/guides/serialization_and_saving/>; CVE-2024-3660, CVE-2025-1550, -8747, -9905,
//! -9906, -12058, -49655.

use base64::Engine as _;

use crate::finding::{Level, Rule};
use crate::json::{Unread, Value};
use crate::scan::{Detection, LIMIT, Limits, nested, pickle};

pub(in crate::scan) const UNSAFE: Rule = Rule {
    id: "unsafe-keras",
    level: Level::Error,
    summary: "a Keras model that holds code, or names functions that run things or read files",
    reason: "Loading it without safe mode runs that code; some of it ran even with it (CVE-2024-3660, CVE-2025-1550, CVE-2025-9905 and their kin).",
    fix: "replace Lambda layers by layers of a class, registered with `@keras.saving.register_keras_serializable`",
    example: "a Lambda layer",
};

pub(in crate::scan) const CUSTOM: Rule = Rule {
    id: "custom-layer",
    level: Level::Warning,
    summary: "a Keras model that needs a class of another package",
    reason: "Whoever loads the model needs that package, and runs its code.",
    fix: "use layers of Keras, or allow it: allow: [{rule: custom-layer, callable: SUBJECT, reason: …, expires: …}]",
    example: "\"module\": \"mypackage.layers\"",
};

/// Whether this is a model, or a part of one.
pub(super) fn is_model(value: &Value) -> bool {
    value.get("class_name").is_some() && value.get("config").is_some()
        || value.get("keras_version").is_some()
        || value.get("modelTopology").is_some()
        || value.get("model_config").is_some()
}

/// What loading the model would do.
pub(in crate::scan) fn scan(value: &Value, limits: Limits<'_>) -> Vec<Detection> {
    let mut found = Vec::new();
    object(value, limits, &mut found);
    found.truncate(50);
    found
}

/// The same, of JSON text that stands at a byte of another file.
pub(in crate::scan) fn scan_text(text: &str, start: u64, limits: Limits<'_>) -> Vec<Detection> {
    let mut found = match Value::parse(text) {
        Ok(value) if is_model(&value) => scan(&value, limits),
        Ok(_) | Err(Unread::Broken) => Vec::new(),
        Err(Unread::Deep) => {
            vec![Detection::at(&LIMIT, "a model nests deeper than is looked into", 0)]
        }
    };
    for seen in &mut found {
        seen.offset = seen.offset.map(|at| start + at);
    }
    found
}

fn say(rule: &'static Rule, message: String, found: &mut Vec<Detection>) {
    found.push(Detection::at(rule, message, 0));
}

fn object(value: &Value, limits: Limits<'_>, found: &mut Vec<Detection>) {
    match value {
        Value::Map(entries) => {
            if let Some(class) = value.get("class_name").and_then(Value::text) {
                let before = found.len();
                named(class, value, limits, found);
                let place = value.place("class_name") as u64;
                found[before..].iter_mut().for_each(|seen| seen.offset = Some(place));
            }
            for (key, inner) in entries {
                // TensorFlow writes lambdas as a list of marshalled code, defaults and closure.
                if key.name == "function_type" && inner.text() == Some("lambda") {
                    say(&UNSAFE, "a layer holds a lambda as compiled code".into(), found);
                }
                object(inner, limits, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| object(item, limits, found)),
        _ => {}
    }
}

fn named(class: &str, value: &Value, limits: Limits<'_>, found: &mut Vec<Detection>) {
    let config = value.get("config");
    let module = value.get("module").and_then(Value::text).unwrap_or_default();
    match class {
        "Lambda" | "__lambda__" => {
            say(&UNSAFE, format!("a `{class}` holds code of its own"), found);
        }
        "TorchModuleWrapper" => {
            let packed = config.and_then(|config| config.get("module"));
            let packed =
                packed.and_then(|module| module.text().or_else(|| module.get("config")?.text()));
            let clean = packed.is_some_and(|packed| is_clean(packed, limits));
            if !clean {
                say(
                    &UNSAFE,
                    "a `TorchModuleWrapper` holds a pickle that is not known to be harmless".into(),
                    found,
                );
            }
        }
        "function" | "class" | "type" => {
            let name = config
                .and_then(Value::text)
                .or_else(|| config?.get("name")?.text())
                .unwrap_or_default();
            function(module, name, found);
        }
        _ => {}
    }
    // Vocabularies may be a file's name, which is read while loading.
    if matches!(
        class,
        "StringLookup" | "IntegerLookup" | "IndexLookup" | "TextVectorization" | "HashedCrossing"
    ) {
        let vocabulary = config.and_then(|config| config.get("vocabulary")).and_then(Value::text);
        if let Some(path) = vocabulary.filter(|path| path.contains(['/', '\\', '.'])) {
            say(&UNSAFE, format!("a `{class}` reads the file `{path:.80}`"), found);
        }
    }
    if !module.is_empty() && !matches!(class, "function" | "class" | "type") {
        class_of(module, class, found);
    }
    let registered = value.get("registered_name").and_then(Value::text).unwrap_or_default();
    if module.is_empty() && registered.contains('>') && !registered.starts_with("keras") {
        custom(registered, found);
    }
}

fn is_keras(module: &str) -> bool {
    let top = module.split('.').next().unwrap_or(module);
    matches!(top, "keras" | "tf_keras" | "keras_hub" | "keras_nlp" | "keras_cv" | "keras_core")
        || module.starts_with("tensorflow.keras")
        || module.starts_with("tensorflow.python.keras")
        || module == "builtins"
}

fn class_of(module: &str, class: &str, found: &mut Vec<Detection>) {
    let reads = [
        "get_file",
        "load_model",
        "run",
        "exec",
        "eval",
        "open",
        "system",
        "save_img",
        "load_img",
        "unpack_x_y_sample_weight",
    ];
    if is_keras(module)
        && module != "builtins"
        && !reads.contains(&class)
        && !module.contains(".utils")
    {
        return;
    }
    if is_keras(module) && module != "builtins" && class.starts_with(char::is_uppercase) {
        return;
    }
    match pickle::refused(module, class) {
        Some(does) => say(
            &UNSAFE,
            format!("it names `{module:.80}.{class:.80}`, of a module that {does}"),
            found,
        ),
        None if is_keras(module) => {}
        None => custom(&format!("{module}.{class}"), found),
    }
}

/// A function by name: Keras' own, of those that compute.
fn function(module: &str, name: &str, found: &mut Vec<Detection>) {
    let computes = [
        "keras.activations",
        "keras.src.activations",
        "keras.initializers",
        "keras.losses",
        "keras.src.losses",
        "keras.metrics",
        "keras.src.metrics",
        "keras.ops",
        "keras.src.ops",
        "keras.regularizers",
        "keras.constraints",
    ];
    let known = module.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
        || module == "builtins"
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && ![
                "eval",
                "exec",
                "open",
                "compile",
                "getattr",
                "setattr",
                "input",
                "breakpoint",
                "globals",
                "vars",
                "delattr",
                "help",
                "__import__",
            ]
            .contains(&name)
        || computes.iter().any(|place| module.starts_with(place));
    if known {
        return;
    }
    if is_keras(module) {
        say(
            &UNSAFE,
            format!("it calls `{module:.80}.{name:.80}`, which does more than compute"),
            found,
        );
    } else if let Some(does) = pickle::refused(module, name) {
        say(&UNSAFE, format!("it calls `{module:.80}.{name:.80}`, of a module that {does}"), found);
    } else {
        custom(&format!("{module}.{name}"), found);
    }
}

fn custom(name: &str, found: &mut Vec<Detection>) {
    let name: String = name.chars().take(120).collect();
    if found.iter().any(|seen| seen.subject.as_deref() == Some(&name)) {
        return;
    }
    let mut seen = Detection::at(&CUSTOM, format!("it needs `{name}`"), 0);
    seen.subject = Some(name);
    found.push(seen);
}

fn is_clean(packed: &str, limits: Limits<'_>) -> bool {
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(packed.trim()) else {
        return false;
    };
    nested::is_clean(&bytes, limits)
}
