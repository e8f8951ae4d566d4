//! Parsers and walks of code recurse. Code that would take them deeper than any person writes is
//! not parsed, and what is parsed gets a stack that is deep enough.

use crate::scan::{Detection, LIMIT};

/// Brackets in brackets.
const MOST_BRACKETS: usize = 200;
/// Operators, dots and brackets with no comma between them: `a.b.c`, `a + b + c`, `not not a`.
const LONGEST_CHAIN: usize = 5_000;
/// Columns of indentation.
const MOST_INDENT: usize = 2_000;
/// Enough for a chain of that length, at 50 kB a level.
const STACK: usize = 256 << 20;

/// Runs a parser on `text` and a walk over what it made, if both can come to their end.
pub(in crate::scan) fn within(
    text: &str,
    look: impl FnOnce(&str) -> Vec<Detection> + Send,
) -> Vec<Detection> {
    if is_too_deep(text) {
        return vec![Detection::on_line(&LIMIT, "it nests deeper than any person writes", 1, 1)];
    }
    let looked = std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || look(text));
        thread.map(std::thread::ScopedJoinHandle::join)
    });
    match looked {
        Ok(Ok(found)) => found,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => vec![Detection::on_line(&LIMIT, "there is no memory left to look into it", 1, 1)],
    }
}

fn is_too_deep(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut brackets, mut chain, mut indent) = (0usize, 0usize, Some(0usize));
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if let Some(columns) = indent {
            match byte {
                b' ' | b'\t' => {
                    indent = Some(columns + 1);
                    if columns > MOST_INDENT && brackets == 0 {
                        return true;
                    }
                }
                _ => indent = None,
            }
        }
        match byte {
            b'#' => {
                let line = memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                at += line.saturating_sub(1);
            }
            b'"' | b'\'' => at = end_of_text(bytes, at),
            b'\\' => at += 1,
            b'\n' => {
                indent = Some(0);
                if brackets == 0 {
                    chain = 0;
                }
            }
            b',' | b';' => chain = 0,
            b'(' | b'[' | b'{' => {
                brackets += 1;
                chain += 1;
            }
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'~' | b'<' | b'>'
            | b'=' | b'!' | b'@' => chain += 1,
            // `not`, `lambda`, `if`, `else`, `and`, `await`: a word after a word.
            b' ' | b'\t'
                if bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
                    && brackets + chain > 0 =>
            {
                chain += 1;
            }
            _ => {}
        }
        if brackets > MOST_BRACKETS || chain > LONGEST_CHAIN {
            return true;
        }
        at += 1;
    }
    false
}

/// The last quote of the text that begins at `start`.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let triple = bytes.get(start + 1) == Some(&quote) && bytes.get(start + 2) == Some(&quote);
    let mut at = start + if triple { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            // A text of one line ends with it, if only because it is broken.
            b'\n' if !triple => return at - 1,
            byte if byte == quote => {
                if !triple {
                    return at;
                }
                if bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote) {
                    return at + 2;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    #[test]
    fn nothing_overflows_the_stack() {
        let many = |text: &str| text.repeat(100_000);
        for (name, text) in [
            ("a.py", format!("x = a{}", many(".b"))),
            ("a.py", format!("x = a{}", many("()"))),
            ("a.py", format!("x = {}1", many("-"))),
            ("a.py", format!("x = {}1", many("not "))),
            ("a.py", format!("x = a{}", many("+a"))),
            ("a.py", format!("x = {}1", many("lambda: "))),
            ("a.py", format!("x = 1{}", many(" if a else 1"))),
            ("a.py", many("(")),
            (
                "a.py",
                format!("{}0{}\nimport os\nos.system('id')\n", "(".repeat(60), ")".repeat(60)),
            ),
            ("a.jinja", format!("{{{{ a{} }}}}", many("~a"))),
            ("a.jinja", format!("{{{{ a{} }}}}", many(".b"))),
            ("a.jinja", many("{% if x %}")),
        ] {
            let scan = scan_bytes(name, text.as_bytes());
            assert!(!scan.detections.is_empty(), "{name} {}", &text[..20]);
        }
        let table = format!("x = [\n{}]\n", many("  ('a.b', -1, \"it's\"),\n"));
        assert!(scan_bytes("a.py", table.as_bytes()).detections.is_empty());
    }
}
