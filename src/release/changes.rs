//! What changed since the version before: what the changelog says, else what the commits say.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use semver::Version;

use super::changelog::{self, Changelog, Entry, says_nothing};
use super::commits::{self, Commits, Way};
use super::{Channel, GitFacts, GitTag, Release, Versioning, read_tag};
use crate::markdown;
use crate::policy::{Model, Policy};
use crate::workspace::{self, Refused};

/// Bytes of a changelog that are read.
const CHANGELOG_LIMIT: u64 = 4 * 1024 * 1024;
/// Bytes of notes that go to the Hub with a commit and a tag.
const MOST_SENT: usize = 8 * 1024;
/// The file that is looked for where the policy names none.
const USUAL: &str = "CHANGELOG.md";

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changelog, if there is one.
    pub changelog: Option<Changelog>,
    /// Where it is, or would be, as shown to people.
    pub path: String,
    /// Why it is not read though something stands there.
    pub refused: Option<String>,
    /// The commits since the version before.
    pub commits: Commits,
}

/// What is said of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted<'a> {
    /// An entry of its own, or for a prerelease that of the version it leads to.
    Entry(&'a Entry),
    /// For a prerelease: what stands under `Unreleased`.
    Unreleased(&'a str),
}

impl Noted<'_> {
    /// Markdown.
    pub fn notes(&self) -> &str {
        match self {
            Self::Entry(entry) => &entry.notes,
            Self::Unreleased(notes) => notes,
        }
    }
}

impl Changes {
    /// What the changelog says of a version.
    pub fn noted(&self, version: &Version) -> Option<Noted<'_>> {
        let log = self.changelog.as_ref()?;
        let of = |version: &Version| log.entries.iter().find(|entry| entry.version == *version);
        if version.pre.is_empty() {
            return of(version).map(Noted::Entry);
        }
        let leads_to = Version::new(version.major, version.minor, version.patch);
        let unreleased = log.unreleased.as_ref().filter(|one| !says_nothing(&one.notes));
        of(version)
            .or_else(|| of(&leads_to))
            .map(Noted::Entry)
            .or_else(|| unreleased.map(|one| Noted::Unreleased(&one.notes)))
    }

    /// The notes of a version as they go to the Hub: the changelog's own Markdown, else made of the
    /// commits, whose texts are shown and can do nothing else. Bounded, nothing in them is hidden.
    pub fn sent(&self, version: &Version) -> Option<String> {
        let notes = match self.noted(version) {
            Some(noted) => noted.notes().to_owned(),
            None => self.commits.notes(markdown::text)?,
        };
        let mut sent = String::new();
        for line in notes.lines() {
            if sent.len() + line.len() > MOST_SENT {
                sent.push('…');
                break;
            }
            sent.push_str(&markdown::line(&line.replace('\t', "    ")));
            sent.push('\n');
        }
        Some(sent.trim().to_owned()).filter(|sent| !sent.is_empty())
    }
}

/// Reads changelog and commits. The changelog is the file that the policy names, else
/// `CHANGELOG.md` beside the policy or at the root of the repository.
pub fn changes(
    base: &Path,
    shown_base: &str,
    policy: &Policy,
    model: &Model,
    git: &GitFacts,
    release: Option<&Release>,
) -> Changes {
    let (file, path) = place(base, shown_base, model, git);
    let (text, refused) = match read(&file, base, shown_base, git) {
        Ok(text) => (text, None),
        Err(refused) => (None, Some(refused.to_string())),
    };
    let models: Vec<_> = policy.models.iter().map(|model| model.name.as_str()).collect();
    let changelog = text.map(|text| {
        let mut log = changelog::read(&text, &models);
        log.path.clone_from(&path);
        let mut versions: BTreeSet<_> =
            tagged(policy, model, git).map(|(version, _)| version).collect();
        versions.extend(release.map(|release| release.version.clone()));
        log.entries.retain(|entry| is_about(entry, model, policy, &versions));
        log
    });
    let commits = commits(base, policy, model, git, release);
    Changes { changelog, path, refused, commits }
}

