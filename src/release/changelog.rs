//! CHANGELOG.md: what it says of each version.
//!
//! The form is that of [Keep a Changelog](https://keepachangelog.com), read with the freedoms
//! people take: `## [1.2.3] - 2026-01-31`, `## v1.2.3 (2026-01-31)`, `# 1.2.3`, and in a
//! repository of several models `## churn 1.2.3` or `## [churn/v1.2.3]`. It is read as the Markdown
//! that it is: what stands in code, in a list or in a comment is no heading.

use std::ops::Range;

use jiff::civil::Date;
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use semver::Version;

/// Versions that are read; nobody reads further back.
const MOST_VERSIONS: usize = 1_000;
/// Bytes of notes that are kept of one version.
const MOST_NOTES: usize = 16 * 1024;
/// Characters of a heading that are shown again.
const LONGEST_SHOWN: usize = 40;

/// A changelog, as far as it is about one model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changelog {
    /// The file as shown to people.
    pub path: String,
    /// Versions in the order of the file.
    pub entries: Vec<Entry>,
    /// What stands under `Unreleased`.
    pub unreleased: Option<Unreleased>,
}

/// What the changelog says of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Line of the heading, from 1.
    pub line: u32,
    /// The model the heading names, if it names one.
    pub(super) model: Option<String>,
    /// The version.
    pub version: Version,
    /// The first date behind it.
    pub date: Option<Date>,
    /// Whatever stands behind the version, where none of it is a date.
    pub behind: String,
    /// Markdown, without the heading.
    pub notes: String,
}

/// What is noted for no version yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreleased {
    /// Line of the heading, from 1.
    pub line: u32,
    /// Markdown, without the heading.
    pub notes: String,
}

/// Where what is no heading belongs.
#[derive(Clone, Copy)]
enum Open {
    Nowhere,
    Version,
    Unreleased,
}

/// A heading of the changelog itself, not of a list or a quote in it.
struct Heading {
    /// Bytes of it, underline included.
    range: Range<usize>,
    level: HeadingLevel,
    title: String,
}

/// Reads every version. Whatever is no version's heading is notes of the version above it.
pub(super) fn read(text: &str, models: &[&str]) -> Changelog {
    let text = without_comments(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    let (headings, code) = parts(&text);
    let mut log = Changelog::default();
    let (mut open, mut depth, mut since) = (Open::Nowhere, HeadingLevel::H1, 0);
    // Below the versions' own level a title is about something in one of them.
    let mut deepest = HeadingLevel::H3;
    let (mut line, mut counted) = (1, 0);
    let mut end = text.len();
    for Heading { range, level, title } in headings {
        line += count_lines(&text[counted..range.start]);
        counted = range.start;
        let named = level <= deepest;
        let next = if let Some(entry) = named.then(|| entry(&title, line, models)).flatten() {
            if log.entries.len() == MOST_VERSIONS {
                end = range.start;
                break;
            }
            log.keep(open, &notes(&text, since..range.start, &code));
            if log.entries.is_empty() {
                deepest = level;
            }
            log.entries.push(entry);
            Open::Version
        } else if named && log.unreleased.is_none() && is_unreleased(&title) {
            log.keep(open, &notes(&text, since..range.start, &code));
            log.unreleased = Some(Unreleased { line, notes: String::new() });
            Open::Unreleased
        } else if level <= depth {
            // The title of another part: no version's notes any more.
            log.keep(open, &notes(&text, since..range.start, &code));
            Open::Nowhere
        } else {
            continue;
        };
        (open, since) = (next, range.end);
        if !matches!(open, Open::Nowhere) {
            depth = level;
        }
    }
    log.keep(open, &notes(&text, since..end, &code));
    log
}

impl Changelog {
    /// Takes in the notes below the last heading.
    fn keep(&mut self, open: Open, notes: &str) {
        let kept = match open {
            Open::Nowhere => None,
            Open::Version => self.entries.last_mut().map(|entry| &mut entry.notes),
            Open::Unreleased => self.unreleased.as_mut().map(|unreleased| &mut unreleased.notes),
        };
        if let Some(kept) = kept {
            notes.trim().clone_into(kept);
        }
    }
}

/// Whether notes tell nothing: no word in them but in headings. `- …` is a draft.
pub fn says_nothing(notes: &str) -> bool {
    let mut in_heading = false;
    !Parser::new(notes).any(|event| match event {
        Event::Start(Tag::Heading { .. }) => {
            in_heading = true;
            false
        }
        Event::End(TagEnd::Heading(_)) => {
            in_heading = false;
            false
        }
        Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
            !in_heading && text.contains(char::is_alphanumeric)
        }
        _ => false,
    })
}

