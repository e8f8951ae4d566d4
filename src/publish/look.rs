//! What the Hub has, asked before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _};
use semver::Version;

use super::{Landed, PublishError, RECORD, Remote, pieces};
use crate::digest::has_own_digest;
use crate::evidence::EARLIER;
use crate::hub::wire::{Ref, Refs, TreeEntry};
use crate::hub::{Hub, HubError, Shelf};
use crate::release::{Published, Release, RemoteFile, Target};

/// A release record is a few hundred bytes a file.
const RECORD_LIMIT: usize = 32 * 1024 * 1024;

/// Bytes of a record that is only shown from, and how many such are asked for at once: a Hub that
/// answers anything cannot fill the memory.
const SHOWN_LIMIT: usize = 2 * 1024 * 1024;
const AT_ONCE: usize = 8;

/// Looks at the target repository; one that is not there has nothing. Of `compared`, of this very
/// version and of those of the channel before it, it brings the release records along. One that cannot
/// be had is an error: gates rest on some, and a card that leaves one out for the Hub's bad day does so
/// for good. Of those that are only shown, one that is too large is left out.
///
/// A version that is published already is looked at in the same way: what is shown of it depends on
/// lower versions only, so it comes out the same, and nothing of it is written again.
pub async fn look(
    hub: &Hub,
    target: &Target,
    release: &Release,
    compared: &[&Version],
) -> Result<Remote, PublishError> {
    let Some(refs) = hub.refs(&target.repo).await? else { return Ok(Remote::default()) };
    let tagged = commit_of(&refs.tags, &release.hub_tag());
    let this_version = match &tagged {
        Some(commit) => Some(files(hub, target, commit).await?),
        None => None,
    };
    let head = commit_of(&refs.branches, &target.revision);
    let start = commit_of(&refs.branches, "main");
    let (tree, record) = match head.as_ref().or(start.as_ref()) {
        Some(base) => (hub.tree(&target.repo, base).await?, landed(hub, target, base).await?),
        None => (Vec::new(), None),
    };
    let versions = versions(&refs);
    let mut published = Published { exists: true, versions, this_version, ..Published::default() };
    let last = published.last_before(&release.version).cloned();
    for version in compared.iter().copied().chain(&last).chain([&release.version]) {
        let Some(tag) = tag_of(&refs, version) else { continue };
        let record = whole_record(hub, target, &tag.target_commit, RECORD_LIMIT).await?;
        published.records.extend(record.map(|record| (version.clone(), record)));
    }
    let shown = shown(hub, target, &refs, &published, release).await?;
    published.records.extend(shown);
    Ok(Remote {
        exists: true,
        published,
        tagged,
        start,
        head,
        in_xet: in_xet(&tree),
        trained_anew: BTreeSet::new(),
        files: tree.into_iter().map(remote_file).collect(),
        record,
        pieces: pieces::left(&refs, &release.hub_tag()),
    })
}

/// Paths of the files that are in Xet storage.
fn in_xet(tree: &[TreeEntry]) -> BTreeSet<String> {
    let in_xet = tree.iter().filter(|entry| entry.xet_hash.is_some());
    in_xet.map(|entry| entry.path.clone()).collect()
}

/// Of what the Hub has, only what must be there before files can be brought.
pub(super) async fn standing(
    hub: &Hub,
    target: &Target,
    release: &Release,
) -> Result<Remote, PublishError> {
    let Some(refs) = hub.refs(&target.repo).await? else { return Ok(Remote::default()) };
    let head = commit_of(&refs.branches, &target.revision);
    let start = commit_of(&refs.branches, "main");
    let tree = match head.as_ref().or(start.as_ref()) {
        Some(base) => hub.tree(&target.repo, base).await?,
        None => Vec::new(),
    };
    Ok(Remote {
        exists: true,
        tagged: commit_of(&refs.tags, &release.hub_tag()),
        head,
        start,
        in_xet: in_xet(&tree),
        files: tree.into_iter().map(remote_file).collect(),
        ..Remote::default()
    })
}