/// The changelog's file, and how it is shown.
fn place(base: &Path, shown_base: &str, model: &Model, git: &GitFacts) -> (PathBuf, String) {
    let shown = |name: &str| match shown_base {
        "" | "." => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let named = model.gates.changelog.file.as_deref();
    let beside = base.join(named.unwrap_or(USUAL));
    if let (None, Some(root)) = (named, &git.root)
        && !stands(&beside)
        && stands(&root.join(USUAL))
    {
        return (root.join(USUAL), USUAL.into());
    }
    (beside, shown(named.unwrap_or(USUAL)))
}

/// A heading that names a model is about that one. One that names none is about the only model, or
/// about each that has such a version.
fn is_about(entry: &Entry, model: &Model, policy: &Policy, versions: &BTreeSet<Version>) -> bool {
    match entry.model.as_deref() {
        Some(name) => name == model.name,
        None => policy.models.len() == 1 || versions.contains(&entry.version),
    }
}

/// The versions of a model that have tags.
pub(super) fn tagged<'a>(
    policy: &'a Policy,
    model: &'a Model,
    git: &'a GitFacts,
) -> impl Iterator<Item = (Version, &'a GitTag)> {
    git.tags.iter().filter_map(|tag| match read_tag(&tag.name, policy) {
        Versioning::Release(release) if release.model == model.name => Some((release.version, tag)),
        _ => None,
    })
}

fn commits(
    base: &Path,
    policy: &Policy,
    model: &Model,
    git: &GitFacts,
    release: Option<&Release>,
) -> Commits {
    let (Some(root), Some(head)) = (&git.root, &git.head) else { return Commits::default() };
    // A full version tells all that came since the one before, its own candidates included.
    let full = release.is_none_or(|release| release.channel == Channel::Production);
    let before = tagged(policy, model, git)
        .filter(|(version, _)| !full || version.pre.is_empty())
        .filter(|(version, _)| release.is_none_or(|release| *version < release.version))
        .max_by(|a, b| a.0.cmp(&b.0));
    let since = before.as_ref().map(|(_, tag)| (tag.name.as_str(), tag.commit.as_str()));
    let folder = folder(base, root, policy, model);
    commits::walk(&Way { root, head, since, folder: &folder, shallow: git.shallow })
}

/// The folder whose commits are about the model: the policy's; with several models the largest
/// around the model's own that holds no other.
fn folder(base: &Path, root: &Path, policy: &Policy, model: &Model) -> String {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (base, root) = (real(base), real(root));
    let below = base.strip_prefix(&root).unwrap_or(Path::new("")).to_string_lossy();
    let own = own_folder(&model.path, policy);
    let parts = below.split('/').chain(own.split('/'));
    parts.filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

fn own_folder<'a>(path: &'a str, policy: &Policy) -> &'a str {
    let others: Vec<_> =
        policy.models.iter().map(|other| &other.path).filter(|other| *other != path).collect();
    if others.is_empty() {
        return "";
    }
    let holds = |folder: &str, path: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut own = path;
    while let Some((parent, _)) = own.rsplit_once('/') {
        if others.iter().any(|other| holds(parent, other)) {
            break;
        }
        own = parent;
    }
    own
}

/// Whether anything has the name: a pipe and a link that leads nowhere too.
fn stands(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The changelog's text; `None` where there is none. It goes to the Hub, so nothing but a file of
/// the workspace or the repository is read.
fn read(
    path: &Path,
    base: &Path,
    shown_base: &str,
    git: &GitFacts,
) -> Result<Option<String>, Refused> {
    let (_, workspace) = workspace::around(base, shown_base);
    let root = git.root.as_ref().and_then(|root| root.canonicalize().ok());
    let within: Vec<_> = root.iter().chain([&workspace]).map(PathBuf::as_path).collect();
    let file = match workspace::open(path, &within) {
        Err(Refused::Missing) if !stands(path) => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(CHANGELOG_LIMIT).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests;
