//! A README kept by hand: its text stays, generated parts stand between markers and are replaced on
//! every run.

use super::CardError;
use crate::generated::{BEGIN, END, marker, named};

/// Puts each block between its markers; those without markers are added at the end, in order.
pub(super) fn with_blocks(body: &str, blocks: &[(&str, String)]) -> Result<String, CardError> {
    let mut out = String::new();
    let mut placed = Vec::new();
    let mut lines = body.split_inclusive('\n').enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(name) = named(line, BEGIN) else {
            if let Some(name) = named(line, END) {
                return Err(CardError::marker(name, index, "ends a part that was not begun"));
            }
            out.push_str(line);
            continue;
        };
        if placed.contains(&name) {
            return Err(CardError::marker(name, index, "stands twice"));
        }
        placed.push(name);
        let mut kept = line.to_owned();
        loop {
            let Some((_, line)) = lines.next() else {
                return Err(CardError::marker(name, index, "has no end"));
            };
            if named(line, END) == Some(name) {
                kept.push_str(line);
                break;
            }
            if named(line, BEGIN).is_some() || named(line, END).is_some() {
                return Err(CardError::marker(name, index, "has no end"));
            }
            kept.push_str(line);
        }
        // A part that this version of the program does not know stays as it is.
        match blocks.iter().find(|(block, _)| *block == name) {
            Some((_, text)) => push(&mut out, name, text),
            None => out.push_str(&kept),
        }
    }
    for (name, text) in blocks.iter().filter(|(name, _)| !placed.contains(name)) {
        if text.is_empty() {
            continue;
        }
        set_apart(&mut out);
        push(&mut out, name, text);
    }
    Ok(out)
}

/// Ends the last line and has a blank one follow it; both only where they are missing, for what a
/// person wrote keeps its bytes.
fn set_apart(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    if out.lines().next_back().is_some_and(|line| !line.trim_matches([' ', '\t', '\r']).is_empty())
    {
        out.push('\n');
    }
}

fn push(out: &mut String, name: &str, text: &str) {
    let text = text.trim_end();
    out.push_str(&marker(BEGIN, name));
    if !text.is_empty() {
        out.push_str(text);
        out.push('\n');
    }
    out.push_str(&marker(END, name));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks() -> Vec<(&'static str, String)> {
        vec![("metrics", "M\n".into()), ("files", "F\n".into()), ("empty", String::new())]
    }

    #[test]
    fn blocks_are_added_once_and_then_replaced() {
        let once = with_blocks("# Mine\n\nText.", &blocks()).expect("no markers");
        assert_eq!(
            once,
            "# Mine\n\nText.\n\n<!-- weighbridge:begin metrics -->\nM\n<!-- weighbridge:end metrics -->\n\n\
             <!-- weighbridge:begin files -->\nF\n<!-- weighbridge:end files -->\n"
        );
        assert_eq!(with_blocks(&once, &blocks()).expect("paired"), once);
        let moved =
            "<!-- weighbridge:begin files -->\nold\n<!-- weighbridge:end files -->\r\n\n# Mine\n";
        let placed = with_blocks(moved, &blocks()).expect("paired");
        assert!(placed.starts_with("<!-- weighbridge:begin files -->\nF\n"), "{placed}");
        assert_eq!(placed.matches("weighbridge:begin files").count(), 1);
    }

    /// What is added follows a blank line, and no byte before it changes.
    #[test]
    fn the_text_keeps_its_bytes() {
        for (body, between) in [
            ("", ""),
            (" ", "\n"),
            ("\t\n", ""),
            (" \r\n \n", ""),
            ("\u{A0}\n", "\n"),
            ("a", "\n\n"),
            ("a\r", "\n\n"),
            ("a  \n", "\n"),
            ("a\r\n", "\n"),
            ("a\r\n\r\n", ""),
            ("a\n\t\n\n\n", ""),
            ("a\n \t", "\n"),
        ] {
            let once = with_blocks(body, &blocks()).expect("no markers");
            let added = once.strip_prefix(body).expect(body);
            assert!(
                added.starts_with(&format!("{between}<!-- weighbridge:begin metrics")),
                "{once:?}"
            );
            assert_eq!(with_blocks(&once, &blocks()).expect("paired"), once);
        }
    }

    #[test]
    fn unknown_parts_are_kept() {
        for body in [
            "<!-- weighbridge:begin later -->\nx\n<!-- weighbridge:end later -->\n",
            " <!-- weighbridge:begin later-->\r\n\r\nx \n\n<!-- weighbridge:end  later -->",
        ] {
            assert_eq!(with_blocks(body, &[]).expect("paired"), body);
        }
    }

    #[test]
    fn broken_markers_are_refused_with_their_line() {
        for (body, why) in [
            ("a\n<!-- weighbridge:begin files -->\nb\n", "line 2"),
            ("<!-- weighbridge:end files -->\n", "not begun"),
            (
                "<!-- weighbridge:begin files -->\n<!-- weighbridge:begin metrics -->\n",
                "has no end",
            ),
            (
                "<!-- weighbridge:begin files -->\n<!-- weighbridge:end files -->\n\
                 <!-- weighbridge:begin files -->\n<!-- weighbridge:end files -->\n",
                "stands twice",
            ),
        ] {
            let error = with_blocks(body, &blocks()).expect_err(body).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
