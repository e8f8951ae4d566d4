//! JSON as Python's `json.loads` reads it, which takes more than the standard allows: `NaN`,
//! numbers of any size, halves of surrogate pairs. What loaders accept must not be out of sight.
//! Keys keep their place and their duplicates, numbers their place.
//! <https://docs.python.org/3/library/json.html#standard-compliance-and-interoperability>

/// Deepest nesting that is followed; settings are no deeper, and Python's own limit is near.
const DEEPEST: usize = 200;

/// A value.
#[derive(Debug)]
pub(crate) enum Value {
    Map(Vec<(Key, Value)>),
    List(Vec<Value>),
    Text(String),
    /// A number, NaN and infinities among them, and the byte at which it stands.
    Number(f64, usize),
    Bool(bool),
    Null,
}

/// A key, and the byte of the text at which it stands.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) at: usize,
}

/// Why a text is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Python's reader refuses it too.
    Broken,
    /// It nests deeper than is followed.
    Deep,
}

impl Value {
    /// The last value under a key, as Python reads it.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The byte at which a key stands; 0 without it.
    pub(crate) fn place(&self, key: &str) -> usize {
        self.entry(key).map_or(0, |(key, _)| key.at)
    }

    fn entry(&self, key: &str) -> Option<&(Key, Value)> {
        match self {
            Self::Map(entries) => entries.iter().rev().find(|(found, _)| found.name == key),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[(Key, Value)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number, _) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[Value] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// Reads a whole text.
    pub(crate) fn parse(text: &str) -> Result<Self, Unread> {
        let mut parser = Parser { text: text.trim_start_matches('\u{feff}'), at: 0, depth: 0 };
        parser.at = 0;
        let skipped = text.len() - parser.text.len();
        let mut value = parser.value()?;
        parser.blanks();
        if parser.at < parser.text.len() {
            return Err(Unread::Broken);
        }
        if skipped > 0 {
            value.shift(skipped);
        }
        Ok(value)
    }

    /// Reads a whole text that stands at a byte of a longer one: a line.
    pub(crate) fn parse_at(text: &str, at: usize) -> Result<Self, Unread> {
        let mut value = Self::parse(text)?;
        value.shift(at);
        Ok(value)
    }

    fn shift(&mut self, by: usize) {
        match self {
            Self::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                key.at += by;
                value.shift(by);
            }),
            Self::List(items) => items.iter_mut().for_each(|item| item.shift(by)),
            Self::Number(_, at) => *at += by,
            Self::Text(_) | Self::Bool(_) | Self::Null => {}
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        // `at` only ever moves by whole characters.
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Result<Value, Unread> {
        self.blanks();
        match self.rest().as_bytes().first() {
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9' | b'I' | b'N' | b't' | b'f' | b'n') => self.word(),
            _ => Err(Unread::Broken),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Unread>) -> Result<Value, Unread> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Unread::Deep);
        }
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn map(&mut self) -> Result<Value, Unread> {
        let mut entries = Vec::new();
        loop {
            self.blanks();
            if entries.is_empty() && self.eat("}") {
                return Ok(Value::Map(entries));
            }
            let at = self.at;
            let name = self.string()?;
            self.blanks();
            if !self.eat(":") {
                return Err(Unread::Broken);
            }
            entries.push((Key { name, at }, self.value()?));
            self.blanks();
            if self.eat("}") {
                return Ok(Value::Map(entries));
            }
            if !self.eat(",") {
                return Err(Unread::Broken);
            }
        }
    }

    fn list(&mut self) -> Result<Value, Unread> {
        let mut items = Vec::new();
        loop {
            self.blanks();
            if items.is_empty() && self.eat("]") {
                return Ok(Value::List(items));
            }
            items.push(self.value()?);
            self.blanks();
            if self.eat("]") {
                return Ok(Value::List(items));
            }
            if !self.eat(",") {
                return Err(Unread::Broken);
            }
        }
    }

    fn word(&mut self) -> Result<Value, Unread> {
        let at = self.at;
        let words = [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
            ("NaN", Value::Number(f64::NAN, at)),
            ("Infinity", Value::Number(f64::INFINITY, at)),
            ("-Infinity", Value::Number(f64::NEG_INFINITY, at)),
        ];
        for (word, value) in words {
            if self.eat(word) {
                return Ok(value);
            }
        }
        let rest = self.rest();
        let number = rest.trim_start_matches(|c: char| {
            c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E')
        });
        let number = &rest[..rest.len() - number.len()];
        self.at += number.len();
        number.parse().map(|value| Value::Number(value, at)).map_err(|_| Unread::Broken)
    }

    fn string(&mut self) -> Result<String, Unread> {
        if !self.eat("\"") {
            return Err(Unread::Broken);
        }
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(['"', '\\']).ok_or(Unread::Broken)?;
            text.push_str(&rest[..plain]);
            self.at += plain + 1;
            if rest.as_bytes()[plain] == b'"' {
                return Ok(text);
            }
            let escape = self.rest().chars().next().ok_or(Unread::Broken)?;
            self.at += escape.len_utf8();
            text.push(match escape {
                '"' | '\\' | '/' => escape,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.unicode()?,
                _ => return Err(Unread::Broken),
            });
        }
    }

    /// Four digits, and the second half of a pair where one follows. A lone half, which no text in
    /// Rust can hold, becomes the replacement character.
    fn unicode(&mut self) -> Result<char, Unread> {
        let first = self.digits()?;
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let second = self.digits()?;
            if (0xDC00..0xE000).contains(&second) {
                let pair = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn digits(&mut self) -> Result<u32, Unread> {
        let digits = self.rest().get(..4).ok_or(Unread::Broken)?;
        self.at += 4;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Unread::Broken);
        }
        u32::from_str_radix(digits, 16).map_err(|_| Unread::Broken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(json: &str) -> Option<String> {
        Value::parse(json).ok()?.get("a")?.text().map(str::to_owned)
    }

    #[test]
    fn what_python_reads_is_read() {
        for (json, expected) in [
            (
                r#"{"b": NaN, "c": [-Infinity, 1e999, 123456789012345678901234567890], "a": "x"}"#,
                "x",
            ),
            (r#"{"b": "\ud800", "a": "\u0061\n\/\ud83d\ude00"}"#, "a\n/😀"),
            (r#"{"a": "\ud800\u0041"}"#, "\u{fffd}A"),
            ("\u{feff} {\"a\" : \"first\", \"a\" : \"last\"} ", "last"),
            ("{\"a\": \"a\ttab\"}", "a\ttab"),
            (r#"{"b": [], "c": {}, "a": ""}"#, ""),
        ] {
            assert_eq!(text_of(json).as_deref(), Some(expected), "{json}");
        }
        for json in
            ["", "{", "[1,]", "{\"a\" 1}", "{} x", "\"\\x\"", "\"\\u12\"", "{'a': 1}", "[,]"]
        {
            assert_eq!(Value::parse(json).err(), Some(Unread::Broken), "{json}");
        }
        assert_eq!(Value::parse(&"[".repeat(300)).err(), Some(Unread::Deep));
        let value = Value::parse("\u{feff}{\"b\": {\"a\": 1}}").expect("JSON");
        assert_eq!(value.get("b").map(|inner| inner.place("a")), Some(10));
    }

    proptest! {
        #[test]
        fn whatever_serde_json_reads_is_read(text in "[\\[\\]{}\",:0-9a-e\\\\u ntrufalse.-]{0,60}") {
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                prop_assert!(Value::parse(&text).is_ok(), "{}", text);
            }
        }
    }
}
