//! The version history of one model: git tags, with what CHANGELOG.md says of each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use semver::Version;

use super::changes::{Changes, tagged};
use super::{GitFacts, GitTag, HistoryEntry, Release};
use crate::policy::{Model, Policy};

/// Versions, newest first. In a checkout without history, as CI systems make it, the changelog
/// alone tells of old versions; where it says nothing of the version that is released now, the
/// commits do.
pub fn history(
    policy: &Policy,
    model: &Model,
    git: &GitFacts,
    changes: &Changes,
    release: Option<&Release>,
) -> Vec<HistoryEntry> {
    let mut versions: BTreeMap<Version, HistoryEntry> = BTreeMap::new();
    for (version, tag) in tagged(policy, model, git) {
        let entry = HistoryEntry { version: version.clone(), date: day(tag), notes: None };
        versions.insert(version, entry);
    }
    for entry in changes.changelog.iter().flat_map(|log| &log.entries) {
        let known = versions.entry(entry.version.clone());
        let version = entry.version.clone();
        let known = known.or_insert(HistoryEntry { version, date: None, notes: None });
        known.date = entry.date.or(known.date);
        known.notes = Some(entry.notes.clone()).filter(|notes| !notes.is_empty());
    }
    // What came later is not told, so that a tag released again has the same card.
    if let Some(release) = release {
        versions.retain(|version, _| *version <= release.version);
    }
    if let Some(known) = release.and_then(|release| versions.get_mut(&release.version)) {
        // The card shows it escaped, so it is not escaped here.
        known.notes = known.notes.take().or_else(|| match changes.noted(&known.version) {
            Some(noted) => Some(noted.notes().to_owned()).filter(|notes| !notes.is_empty()),
            None => changes.commits.notes(str::to_owned),
        });
    }
    versions.into_values().rev().collect()
}

fn day(tag: &GitTag) -> Option<Date> {
    Timestamp::from_second(tag.time).ok().map(|time| time.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(models: &str, model: usize, changelog: &str, tags: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("CHANGELOG.md"), changelog).expect("written");
        let policy = crate::policy::parse("p", models, &[]).expect("valid");
        let model = &policy.models[model];
        let tag = |name: &&str| GitTag {
            name: (*name).into(),
            commit: String::new(),
            time: 1_767_225_600,
        };
        let git = GitFacts { tags: tags.iter().map(tag).collect(), ..GitFacts::default() };
        let changes = super::super::changes(folder.path(), "", &policy, model, &git, None);
        let history = history(&policy, model, &git, &changes, None);
        let show = |entry: HistoryEntry| {
            let date = entry.date.map_or("-".into(), |date| date.to_string());
            format!("{} {date} {}", entry.version, entry.notes.unwrap_or_default())
        };
        history.into_iter().map(show).collect()
    }

    #[test]
    fn changelog_and_tags_are_one_history() {
        let one = "model: {name: churn, owner: o}\n";
        let changelog =
            "## [Unreleased]\n- later\n\n## [1.1.0] - 2026-02-01\n- more\n\n## v1.0.0\n- first\n";
        let tags = ["v1.0.0", "v1.10.0", "v1.2.0", "other/v9.0.0", "x"];
        assert_eq!(
            told(one, 0, changelog, &tags),
            [
                "1.10.0 2026-01-01 ",
                "1.2.0 2026-01-01 ",
                "1.1.0 2026-02-01 - more",
                "1.0.0 2026-01-01 - first",
            ]
        );
        assert_eq!(told(one, 0, "", &[]), Vec::<String>::new());
    }

    #[test]
    fn a_tag_released_again_tells_nothing_of_later_ones() {
        let policy = crate::policy::parse("p", "model: {name: churn, owner: o}\n", &[]);
        let policy = policy.expect("valid");
        let tag = |name: &str| GitTag { name: name.into(), commit: String::new(), time: 0 };
        let tags = ["v1.0.0", "v1.1.0", "v2.0.0"].map(tag).into();
        let git = GitFacts { tags, ..GitFacts::default() };
        let super::super::Versioning::Release(release) = super::super::read_tag("v1.1.0", &policy)
        else {
            panic!("a release")
        };
        let history =
            history(&policy, &policy.models[0], &git, &Changes::default(), Some(&release));
        let versions: Vec<_> = history.iter().map(|entry| entry.version.to_string()).collect();
        assert_eq!(versions, ["1.1.0", "1.0.0"]);
    }

    #[test]
    fn models_of_one_changelog_are_told_apart() {
        let two = "models:\n  - {name: a, owner: o, path: a}\n  - {name: b, owner: o, path: b}\n";
        let changelog = "## a 2.0.0\n- of a\n## b 2.0.0\n- of b\n## 1.0.0\n- of whoever has it\n";
        assert_eq!(
            told(two, 0, changelog, &["a/v1.0.0"]),
            ["2.0.0 - - of a", "1.0.0 2026-01-01 - of whoever has it",]
        );
        assert_eq!(told(two, 1, changelog, &["a/v1.0.0"]), ["2.0.0 - - of b"]);
    }
}
