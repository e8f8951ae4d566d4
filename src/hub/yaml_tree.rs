//! A YAML document as a tree in which every value knows its line and column. Bounded: a document
//! cannot make it deeper than [`MAX_DEPTH`] or larger than [`MAX_NODES`], aliases counted in full.

use std::collections::HashMap;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::yaml_dialect::{self, Reading};
use crate::source::Position;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;
/// Most values that are read, each use of an alias counted with all that it stands for.
const MAX_NODES: usize = 100_000;

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it starts, counted from the start of the YAML text.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A word, number or text.
    Scalar {
        /// After quotes and escapes.
        text: String,
        /// Unquoted, so that the dialects decide what it is.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Keys and values in written order, doubles included.
    Map(Vec<(Node, Node)>),
}

/// A text that is not one YAML document of plain data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// Where in the YAML text.
    pub at: Position,
}

impl Node {
    /// What the Hub (YAML 1.2) takes a scalar for; `None` for lists and maps.
    pub fn reading(&self) -> Option<Reading> {
        match &self.value {
            Value::Scalar { text, plain: true } => Some(yaml_dialect::yaml_1_2(text)),
            Value::Scalar { plain: false, .. } => Some(Reading::Text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The text, when the Hub takes it for text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if self.reading() == Some(Reading::Text) => Some(text),
            _ => None,
        }
    }

    /// Whether nothing stands here.
    pub fn is_null(&self) -> bool {
        self.reading() == Some(Reading::Null)
    }

    /// The value of a key, when this is a map that has it (the last one, as readers do).
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().rev().find(|(k, _)| k.is_key(key)).map(|e| &e.1),
            _ => None,
        }
    }

    /// The same, through merge keys (`<<`), which add what is not there.
    pub fn get_merged(&self, key: &str) -> Option<&Node> {
        let own = self.get(key);
        let Value::Map(entries) = &self.value else { return own };
        let merged = entries.iter().filter(
            |(key, _)| matches!(&key.value, Value::Scalar { text, plain: true } if text == "<<"),
        );
        own.or_else(|| {
            merged.map(|(_, value)| value).find_map(|value| match &value.value {
                Value::List(items) => items.iter().find_map(|item| item.get_merged(key)),
                _ => value.get_merged(key),
            })
        })
    }

    /// The words of a value that may be one or a list; null and blanks are none.
    pub fn texts(&self) -> Vec<&str> {
        let items = match &self.value {
            Value::List(items) => items.as_slice(),
            Value::Scalar { .. } | Value::Map(_) => std::slice::from_ref(self),
        };
        let words =
            items.iter().filter(|item| !item.is_null()).filter_map(|item| match &item.value {
                Value::Scalar { text, .. } => Some(text.as_str()),
                Value::List(_) | Value::Map(_) => None,
            });
        words.filter(|word| !word.trim().is_empty()).collect()
    }

    fn is_key(&self, key: &str) -> bool {
        matches!(&self.value, Value::Scalar { text, .. } if text == key)
    }

    fn size(&self) -> (usize, usize) {
        let children = |nodes: &mut dyn Iterator<Item = &Node>| {
            nodes.map(Node::size).fold((1, 0), |(count, depth), (c, d)| (count + c, depth.max(d)))
        };
        let (count, depth) = match &self.value {
            Value::Scalar { .. } => (1, 0),
            Value::List(items) => children(&mut items.iter()),
            Value::Map(entries) => children(&mut entries.iter().flat_map(|(k, v)| [k, v])),
        };
        (count, depth + 1)
    }
}

/// Reads one document; `None` when the text holds none (blank, or comments only).
pub fn parse(text: &str) -> Result<Option<Node>, YamlError> {
    let mut builder = Builder::default();
    let mut document = None;
    for item in Parser::new_from_str(text) {
        let (event, span) = item.map_err(|error| {
            let marker = *error.marker();
            YamlError { message: error.info(), at: position(marker.line(), marker.col()) }
        })?;
        if let Event::DocumentStart(..) = event
            && document.is_some()
        {
            return Err(failed("expected a single document in the stream", &span));
        }
        if let Some(finished) = builder.take(event, &span)? {
            document = Some(finished);
        }
    }
    Ok(document)
}

/// Open collections, and what anchors stand for.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

struct Open {
    at: Position,
    anchor: usize,
    items: Vec<Node>,
    is_map: bool,
}

