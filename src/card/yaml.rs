//! Plain data and its YAML, written so that YAML 1.1 (Python) and 1.2 (the Hub) read it the same.

use std::fmt::Write as _;

use crate::hub::yaml_dialect::{Reading, is_plainly_text, yaml_1_2};
use crate::hub::yaml_tree::{Node, Value};

/// A value of the front matter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// Text; quoted unless it is plainly a word.
    Text(String),
    /// A list.
    List(Vec<Data>),
    /// Keys in the order they are written.
    Map(Vec<(String, Data)>),
}

impl Data {
    /// Text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    pub(super) fn texts<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::text(text.as_ref())).collect())
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Sets a key of a map in its place, or at the end.
    pub(super) fn set(&mut self, key: &str, value: Self) {
        let Self::Map(entries) = self else { return };
        match entries.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => entries.push((key.to_owned(), value)),
        }
    }

    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as one or many: a list's items, or the value itself; nothing for null.
    pub(super) fn items(&self) -> Vec<Self> {
        match self {
            Self::List(items) => items.clone(),
            Self::Null => Vec::new(),
            other => vec![other.clone()],
        }
    }

    /// What the Hub reads in a YAML value. Keys are made text; a merge key (`<<`) is merged.
    pub(super) fn of(node: &Node) -> Self {
        match &node.value {
            Value::Scalar { text, plain: false } => Self::text(text),
            Value::Scalar { text, plain: true } => match yaml_1_2(text) {
                Reading::Null => Self::Null,
                Reading::Bool(value) => Self::Bool(value),
                Reading::Int(Some(value)) => Self::Int(value),
                Reading::Int(None) | Reading::Float => float(text),
                Reading::Text | Reading::Date | Reading::Special => Self::text(text),
            },
            Value::List(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Map(entries) => {
                let mut map = Self::Map(Vec::new());
                for (key, value) in entries {
                    match &key.value {
                        Value::Scalar { text, plain: true } if text == "<<" => {
                            map.merge_under(&Self::of(value));
                        }
                        Value::Scalar { text, .. } => map.set(text, Self::of(value)),
                        // The card rules refuse such keys; here they only must not be lost silently.
                        Value::List(_) | Value::Map(_) => map.set("?", Self::of(value)),
                    }
                }
                map
            }
        }
    }

    /// Adds the entries of another map, or of each map of a list, that are not there yet.
    fn merge_under(&mut self, other: &Self) {
        let others = other.items();
        for (key, value) in others
            .iter()
            .filter_map(|other| match other {
                Self::Map(entries) => Some(entries),
                _ => None,
            })
            .flatten()
        {
            if self.get(key).is_none() {
                self.set(key, value.clone());
            }
        }
    }

    /// The YAML of a map, one key a line, with a line break at the end.
    pub(super) fn to_yaml(&self) -> String {
        let mut yaml = String::new();
        write_block(&mut yaml, self, 0);
        yaml
    }
}

fn float(word: &str) -> Data {
    let number = match word.trim_start_matches('+') {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        digits => return digits.parse().map_or_else(|_| Data::text(word), Data::Float),
    };
    Data::Float(number)
}

fn write_block(yaml: &mut String, data: &Data, indent: usize) {
    match data {
        Data::Map(entries) if !entries.is_empty() => {
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 || indent == 0 {
                    pad(yaml, indent);
                }
                let _ = write!(yaml, "{}:", quoted(key));
                write_value(yaml, value, indent);
            }
        }
        Data::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 || indent == 0 {
                    pad(yaml, indent);
                }
                yaml.push('-');
                match item {
                    // The first line of what is nested stands right behind the dash.
                    Data::Map(entries) if !entries.is_empty() => nest(yaml, item, indent),
                    Data::List(items) if !items.is_empty() => nest(yaml, item, indent),
                    scalar => {
                        let _ = writeln!(yaml, " {}", inline(scalar));
                    }
                }
            }
        }
        other => {
            let _ = writeln!(yaml, "{}", inline(other));
        }
    }
}

fn nest(yaml: &mut String, item: &Data, indent: usize) {
    yaml.push(' ');
    write_block(yaml, item, indent + 2);
}

/// What follows `key:`.
fn write_value(yaml: &mut String, value: &Data, indent: usize) {
    match value {
        Data::Map(entries) if !entries.is_empty() => {
            yaml.push('\n');
            pad(yaml, indent + 2);
            write_block(yaml, value, indent + 2);
        }
        Data::List(items) if !items.is_empty() => {
            yaml.push('\n');
            pad(yaml, indent + 2);
            write_block(yaml, value, indent + 2);
        }
        scalar => {
            let _ = writeln!(yaml, " {}", inline(scalar));
        }
    }
}

