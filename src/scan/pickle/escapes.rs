//! Texts as protocol 0 writes them.

/// The text of STRING: `'…'` or `"…"`, with the escapes of a Python byte string
/// (`codecs.escape_decode`); `None` where a loader would refuse it.
pub(super) fn quoted(line: &str) -> Option<String> {
    let line = line.trim_end();
    let inner = ['\'', '"'].into_iter().find_map(|quote| {
        let rest = line.strip_prefix(quote)?;
        rest.strip_suffix(quote)
    })?;
    let mut out = String::with_capacity(inner.len());
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next()? {
            '\n' => {}
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            'x' => out.push(code(&mut letters, 2)?),
            digit @ '0'..='7' => {
                let mut number = digit.to_digit(8)?;
                for _ in 0..2 {
                    let Some(more) = letters.peek().and_then(|next| next.to_digit(8)) else {
                        break;
                    };
                    number = number * 8 + more;
                    letters.next();
                }
                out.push(char::from_u32(number & 0xFF)?);
            }
            same @ ('\\' | '\'' | '"') => out.push(same),
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    Some(out)
}

/// The text of UNICODE: `\uXXXX` and `\UXXXXXXXX` are escapes, nothing else is
/// (`raw-unicode-escape`).
pub(super) fn raw_unicode(line: &str) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let width = match (letter, letters.peek()) {
            ('\\', Some('u')) => 4,
            ('\\', Some('U')) => 8,
            _ => {
                out.push(letter);
                continue;
            }
        };
        letters.next();
        out.push(code(&mut letters, width)?);
    }
    Some(out)
}

fn code(letters: &mut impl Iterator<Item = char>, width: usize) -> Option<char> {
    let digits: String = letters.take(width).collect();
    if digits.len() != width {
        return None;
    }
    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_as_python_does() {
        for (line, text) in [
            ("'os'", Some("os")),
            ("\"os\"", Some("os")),
            ("'\\x6fs'", Some("os")),
            ("'\\157\\163'", Some("os")),
            ("'a\\'b\\q'", Some("a'b\\q")),
            ("os", None),
            ("'os\"", None),
            ("'\\x6'", None),
        ] {
            assert_eq!(quoted(line).as_deref(), text, "{line}");
        }
        assert_eq!(raw_unicode("\\u006fs\\n").as_deref(), Some("os\\n"));
        assert_eq!(raw_unicode("\\U0000006fs").as_deref(), Some("os"));
        assert_eq!(raw_unicode("\\u00"), None);
    }
}
