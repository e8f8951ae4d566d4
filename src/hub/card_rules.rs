//! What the Hub's own card check (`POST /api/validate-yaml`) accepts, refuses and warns about,
//! applied locally: the card gate uses it before any byte moves, the embedded Hub answers with it.
//!
//! Source: outcomes observed on the Hub and reported in its clients' issues; the server's code is
//! not public. Where the outcome is unknown, this warns instead of refusing.

use super::front_matter;
use super::yaml_dialect::{Reading, yaml_1_1, yaml_1_2};
use super::yaml_tree::{self, Node, Value};
use super::{licenses, model_index, tables};
use crate::source::{Position, SourceFile};

/// Largest metadata block that is read; real ones are a few kilobytes.
const MAX_BLOCK: usize = 1024 * 1024;
/// Most remarks of one kind; a card with more has one cause for all of them.
const MAX_PROBLEMS: usize = 50;

/// One thing the Hub would say of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The message, in the Hub's manner.
    pub message: String,
    /// Where in the README, when it can be told.
    pub at: Option<Position>,
    /// What mends it.
    pub fix: Fix,
}

/// What mends a [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// The entry of this key says nothing and goes.
    Remove(&'static str),
    /// One value for another.
    Replace(String, String),
    /// Only a person can know; what is expected of them.
    Write(&'static str),
}

impl std::fmt::Display for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Remove(key) => write!(f, "remove the line of `{key}`, or give it a value"),
            Self::Replace(_, with) => write!(f, "write `{with}`"),
            Self::Write(words) => f.write_str(words),
        }
    }
}

/// The Hub's answer: errors refuse the commit (HTTP 400), warnings are only shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardCheck {
    /// Reasons to refuse.
    pub errors: Vec<Problem>,
    /// Remarks.
    pub warnings: Vec<Problem>,
    /// What can be mended, where in the block: of all problems, however many there are.
    mends: Vec<(Position, Fix)>,
}

impl CardCheck {
    /// A reason to refuse, at a value.
    pub(super) fn refuse(&mut self, at: &Node, message: impl Into<String>, fix: Fix) {
        self.keep_mend(at, &fix);
        push(&mut self.errors, at, message.into(), fix);
    }

    /// A remark, at a value.
    pub(super) fn warn(&mut self, at: &Node, message: impl Into<String>, fix: Fix) {
        self.keep_mend(at, &fix);
        push(&mut self.warnings, at, message.into(), fix);
    }

    fn keep_mend(&mut self, at: &Node, fix: &Fix) {
        if !matches!(fix, Fix::Write(_)) {
            self.mends.push((at.at, fix.clone()));
        }
    }
}

fn push(problems: &mut Vec<Problem>, at: &Node, message: String, fix: Fix) {
    if problems.len() < MAX_PROBLEMS {
        problems.push(Problem { message, at: Some(at.at), fix });
    }
}

/// Checks a card (the whole README.md) as the Hub would before a commit. Positions are lines and
/// columns of `content`.
pub fn check(content: &str) -> CardCheck {
    let Some(block) = front_matter::split(content) else {
        let message = "empty or missing yaml metadata in repo card".to_owned();
        let fix = Fix::Write(
            "begin the file with the lines `---`, `license: apache-2.0` (or another Hub licence id), \
             `pipeline_tag: …`, `library_name: …` and `---`",
        );
        return CardCheck {
            warnings: vec![Problem { message, at: None, fix }],
            ..CardCheck::default()
        };
    };
    let start = SourceFile::new("", &content[..block.offset]).position(block.offset);
    let mut check = check_yaml(block.yaml);
    for problem in check.errors.iter_mut().chain(&mut check.warnings) {
        if let Some(at) = &mut problem.at {
            at.line = at.line.saturating_add(start.line - 1);
        }
    }
    check
}

/// What can be mended in the YAML of a block without knowing more, each at its value; positions count
/// from the block's own start.
pub(crate) fn mends(yaml: &str) -> Vec<(Position, Fix)> {
    check_yaml(yaml).mends
}

/// Checks the YAML of the block; positions count from its own start.
fn check_yaml(yaml: &str) -> CardCheck {
    let refused = |message: String, at| CardCheck {
        errors: vec![Problem {
            message,
            at: Some(at),
            fix: Fix::Write("write `key: value` lines of YAML between the two lines `---`"),
        }],
        ..CardCheck::default()
    };
    let first = Position { line: 1, column: 1 };
    if yaml.len() > MAX_BLOCK {
        let message = format!("metadata block of {} bytes; up to 1 MiB is read", yaml.len());
        return refused(message, first);
    }
    let root = match yaml_tree::parse(yaml) {
        Ok(Some(root)) => root,
        Ok(None) => return refused("invalid metadata: the block is empty".into(), first),
        Err(error) => {
            return refused(format!("Invalid YAML in README.md: {}", error.message), error.at);
        }
    };
    match &root.value {
        Value::Map(_) => {}
        Value::List(_) => {
            return refused("\"metadata\" must be of type object, not a list".into(), root.at);
        }
        Value::Scalar { .. } => {
            return refused("invalid metadata: expected `key: value` lines".into(), root.at);
        }
    }
    let mut check = CardCheck::default();
    doubled_keys(&mut check, &root);
    let is_settled = check.errors.is_empty();
    if let Some(node) = root.get("license") {
        license(&mut check, node, &root);
    }
    if let Some(node) = root.get("language") {
        each(&mut check, node, "language", language);
    }
    for key in ["datasets", "base_model"] {
        if let Some(node) = root.get(key) {
            each(&mut check, node, key, |check, item, path| hub_id(check, item, path, key));
        }
    }
    if let Some(node) = root.get("pipeline_tag") {
        pipeline_tag(&mut check, node);
    }
    if let Some(node) = root.get("model-index") {
        model_index::check(&mut check, node);
    }
    lists(&mut check, &root);
    dialects(&mut check, &root);
    // While a key stands twice, only a person knows which of the two is to be mended.
    if !is_settled {
        check.mends.clear();
    }
    check
}

