//! A model card as HTML that is safe to show: a card is what a stranger uploaded.
//!
//! Raw HTML becomes text, links lead to the web or to the repository's own files. The repository's
//! own images are shown, others become links. (The page's content security policy forbids scripts
//! and foreign images besides.)

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::tree::{segment, url_path};

/// Renders a card's Markdown; relative links lead to the files of `repo` at `revision`. `own_image`
/// is asked for the address of an image that lies in the repository.
pub(super) fn render(
    markdown: &str,
    repo: &str,
    revision: &str,
    own_image: &dyn Fn(&str) -> Option<String>,
) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let files = format!("/{repo}/resolve/{}/", segment(revision));
    let mut in_comment = false;
    let mut shown = Vec::new();
    let events = Parser::new_ext(markdown, options).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => {
            Event::Text(uncommented(&text, &mut in_comment).into())
        }
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = safe_link(&dest_url, &files);
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::Start(Tag::Image { dest_url, title, id, .. }) => {
            let link_type = pulldown_cmark::LinkType::Inline;
            let own = own_image(&dest_url);
            shown.push(own.is_some());
            match own {
                Some(address) => {
                    Event::Start(Tag::Image { link_type, dest_url: address.into(), title, id })
                }
                None => {
                    let dest_url = safe_link(&dest_url, &files);
                    Event::Start(Tag::Link { link_type, dest_url, title, id })
                }
            }
        }
        Event::End(TagEnd::Image) if shown.pop() == Some(false) => Event::End(TagEnd::Link),
        other => other,
    });
    let mut rendered = String::new();
    html::push_html(&mut rendered, events);
    rendered
}

/// Raw HTML without comments: the Hub shows none. A comment over several lines comes in several
/// pieces; `in_comment` carries over from one to the next.
fn uncommented(mut html: &str, in_comment: &mut bool) -> String {
    let mut shown = String::new();
    loop {
        let end = if *in_comment { "-->" } else { "<!--" };
        let (before, after) = html.split_once(end).map_or((html, None), |(b, a)| (b, Some(a)));
        if !*in_comment {
            shown.push_str(before);
        }
        let Some(after) = after else { return shown };
        *in_comment = !*in_comment;
        html = after;
    }
}

/// A link that runs nothing: to the web, to a mail address, into the card, or to a file.
fn safe_link(link: &str, files: &str) -> CowStr<'static> {
    let lower = link.to_ascii_lowercase();
    let to_the_web = ["https://", "http://", "mailto:", "#"];
    let safe = if to_the_web.iter().any(|start| lower.starts_with(start)) {
        link.to_owned()
    } else if link.contains(':') || link.starts_with(['/', '\\']) || link.contains("..") {
        "#".to_owned()
    } else {
        format!("{files}{}", url_path(link))
    };
    safe.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(markdown: &str) -> String {
        render(markdown, "acme/churn", "v1", &|path| {
            (path == "own.svg").then(|| "data:image/svg+xml;base64,AA==".to_owned())
        })
    }

    #[test]
    fn markdown_is_shown() {
        let card = shown("# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[data](notes/x.md)");
        assert!(card.contains("<h1>Title</h1>") && card.contains("<td>1</td>"), "{card}");
        assert!(card.contains("href=\"/acme/churn/resolve/v1/notes/x.md\""), "{card}");
    }

    #[test]
    fn comments_are_not_shown() {
        let card = shown("<!-- written\nby a tool -->\n\n# T\n\na <!-- b --> c\n\n<!-- x -->");
        assert!(card.contains("<h1>T</h1>") && card.contains("a  c"), "{card}");
        for hidden in ["written", "tool", "--", "<!", "b", "x"] {
            assert!(!card.replace("<h1>", "").contains(hidden), "{hidden}: {card}");
        }
    }

    #[test]
    fn nothing_of_a_card_runs() {
        for (hostile, forbidden) in [
            ("<script>alert(1)</script>", "<script"),
            ("a <img src=x onerror=alert(1)> b", "<img"),
            ("[x](javascript:alert(1))", "javascript:"),
            ("[x](JaVaScRiPt:alert(1))", "ipt:"),
            ("[x](data:text/html,x)", "data:"),
            ("[x](//evil.example/x)", "//evil"),
            ("[x](/api/models)", "/api"),
            ("[x](../../api/models)", ".."),
            ("![x](https://evil.example/pixel.png)", "<img"),
            ("[x](a \"\\\" onclick=alert(1)\")", "\" onclick"),
            ("<a href=\"javascript:alert(1)\">x</a>", "<a href=\"javascript"),
        ] {
            let card = shown(hostile);
            assert!(!card.contains(forbidden), "{hostile} became {card}");
        }
    }

    #[test]
    fn own_images_are_shown_and_others_linked_to() {
        let card = shown("![a \"b\"](own.svg) ![c](other.svg) [![d](own.svg)](x.md)");
        assert_eq!(
            card.matches("<img src=\"data:image/svg+xml;base64,AA==\"").count(),
            2,
            "{card}"
        );
        assert!(card.contains("alt=\"a &quot;b&quot;\""), "{card}");
        assert!(card.contains("<a href=\"/acme/churn/resolve/v1/other.svg\">c</a>"), "{card}");
    }

    #[test]
    fn the_web_may_be_linked_to() {
        assert!(shown("[x](https://example.org)").contains("href=\"https://example.org\""));
    }
}
