//! The metadata block at the head of a card: where it starts and ends.
//!
//! The rule is `huggingface_hub` 2.4's (`repocard.py`, said there to be the server's): optional
//! white space, a line of three dashes, the body, a line of three dashes with optional blanks.

use std::ops::Range;

use super::yaml_tree::{self, Node};

/// A card split into its metadata and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrontMatter<'a> {
    /// The YAML between the fences.
    pub yaml: &'a str,
    /// Byte offset of `yaml` in the card.
    pub offset: usize,
    /// Everything after the closing fence's line.
    pub body: &'a str,
}

/// Finds the block; `None` when there is none, it is not closed, or nothing at all stands between
/// the fences (the Hub then sees a card without metadata).
pub fn split(card: &str) -> Option<FrontMatter<'_>> {
    let mut lines = lines(card).skip_while(|line| is_blank(&card[line.clone()]));
    let fence = lines.next()?;
    if without_mark(&card[fence.clone()]).trim_start() != "---" {
        return None;
    }
    let start = after_break(card, fence.end);
    let first = lines.next()?; // A fence right after the first one does not close the block.
    let mut end = first.end;
    for line in lines {
        if is_closing_fence(&card[line.clone()]) {
            let body = &card[after_break(card, line.end)..];
            return Some(FrontMatter { yaml: &card[start..end], offset: start, body });
        }
        end = line.end;
    }
    None
}

/// The value of a key of the metadata, and the line of the card that it stands in; `None` also where
/// the metadata cannot be read.
pub fn value(card: &str, key: &str) -> Option<(Node, u32)> {
    let block = split(card)?;
    let value = yaml_tree::parse(block.yaml).ok()??.get_merged(key)?.clone();
    let before = card[..block.offset].matches('\n').count();
    let line = value.at.line.saturating_add(u32::try_from(before).unwrap_or(u32::MAX));
    Some((value, line))
}

fn is_closing_fence(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.chars().all(|c| c == ' ' || c == '\t'))
}

fn is_blank(line: &str) -> bool {
    without_mark(line).trim().is_empty()
}

/// A byte-order mark is removed by every reader that loads the card from a file.
fn without_mark(line: &str) -> &str {
    line.strip_prefix('\u{FEFF}').unwrap_or(line)
}

/// The lines without their breaks; `\n`, `\r\n` and a lone `\r` break a line, as in YAML.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let end = text[from..].find(['\n', '\r']).map(|at| from + at);
        start = end.map(|end| after_break(text, end));
        Some(from..end.unwrap_or(text.len()))
    })
}

/// The lines with their breaks, as [`lines`] has them.
pub(crate) fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    let whole = |line: Range<usize>| &text[line.start..after_break(text, line.end)];
    lines(text).map(whole).filter(|line| !line.is_empty())
}

/// The offset behind the line break at `end`, if there is one.
fn after_break(text: &str, end: usize) -> usize {
    let rest = &text[end..];
    if rest.starts_with("\r\n") {
        end + 2
    } else {
        end + usize::from(rest.starts_with(['\n', '\r']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(card: &str) -> Option<&str> {
        split(card).map(|found| found.yaml)
    }

    #[test]
    fn blocks_that_are_found() {
        assert_eq!(yaml("---\na: 1\n---\ntext"), Some("a: 1"));
        assert_eq!(yaml("\u{FEFF}\n \n---\r\na: 1\r\n--- \t\r\n"), Some("a: 1"));
        assert_eq!(yaml("---\na: 1\n---"), Some("a: 1"));
        assert_eq!(yaml("---\n\n---\n"), Some(""), "closed and blank");
        assert_eq!(yaml("---\n---\na\n---\n"), Some("---\na"), "the second fence closes nothing");
        let found = split("---\na: 1\n---\n\n# T\n").expect("a block");
        assert_eq!((found.offset, found.body), (4, "\n# T\n"));
    }

    #[test]
    fn blocks_that_are_none() {
        for none in ["", "# T\n", "---", "---\n", "---\n---\n", "---\na: 1\n", "--- \na: 1\n---\n"]
        {
            assert_eq!(yaml(none), None, "{none:?}");
        }
        assert_eq!(yaml("---\na: 1\n----\n"), None, "four dashes are no fence");
        assert_eq!(yaml("---\na: 1\n ---\n"), None, "an indented fence closes nothing");
    }
}
