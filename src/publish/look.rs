//! What the Hub has, asked before anything is written.

use std::collections::BTreeMap;

use semver::Version;

use super::{Landed, PublishError, RECORD, Remote};
use crate::hub::wire::{Refs, TreeEntry};
use crate::hub::{Hub, Shelf};
use crate::release::{Published, Release, RemoteFile, Target};

/// A release record is a few hundred bytes a file.
const RECORD_LIMIT: usize = 32 * 1024 * 1024;

/// Looks at the target repository; one that is not there has nothing. Of `compared`, of the newest
/// version of the channel and of this very version it brings the release records along.
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
    let (files, record) = match &head {
        Some(head) => (files(hub, target, head).await?, landed(hub, target, head).await?),
        None => (Vec::new(), None),
    };
    let versions = versions(&refs);
    let mut published = Published { versions, this_version, ..Published::default() };
    let last = published.last_before(&release.version).cloned();
    for version in compared.iter().copied().chain(&last).chain([&release.version]) {
        let tag = refs.tags.iter().find(|tag| version_of(&tag.name).as_ref() == Some(version));
        let Some(tag) = tag else { continue };
        let record = hub.small_file(&target.repo, &tag.target_commit, RECORD, RECORD_LIMIT).await?;
        published.records.extend(record.map(|record| (version.clone(), record)));
    }
    Ok(Remote {
        exists: true,
        published,
        tagged,
        start: commit_of(&refs.branches, "main"),
        head,
        files,
        record,
    })
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

fn version_of(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

fn commit_of(refs: &[crate::hub::wire::Ref], name: &str) -> Option<String> {
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

/// The record at a commit, if it is one of ours.
pub(super) async fn landed(
    hub: &Hub,
    target: &Target,
    commit: &str,
) -> Result<Option<Landed>, PublishError> {
    let bytes = hub.small_file(&target.repo, commit, RECORD, RECORD_LIMIT).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