fn pad(yaml: &mut String, indent: usize) {
    yaml.extend(std::iter::repeat_n(' ', indent));
}

fn inline(data: &Data) -> String {
    match data {
        Data::Null => "null".into(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Float(value) => number(*value),
        Data::Text(text) => quoted(text),
        Data::List(_) => "[]".into(),
        Data::Map(_) => "{}".into(),
    }
}

/// A number in the one form that both dialects take for a float: with a point, and with a sign in
/// the exponent.
fn number(value: f64) -> String {
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let text = format!("{value:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// The text as it is where it is plainly a word, else in double quotes. Two- and three-letter words
/// are quoted too: language codes (`no`) and their like are where the dialects fall out.
fn quoted(text: &str) -> String {
    let is_word = text.len() > 3
        && text.len() < 200
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !is_version_or_digest(text)
        && is_plainly_text(text);
    if is_word {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if needs_escape(c) && u32::from(c) > 0xFFFF => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c if needs_escape(c) => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `v1.2.0` or hexadecimal digits: words today, but of a kind whose next value may be a number.
fn is_version_or_digest(text: &str) -> bool {
    let version =
        text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    version || text.chars().all(|c| c.is_ascii_hexdigit())
}

/// Characters that a YAML reader refuses or takes for a line break, and those that cannot be seen.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{A0}' | '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202F}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hub::yaml_tree;

    fn read(yaml: &str) -> Data {
        Data::of(&yaml_tree::parse(yaml).expect(yaml).expect("a document"))
    }

    #[test]
    fn words_are_plain_and_all_else_is_quoted() {
        for (text, yaml) in [
            ("apache-2.0", "apache-2.0"),
            ("acme/churn", "acme/churn"),
            ("no", "\"no\""),
            ("null", "\"null\""),
            ("false", "\"false\""),
            ("1e3", "\"1e3\""),
            ("v1.2.0", "\"v1.2.0\""),
            ("deadbeef", "\"deadbeef\""),
            ("a: b", "\"a: b\""),
            ("---", "\"---\""),
            ("a\nb", "\"a\\nb\""),
            ("\u{202E}x", "\"\\u202Ex\""),
        ] {
            assert_eq!(quoted(text), yaml);
        }
    }

    #[test]
    fn numbers_are_floats_to_both() {
        for (value, yaml) in [(0.9, "0.9"), (1e20, "1.0e+20"), (1.5e-9, "1.5e-9"), (2.0, "2.0")] {
            assert_eq!(number(value), yaml);
            assert_eq!(crate::hub::yaml_dialect::yaml_1_1(yaml), Reading::Float);
            assert_eq!(yaml_1_2(yaml), Reading::Float);
        }
    }

    #[test]
    fn nesting_is_indented() {
        let data = Data::Map(vec![
            (
                "list".into(),
                Data::List(vec![
                    Data::Map(vec![
                        ("name".into(), Data::text("no")),
                        ("deep".into(), Data::texts(["word"])),
                    ]),
                    Data::List(vec![Data::Int(1), Data::List(vec![])]),
                ]),
            ),
            ("empty".into(), Data::Map(vec![])),
        ]);
        let yaml =
            "list:\n  - name: \"no\"\n    deep:\n      - word\n  - - 1\n    - []\nempty: {}\n";
        assert_eq!(data.to_yaml(), yaml);
        assert_eq!(read(yaml), data);
    }

    #[test]
    fn merge_keys_are_merged() {
        let data = read("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n");
        assert_eq!(data.get("b").and_then(|b| b.get("x")), Some(&Data::Int(1)));
        assert_eq!(data.get("b").and_then(|b| b.get("y")), Some(&Data::Int(3)));
    }

    fn data() -> impl Strategy<Value = Data> {
        let leaf = prop_oneof![
            Just(Data::Null),
            any::<bool>().prop_map(Data::Bool),
            any::<i64>().prop_map(|value| Data::Int(value.into())),
            (proptest::num::f64::NORMAL | proptest::num::f64::ZERO).prop_map(Data::Float),
            "(?s).{0,12}".prop_map(Data::Text),
            "[~=<>0-9:eno._-]{0,6}".prop_map(Data::Text),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Data::List),
                proptest::collection::btree_map("(?s).{0,8}", inner, 0..4)
                    .prop_map(|map| Data::Map(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(inner in data()) {
            let whole = Data::Map(vec![("x".into(), inner)]);
            prop_assert_eq!(read(&whole.to_yaml()), whole);
        }
    }
}
