//! Whether bytes begin like a pickle: a walk over the opcodes with no values, strict about what a
//! loader would refuse. It can be sure that something is none, never that it is one.

use super::opcode;

/// Opcodes after which nobody doubts any more.
const ENOUGH: usize = 48;

/// What the walk over the beginning ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scan) enum Sniff {
    /// A loader would refuse it before it did anything.
    No,
    /// Nothing speaks against it so far.
    Perhaps,
    /// It imports, or comes to its end, in order.
    Yes,
}

/// Walks over `head`, the beginning of a file of `size` bytes where that is known.
pub(in crate::scan) fn sniff(head: &[u8], size: Option<u64>) -> Sniff {
    let mut walk = Walk { rest: head, depth: 0, marks: Vec::new(), imported: false };
    let mut steps = 0;
    while let Some((&code, rest)) = walk.rest.split_first() {
        walk.rest = rest;
        match walk.step(code, size) {
            Step::Next => steps += 1,
            Step::Sure => return Sniff::Yes,
            Step::Cut => break,
            Step::Wrong => return Sniff::No,
        }
        if steps >= ENOUGH {
            return Sniff::Yes;
        }
    }
    if steps == 0 && walk.rest.is_empty() && head.len() < 2 { Sniff::No } else { Sniff::Perhaps }
}

enum Step {
    Next,
    Sure,
    /// `head` ends within the opcode's argument.
    Cut,
    Wrong,
}

struct Walk<'a> {
    rest: &'a [u8],
    depth: usize,
    marks: Vec<usize>,
    imported: bool,
}

impl<'a> Walk<'a> {
    fn step(&mut self, code: u8, size: Option<u64>) -> Step {
        if opcode::name(code).is_none() {
            return Step::Wrong;
        }
        match code {
            b'.' => return if self.takes(1) { Step::Sure } else { Step::Wrong },
            0x80 => return self.fixed(1, 0, |bytes| bytes[0] <= 5),
            0x95 => return self.fixed(8, 0, |bytes| size.is_none_or(|size| long(bytes) <= size)),
            b'(' => self.marks.push(self.depth),
            b'N' | b')' | b']' | b'}' | 0x88 | 0x89 | 0x8F | 0x97 => self.depth += 1,
            b'K' => return self.fixed(1, 1, |_| true),
            b'M' => return self.fixed(2, 1, |_| true),
            b'J' => return self.fixed(4, 1, |_| true),
            b'G' => return self.fixed(8, 1, |_| true),
            b'I' | b'L' => {
                return self.line(1, |line| {
                    let line = line.strip_suffix(b"L").unwrap_or(line);
                    let digits = line.strip_prefix(b"-").unwrap_or(line);
                    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
                });
            }
            b'F' => {
                return self.line(1, |line| {
                    std::str::from_utf8(line).is_ok_and(|line| line.trim().parse::<f64>().is_ok())
                });
            }
            b'S' => {
                return self.line(1, |line| {
                    let line = line.trim_ascii_end();
                    line.len() >= 2
                        && line[0] == line[line.len() - 1]
                        && matches!(line[0], b'\'' | b'"')
                });
            }
            b'V' | b'P' => return self.line(1, |_| true),
            b'U' | 0x8C | b'C' | 0x8A => return self.sized(1, size),
            b'T' | b'X' | b'B' | 0x8B => return self.sized(4, size),
            0x8D | 0x8E | 0x96 => return self.sized(8, size),
            b'c' | b'i' => {
                for _ in 0..2 {
                    match self.line(0, is_name) {
                        Step::Next => {}
                        other => return other,
                    }
                }
                if code == b'i' {
                    return if self.marks.is_empty() { Step::Wrong } else { Step::Sure };
                }
                // Two words on two lines import nothing by themselves: a call must follow.
                self.imported = true;
                self.depth += 1;
            }
            0x93 => return if self.takes(2) { Step::Sure } else { Step::Wrong },
            0x82..=0x84 => return Step::Sure,
            b'R' | b'b' | 0x81 if self.imported && self.takes(2) => return Step::Sure,
            b'p' | b'g' => {
                let digits = |line: &[u8]| !line.is_empty() && line.iter().all(u8::is_ascii_digit);
                if code == b'p' && !self.takes(1) {
                    return Step::Wrong;
                }
                return self.line(usize::from(code == b'g'), digits);
            }
            b'q' | b'r' => {
                return if self.takes(1) {
                    self.fixed(if code == b'q' { 1 } else { 4 }, 0, |_| true)
                } else {
                    Step::Wrong
                };
            }
            b'h' => return self.fixed(1, 1, |_| true),
            b'j' => return self.fixed(4, 1, |_| true),
            0x94 | b'Q' | 0x98 => return self.needs(1, 1),
            b'2' => return self.needs(1, 2),
            b'0' => {
                if self.marks.last() == Some(&self.depth) {
                    self.marks.pop();
                } else {
                    return self.needs(1, 0);
                }
            }
            0x85..=0x87 => return self.needs(usize::from(code - 0x84), 1),
            b'a' | b'b' | b'R' | 0x81 => return self.needs(2, 1),
            b's' | 0x92 => return self.needs(3, 1),
            b'1' | b't' | b'l' | b'd' | b'o' | 0x91 | b'e' | b'u' | 0x90 => {
                let Some(mark) = self.marks.pop() else { return Step::Wrong };
                self.depth = mark;
                match code {
                    b'1' => {}
                    b'e' | b'u' | 0x90 => return self.needs(1, 1),
                    _ => self.depth += 1,
                }
            }
            _ => return Step::Wrong,
        }
        Step::Next
    }