impl Builder {
    /// Takes one event; returns the root once it is whole.
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<Option<Node>, YamlError> {
        let at = position(span.start.line(), span.start.col());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !is_string_tag(tag.as_deref(), span)?;
                let value = Value::Scalar { text: text.into_owned(), plain };
                self.place(Node { at, value }, anchor, span)
            }
            Event::SequenceStart(_, anchor, tag) => {
                is_string_tag(tag.as_deref(), span)?;
                self.enter(Open { at, anchor, items: Vec::new(), is_map: false }, span)
            }
            Event::MappingStart(_, anchor, tag) => {
                is_string_tag(tag.as_deref(), span)?;
                self.enter(Open { at, anchor, items: Vec::new(), is_map: true }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(None) };
                let value = if open.is_map {
                    Value::Map(pairs(open.items))
                } else {
                    Value::List(open.items)
                };
                self.nodes -= 1; // It was counted when it was opened.
                self.place(Node { at: open.at, value }, open.anchor, span)
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    return Err(failed("an alias stands inside what it names", span));
                };
                let (count, depth) = target.size();
                self.nodes += count - 1;
                if self.open.len() + depth > MAX_DEPTH {
                    return Err(failed(TOO_DEEP, span));
                }
                self.place(Node { at, value: target.value }, 0, span)
            }
            _ => Ok(None),
        }
    }

    fn enter(&mut self, open: Open, span: &Span) -> Result<Option<Node>, YamlError> {
        self.count(span)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(failed(TOO_DEEP, span));
        }
        self.open.push(open);
        Ok(None)
    }

    fn place(&mut self, node: Node, anchor: usize, span: &Span) -> Result<Option<Node>, YamlError> {
        self.count(span)?;
        if anchor != 0 {
            self.nodes += node.size().0; // The copy kept for aliases.
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.items.push(node);
                Ok(None)
            }
            None => Ok(Some(node)),
        }
    }

    fn count(&mut self, span: &Span) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(failed(TOO_LARGE, span));
        }
        Ok(())
    }
}

const TOO_DEEP: &str = "nested deeper than the 64 levels that are read";
const TOO_LARGE: &str = "more than the 100,000 values that are read";

fn pairs(items: Vec<Node>) -> Vec<(Node, Node)> {
    let mut items = items.into_iter();
    std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
}

/// Whether a tag makes a text of whatever is written; a tag outside the core schema is refused, as
/// the Hub's reader refuses it.
fn is_string_tag(tag: Option<&Tag>, span: &Span) -> Result<bool, YamlError> {
    let Some(tag) = tag else { return Ok(false) };
    let text = tag.to_string();
    match text.trim_start_matches("tag:yaml.org,2002:").trim_start_matches('!') {
        "" | "str" => Ok(true),
        "bool" | "float" | "int" | "null" | "map" | "seq" => Ok(false),
        _ => {
            Err(failed(&format!("unknown tag {}", text.chars().take(80).collect::<String>()), span))
        }
    }
}

fn failed(message: &str, span: &Span) -> YamlError {
    let message = message.to_owned();
    YamlError { message, at: position(span.start.line(), span.start.col()) }
}

fn position(line: usize, column_from_0: usize) -> Position {
    Position {
        line: u32::try_from(line.max(1)).unwrap_or(u32::MAX),
        column: u32::try_from(column_from_0 + 1).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_where_they_stand() {
        let tree = parse("a: no\nb:\n  - 'x'\n  - {c: 1}\n").expect("valid").expect("a document");
        let list = tree.get("b").expect("b");
        assert_eq!(list.at, Position { line: 3, column: 3 });
        assert_eq!(tree.get("a").and_then(Node::as_text), Some("no"));
        let Value::List(items) = &list.value else { panic!("a list") };
        assert_eq!(items[0].as_text(), Some("x"));
        let one = items[1].get("c").expect("c");
        assert_eq!(one.at, Position { line: 4, column: 9 });
        assert_eq!(one.reading(), Some(Reading::Int(Some(1))));
        assert_eq!(parse(" # nothing\n"), Ok(None));
    }

    #[test]
    fn tags_and_aliases() {
        let tree = parse("a: &x {k: !!str 12}\nb: *x\n").expect("valid").expect("a document");
        let k = tree.get("b").and_then(|b| b.get("k")).expect("b.k");
        assert_eq!(k.as_text(), Some("12"));
        let error = parse("a: !!python/tuple [1]").expect_err("refused");
        assert!(error.message.starts_with("unknown tag"), "{error}");
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let uses = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.extend([format!("a{level}: &a{level} [{uses}]\n")]);
        }
        assert_eq!(parse(&bomb).expect_err("refused").message, TOO_LARGE);
        assert!(parse(&"[".repeat(200)).is_err());
        assert!(parse("a: &a [*a]").is_err());
        assert!(parse("a: 1\n...\n---\nb: 2\n").is_err());
    }
}
