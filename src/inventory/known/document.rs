//! A kept document as a tree, whose values are given out in few words as they are written.

use super::Fact;
use crate::hub::yaml_tree::{self, Node};
use crate::inventory::Inventory;
use crate::json::{Key, Value};
use crate::publishable;

/// Longest text that is given out, in characters.
const LONGEST: usize = 200;
/// Items of a list that are given out.
const MOST_ITEMS: usize = 20;

/// A document and its values.
pub(super) struct Document<'i> {
    path: &'i str,
    text: &'i str,
    root: Value,
}

impl<'i> Document<'i> {
    pub(super) fn json(inventory: &'i Inventory, path: &'i str) -> Option<Self> {
        let text = inventory.get(path)?.text.as_deref()?;
        Some(Self { path, text, root: Value::parse(text).ok()? })
    }

    /// Every scalar becomes a text, as it is written.
    pub(super) fn yaml(inventory: &'i Inventory, path: &'i str) -> Option<Self> {
        let text = inventory.get(path)?.text.as_deref()?;
        let root = from_yaml(&yaml_tree::parse(text).ok()??);
        Some(Self { path, text, root })
    }

    /// The value that keys lead to, where there is one.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Value> {
        let value = keys.iter().try_fold(&self.root, |value, key| value.get(key))?;
        (!matches!(value, Value::Null)).then_some(value)
    }

    /// A fact about a value, where it can be said in few words.
    pub(super) fn fact(&self, name: &str, value: Option<&Value>) -> Option<Fact> {
        self.said(name, &self.shown(value?)?)
    }

    /// A fact in words of one's own.
    pub(super) fn said(&self, name: &str, value: &str) -> Option<Fact> {
        Fact::of(name, value, self.path)
    }

    /// The path of the document.
    pub(super) fn path(&self) -> &'i str {
        self.path
    }

    /// A value in words: a text, a number as it is written, a list of such.
    pub(super) fn shown(&self, value: &Value) -> Option<String> {
        match value {
            Value::Text(text) => shown(text),
            Value::Number(_, at) => Some(self.number(*at).to_owned()),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::Null | Value::Map(_) => None,
            Value::List(items) => {
                let words = items.iter().take(MOST_ITEMS).map(|item| match item {
                    Value::List(_) => None,
                    item => self.shown(item),
                });
                let words = words.collect::<Option<Vec<_>>>().filter(|words| !words.is_empty())?;
                Some(list(&words, items.len()))
            }
        }
    }

    /// A whole number as it is written; nothing else.
    pub(super) fn whole(&self, value: &Value) -> Option<String> {
        let Value::Number(_, at) = value else { return None };
        let digits = self.number(*at);
        let is_whole = digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then(|| digits.to_owned())
    }

    fn number(&self, at: usize) -> &str {
        let rest = self.text.get(at..).unwrap_or_default();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let end = end.unwrap_or(rest.len()).min(40);
        rest.get(..end).unwrap_or_default()
    }

    /// Every value in few words, under its keys joined by dots.
    pub(super) fn leaves(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        self.leaves_below(&self.root, "", &mut facts);
        facts
    }

    fn leaves_below(&self, value: &Value, name: &str, facts: &mut Vec<Fact>) {
        for (key, value) in value.entries() {
            if facts.len() == super::MOST {
                return;
            }
            let name =
                if name.is_empty() { key.name.clone() } else { format!("{name}.{}", key.name) };
            match value {
                Value::Map(_) => self.leaves_below(value, &name, facts),
                value => facts.extend(self.fact(&name, Some(value))),
            }
        }
    }
}

impl Fact {
    /// `None` where there is nothing to say, or nothing that may be said.
    pub(super) fn of(name: &str, value: &str, file: &str) -> Option<Self> {
        let is_said = !value.trim().is_empty() && !publishable::is_secret(name, value);
        is_said.then(|| Self { name: short(name), value: short(value), file: file.to_owned() })
    }
}

/// Words in a list, of which there are so many.
pub(super) fn list(words: &[String], count: usize) -> String {
    match count.saturating_sub(words.len()) {
        0 => words.join(", "),
        beyond => format!("{} and {beyond} more", words.join(", ")),
    }
}

/// A text that may be shown, as far as it is given out.
pub(super) fn shown(text: &str) -> Option<String> {
    publishable::shown(text).map(short)
}

/// At most [`LONGEST`] characters.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn from_yaml(node: &Node) -> Value {
    match &node.value {
        yaml_tree::Value::Map(entries) => {
            let entries = entries.iter().filter_map(|(key, value)| {
                let yaml_tree::Value::Scalar { text, .. } = &key.value else { return None };
                Some((Key { name: text.clone(), at: 0 }, from_yaml(value)))
            });
            Value::Map(entries.collect())
        }
        yaml_tree::Value::List(items) => Value::List(items.iter().map(from_yaml).collect()),
        yaml_tree::Value::Scalar { .. } if node.is_null() => Value::Null,
        yaml_tree::Value::Scalar { text, .. } => Value::Text(text.clone()),
    }
}
