//! Follows a JSON Pointer (RFC 6901) through a JSON text and tells where the value stands. The
//! whole text is read, so that a file that was cut off is never taken for evidence; nothing is
//! built in memory. Python's `NaN`, `Infinity` and `-Infinity` are values too.

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 200;
/// Names and items that the answer about a wrong pointer lists.
const MAX_NAMES: usize = 12;

/// What the pointer leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// Byte offset of the value.
    pub offset: usize,
    /// What kind of value it is.
    pub kind: Kind,
    /// The value as written.
    pub text: &'a str,
}

/// The kinds of JSON values, and Python's additions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number.
    Number,
    /// `NaN`, `Infinity`, `-Infinity`.
    NotFinite,
    /// Text in quotes.
    Text,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
    /// `[…]`
    List,
    /// `{…}`
    Object,
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum LocateError {
    /// The text is not JSON.
    #[error("not valid JSON: {what}")]
    Syntax {
        /// What is wrong.
        what: &'static str,
        /// Byte offset.
        offset: usize,
    },
    /// The pointer is no pointer.
    #[error(
        "`{0}` is not a JSON Pointer: it must be empty or start with `/`, `~` only as ~0 or ~1"
    )]
    Pointer(String),
    /// The pointer leads nowhere.
    #[error("`{pointer}` leads nowhere: {why}")]
    Nowhere {
        /// The whole pointer.
        pointer: String,
        /// At which step, and what is there instead.
        why: String,
        /// Byte offset of the last value that was reached.
        offset: usize,
    },
    /// A name on the way stands twice, so readers differ on which value counts.
    #[error("`{pointer}` is ambiguous: `{name}` stands twice in the same object")]
    Twice {
        /// The whole pointer.
        pointer: String,
        /// The name.
        name: String,
        /// Byte offset of the second one.
        offset: usize,
    },
}

/// Follows `pointer` through `json`.
pub(super) fn locate<'a>(json: &'a str, pointer: &str) -> Result<Found<'a>, LocateError> {
    let steps = steps(pointer)?;
    let mut walker = Walker {
        text: json,
        at: if json.starts_with('\u{FEFF}') { 3 } else { 0 },
        depth: 0,
        found: None,
        twice: None,
        furthest: Stop { steps: 0, offset: 0, there: String::new() },
    };
    walker.value(Some(&steps), 0)?;
    walker.blanks();
    if walker.at < json.len() {
        return Err(walker.wrong("text after the end of the value"));
    }
    let pointer = pointer.to_owned();
    if let Some((name, offset)) = walker.twice {
        return Err(LocateError::Twice { pointer, name, offset });
    }
    walker.found.ok_or_else(|| {
        let Stop { steps: reached, offset, there } = walker.furthest;
        let step = steps.get(reached).map_or("", String::as_str);
        LocateError::Nowhere { pointer, why: format!("there is no `{step}` in {there}"), offset }
    })
}

/// The steps of a pointer, unescaped.
fn steps(pointer: &str) -> Result<Vec<String>, LocateError> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let bad = || LocateError::Pointer(pointer.chars().take(200).collect());
    let rest = pointer.strip_prefix('/').ok_or_else(bad)?;
    let valid = |step: &&str| step.replace("~0", "").replace("~1", "").contains('~');
    if rest.split('/').any(|step| valid(&step)) {
        return Err(bad());
    }
    Ok(rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

struct Walker<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    found: Option<Found<'a>>,
    twice: Option<(String, usize)>,
    furthest: Stop,
}

/// Where the pointer could not be followed further.
struct Stop {
    steps: usize,
    offset: usize,
    there: String,
}