/// The text with a space for each HTML comment, which nobody sees; its lines stay where they are.
fn without_comments(text: &str) -> String {
    let html = Parser::new(text).into_offset_iter().filter_map(|(event, range)| {
        matches!(event, Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_)).then_some(range)
    });
    let mut left = String::with_capacity(text.len());
    let mut copied = 0;
    for range in html {
        let mut at = range.start.max(copied);
        while let Some(start) = text.get(at..range.end).and_then(|rest| rest.find("<!--")) {
            let start = at + start;
            let end = text[start..range.end].find("-->");
            at = end.map_or(range.end, |end| start + end + "-->".len());
            left.push_str(&text[copied..start]);
            left.push(' ');
            left.extend(text[start..at].chars().filter(|c| *c == '\n'));
            copied = at;
        }
    }
    left.push_str(&text[copied..]);
    left
}

/// The headings, and where code stands in blocks.
fn parts(text: &str) -> (Vec<Heading>, Vec<Range<usize>>) {
    let (mut headings, mut code) = (Vec::<Heading>::new(), Vec::new());
    let (mut nested, mut in_heading) = (0_usize, false);
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                match tag {
                    Tag::Heading { level, .. } if nested == 0 => {
                        headings.push(Heading { range, level, title: String::new() });
                        in_heading = true;
                    }
                    Tag::CodeBlock(_) => code.push(range),
                    _ => {}
                }
                nested += 1;
            }
            Event::End(_) => {
                nested = nested.saturating_sub(1);
                in_heading &= nested > 0;
            }
            Event::Text(words) | Event::Code(words) if in_heading => {
                headings.last_mut().into_iter().for_each(|heading| heading.title.push_str(&words));
            }
            Event::SoftBreak | Event::HardBreak if in_heading => {
                headings.last_mut().into_iter().for_each(|heading| heading.title.push(' '));
            }
            _ => {}
        }
    }
    (headings, code)
}

/// The notes in a stretch of the text, in bounds.
fn notes(text: &str, within: Range<usize>, code: &[Range<usize>]) -> String {
    let mut notes = String::new();
    let mut at = within.start;
    for line in text[within].split_inclusive('\n') {
        let next = code.partition_point(|block| block.end <= at);
        let in_code = code.get(next).is_some_and(|block| block.start <= at);
        at += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        if notes.len() + line.len() < MOST_NOTES && (in_code || !is_link_definition(line)) {
            notes.push_str(line);
            notes.push('\n');
        }
    }
    notes
}

fn count_lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

fn is_unreleased(title: &str) -> bool {
    let word = title.split_whitespace().next().unwrap_or_default();
    word.trim_matches(['[', ']', ':']).eq_ignore_ascii_case("unreleased")
}

