//! The parts of a README that weighbridge writes: each stands between two marker lines, the rest of
//! the text belongs to its author.

use std::ops::Range;

/// How the line begins that begins a part.
pub(crate) const BEGIN: &str = "<!-- weighbridge:begin ";
/// How the line begins that ends a part.
pub(crate) const END: &str = "<!-- weighbridge:end ";

/// The line that ends a text which is written as a whole, so that it may be written again.
pub(crate) const WHOLE: &str = "<!-- weighbridge:generated -->";

/// Whether a text was written as a whole.
pub(crate) fn is_whole(text: &str) -> bool {
    text.lines().any(|line| line.trim() == WHOLE)
}

/// The marker line of a part; `kind` is [`BEGIN`] or [`END`].
pub(crate) fn marker(kind: &str, name: &str) -> String {
    format!("{kind}{name} -->\n")
}

/// The name in a line that is a marker of this kind.
pub(crate) fn named<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    let name = line.trim().strip_prefix(kind)?.strip_suffix("-->")?.trim();
    (!name.is_empty()).then_some(name)
}

/// The text with blanks for its generated parts: what is left stands where it stood. A part without
/// an end goes on to the end of the text.
pub(crate) fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let ends = named(line, END).is_some();
        inside = (inside || named(line, BEGIN).is_some()) && !ends;
        if inside || ends {
            let broken: Range<usize> = line.trim_end_matches(['\n', '\r']).len()..line.len();
            out.extend(std::iter::repeat_n(' ', broken.start));
            out.push_str(&line[broken]);
        } else {
            out.push_str(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_stand_for_what_was_generated() {
        let text = "a\n<!-- weighbridge:begin x -->\r\né 0.9\n<!-- weighbridge:end x -->\nb\n";
        let blanked = blanked(text);
        assert_eq!(blanked.len(), text.len());
        assert_eq!(blanked.split_whitespace().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(blanked.matches('\n').count(), 5);
        assert_eq!(super::blanked("a\n<!-- weighbridge:begin x -->\nb").trim(), "a");
    }
}
