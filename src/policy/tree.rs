//! YAML as a tree in which every key and value knows its line and column.
//!
//! The policy is read twice: into this tree, against which every structural problem is collected
//! at once, and then into the raw types, which after that cannot fail.
//!
//! Both readings follow YAML 1.2 for booleans, so that `language: [no]` is Norwegian.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

use crate::source::Position;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its own position, and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Position,
    pub(super) node: Node,
}

impl Value {
    /// What it is, in words for "expected …, found …".
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Null => "nothing".into(),
            Self::Bool(value) => format!("the boolean `{value}`"),
            Self::Integer(value) => format!("the number `{value}`"),
            Self::Float(value) => format!("the number `{value}`"),
            Self::Text(value) if value.chars().count() <= 60 => format!("the text `{value}`"),
            Self::Text(_) => "a text".into(),
            Self::List(_) => "a list".into(),
            Self::Map(_) => "a map".into(),
        }
    }
}

/// The position of something spanned.
pub(super) fn position(location: serde_yaml::Location) -> Position {
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).max(1);
    Position { line: number(location.line()), column: number(location.column()) }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Spanned<Value>>()? {
            items.push(node(item));
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Spanned<Value>>()? {
            entries.push(Entry {
                key_at: position(key.defined),
                key: key.value,
                node: node(value),
            });
        }
        Ok(Value::Map(entries))
    }
}

fn node(spanned: Spanned<Value>) -> Node {
    // Where an alias is used, the anchored text is the place to mend.
    Node { at: position(spanned.defined), value: spanned.value }
}

/// Reads a text into a tree. Repeated keys are kept (the structure check reports each), numbers
/// that are none too; an error is one of syntax or of size.
pub(super) fn read(text: &str) -> Result<Node, serde_yaml::Error> {
    serde_yaml::from_str_with_options::<Spanned<Value>>(
        text,
        options(DuplicateKeyPolicy::PassThrough),
    )
    .map(node)
}

/// Reads a text into a raw type; of repeated keys the first counts.
pub(super) fn read_as<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_yaml::Error> {
    serde_yaml::from_str_with_options(text, options(DuplicateKeyPolicy::FirstWins))
}

/// An honest policy nests six levels deep and has few aliases.
fn options(duplicate_keys: DuplicateKeyPolicy) -> serde_yaml::Options {
    serde_yaml::options! {
        strict_booleans: true,
        with_snippet: false,
        duplicate_keys: duplicate_keys,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        budget: serde_yaml::budget! { max_depth: 32, max_nodes: 100_000 },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: 20_000 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_keys_and_values() {
        let tree = read("a:\n  - b: 1\n    c: [x, no]\n    c: 2\n").expect("good YAML");
        let Value::Map(top) = &tree.value else { panic!("a map") };
        assert_eq!(top[0].key_at, Position { line: 1, column: 1 });
        let Value::List(items) = &top[0].node.value else { panic!("a list") };
        let Value::Map(entries) = &items[0].value else { panic!("a map") };
        assert_eq!(entries[1].key_at, Position { line: 3, column: 5 });
        assert_eq!(entries[2].key_at, Position { line: 4, column: 5 });
        let Value::List(list) = &entries[1].node.value else { panic!("a list") };
        assert_eq!(list[1].at, Position { line: 3, column: 12 });
        assert!(matches!(&list[1].value, Value::Text(text) if text == "no"));
    }

    #[test]
    fn bombs_and_depths_are_errors() {
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_err());
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let items = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert!(read(&bomb).is_err());
    }
}