/// The version that a heading names. Before it only a model's name, `v`, `Version` and `Release`
/// may stand, so that prose about a version is none.
fn entry(title: &str, line: u32, models: &[&str]) -> Option<Entry> {
    let known = |word: &str| models.iter().find(|name| name.eq_ignore_ascii_case(word)).copied();
    let bare = |word: &str| word.trim_matches(['[', ']', '(', ')', ':', ',', '*']).to_owned();
    let words: Vec<_> =
        title.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
    let mut model = None;
    for (at, word) in words.iter().enumerate() {
        let (before, version) = match word.rfind(['@', '/']) {
            Some(mark) => (Some(&word[..mark]), &word[mark + 1..]),
            None => (None, word.as_str()),
        };
        if let Ok(version) = Version::parse(version.strip_prefix('v').unwrap_or(version)) {
            let model = before.map_or(Some(model), |name| known(name).map(Some))?;
            let behind = &words[at + 1..];
            let date = behind.iter().find_map(|word| word.parse().ok());
            let behind = if date.is_some() { String::new() } else { behind.join(" ") };
            let behind = behind.chars().take(LONGEST_SHOWN).collect();
            let model = model.map(str::to_owned);
            return Some(Entry { line, model, version, date, behind, notes: String::new() });
        }
        match known(word) {
            Some(name) if model.is_none() => model = Some(name),
            _ if ["v", "version", "release"].iter().any(|one| one.eq_ignore_ascii_case(word)) => {}
            _ => return None,
        }
    }
    None
}

