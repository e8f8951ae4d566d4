//! Does the changelog say what this version changes?

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::release::{Changelog, Entry, Noted, Release, Versioning, says_nothing};

const MISSING: Rule = Rule {
    id: "changelog-missing",
    level: Level::Error,
    summary: "there is no changelog, and the policy asks for one",
    reason: "Whoever uses the model reads there whether a new version concerns them.",
    fix: "write a CHANGELOG.md in the form of https://keepachangelog.com",
    example: "gates: {changelog: {required: true}} without a CHANGELOG.md",
};

const UNREADABLE: Rule = Rule {
    id: "changelog-unreadable",
    level: Level::Error,
    summary: "the changelog is there, and is not read",
    reason: "What it says is published, so only a regular file of the repository is read: never what a link leads to elsewhere, and no pipe.",
    fix: "put the changelog itself where the link or the pipe stands, as a regular file of the repository",
    example: "CHANGELOG.md -> /home/ci/notes.md",
};

const ENTRY_MISSING: Rule = Rule {
    id: "changelog-entry-missing",
    level: Level::Error,
    summary: "the changelog says nothing of the version that is released",
    reason: "The entry becomes the description of the commit and of the tag on the Hub, and stands on the card.",
    fix: "add `## [1.2.3] - 2026-01-31` and what changed; rename `## [Unreleased]` where it stands there",
    example: "v1.1.0 with `## [1.0.0]` as the newest entry",
};

const ENTRY_EMPTY: Rule = Rule {
    id: "changelog-entry-empty",
    level: Level::Error,
    summary: "the changelog has a heading for the version, and nothing below it",
    reason: "An entry without words tells as much as none.",
    fix: "say below the heading what changed: `### Changed` and a list",
    example: "## [1.1.0] - 2026-01-31, and then the next heading",
};

const DATE: Rule = Rule {
    id: "changelog-date",
    level: Level::Warning,
    summary: "the version's entry has no date, or one that cannot be right",
    reason: "The day of a release is what incidents and audits are matched with.",
    fix: "write the day of the release behind the version: `## [1.2.3] - 2026-01-31`",
    example: "## [1.1.0] - 31.01.2026",
};

const ORDER: Rule = Rule {
    id: "changelog-order",
    level: Level::Warning,
    summary: "the changelog's versions are in no order",
    reason: "People read the newest first and stop at the version they have.",
    fix: "move the entry to its place: the newest version stands first",
    example: "## [1.0.0] above ## [1.1.0], with the older date",
};

const DUPLICATE: Rule = Rule {
    id: "changelog-duplicate",
    level: Level::Error,
    summary: "the changelog has two entries for one version",
    reason: "Nobody can tell which of them holds, and only the first is published.",
    fix: "make one entry of the two",
    example: "## [1.1.0] twice after a merge",
};

/// Findings of one kind that are told.
const MOST_TOLD: usize = 5;

/// The changelog gate.
pub struct Changelogs;

impl Gate for Changelogs {
    fn name(&self) -> &'static str {
        "changelog"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&MISSING, &UNREADABLE, &ENTRY_MISSING, &ENTRY_EMPTY, &DATE, &ORDER, &DUPLICATE]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let release = match load.versioning {
            Versioning::Release(release) => Some(release),
            Versioning::Untagged | Versioning::Unreadable { .. } => None,
        };
        if let Some(why) = &load.changes.refused {
            let message = format!("`{}` is not read: {why}", load.changes.path);
            let at = Location::file(&load.changes.path);
            let finding = Finding::new(&UNREADABLE, &message, at);
            return Ok(Judgement::new(message, vec![finding]));
        }
        let Some(log) = &load.changes.changelog else { return Ok(without(load, release)) };
        let mut findings = duplicates(log);
        findings.extend(disorder(log));
        let note = match release {
            Some(release) => about(load, log, release, &mut findings),
            None => match &log.unreleased {
                Some(one) if !says_nothing(&one.notes) => "something under Unreleased".into(),
                _ => "nothing under Unreleased".into(),
            },
        };
        Ok(Judgement::new(format!("{}: {note}", log.path), findings))
    }
}

/// There is no changelog.
fn without(load: &Load<'_>, release: Option<&Release>) -> Judgement {
    let gate = &load.model.gates.changelog;
    let path = &load.changes.path;
    if gate.required || gate.file.is_some() {
        let entry = match release {
            Some(release) => draft(load, release),
            None => "## [Unreleased]\n\n### Added\n\n- …".into(),
        };
        let fix = format!("create `{path}`:\n\n# Changelog\n\n{entry}");
        let message = format!("there is no `{path}`");
        let finding = Finding::new(&MISSING, &message, Location::file(&load.policy.file));
        return Judgement::new(message, vec![finding.with_fix(fix)]);
    }
    let commits = &load.changes.commits;
    if release.is_none() || commits.changes.is_empty() {
        let why = if commits.unknown.is_some() { commits.told() } else { "no commits".into() };
        return Judgement::skipped(match release {
            Some(_) => format!("no {path}, and {why}: the version says nothing of itself"),
            None => format!("no {path}"),
        });
    }
    Judgement::new(format!("no {path}: notes of {}", commits.told()), Vec::new())
}