    fn takes(&self, count: usize) -> bool {
        let fence = self.marks.last().copied().unwrap_or(0);
        self.depth >= fence + count
    }

    fn needs(&mut self, count: usize, pushes: usize) -> Step {
        if !self.takes(count) {
            return Step::Wrong;
        }
        self.depth = self.depth - count + pushes;
        Step::Next
    }

    fn fixed(&mut self, width: usize, pushes: usize, fits: impl Fn(&[u8]) -> bool) -> Step {
        let Some((argument, rest)) = self.rest.split_at_checked(width) else { return Step::Cut };
        self.rest = rest;
        self.depth += pushes;
        if fits(argument) { Step::Next } else { Step::Wrong }
    }

    fn sized(&mut self, width: usize, size: Option<u64>) -> Step {
        let Some((argument, rest)) = self.rest.split_at_checked(width) else { return Step::Cut };
        let length = long(argument);
        if size.is_some_and(|size| length > size) || length > 1 << 48 {
            return Step::Wrong;
        }
        self.depth += 1;
        match usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) {
            Some((_, rest)) => {
                self.rest = rest;
                Step::Next
            }
            None => Step::Cut,
        }
    }

    fn line(&mut self, pushes: usize, fits: impl Fn(&'a [u8]) -> bool) -> Step {
        let Some(end) = memchr::memchr(b'\n', self.rest) else { return Step::Cut };
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        self.depth += pushes;
        if fits(line) { Step::Next } else { Step::Wrong }
    }
}

fn long(bytes: &[u8]) -> u64 {
    let mut all = [0; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(all)
}

/// A dotted name, as modules and attributes have; letters of any script.
fn is_name(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|line| {
        !line.is_empty()
            && line.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pickles_of_every_protocol_and_texts() {
        for (bytes, expected) in [
            (&b"cos\nsystem\n(S'id'\ntR."[..], Sniff::Yes),
            (b"(lp0\nI1\na.", Sniff::Yes),
            (b"}q\x00.", Sniff::Yes),
            (b"\x80\x04\x95\x05\0\0\0\0\0\0\0\x8c\x01a\x94.", Sniff::Yes),
            (b"V long text that is popped\n0cos\nsystem\n", Sniff::Perhaps),
            (b"X\x05\0\0\0ab", Sniff::Perhaps),
            (b"columns\nare\nwords\n", Sniff::No),
            (b"The model was trained on", Sniff::No),
            (b"Version 1\nSome text\n", Sniff::No),
            (b"{\"a\": 1}", Sniff::No),
            (b"# Title\n", Sniff::No),
            (b"import os\n", Sniff::No),
            (b"0.5,1.5\n", Sniff::No),
            (b"\x80\x3f\x00\x00\x80\x3f", Sniff::No),
            (b"", Sniff::No),
        ] {
            assert_eq!(sniff(bytes, Some(1000)), expected, "{bytes:?}");
        }
    }
}
