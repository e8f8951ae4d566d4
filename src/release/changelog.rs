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

/// What the changelog says of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The model the heading names, if it names one.
    pub(super) model: Option<String>,
    pub(super) version: Version,
    pub(super) date: Option<Date>,
    /// Markdown, without the heading.
    pub(super) notes: String,
}

/// Reads every version. Whatever is no version's heading is notes of the version above it.
pub(super) fn read(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut depth = None;
    let mut fence: Option<&str> = None;
    for line in text.lines() {
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
            if let Some(entry) = entry(title) {
                if entries.len() == MOST_VERSIONS {
                    break;
                }
                entries.push(entry);
                depth = Some(level);
                continue;
            }
            // `## [Unreleased]`, or the title of another part: no version's notes any more.
            if depth.is_some_and(|depth| level <= depth) {
                depth = None;
            }
        }
        if let (Some(_), Some(entry)) = (depth, entries.last_mut())
            && entry.notes.len() + line.len() < MOST_NOTES
            && !(fence.is_none() && is_link_definition(line))
        {
            entry.notes.push_str(line);
            entry.notes.push('\n');
        }
    }
    for entry in &mut entries {
        entry.notes = entry.notes.trim().to_owned();
    }
    entries
}

/// Level and text of an ATX heading (CommonMark 4.2) of level 1 to 3.
fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=3).contains(&level) && title.starts_with([' ', '\t'])).then(|| (level, title.trim()))
}

/// The version that a heading names: in its first words, so that prose about a version is none.
fn entry(title: &str) -> Option<Entry> {
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
    let date = words[at + 1..].iter().find_map(|word| word.parse().ok());
    Some(Entry { model, version, date, notes: String::new() })
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
        read(text).into_iter().map(show).collect()
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
        assert!(read(&text)[0].notes.len() <= MOST_NOTES);
        let many: String = (0..2_000).map(|patch| format!("## 1.0.{patch}\n")).collect();
        assert_eq!(read(&many).len(), MOST_VERSIONS);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([#\\[\\]()@/ v`~.:-]|1\\.2\\.3|\\PC|\n){0,80}") {
            for entry in read(&text) {
                prop_assert!(entry.notes.len() <= text.len());
            }
        }
    }
}