/// `[1.2.3]: https://…`, which Keep a Changelog collects at the end.
fn is_link_definition(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MODELS: &[&str] = &["churn", "fraud"];

    fn shown(text: &str) -> Vec<String> {
        let show = |entry: Entry| {
            let date = entry.date.map_or("-".into(), |date| date.to_string());
            let model = entry.model.unwrap_or_default();
            format!("{model}|{}|{date}|{}", entry.version, entry.notes.replace('\n', "/"))
        };
        read(text, MODELS).entries.into_iter().map(show).collect()
    }

    #[test]
    fn keep_a_changelog() {
        let text = "# Changelog\n\nAll notable changes since 1.0.0.\n\n## [Unreleased]\n- later\n\n\
                    ## [1.1.0] - 2026-02-01\n### Added\n- more\n\n## [1.0.0-rc.1] - 2026-01-01 [YANKED]\n\
                    - first\n\n[1.1.0]: https://example.org\n";
        assert_eq!(
            shown(text),
            ["|1.1.0|2026-02-01|### Added/- more", "|1.0.0-rc.1|2026-01-01|- first",]
        );
        let log = read(text, MODELS);
        assert_eq!(log.unreleased, Some(Unreleased { line: 5, notes: "- later".into() }));
        assert_eq!((log.entries[0].line, log.entries[1].line), (8, 12));
    }

    #[test]
    fn what_stands_where_a_date_should() {
        for (heading, behind) in [
            ("## [1.0.0] - 31.01.2026", "- 31.01.2026"),
            ("## 1.0.0 (2026-02-30)", "2026-02-30"),
            ("## 1.0.0 - 2026-02-28 [YANKED]", ""),
            ("## 1.0.0", ""),
        ] {
            assert_eq!(read(heading, MODELS).entries[0].behind, behind, "{heading}");
        }
    }

    #[test]
    fn the_freedoms_people_take() {
        let text = "# v2.0.0 (2026-03-01)\n* a\n## Notes\nb\n# Version 1.9.0\nc\n# [1.8.0](https://x/y) - 2026-02-01\n";
        assert_eq!(
            shown(text),
            ["|2.0.0|2026-03-01|* a/## Notes/b", "|1.9.0|-|c", "|1.8.0|2026-02-01|",]
        );
    }

    #[test]
    fn headings_may_name_their_model() {
        let text = "## churn 1.0.0\n## [fraud/v1.1.0] - 2026-01-01\n## fraud@1.2.0\n";
        assert_eq!(shown(text), ["churn|1.0.0|-|", "fraud|1.1.0|2026-01-01|", "fraud|1.2.0|-|"]);
    }

    #[test]
    fn what_looks_like_a_heading_may_be_none() {
        let text = "## 1.0.0\n```\n## 0.9.0\n[a]: b\n```\n#1.0.1\nsee ## 1.0.2\n";
        assert_eq!(shown(text), ["|1.0.0|-|```/## 0.9.0/[a]: b/```/#1.0.1/see ## 1.0.2"]);
    }

    #[test]
    fn what_markdown_makes_of_it() {
        for (text, expected) in [
            (
                "## 1.1.0\n```inline``` is how.\n## 1.0.0\nb",
                "|1.1.0|-|```inline``` is how. |1.0.0|-|b",
            ),
            ("## 1.1.0\n````\n```\n## 1.0.0\n````\nb", "|1.1.0|-|````/```/## 1.0.0/````/b"),
            ("## 1.1.0\n~~~\n```\n~~~\n## 1.0.0", "|1.1.0|-|~~~/```/~~~ |1.0.0|-|"),
            ("<!--\n## 1.1.0\n- a\n-->\n## 1.0.0\nb", "|1.0.0|-|b"),
            ("<!-- ## 1.1.0 -->\n## 1.0.0\nb", "|1.0.0|-|b"),
            ("## 1.0.0\n<!-- x --> The first version.", "|1.0.0|-|The first version."),
            ("## 1.0.0\n<!--\nsay\n-->\n", "|1.0.0|-|"),
            ("## 1.0.0\nsee `<!-- a -->`", "|1.0.0|-|see `<!-- a -->`"),
            ("## 1.0.0\na <!- <!-- x -->- y -->", "|1.0.0|-|a <!-  - y -->"),
            (
                "1.1.0 (2026-01-31)\n---\na\n\nchurn v1.0.0\n===\nb",
                "|1.1.0|2026-01-31|a churn|1.0.0|-|b",
            ),
            (
                "## 1.0.0\n### Numpy 2.0.0 support\n### Since 0.0.9 we have\n### 0.1.0\na",
                "|1.0.0|-|### Numpy 2.0.0 support/### Since 0.0.9 we have/### 0.1.0/a",
            ),
            ("# 1.0.0\na\n# Fixed in 0.1.0 something\nb", "|1.0.0|-|a"),
            (
                "## Release v1.0.0\n## Churn Version 0.9.0\n## other 0.8.0",
                "|1.0.0|-| churn|0.9.0|-|",
            ),
            ("> ## 1.1.0\n\n- ## 1.0.1\n\n\u{FEFF}", ""),
            ("\u{FEFF}## **1.0.0**\r\na\r\n", "|1.0.0|-|a"),
        ] {
            assert_eq!(shown(text).join(" "), expected, "{text}");
        }
        let log = read("<!--\na\n-->\n\n1.1.0\n---\n\n## 1.0.0\n", MODELS);
        let lines: Vec<_> = log.entries.iter().map(|entry| entry.line).collect();
        assert_eq!(lines, [5, 8], "of the file, whatever is taken out of it");
    }

    #[test]
    fn words_alone_say_something() {
        for notes in ["", "### Added\n\n- …", "-", "*\n- ...", "Added\n---\n\n---", "# a\n## b"] {
            assert!(says_nothing(notes), "{notes}");
        }
        for notes in ["#12 is mended", "- a", "`x`", "<p>first</p>", "## a\n初", "1."] {
            assert_eq!(says_nothing(notes), notes == "1.", "{notes}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let text = format!("## 1.0.0\n{}", "- a line of notes\n".repeat(10_000));
        assert!(read(&text, MODELS).entries[0].notes.len() <= MOST_NOTES);
        let many: String = (0..2_000).map(|patch| format!("## 1.0.{patch}\n")).collect();
        assert_eq!(read(&many, MODELS).entries.len(), MOST_VERSIONS);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([#\\[\\]()@/ v`~.:-]|1\\.2\\.3|\\PC|\n){0,80}") {
            for entry in read(&text, MODELS).entries {
                prop_assert!(entry.notes.len() <= text.len());
            }
        }
    }
}