/// The same key twice: the Hub's reader refuses it, Python's silently keeps the last one.
fn doubled_keys(check: &mut CardCheck, node: &Node) {
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => items.iter().for_each(|item| doubled_keys(check, item)),
        Value::Map(entries) => {
            let mut seen = std::collections::HashMap::new();
            for (key, value) in entries {
                match &key.value {
                    Value::Scalar { text, .. } => {
                        if let Some(line) = seen.insert(text.as_str(), key.at.line) {
                            let name = short(text);
                            let message = format!(
                                "duplicated mapping key \"{name}\" (first {} lines above): readers \
                                 differ on which one counts",
                                key.at.line.saturating_sub(line)
                            );
                            let fix = Fix::Write("keep one of the two");
                            check.refuse(key, message, fix);
                        }
                    }
                    _ => {
                        let fix = Fix::Write("write the key in quotes");
                        check.refuse(key, "a list or map is used as a key", fix);
                    }
                }
                doubled_keys(check, value);
            }
        }
    }
}

fn license(check: &mut CardCheck, node: &Node, root: &Node) {
    each(check, node, "license", |check, item, path| {
        let Some(id) = item.as_text() else {
            let message = format!("\"{path}\" must be a string");
            check.refuse(item, message, unset(item, "license", "write one Hub licence id"));
            return;
        };
        if !licenses::is_known(id) {
            let lower = id.to_ascii_lowercase();
            let fix = if licenses::is_known(&lower) {
                Fix::Replace(id.to_owned(), lower)
            } else {
                Fix::Write(
                    "use an id of https://huggingface.co/docs/hub/repositories-licenses, or `other` \
                     with `license_name` and `license_link`",
                )
            };
            let meant = licenses::closest(id)
                .map_or_else(String::new, |meant| format!(" (did you mean \"{meant}\"?)"));
            let known = licenses::ids().collect::<Vec<_>>().join(", ");
            let id = short(id);
            let message = format!("\"{path}\" is \"{id}\"{meant}; it must be one of [{known}]");
            check.refuse(item, message, fix);
        }
    });
    if node.as_text() == Some("other") {
        for key in ["license_name", "license_link"] {
            if root.get(key).and_then(Node::as_text).is_none_or(str::is_empty) {
                let message = format!("\"license: other\" needs \"{key}\" beside it");
                check.warn(node, message, Fix::Write("name the licence and link to its text"));
            }
        }
    }
}

fn language(check: &mut CardCheck, item: &Node, path: &str) {
    let advice = "an ISO 639-1, 639-2 or 639-3 code, \"code\" or \"multilingual\"";
    let Some(code) = item.as_text() else {
        let message = format!("\"{path}\" must be a string: {advice}");
        check.refuse(item, message, unset(item, "language", "write a language code, as `en`"));
        return;
    };
    let lower = code.chars().all(|c| c.is_ascii_lowercase());
    let fits = match code {
        "code" | "multilingual" => true,
        _ if !lower => false,
        _ if code.len() == 2 => tables::TWO_LETTER_LANGUAGES.has(code),
        _ => code.len() == 3,
    };
    if !fits {
        let base: String = code.chars().take_while(char::is_ascii_alphabetic).collect();
        let base = base.to_lowercase();
        let (meant, fix) = if tables::TWO_LETTER_LANGUAGES.has(&base) {
            let meant = format!(" (did you mean \"{base}\"?)");
            (meant, Fix::Replace(code.to_owned(), base))
        } else {
            (String::new(), Fix::Write("write a language code, as `en`"))
        };
        let code = short(code);
        let message = format!("\"{path}\" is \"{code}\"{meant}; it must be {advice}");
        check.refuse(item, message, fix);
    }
}

