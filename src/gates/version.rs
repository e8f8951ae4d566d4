//! Is this version the one the tag names, of the commit that is checked out, and new?

mod bump;

use std::collections::BTreeMap;

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::hub::query_files::ADDED;
use crate::inventory::Artifact;
use crate::own_files;
use crate::release::{Channel, Release, RemoteFile, Versioning};

const TAG_UNREADABLE: Rule = Rule {
    id: "tag-unreadable",
    level: Level::Error,
    summary: "the tag does not name a release",
    reason: "The git tag is the version; a tag that is no SemVer version, or names no model, names nothing.",
    fix: "tag with `v1.2.3`, or `name/v1.2.3` where the repository has several models",
    example: "v1.2.0rc1",
};

const TAG_NOT_ON_COMMIT: Rule = Rule {
    id: "tag-not-on-commit",
    level: Level::Error,
    summary: "the tag is not known, or points at another commit than the one checked out",
    reason: "What is published must be what the tag names, or nobody can tell later where it came from.",
    fix: "check out the tag: `git checkout <tag>`; in a workflow, release on the tag push itself",
    example: "a dispatch on a branch that is ahead of the tag",
};

const DIRTY_TREE: Rule = Rule {
    id: "dirty-tree",
    level: Level::Error,
    summary: "tracked files differ from the commit",
    reason: "A release from changed files cannot be made again from its tag.",
    fix: "commit or restore the files: `git status`, then `git checkout -- <file>`",
    example: "metrics.json changed by a step before the release and not committed",
};

const ALREADY_PUBLISHED: Rule = Rule {
    id: "version-already-published",
    level: Level::Error,
    summary: "the Hub has this version with other bytes",
    reason: "A version never changes once it is out: whoever pinned it would get another model.",
    fix: "release the change as a new version: `git tag v<next> && git push origin v<next>`",
    example: "v1.0.0 retrained and tagged again",
};

const OLDER: Rule = Rule {
    id: "version-older-than-published",
    level: Level::Error,
    summary: "a newer version of the same channel is already out",
    reason: "The channel's branch would go back to an older model without anybody deciding so.",
    fix: "release a higher version, or set `gates: {version: {allow-older: true}}` for a patch of an old line",
    example: "v1.0.1 after v1.1.0",
};

/// Files weighbridge or the Hub write: they differ from run to run and are no part of the model.
/// [`ADDED`] is one more where the folder has none.
fn is_written_for_us(path: &str) -> bool {
    own_files::ALL.contains(&path) || path == ".gitattributes"
}

/// The version gate.
pub struct Version;

impl Gate for Version {
    fn name(&self) -> &'static str {
        "version"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![
            &TAG_UNREADABLE,
            &TAG_NOT_ON_COMMIT,
            &DIRTY_TREE,
            &ALREADY_PUBLISHED,
            &OLDER,
            &bump::TOO_SMALL,
            &bump::TOO_LARGE,
        ]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let release = match load.versioning {
            Versioning::Untagged => {
                return Ok(Judgement::skipped("no tag: nothing to release yet"));
            }
            Versioning::Unreadable { tag, why } => {
                let message = format!("the tag `{tag}` does not name a release: {why}");
                let finding =
                    Finding::new(&TAG_UNREADABLE, message, Location::file(&load.policy.file));
                return Ok(Judgement::new(format!("`{tag}` is no version"), vec![finding]));
            }
            Versioning::Release(release) => release,
        };
        let mut findings = checkout(load, release);
        let known = already_published(load, release, &mut findings);
        let note = match known {
            Known::SameBytes => {
                format!("{} is already published with the same bytes", release.version)
            }
            Known::OtherBytes => {
                format!("{} is already published with other bytes", release.version)
            }
            Known::No => {
                let new =
                    format!("{} for the channel {}", release.version, release.channel.as_str());
                let judged = load.published.and_then(|there| bump::judge(load, release, there));
                match judged {
                    Some((step, finding)) => {
                        findings.extend(finding);
                        format!("{new}; {step}")
                    }
                    None => new,
                }
            }
        };
        Ok(Judgement::new(note, findings))
    }
}

enum Known {
    No,
    SameBytes,
    OtherBytes,
}

/// Tag and tree must be those of the commit. A rehearsal may make its version up, and rehearses
/// what lies there: it is told, and not stopped.
fn checkout(load: &Load<'_>, release: &Release) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(tag_not_on_commit(load, release));
    findings.extend(dirty_tree(load));
    if load.rehearsal {
        for finding in &mut findings {
            finding.level = Level::Note;
        }
    }
    findings
}

