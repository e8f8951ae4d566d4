//! The version history of one model: git tags, with what CHANGELOG.md says of each.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use semver::Version;

use super::{GitFacts, HistoryEntry, Versioning, read_tag};
use crate::policy::{Model, Policy};

/// A changelog this large is not read.
const CHANGELOG_LIMIT: u64 = 4 * 1024 * 1024;

/// Versions, newest first. The changelog is `CHANGELOG.md` in `base`; a missing one is no error.
pub fn history(base: &Path, policy: &Policy, model: &Model, git: &GitFacts) -> Vec<HistoryEntry> {
    let mut versions: BTreeMap<Version, HistoryEntry> = BTreeMap::new();
    for (version, date, notes) in changelog(&read(&base.join("CHANGELOG.md"))) {
        versions.insert(version.clone(), HistoryEntry { version, date, notes: Some(notes) });
    }
    for tag in &git.tags {
        let Versioning::Release(release) = read_tag(&tag.name, policy) else { continue };
        if release.model != model.name {
            continue;
        }
        let day =
            Timestamp::from_second(tag.time).ok().map(|time| time.to_zoned(TimeZone::UTC).date());
        let version = release.version.clone();
        let entry = versions.entry(version.clone());
        let entry = entry.or_insert(HistoryEntry { version, date: None, notes: None });
        entry.date = entry.date.or(day);
    }
    versions.into_values().rev().collect()
}

fn read(path: &Path) -> String {
    match std::fs::metadata(path) {
        Ok(found) if found.len() <= CHANGELOG_LIMIT => {
            std::fs::read_to_string(path).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// The sections of a [Keep a Changelog](https://keepachangelog.com) text: `## [1.2.3] - 2026-01-31`.
fn changelog(text: &str) -> Vec<(Version, Option<Date>, String)> {
    let mut sections: Vec<(Version, Option<Date>, String)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let mut words =
                heading.split_whitespace().map(|word| word.trim_matches(['[', ']', '(', ')', ':']));
            let version =
                words.next().and_then(|word| Version::parse(word.trim_start_matches('v')).ok());
            let date = words.find_map(|word| word.parse().ok());
            inside = version.is_some();
            sections.extend(version.map(|version| (version, date, String::new())));
        } else if let (true, Some(section)) = (inside, sections.last_mut()) {
            section.2.push_str(line);
            section.2.push('\n');
        }
    }
    for section in &mut sections {
        section.2 = section.2.trim().to_owned();
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::GitTag;

    #[test]
    fn changelog_and_tags_are_one_history() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "# Changelog\n\n## [Unreleased]\n- later\n\n## [1.1.0] - 2026-02-01\n### Added\n- more\n\n## v1.0.0\n- first\n";
        std::fs::write(folder.path().join("CHANGELOG.md"), text).expect("written");
        let policy =
            crate::policy::parse("p", "model: {name: churn, owner: o}\n", &[]).expect("valid");
        let tag =
            |name: &str| GitTag { name: name.into(), commit: String::new(), time: 1_767_225_600 };
        let git = GitFacts {
            tags: vec![tag("v1.0.0"), tag("v1.2.0"), tag("other/v9.0.0"), tag("x")],
            ..GitFacts::default()
        };
        let history = history(folder.path(), &policy, &policy.models[0], &git);
        let shown: Vec<_> = history
            .iter()
            .map(|entry| format!("{} {:?}", entry.version, entry.date.map(|date| date.to_string())))
            .collect();
        assert_eq!(
            shown,
            [
                "1.2.0 Some(\"2026-01-01\")",
                "1.1.0 Some(\"2026-02-01\")",
                "1.0.0 Some(\"2026-01-01\")"
            ]
        );
        assert_eq!(history[1].notes.as_deref(), Some("### Added\n- more"));
    }
}
