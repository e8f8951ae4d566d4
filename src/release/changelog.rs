//! CHANGELOG.md: what it says of each version.
//!
//! The form is that of [Keep a Changelog](https://keepachangelog.com), read with the freedoms
//! people take: `## [1.2.3] - 2026-01-31`, `## v1.2.3 (2026-01-31)`, `# 1.2.3`, and in a
//! repository of several models `## churn 1.2.3` or `## [churn/v1.2.3]`.

use jiff::civil::Date;
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

/// Where lines that are no headings belong.
enum Open {
    Nowhere,
    Version,
    Unreleased,
}

/// Reads every version. Whatever is no version's heading is notes of the version above it.
pub(super) fn read(text: &str) -> Changelog {
    let mut log = Changelog::default();
    let (mut open, mut depth) = (Open::Nowhere, 0);
    let mut fence: Option<&str> = None;
    for (line, at) in text.lines().zip(1..) {
        if let Some(mark) = ["```", "~~~"].iter().find(|mark| line.trim_start().starts_with(**mark))
        {
            match fence {
                None => fence = Some(mark),
                Some(open) if open == *mark => fence = None,
                Some(_) => {}
            }
        }
        if fence.is_none()
            && let Some((level, title)) = heading(line)
        {
            if let Some(entry) = entry(title, at) {
                if log.entries.len() == MOST_VERSIONS {
                    break;
                }
                log.entries.push(entry);
                (open, depth) = (Open::Version, level);
                continue;
            }
            if log.unreleased.is_none() && is_unreleased(title) {
                log.unreleased = Some(Unreleased { line: at, notes: String::new() });
                (open, depth) = (Open::Unreleased, level);
                continue;
            }
            // The title of another part: no version's notes any more.
            if level <= depth {
                open = Open::Nowhere;
            }
        }
        let notes = match open {
            Open::Nowhere => None,
            Open::Version => log.entries.last_mut().map(|entry| &mut entry.notes),
            Open::Unreleased => log.unreleased.as_mut().map(|unreleased| &mut unreleased.notes),
        };
        if let Some(notes) = notes
            && notes.len() + line.len() < MOST_NOTES
            && !(fence.is_none() && is_link_definition(line))
        {
            notes.push_str(line);
            notes.push('\n');
        }
    }
    for entry in &mut log.entries {
        entry.notes = entry.notes.trim().to_owned();
    }
    if let Some(unreleased) = &mut log.unreleased {
        unreleased.notes = unreleased.notes.trim().to_owned();
    }
    log
}

fn is_unreleased(title: &str) -> bool {
    let word = title.split_whitespace().next().unwrap_or_default();
    word.trim_matches(['[', ']', ':']).eq_ignore_ascii_case("unreleased")
}

/// Level and text of an ATX heading (CommonMark 4.2) of level 1 to 3.
fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=3).contains(&level) && title.starts_with([' ', '\t'])).then(|| (level, title.trim()))
}

/// The version that a heading names: in its first words, so that prose about a version is none.
fn entry(title: &str, line: u32) -> Option<Entry> {
    let bare = |word: &str| word.trim_matches(['[', ']', '(', ')', ':', ',', '*', '`']).to_owned();
    // `[1.2.3](https://…)` links to the comparison.
    let words: Vec<_> = title
        .split_whitespace()
        .map(|word| bare(word.split_once("](").map_or(word, |(text, _)| text)))
        .filter(|word| !word.is_empty())
        .collect();
    let (at, version, model) = words.iter().take(3).enumerate().find_map(|(at, word)| {
        let (before, version) = match word.rfind(['@', '/']) {
            Some(mark) => (Some(&word[..mark]), &word[mark + 1..]),
            None => (None, word.as_str()),
        };
        let version = Version::parse(version.strip_prefix('v').unwrap_or(version)).ok()?;
        let model = before.map(str::to_owned).or_else(|| words[..at].first().cloned());
        Some((at, version, model))
    })?;
    let model = model.filter(|word| !word.eq_ignore_ascii_case("version"));
    let behind = &words[at + 1..];
    let date = behind.iter().find_map(|word| word.parse().ok());
    let behind = if date.is_some() { String::new() } else { behind.join(" ") };
    let behind = behind.chars().take(LONGEST_SHOWN).collect();
    Some(Entry { line, model, version, date, behind, notes: String::new() })
}

/// `[1.2.3]: https://…`, which Keep a Changelog collects at the end.
fn is_link_definition(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |entry: Entry| {
            let date = entry.date.map_or("-".into(), |date| date.to_string());
            let model = entry.model.unwrap_or_default();
            format!("{model}|{}|{date}|{}", entry.version, entry.notes.replace('\n', "/"))
        };
        read(text).entries.into_iter().map(show).collect()
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
        let log = read(text);
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
            assert_eq!(read(heading).entries[0].behind, behind, "{heading}");
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
    fn what_is_kept_is_bounded() {
        let text = format!("## 1.0.0\n{}", "- a line of notes\n".repeat(10_000));
        assert!(read(&text).entries[0].notes.len() <= MOST_NOTES);
        let many: String = (0..2_000).map(|patch| format!("## 1.0.{patch}\n")).collect();
        assert_eq!(read(&many).entries.len(), MOST_VERSIONS);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([#\\[\\]()@/ v`~.:-]|1\\.2\\.3|\\PC|\n){0,80}") {
            for entry in read(&text).entries {
                prop_assert!(entry.notes.len() <= text.len());
            }
        }
    }
}
