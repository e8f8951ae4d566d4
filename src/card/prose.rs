//! Markdown that a person wrote, put where what follows must still be read as it is meant.

use pulldown_cmark::{Event, Options, Parser, TagEnd};

use crate::markdown::block;

/// Markdown that a person wrote, made to end what it opens: a fence, a comment or an HTML block left
/// open would swallow the rest of the card. What cannot be ended is shown as it is written. Our own
/// markers in it are defused.
pub(super) fn prose(raw: &str) -> String {
    let text = raw.trim().replace("<!-- weighbridge:", "<!-- weighbridge ");
    let fence = open_fence(&text).unwrap_or_default();
    [String::new(), format!("\n{fence}"), "\n-->".into()]
        .into_iter()
        .map(|end| format!("{text}{end}"))
        .find(|ended| lets_go_on(ended))
        .unwrap_or_else(|| block("", &text))
}

/// Whether a heading after the text is one. The text stands in the middle of a card, where no line of
/// dashes begins metadata.
fn lets_go_on(markdown: &str) -> bool {
    let followed = format!("{markdown}\n\n# next\n");
    let options = Options::all()
        - Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        - Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut events = Parser::new_ext(&followed, options).collect::<Vec<_>>().into_iter().rev();
    matches!(events.next(), Some(Event::End(TagEnd::Heading(_))))
        && matches!(events.next(), Some(Event::Text(text)) if text.as_ref() == "next")
}

/// The fence that is still open at the end of a text (CommonMark section 4.5).
fn open_fence(markdown: &str) -> Option<String> {
    let mut open: Option<String> = None;
    for line in markdown.lines() {
        let indented = line.len() - line.trim_start_matches(' ').len();
        let line = line.trim();
        let Some(mark) = line.chars().next().filter(|c| matches!(c, '`' | '~') && indented < 4)
        else {
            continue;
        };
        let length = line.chars().take_while(|c| *c == mark).count();
        let fence: String = std::iter::repeat_n(mark, length).collect();
        match &open {
            Some(opened) if opened.starts_with(mark) && length >= opened.len() && line == fence => {
                open = None;
            }
            None if length >= 3 && !line[length..].contains('`') => open = Some(fence),
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::Tag;

    use super::*;
    use crate::markdown::tests::nasty;

    #[test]
    fn prose_ends_what_it_opens() {
        assert_eq!(prose("a\n```\nb"), "a\n```\nb\n```");
        assert_eq!(prose("~~~~\n~~~\n"), "~~~~\n~~~\n~~~~");
        assert_eq!(prose("```\nb\n```"), "```\nb\n```");
        assert_eq!(prose("~~~~<!--"), "~~~~<!--\n~~~~");
        assert_eq!(prose("<!-- b"), "<!-- b\n-->");
        assert_eq!(prose("<script>b"), "```\n<script>b\n```");
        let in_dashes = "---\n<script>---\n---";
        assert_eq!(prose(in_dashes), format!("```\n{in_dashes}\n```"));
        assert_eq!(prose("a *b* <b>c</b>"), "a *b* <b>c</b>");
        assert!(!prose("<!-- weighbridge:end x -->").contains("weighbridge:"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn after_prose_the_card_goes_on(raw in nasty()) {
            let markdown = format!("{}\n\n## Next\n", prose(&raw));
            let heading = Parser::new(&markdown).any(|event| matches!(event, Event::Start(Tag::Heading { .. })));
            prop_assert!(heading);
        }
    }
}