/// A Hub id: one or two parts of word characters, dashes and dots.
fn hub_id(check: &mut CardCheck, item: &Node, path: &str, key: &str) {
    let (shelf, fix) = if key == "datasets" {
        ("datasets", "name the dataset as `namespace/name`, or describe it in the text instead")
    } else {
        ("models", "name the base model as `namespace/name`, or remove `base_model`")
    };
    let fix = Fix::Write(fix);
    let advice = format!("use an id from https://hf.co/{shelf}");
    let Some(id) = item.as_text() else {
        check.refuse(item, format!("\"{path}\" must be a string: {advice}"), fix);
        return;
    };
    if !is_hub_id(id) {
        let id = short(id);
        check.refuse(item, format!("\"{path}\" with value \"{id}\" is not valid: {advice}"), fix);
    } else if key == "base_model" && looks_like_a_folder(id) {
        check.warn(
            item,
            format!(
                "\"{path}\" is \"{id}\", which looks like a folder of the training run: {advice}"
            ),
            fix,
        );
    }
}

/// How a value that is no text is mended: an empty one goes.
pub(super) fn unset(node: &Node, key: &'static str, otherwise: &'static str) -> Fix {
    match &node.value {
        Value::Scalar { text, plain: true } if yaml_1_2(text) == Reading::Null => Fix::Remove(key),
        _ => Fix::Write(otherwise),
    }
}

/// `name` or `namespace/name` of word characters, dashes and dots, as the Hub's own pattern has it.
pub(super) fn is_hub_id(id: &str) -> bool {
    let part = |text: &str| {
        !text.is_empty()
            && !matches!(text, "." | "..")
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    };
    match id.split_once('/') {
        Some((namespace, name)) => part(namespace) && part(name),
        None => part(id),
    }
}

/// Names that training scripts write to; PEFT copies such a path into `base_model`.
pub fn looks_like_a_folder(id: &str) -> bool {
    let last = id.rsplit('/').next().unwrap_or(id);
    let checkpoint = last.strip_prefix("checkpoint-").or(last.strip_prefix("step-"));
    checkpoint.is_some_and(|step| !step.is_empty() && step.chars().all(|c| c.is_ascii_digit()))
        || matches!(last, "out" | "output" | "outputs" | "results" | "checkpoints" | "ckpt" | "tmp")
}

fn pipeline_tag(check: &mut CardCheck, node: &Node) {
    match node.as_text() {
        Some(tag) if tables::PIPELINE_TAGS.has(tag) => {}
        Some(tag) => {
            let meant = tables::PIPELINE_TAGS
                .closest(tag)
                .map_or_else(String::new, |meant| format!(" (did you mean \"{meant}\"?)"));
            let tag = short(tag);
            let message = format!("the pipeline tag \"{tag}\" is not in the official list{meant}");
            check.warn(node, message, Fix::Write("use a task of https://huggingface.co/tasks"));
        }
        None => {
            let message = "\"pipeline_tag\" must be a string";
            check.refuse(node, message, unset(node, "pipeline_tag", "write one task id"));
        }
    }
}

/// Keys whose value has to be a list.
fn lists(check: &mut CardCheck, root: &Node) {
    let is_list = |node: &Node| matches!(node.value, Value::List(_));
    if let Some(widget) = root.get("widget").filter(|node| !is_list(node)) {
        check.refuse(
            widget,
            "\"widget\" must be an array",
            Fix::Write("begin each example with `- `"),
        );
    }
    for key in ["tags", "metrics"] {
        if let Some(node) = root.get(key).filter(|node| !is_list(node)) {
            let text = node.as_text().filter(|text| is_listed(text));
            let fix = text.map(|text| Fix::Replace(text.to_owned(), format!("[{text}]")));
            let fix = fix.unwrap_or(Fix::Write("write it as a list: `[one, two]`"));
            check.warn(node, format!("\"{key}\" should be a list"), fix);
        }
    }
}

/// Whether a text between brackets is the list of what stands between its commas.
fn is_listed(text: &str) -> bool {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    match yaml_tree::parse(&format!("[{text}]")) {
        Ok(Some(Node { value: Value::List(items), .. })) => {
            items.iter().map(Node::as_text).eq(parts.map(Some))
        }
        _ => false,
    }
}

/// Unquoted words that Python and the Hub take for different things.
fn dialects(check: &mut CardCheck, node: &Node) {
    match &node.value {
        Value::Scalar { text, plain: true } if yaml_1_1(text) != yaml_1_2(text) => {
            let (python, hub) = (yaml_1_1(text).describe(), yaml_1_2(text).describe());
            let text = short(text);
            let message = format!(
                "unquoted {text} is {python} to Python (YAML 1.1) and {hub} to the Hub (YAML 1.2); \
                 write \"{text}\" if text is meant"
            );
            check.warn(node, message, Fix::Write("quote it"));
        }
        Value::Scalar { .. } => {}
        Value::List(items) => items.iter().for_each(|item| dialects(check, item)),
        Value::Map(entries) => {
            for (key, value) in entries {
                dialects(check, key);
                dialects(check, value);
            }
        }
    }
}

/// Applies `rule` to the value itself, or to every item when it is a list.
fn each(check: &mut CardCheck, node: &Node, key: &str, rule: impl Fn(&mut CardCheck, &Node, &str)) {
    match &node.value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                rule(check, item, &format!("{key}[{index}]"));
            }
        }
        _ => rule(check, node, key),
    }
}

/// A value as messages quote it: at most 80 characters, on one line.
pub(super) fn short(text: &str) -> String {
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(80).collect();
    if text.chars().nth(80).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;