/// The records of the channel's versions before this one that are not known yet.
async fn shown(
    hub: &Hub,
    target: &Target,
    refs: &Refs,
    published: &Published,
    release: &Release,
) -> Result<Vec<(Version, Vec<u8>)>, PublishError> {
    // The last one has been asked for.
    let before = published.before(&release.version).into_iter().take(EARLIER).skip(1);
    let asked: Vec<_> = before
        .filter(|version| !published.records.contains_key(version))
        .filter_map(|version| Some((version, tag_of(refs, version)?.target_commit.as_str())))
        .collect();
    let asked = asked.into_iter().map(async |(version, commit)| {
        match whole_record(hub, target, commit, SHOWN_LIMIT).await {
            Ok(record) => Ok(record.map(|record| (version.clone(), record))),
            Err(HubError::TooLarge { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    });
    let shown = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
    let shown = shown.try_filter_map(async |record| Ok(record)).try_collect().await?;
    Ok(shown)
}

/// The licences that the cards of base models and datasets state. What cannot be read, because it is
/// private, gated or gone, is left out: nobody knows, and the license gate says so.
pub async fn licenses(
    hub: &Hub,
    base_models: &[String],
    datasets: &[String],
) -> BTreeMap<String, Vec<String>> {
    let models = base_models.iter().map(|id| (Shelf::Models, id));
    let all = models.chain(datasets.iter().map(|id| (Shelf::Datasets, id)));
    let asked =
        all.map(async |(shelf, id)| Some((id.clone(), hub.licenses(shelf, id).await.ok()?)));
    let answers = futures_util::future::join_all(asked).await;
    answers.into_iter().flatten().filter(|(_, licenses)| !licenses.is_empty()).collect()
}

fn versions(refs: &Refs) -> Vec<Version> {
    refs.tags.iter().filter_map(|tag| version_of(&tag.name)).collect()
}

fn tag_of<'r>(refs: &'r Refs, version: &Version) -> Option<&'r Ref> {
    refs.tags.iter().find(|tag| version_of(&tag.name).as_ref() == Some(version))
}

fn version_of(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

pub(super) fn commit_of(refs: &[Ref], name: &str) -> Option<String> {
    refs.iter().find(|found| found.name == name).map(|found| found.target_commit.clone())
}

pub(super) async fn files(
    hub: &Hub,
    target: &Target,
    commit: &str,
) -> Result<Vec<RemoteFile>, PublishError> {
    Ok(hub.tree(&target.repo, commit).await?.into_iter().map(remote_file).collect())
}

fn remote_file(entry: TreeEntry) -> RemoteFile {
    match entry.lfs {
        Some(lfs) => RemoteFile { path: entry.path, size: lfs.size, oid: lfs.oid },
        None => RemoteFile { path: entry.path, size: entry.size, oid: entry.oid },
    }
}

/// The record at a commit, as it is there. One that is not as it was written may have been damaged on its
/// way, so it is asked for once more.
async fn whole_record(
    hub: &Hub,
    target: &Target,
    commit: &str,
    limit: usize,
) -> Result<Option<Vec<u8>>, HubError> {
    let record = hub.small_file(&target.repo, commit, RECORD, limit).await?;
    match record {
        Some(bytes) if !has_own_digest(&bytes) => {
            hub.small_file(&target.repo, commit, RECORD, limit).await
        }
        record => Ok(record),
    }
}

/// The record at a commit, if it is one of ours.
pub(super) async fn landed(
    hub: &Hub,
    target: &Target,
    commit: &str,
) -> Result<Option<Landed>, PublishError> {
    let bytes = whole_record(hub, target, commit, RECORD_LIMIT).await?;
    Ok(bytes.and_then(|bytes| {
        let record: Landed = serde_json::from_slice(&bytes).ok()?;
        Some(Landed { whole: has_own_digest(&bytes), ..record })
    }))
}
