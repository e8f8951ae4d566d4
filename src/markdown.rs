//! Text from files, tags and servers inside Markdown: shown as it is, forging nothing.

/// Escapes a text for a line or table cell of GitHub-flavoured Markdown: no markup, no HTML, no
/// line break, no mention, no control or direction character takes effect.
pub fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => escaped.push(' '),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A zero-width joiner would be invisible; an entity keeps the sign and ends the mention.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' | '$' | '^' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if hidden(c) => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    // At the start of a line these begin a list, a rule or a heading.
    if escaped.starts_with(['-', '=', ':'])
        || escaped.starts_with(|c: char| c.is_ascii_digit()) && escaped.contains(". ")
    {
        escaped.insert_str(0, "&#8203;");
    }
    escaped
}

/// A text as code: the fence is longer than any run of backticks inside.
pub fn code(text: &str) -> String {
    let text: String =
        text.chars().map(|c| if c.is_control() || hidden(c) { '\u{FFFD}' } else { c }).collect();
    // In a table even code ends at a bar.
    let text = text.replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
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

fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    /// What a reader sees, and whether anything but text came out.
    fn rendered(markdown: &str) -> (String, Vec<String>) {
        let (mut text, mut other) = (String::new(), Vec::new());
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH;
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Text(seen) => text.push_str(&seen),
                Event::Start(Tag::Paragraph) | Event::End(_) | Event::SoftBreak => {}
                event => other.push(format!("{event:?}")),
            }
        }
        (text, other)
    }

    proptest! {
        #[test]
        fn a_cell_renders_as_its_text_and_nothing_else(text in "[ -~\\n\\u{202E}é]{0,60}") {
            let (seen, other) = rendered(&cell(&text));
            prop_assert!(other.is_empty(), "{:?} became {:?}", text, other);
            let squeeze = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '\u{200B}').collect::<String>();
            let expected: String = text.chars().map(|c| if c == '\u{202E}' { '\u{FFFD}' } else { c }).collect();
            prop_assert_eq!(squeeze(&seen), squeeze(&expected));
        }

        #[test]
        fn code_stays_code(text in "[ -~]{1,40}") {
            let shown = code(&text);
            prop_assert!(!shown.contains('\n'));
            let (outside, other) = rendered(&shown);
            prop_assert!(outside.is_empty() && other.len() == 1, "{} became {:?} and {}", text, other, outside);
        }
    }
}
