//! Text from files, tags, reports and servers as Markdown that shows it and can do nothing else: no
//! table cell, heading, link, HTML or comment can be forged.

/// Text for anywhere in a line: paragraphs, headings, list items, table cells. One line comes out.
pub fn text(raw: &str) -> String {
    let line = one_line(raw);
    let mut out = String::with_capacity(line.len() + 8);
    let characters: Vec<char> = line.chars().collect();
    let number = characters.iter().take_while(|c| c.is_ascii_digit()).count();
    for (index, c) in characters.iter().copied().enumerate() {
        let inside_word = c == '_'
            && index.checked_sub(1).is_some_and(|before| characters[before].is_alphanumeric())
            && characters.get(index + 1).is_some_and(|after| after.is_alphanumeric());
        let is_marker = match c {
            '_' => !inside_word,
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' | '@' | '^' => true,
            // A line could start with the text: no heading, list, quote, rule or numbered item.
            '#' | '+' | '-' | '=' => index == 0,
            '.' | ')' if index == number && number > 0 => {
                characters.get(index + 1).is_none_or(|after| *after == ' ')
            }
            '.' => characters[..index].ends_with(&['w', 'w', 'w']),
            // No image, no address that turns into a link by itself.
            '!' => characters.get(index + 1) == Some(&'['),
            ':' => characters[index + 1..].starts_with(&['/', '/']),
            _ => false,
        };
        if is_marker {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text as code, for a table cell: there `|` ends the cell even inside of code.
pub fn code(raw: &str) -> String {
    let line = one_line(raw).replace('|', "\\|");
    if line.is_empty() {
        return "(empty)".into();
    }
    let fence = "`".repeat(longest_run(&line, '`') + 1);
    let blank = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{line}{blank}{fence}")
}

/// A block of code that its own content cannot close.
pub fn block(language: &str, raw: &str) -> String {
    let fence = "`".repeat(longest_run(raw, '`').max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", raw.trim_end())
}

/// An `http` or `https` address as a link, anything else as text.
pub fn link(raw: &str) -> String {
    let parsed = url::Url::parse(raw).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let safe = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$'*+,;=%".contains(c);
    match parsed {
        Some(url) if url.as_str().chars().all(safe) => format!("<{url}>"),
        _ => text(raw),
    }
}

/// A text on one line of a log: control and direction characters made visible.
pub fn line(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\n' {
                ' '
            } else if c.is_control() || hidden(c) {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

/// Everything on one line, without what cannot be seen or reorders what can.
fn one_line(raw: &str) -> String {
    let shown = raw.chars().map(|c| match c {
        c if c.is_whitespace() || c.is_control() => ' ',
        c if hidden(c) => '\u{FFFD}',
        c => c,
    });
    shown
        .collect::<String>()
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a character shows nothing and changes how others show.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::*;

    fn events(markdown: &str) -> Vec<Event<'_>> {
        // Quotes and dashes made pretty would only blur the comparison.
        Parser::new_ext(markdown, Options::all() - Options::ENABLE_SMART_PUNCTUATION).collect()
    }

    /// The text of every table cell; panics on anything but text and code in a cell.
    fn cells(markdown: &str) -> Vec<String> {
        let mut cells = Vec::new();
        let mut inside = None;
        for event in events(markdown) {
            match (event, &mut inside) {
                (Event::Start(Tag::TableCell), _) => inside = Some(String::new()),
                (Event::End(TagEnd::TableCell), cell) => cells.extend(cell.take()),
                (Event::Text(text) | Event::Code(text), Some(cell)) => cell.push_str(&text),
                (event, Some(_)) => panic!("{event:?} in a cell of {markdown:?}"),
                (
                    Event::Start(Tag::Table(_) | Tag::TableRow | Tag::TableHead)
                    | Event::End(TagEnd::Table | TagEnd::TableRow | TagEnd::TableHead),
                    None,
                ) => {}
                (event, None) => panic!("{event:?} beside the table of {markdown:?}"),
            }
        }
        cells
    }

    #[test]
    fn ordinary_text_stays_readable() {
        for plain in
            ["churn-model v1.2", "f1_score", "a (b), c: d; 50 %", "наука 模型", "model.safetensors"]
        {
            assert_eq!(text(plain), plain);
        }
        assert_eq!(text("a|b <b> *c*"), "a\\|b \\<b\\> \\*c\\*");
        assert_eq!(text("  # x\n- y\u{202E}"), "\\# x - y\u{FFFD}");
        assert_eq!(code("a`|b"), "``a`\\|b``");
    }

    #[test]
    fn code_blocks_and_links_hold() {
        assert_eq!(block("sh", "a\n```\nb\n"), "````sh\na\n```\nb\n````");
        assert_eq!(link("https://ci.example/run/1?x=2"), "<https://ci.example/run/1?x=2>");
        assert_eq!(link("javascript:alert(1)"), "javascript:alert(1)");
        assert!(!link("https://x/><script>").contains("<script>"));
    }

    /// Text of the kind that breaks out of things.
    pub(crate) fn nasty() -> impl Strategy<Value = String> {
        let bits = prop_oneof![
            Just("|".to_owned()),
            Just("\n".into()),
            Just("`".into()),
            Just("\\".into()),
            Just("<!--".into()),
            Just("-->".into()),
            Just("---\n".into()),
            Just("<script>".into()),
            Just("](x)".into()),
            Just("![".into()),
            Just("[a](b)".into()),
            Just("http://x.y".into()),
            Just("www.a.b".into()),
            Just("&amp;".into()),
            Just("#".into()),
            Just("1. ".into()),
            Just("- ".into()),
            Just("**".into()),
            Just("_".into()),
            Just("~~".into()),
            Just("$x$".into()),
            Just("a@b.c".into()),
            Just(":".into()),
            Just("\u{202E}".into()),
            Just(" ".into()),
            Just("> ".into()),
            Just("[^1]".into()),
            Just("{#id}".into()),
            Just("\t".into()),
            "[a-z]{1,3}",
            "\\PC",
        ];
        proptest::collection::vec(bits, 0..12).prop_map(|bits| bits.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn a_cell_stays_a_cell(a in nasty(), b in nasty()) {
            let table = format!("| x | y |\n|---|---|\n| {} | {} |\n", text(&a), code(&b));
            let shown_b = if one_line(&b).is_empty() { "(empty)".into() } else { one_line(&b) };
            prop_assert_eq!(cells(&table), ["x".to_owned(), "y".into(), one_line(&a), shown_b]);
        }

        #[test]
        fn a_line_stays_a_line(raw in nasty()) {
            let shown: String = events(&text(&raw)).into_iter().map(|event| match event {
                Event::Text(text) => text.to_string(),
                Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => String::new(),
                other => panic!("{other:?} from {raw:?}"),
            }).collect();
            prop_assert_eq!(shown, one_line(&raw));
        }

        #[test]
        fn a_block_stays_a_block(raw in nasty()) {
            let markdown = format!("{}\n\nafter", block("py", &raw));
            let ends = events(&markdown).iter().rev().take(3).rev().map(|event| format!("{event:?}")).collect::<Vec<_>>();
            prop_assert_eq!(&ends[1], "Text(Borrowed(\"after\"))");
        }
    }
}
