//! Is this version the one the tag names, of the commit that is checked out, and new?

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::inventory::Inventory;
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
    summary: "the tag points at another commit than the one checked out",
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
const WRITTEN_FOR_US: [&str; 3] = ["README.md", "weighbridge.json", ".gitattributes"];

/// The version gate.
pub struct Version;

impl Gate for Version {
    fn name(&self) -> &'static str {
        "version"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&TAG_UNREADABLE, &TAG_NOT_ON_COMMIT, &DIRTY_TREE, &ALREADY_PUBLISHED, &OLDER]
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
                format!("{} for the channel {}", release.version, release.channel.as_str())
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

/// Tag and tree must be those of the commit. A rehearsal may make its version up.
fn checkout(load: &Load<'_>, release: &Release) -> Vec<Finding> {
    let mut findings = Vec::new();
    if load.rehearsal {
        return findings;
    }
    let policy_file = || Location::file(&load.policy.file);
    if let (Some(tagged), Some(head)) = (load.git.tagged(&release.tag), load.git.head.as_deref())
        && tagged != head
    {
        let message =
            format!("`{}` points at {tagged:.12}, but {head:.12} is checked out", release.tag);
        findings.push(Finding::new(&TAG_NOT_ON_COMMIT, message, policy_file()));
    }
    if !load.git.dirty.is_empty() {
        let shown = load.git.dirty.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let more = load.git.dirty.len().saturating_sub(5);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("these tracked files differ from the commit: {shown}{more}");
        findings.push(Finding::new(&DIRTY_TREE, message, Location::file(&load.git.dirty[0])));
    }
    findings
}

fn already_published(load: &Load<'_>, release: &Release, findings: &mut Vec<Finding>) -> Known {
    let Some(published) = load.published else { return Known::No };
    if let Some(remote) = &published.this_version {
        let differing = differing(load.inventory, remote);
        if differing.is_empty() {
            return Known::SameBytes;
        }
        let shown = differing.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let message =
            format!("the Hub has {} already, and these files differ: {shown}", release.version);
        findings.push(Finding::new(&ALREADY_PUBLISHED, message, Location::file(&load.policy.file)));
        return Known::OtherBytes;
    }
    let same_channel =
        published.versions.iter().filter(|version| Channel::of(version) == release.channel);
    if let Some(newest) = same_channel.max()
        && *newest > release.version
        && !load.model.gates.version.allow_older
    {
        let message = format!(
            "{} is older than {newest}, the newest of {}",
            release.version,
            release.channel.as_str()
        );
        findings.push(Finding::new(&OLDER, message, Location::file(&load.policy.file)));
    }
    Known::No
}

/// Names of files that are not the same on both sides, sorted.
fn differing(inventory: &Inventory, remote: &[RemoteFile]) -> Vec<String> {
    let ours = |path: &str| !WRITTEN_FOR_US.contains(&path);
    let mut names = Vec::new();
    for file in inventory.files.iter().filter(|file| ours(file.path.as_str())) {
        let same = remote.iter().any(|there| {
            there.path == file.path.as_str()
                && there.size == file.size
                && (there.oid == file.sha256.to_string() || there.oid == file.git_oid)
        });
        if !same {
            names.push(file.path.to_string());
        }
    }
    for there in remote.iter().filter(|there| ours(&there.path)) {
        if inventory.get(&there.path).is_none() {
            names.push(there.path.clone());
        }
    }
    names.sort();
    names
}