impl<'a> Walker<'a> {
    /// Reads one value. `steps` is the pointer when this value lies on its way, `taken` of them.
    fn value(&mut self, steps: Option<&[String]>, taken: usize) -> Result<(), LocateError> {
        self.blanks();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.nested(|walker| walker.object(steps, taken))?,
            Some(b'[') => self.nested(|walker| walker.list(steps, taken))?,
            Some(b'"') => {
                self.string()?;
                Kind::Text
            }
            Some(b'-') if !self.text[self.at..].starts_with("-I") => self.number()?,
            Some(b'0'..=b'9') => self.number()?,
            Some(_) => self.word()?,
            None => return Err(self.wrong("the text ends where a value is expected")),
        };
        if let Some(steps) = steps {
            if taken == steps.len() {
                let text = &self.text[start..self.at];
                self.found = Some(Found { offset: start, kind, text });
            } else if !matches!(kind, Kind::Object | Kind::List) {
                let there =
                    format!("`{}`", self.text[start..self.at].chars().take(40).collect::<String>());
                self.furthest = Stop { steps: taken, offset: start, there };
            }
        }
        Ok(())
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Kind, LocateError>,
    ) -> Result<Kind, LocateError> {
        if self.depth == MAX_DEPTH {
            return Err(self.wrong("nested deeper than the 200 levels that are read"));
        }
        self.depth += 1;
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn object(&mut self, steps: Option<&[String]>, taken: usize) -> Result<Kind, LocateError> {
        let start = self.at;
        let wanted = steps.and_then(|steps| steps.get(taken));
        let mut names = Vec::new();
        let mut met = false;
        self.at += 1;
        self.blanks();
        if !self.eat(b'}') {
            loop {
                self.blanks();
                let key_at = self.at;
                if self.peek() != Some(b'"') {
                    return Err(self.wrong("expected a name in quotes"));
                }
                let key = self.string()?;
                let is_wanted = wanted.is_some_and(|wanted| key_is(key, wanted));
                if wanted.is_some() && names.len() < MAX_NAMES {
                    names.push(key.chars().take(60).collect::<String>());
                }
                if is_wanted && met && self.twice.is_none() {
                    self.twice = wanted.map(|name| (name.clone(), key_at));
                }
                met |= is_wanted;
                self.blanks();
                if !self.eat(b':') {
                    return Err(self.wrong("expected `:` after a name"));
                }
                self.value(steps.filter(|_| is_wanted), taken + 1)?;
                self.blanks();
                if self.eat(b'}') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.wrong("expected `,` or `}`"));
                }
            }
        }
        if wanted.is_some() && !met {
            let there = if names.is_empty() {
                "an empty object".to_owned()
            } else {
                format!("the object of {}", names.join(", "))
            };
            self.furthest = Stop { steps: taken, offset: start, there };
        }
        Ok(Kind::Object)
    }

    fn list(&mut self, steps: Option<&[String]>, taken: usize) -> Result<Kind, LocateError> {
        let start = self.at;
        let wanted = steps.and_then(|steps| steps.get(taken)).map(|step| index(step));
        let mut length = 0;
        self.at += 1;
        self.blanks();
        if !self.eat(b']') {
            loop {
                let is_wanted = wanted == Some(Some(length));
                self.value(steps.filter(|_| is_wanted), taken + 1)?;
                length += 1;
                self.blanks();
                if self.eat(b']') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.wrong("expected `,` or `]`"));
                }
            }
        }
        if wanted.is_some_and(|wanted| wanted.is_none_or(|index| index >= length)) {
            let there = format!("the list of {length}");
            self.furthest = Stop { steps: taken, offset: start, there };
        }
        Ok(Kind::List)
    }

    /// Reads a string and returns what stands between the quotes, escapes and all.
    fn string(&mut self) -> Result<&'a str, LocateError> {
        let start = self.at + 1;
        self.at = start;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at - 1]);
                }
                Some(b'\\') => {
                    let escape = self.text.as_bytes().get(self.at + 1);
                    if !matches!(
                        escape,
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u')
                    ) {
                        return Err(self.wrong("an unknown escape in a string"));
                    }
                    self.at += 2;
                }
                Some(0..0x20) => return Err(self.wrong("a control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.wrong("the text ends inside a string")),
            }
        }
    }

    fn number(&mut self) -> Result<Kind, LocateError> {
        self.eat(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.wrong("not a JSON number"));
        }
        if self.eat(b'.') && self.digits() == 0 {
            return Err(self.wrong("a number ends in its decimal point"));
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return Err(self.wrong("a number ends in its exponent"));
            }
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self) -> Result<Kind, LocateError> {
        const WORDS: [(&str, Kind); 6] = [
            ("true", Kind::Bool),
            ("false", Kind::Bool),
            ("null", Kind::Null),
            ("NaN", Kind::NotFinite),
            ("Infinity", Kind::NotFinite),
            ("-Infinity", Kind::NotFinite),
        ];
        let rest = &self.text[self.at..];
        let word = WORDS.iter().find(|(word, _)| rest.starts_with(word));
        let (word, kind) = word.ok_or_else(|| self.wrong("expected a value"))?;
        self.at += word.len();
        Ok(*kind)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn wrong(&self, what: &'static str) -> LocateError {
        LocateError::Syntax { what, offset: self.at }
    }
}

/// Whether a name as written (escapes and all) is the wanted one.
fn key_is(written: &str, wanted: &str) -> bool {
    if !written.contains('\\') {
        return written == wanted;
    }
    serde_json::from_str::<String>(&format!("\"{written}\"")).is_ok_and(|name| name == wanted)
}

/// The index that a step names: digits without leading zeros.
fn index(step: &str) -> Option<usize> {
    let canonical = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| canonical)
}

#[cfg(test)]
mod tests;