/// What the changelog says of the release.
fn about(
    load: &Load<'_>,
    log: &Changelog,
    release: &Release,
    findings: &mut Vec<Finding>,
) -> String {
    let version = &release.version;
    match load.changes.noted(version) {
        None => {
            findings.push(missing(load, log, release));
            format!("nothing of {version}")
        }
        Some(Noted::Unreleased(_)) => format!("{version} by what stands under Unreleased"),
        Some(Noted::Entry(entry)) => {
            if says_nothing(&entry.notes) {
                findings.push(empty(load, log, entry));
            }
            // An entry that leads to a version gets its date with that version.
            if entry.version == *version {
                findings.extend(date(load, log, entry));
            }
            match entry.date {
                Some(date) => format!("{} of {date}", entry.version),
                None => entry.version.to_string(),
            }
        }
    }
}

fn missing(load: &Load<'_>, log: &Changelog, release: &Release) -> Finding {
    let (version, path) = (&release.version, &log.path);
    let unreleased = log.unreleased.as_ref().filter(|one| !says_nothing(&one.notes));
    let (line, message, fix) = match (unreleased, log.entries.first()) {
        (Some(one), _) => (
            one.line,
            format!("what {version} changes stands under Unreleased"),
            format!(
                "rename the heading on line {} of `{path}` to:\n\n{}",
                one.line,
                heading(load, release)
            ),
        ),
        (None, first) => {
            let line = first.map_or(1, |entry| entry.line);
            let draft = draft(load, release);
            let newest =
                first.map_or("no version".to_owned(), |entry| format!("`{}`", entry.version));
            (
                line,
                format!("there is no entry for {version}; the first of it is {newest}"),
                format!("add to `{path}`, above line {line}:\n\n{draft}"),
            )
        }
    };
    let mut finding =
        Finding::new(&ENTRY_MISSING, message, Location::line(path, line)).with_fix(fix);
    // A rehearsal may make its version up: it is told, and not stopped.
    if load.rehearsal && load.git.tagged(&release.tag).is_none() {
        finding.level = Level::Note;
    }
    finding
}

fn empty(load: &Load<'_>, log: &Changelog, entry: &Entry) -> Finding {
    let message = format!("the entry for {} says nothing", entry.version);
    let fix = format!("say below line {} what changed:\n\n{}", entry.line, items(load));
    Finding::new(&ENTRY_EMPTY, message, Location::line(&log.path, entry.line)).with_fix(fix)
}

fn date(load: &Load<'_>, log: &Changelog, entry: &Entry) -> Option<Finding> {
    let behind = entry.behind.trim_start_matches(['-', ' ']);
    // Another line may have had its patch in between.
    let earlier = log.entries.iter().filter(|other| comes_before(&other.version, &entry.version));
    let latest = earlier.filter_map(|other| other.date.zip(Some(&other.version))).max();
    let tomorrow = load.today.tomorrow().unwrap_or(load.today);
    let version = &entry.version;
    let message = match (entry.date, latest) {
        (None, _) if behind.is_empty() => format!("the entry for {version} has no date"),
        (None, _) => format!("the entry for {version} has no date but `{behind}`"),
        // It may be tomorrow already where it was written.
        (Some(date), _) if date > tomorrow => {
            format!("the entry for {version} is dated {date}, and today is {}", load.today)
        }
        (Some(date), Some((day, before))) if date < day => {
            format!("the entry for {version} is dated {date}, before that for {before} ({day})")
        }
        _ => return None,
    };
    let heading = format!("`## [{version}] - {}`", load.today);
    let finding = Finding::new(&DATE, message, Location::line(&log.path, entry.line));
    Some(finding.with_fix(format!("write the day of the release: {heading}")))
}

/// Whether a version must be of an earlier day: an earlier one of its own line, and the first of
/// any line below, whose patches may come later.
fn comes_before(other: &semver::Version, version: &semver::Version) -> bool {
    let line = |version: &semver::Version| (version.major, version.minor);
    other < version && (line(other) == line(version) || other.patch == 0)
}

fn duplicates(log: &Changelog) -> Vec<Finding> {
    let mut first = std::collections::BTreeMap::new();
    let again = log.entries.iter().filter_map(|entry| {
        let known = *first.entry(&entry.version).or_insert(entry.line);
        (known != entry.line).then_some((entry, known))
    });
    let finding = |(entry, known): (&Entry, u32)| {
        let message = format!("{} has an entry on line {known} already", entry.version);
        Finding::new(&DUPLICATE, message, Location::line(&log.path, entry.line))
    };
    again.take(MOST_TOLD).map(finding).collect()
}

/// The first entry that is neither older nor earlier than the one above it.
fn disorder(log: &Changelog) -> Option<Finding> {
    let pair = log.entries.windows(2).find(|pair| {
        let by_date = matches!((pair[0].date, pair[1].date), (Some(a), Some(b)) if a >= b);
        pair[0].version < pair[1].version && !by_date
    })?;
    let message = format!("{} stands below {}", pair[1].version, pair[0].version);
    Some(Finding::new(&ORDER, message, Location::line(&log.path, pair[1].line)))
}

/// The heading of the release's entry.
fn heading(load: &Load<'_>, release: &Release) -> String {
    // A file of several models says whose version it is.
    let several = load.policy.models.len() > 1 && load.model.gates.changelog.file.is_none();
    if several {
        format!("## {} {} - {}", release.model, release.version, load.today)
    } else {
        format!("## [{}] - {}", release.version, load.today)
    }
}

/// An entry to paste.
fn draft(load: &Load<'_>, release: &Release) -> String {
    format!("{}\n\n{}", heading(load, release), items(load))
}

/// What the commits say of the release, as items to paste.
fn items(load: &Load<'_>) -> String {
    let notes = load.changes.commits.notes(str::to_owned);
    notes.unwrap_or_else(|| "### Changed\n\n- …".into())
}

#[cfg(test)]
mod tests;