fn tag_not_on_commit(load: &Load<'_>, release: &Release) -> Option<Finding> {
    let tag = &release.tag;
    let finding = |message: String, fix: String| {
        let at = Location::file(&load.policy.file);
        Some(Finding::new(&TAG_NOT_ON_COMMIT, message, at).with_fix(fix))
    };
    let tagged = load.git.tagged(tag);
    match (load.git.head.as_deref(), tagged) {
        (Some(head), Some(tagged)) if head == tagged => None,
        (Some(head), Some(tagged)) => finding(
            format!("`{tag}` points at {tagged:.12}, but {head:.12} is checked out"),
            format!(
                "check out the tag: `git checkout {tag}`, or `ref: refs/tags/{tag}` for actions/checkout"
            ),
        ),
        (_, None) if load.rehearsal => None,
        (None, _) => finding(
            format!("there is no commit here that `{tag}` could name"),
            "release from a checkout of the git repository (actions/checkout before this step)"
                .into(),
        ),
        (Some(_), None) if load.git.shallow => finding(
            format!("this checkout has a cut-off history and does not know the tag `{tag}`"),
            format!(
                "check out the tag itself: `ref: refs/tags/{tag}` or `fetch-tags: true` for \
                 actions/checkout; elsewhere `git fetch --depth=1 origin tag {tag}`"
            ),
        ),
        (Some(_), None) => finding(
            format!("there is no tag `{tag}` in this repository"),
            format!(
                "make it: `git tag {tag} && git push origin {tag}`; or fetch it: `git fetch --tags`"
            ),
        ),
    }
}

fn dirty_tree(load: &Load<'_>) -> Option<Finding> {
    let dirty = &load.git.dirty;
    let first = dirty.first()?;
    let message = format!("tracked files differ from the commit: {}", few(dirty));
    // A name that a shell would read otherwise is not put into a command to paste.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let name = if first.chars().all(plain) { first.as_str() } else { "<file>" };
    let fix = format!(
        "commit them, or take them back: `git checkout -- {name}`; what a step of the workflow \
         writes again each time is best not tracked"
    );
    Some(Finding::new(&DIRTY_TREE, message, Location::file(first)).with_fix(fix))
}

fn already_published(load: &Load<'_>, release: &Release, findings: &mut Vec<Finding>) -> Known {
    let Some(published) = load.published else { return Known::No };
    if let Some(remote) = &published.this_version {
        let differing = differing(load, remote);
        if differing.is_empty() {
            return Known::SameBytes;
        }
        let message = format!(
            "the Hub has {} already, with other files: {}",
            release.version,
            few(&differing)
        );
        let at = Location::file(&load.policy.file);
        findings.push(Finding::new(&ALREADY_PUBLISHED, message, at));
        return Known::OtherBytes;
    }
    findings.extend(older(load, release, &published.versions));
    Known::No
}

fn older(load: &Load<'_>, release: &Release, published: &[semver::Version]) -> Option<Finding> {
    let same_channel = published.iter().filter(|version| Channel::of(version) == release.channel);
    let newest = same_channel.max()?;
    if newest.cmp_precedence(&release.version).is_le() || load.model.gates.version.allow_older {
        return None;
    }
    let message = format!(
        "{} is older than {newest}, the newest of the channel {}",
        release.version,
        release.channel.as_str()
    );
    Some(Finding::new(&OLDER, message, Location::file(&load.policy.file)))
}

/// What of the files is not the same on both sides, sorted, each with what is the matter.
fn differing(load: &Load<'_>, remote: &[RemoteFile]) -> Vec<String> {
    let ours = |path: &str| !is_written_for_us(path);
    let there: BTreeMap<&str, &RemoteFile> =
        remote.iter().map(|file| (file.path.as_str(), file)).collect();
    let here: BTreeMap<&str, &Artifact> =
        load.inventory.files.iter().map(|file| (file.path.as_str(), file)).collect();
    // Files of earlier versions that the policy keeps are in the version without being weighed.
    let kept = |path: &str| load.model.publish.keep.iter().any(|keep| keep.glob.is_match(path));
    let mut names = Vec::new();
    for (path, file) in here.iter().filter(|(path, _)| ours(path)) {
        match there.get(path) {
            None => names.push(format!("{path} (new)")),
            Some(known) if !is_same(file, known) => names.push(format!("{path} (changed)")),
            Some(_) => {}
        }
    }
    let gone = |path: &&&str| ours(path) && !here.contains_key(**path) && !kept(path);
    for path in there.keys().filter(gone) {
        if *path != ADDED || weighed_then(load, path) {
            names.push(format!("{path} (gone)"));
        }
    }
    names.sort();
    names
}

/// Whether the record of this very version, as published, lists a file: what it does not list,
/// weighbridge added. Without a record, it is taken for one that was weighed.
fn weighed_then(load: &Load<'_>, path: &str) -> bool {
    let version = match load.versioning {
        Versioning::Release(release) => &release.version,
        Versioning::Untagged | Versioning::Unreadable { .. } => return true,
    };
    let records = load.published.map(|published| &published.records);
    let record = records.and_then(|records| records.get(version));
    let record = record.and_then(|bytes| serde_json::from_slice::<Weighed>(bytes).ok());
    record.is_none_or(|record| record.files.iter().any(|file| file.path == path))
}

/// The part of a release record that tells what was weighed.
#[derive(serde::Deserialize)]
struct Weighed {
    files: Vec<WeighedFile>,
}

#[derive(serde::Deserialize)]
struct WeighedFile {
    path: String,
}

/// The Hub names LFS files by SHA-256 (64 digits) and regular ones by git blob id (40 digits).
fn is_same(file: &Artifact, known: &RemoteFile) -> bool {
    let id = if known.oid.len() == 64 { file.sha256.to_string() } else { file.git_oid.clone() };
    known.size == file.size && known.oid == id
}

/// The first five of a list, and how many more there are.
fn few(names: &[String]) -> String {
    let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(5) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
