//! Output as lines, as it comes.

/// Longest line that is handed on in one piece, in bytes.
const LONGEST: usize = 16 * 1024;

/// Cuts bytes into lines and hands them on.
pub(super) struct Lines<'s> {
    show: &'s mut (dyn FnMut(&str) + Send),
    begun: Vec<u8>,
    last: Option<String>,
}

impl<'s> Lines<'s> {
    pub(super) fn new(show: &'s mut (dyn FnMut(&str) + Send)) -> Self {
        Self { show, begun: Vec::new(), last: None }
    }

    /// The next bytes of the output.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.begun.len() >= LONGEST {
                self.hand_on();
            }
        }
    }

    /// A line of ours.
    pub(super) fn say(&mut self, text: &str) {
        (self.show)(text);
    }

    /// The end of the output; its last line that says something.
    pub(super) fn end(mut self) -> Option<String> {
        if !self.begun.is_empty() {
            self.hand_on();
        }
        self.last
    }

    fn hand_on(&mut self) {
        let line = String::from_utf8_lossy(&self.begun);
        let line = line.trim_end_matches(['\n', '\r']);
        (self.show)(line);
        // Progress bars draw over what stands there: the last drawing is what people saw.
        let seen = line.rsplit('\r').next().unwrap_or(line).trim();
        if !seen.is_empty() {
            self.last = Some(plain(seen));
        }
        self.begun.clear();
    }
}

/// The text without escape sequences of terminals (ECMA-48: ESC `[` … a letter).
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            if rest.as_str().starts_with('[') {
                rest.by_ref().skip(1).find(|c| ('@'..='~').contains(c));
            }
        } else if !c.is_control() {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_whole_or_in_pieces() {
        let mut seen = Vec::new();
        let mut show = |line: &str| seen.push(line.to_owned());
        let mut lines = Lines::new(&mut show);
        for piece in [&b"one\ntw"[..], b"o\r\n\n", b"a\xffb\n", b"\x1b[31m3 failed\x1b[0m\n \n"] {
            lines.take(piece);
        }
        lines.take(&vec![b'x'; LONGEST * 2]);
        lines.take(b"10%\r100%");
        assert_eq!(lines.end().as_deref(), Some("100%"));
        assert_eq!(seen[..4], ["one", "two", "", "a\u{fffd}b"]);
        assert!(seen[6].len() == LONGEST * 2, "no line end in one read: one piece");
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn the_last_line_is_without_colour() {
        let mut show = |_: &str| {};
        let mut lines = Lines::new(&mut show);
        lines.take(b"\x1b[31m== \x1b[1m3 failed\x1b[0m ==\x07\n\n");
        assert_eq!(lines.end().as_deref(), Some("== 3 failed =="));
        assert_eq!(Lines::new(&mut |_| {}).end(), None);
    }
}
