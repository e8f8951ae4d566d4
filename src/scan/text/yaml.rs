//! YAML: tags that make Python objects, and targets that are called.

use super::{jinja, json};
use crate::finding::{Level, Rule};
use crate::scan::Detection;

pub(in crate::scan) const UNSAFE: Rule = Rule {
    id: "unsafe-yaml",
    level: Level::Error,
    summary: "YAML that makes Python objects",
    reason: "`yaml.load` without a safe loader calls what the tag names.",
    fix: "write plain values; `yaml.safe_dump` writes nothing else",
    example: "!!python/object/apply:os.system [id]",
};

/// Tags of plain values that PyYAML writes for tuples and the like.
const PLAIN: [&str; 9] =
    ["none", "bool", "str", "unicode", "int", "float", "complex", "list", "tuple"];

/// Tags and targets, line by line: a tag stands before its value, outside of quotes.
pub(super) fn scan(text: &str) -> Vec<Detection> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let code = line.split(" #").next().unwrap_or(line);
        if code.trim_start().starts_with('#') {
            continue;
        }
        for mark in ["!!python/", "tag:yaml.org,2002:python/", "!python/"] {
            for (at, _) in code.match_indices(mark) {
                let quotes = code[..at].matches(['"', '\'']).count();
                let kind: String = code[at + mark.len()..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || "/:._".contains(*c))
                    .collect();
                if quotes % 2 == 0
                    && !PLAIN.contains(&kind.trim_end_matches(':'))
                    && !(mark == "!python/" && at > 0 && code.as_bytes()[at - 1] == b'!')
                {
                    let column = u32::try_from(code[..at].chars().count() + 1).unwrap_or(u32::MAX);
                    found.push(Detection::on_line(
                        &UNSAFE,
                        format!("the tag `{mark}{kind:.80}` makes a Python object"),
                        number,
                        column,
                    ));
                }
            }
        }
        if let Some((_, target)) = code.split_once("_target_:") {
            let name = target.trim().trim_matches(['"', '\'']);
            found.extend(json::target(name).map(|seen| Detection {
                line: Some(number),
                column: Some(1),
                offset: None,
                ..seen
            }));
        }
        if let Some((before, module)) = code.split_once("loader_module:")
            && before.trim().is_empty()
        {
            let module = module.trim().trim_matches(['"', '\'']);
            let column = u32::try_from(before.len() + 1).unwrap_or(u32::MAX);
            found.extend(loader(module).map(|seen| Detection {
                line: Some(number),
                column: Some(column),
                offset: None,
                ..seen
            }));
        }
        if found.len() > 20 {
            break;
        }
    }
    if text.contains("{{") || text.contains("{%") {
        found.extend(templates(text));
    }
    found
}

/// MLflow's `loader_module`: a module that is imported, and whose `_load_pyfunc` is called.
/// <https://mlflow.org/docs/latest/ml/model/#model-format>
fn loader(module: &str) -> Option<Detection> {
    if module.starts_with("mlflow.") {
        return None;
    }
    Some(match crate::scan::pickle::refused(module, "_load_pyfunc") {
        Some(does) => {
            let message = format!("`loader_module` imports `{module:.120}`, which {does}");
            Detection::at(&json::FOREIGN, message, 0)
        }
        None => Detection::at(&json::REMOTE, format!("`loader_module` needs `{module:.120}`"), 0),
    })
}

/// Templates among the values, as they stand: their quotes and escapes are YAML's, so what cannot
/// be parsed is no finding here.
fn templates(text: &str) -> impl Iterator<Item = Detection> {
    jinja::scan(text).into_iter().filter(|seen| {
        seen.rule.id == jinja::UNSAFE.id && !seen.message.contains("cannot be parsed")
    })
}
