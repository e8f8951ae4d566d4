//! The version history of one model: git tags, with what CHANGELOG.md says of each.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use semver::Version;

use super::changelog::{self, Entry};
use super::{GitFacts, GitTag, HistoryEntry, Versioning, read_tag};
use crate::policy::{Model, Policy};

/// Bytes of a changelog that are read.
const CHANGELOG_LIMIT: u64 = 4 * 1024 * 1024;

/// Versions, newest first. The changelog is `CHANGELOG.md` in `base`; a missing one is no error.
/// In a checkout without history, as CI systems make it, the changelog alone tells of old versions.
pub fn history(base: &Path, policy: &Policy, model: &Model, git: &GitFacts) -> Vec<HistoryEntry> {
    let mut versions: BTreeMap<Version, HistoryEntry> = BTreeMap::new();
    for tag in &git.tags {
        let Versioning::Release(release) = read_tag(&tag.name, policy) else { continue };
        if release.model == model.name {
            let version = release.version;
            let entry = HistoryEntry { version: version.clone(), date: day(tag), notes: None };
            versions.insert(version, entry);
        }
    }
    for entry in changelog::read(&read(&base.join("CHANGELOG.md"))) {
        let is_tagged = versions.contains_key(&entry.version);
        if !is_about(&entry, model, policy, is_tagged) {
            continue;
        }
        let version = entry.version.clone();
        let known = versions.entry(entry.version);
        let known = known.or_insert(HistoryEntry { version, date: None, notes: None });
        known.date = entry.date.or(known.date);
        known.notes = Some(entry.notes).filter(|notes| !notes.is_empty());
    }
    versions.into_values().rev().collect()
}

/// A heading that names a model is about that one. One that names none is about the only model, or
/// about each that has such a version.
fn is_about(entry: &Entry, model: &Model, policy: &Policy, is_tagged: bool) -> bool {
    match entry.model.as_deref() {
        Some(name) if name == model.name => true,
        Some(name) if policy.models.iter().any(|other| other.name == name) => false,
        _ => policy.models.len() == 1 || is_tagged,
    }
}

fn day(tag: &GitTag) -> Option<Date> {
    Timestamp::from_second(tag.time).ok().map(|time| time.to_zoned(TimeZone::UTC).date())
}

/// The changelog's text; one that cannot be read has none.
fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(CHANGELOG_LIMIT).read_to_end(&mut bytes));
    if read.is_ok() { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(models: &str, model: usize, changelog: &str, tags: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("CHANGELOG.md"), changelog).expect("written");
        let policy = crate::policy::parse("p", models, &[]).expect("valid");
        let tag = |name: &&str| GitTag {
            name: (*name).into(),
            commit: String::new(),
            time: 1_767_225_600,
        };
        let git = GitFacts { tags: tags.iter().map(tag).collect(), ..GitFacts::default() };
        let history = history(folder.path(), &policy, &policy.models[model], &git);
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
    fn models_of_one_changelog_are_told_apart() {
        let two = "models:\n  - {name: a, owner: o, path: a}\n  - {name: b, owner: o, path: b}\n";
        let changelog = "## a 2.0.0\n- of a\n## b 2.0.0\n- of b\n## 1.0.0\n- of whoever has it\n";
        assert_eq!(
            told(two, 0, changelog, &["a/v1.0.0"]),
            ["2.0.0 - - of a", "1.0.0 2026-01-01 - of whoever has it",]
        );
        assert_eq!(told(two, 1, changelog, &["a/v1.0.0"]), ["2.0.0 - - of b"]);
    }

    #[test]
    fn a_folder_without_changelog_has_only_tags() {
        assert_eq!(read(Path::new("/nowhere/CHANGELOG.md")), "");
    }
}
