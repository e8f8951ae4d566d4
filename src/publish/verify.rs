//! Verify: what arrived is read back and held against what was weighed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lag::awaited;
use super::look::{files, landed};
use super::plan::Content;
use super::{CARD, Plan, Progress, PublishError, RECORD};
use crate::digest::Digest;
use crate::hub::Hub;
use crate::own_files;
use crate::release::RemoteFile;

/// A card is a few kilobytes; what is far larger is none that was written here.
const DOCUMENT_LIMIT: usize = 32 * 1024 * 1024;

/// Who made the commit: the documents hold their run's own address, and which of them there are may
/// depend on what its run saw, so those of another run differ from ours though the weighed files are
/// the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    ThisRun,
    AnotherRun,
}

/// Every file is there with its digest and size, and no other: neither what was to go, nor what somebody
/// else brought.
pub(super) async fn verify(
    hub: &Hub,
    plan: &Plan,
    commit: &str,
    by: By,
    progress: &Arc<dyn Progress>,
) -> Result<(), PublishError> {
    let there = at(hub, plan, commit, progress).await?;
    let by_path: BTreeMap<_, &RemoteFile> =
        there.iter().map(|file| (file.path.as_str(), file)).collect();
    let another = by == By::AnotherRun;
    for file in &plan.files {
        let of_a_run = another && matches!(file.content, Content::Written(_));
        let must_be_there = !of_a_run || matches!(file.path.as_str(), CARD | RECORD);
        if !must_be_there {
            continue;
        }
        let Some(found) = by_path.get(file.path.as_str()) else {
            return Err(PublishError::Differs(format!("`{}` is not there", file.path)));
        };
        if of_a_run {
            continue;
        }
        if !file.is_content_of(found) {
            return Err(PublishError::Differs(format!("`{}` has another digest", file.path)));
        }
    }
    if another {
        documents_hold(hub, plan, commit).await?;
    }
    let planned = plan.files.iter().map(|file| &file.path).chain(&plan.kept);
    let planned: BTreeSet<_> = planned.map(String::as_str).collect();
    let may_be_there = |path: &str| {
        planned.contains(path)
            || path == ".gitattributes"
            || (another && own_files::taken(path).is_some())
    };
    match by_path.keys().find(|path| !may_be_there(path)) {
        Some(path) => {
            Err(PublishError::Differs(format!("`{path}` is there, and is not of this version")))
        }
        None => Ok(()),
    }
}

/// What another run wrote is what its record says, and that is as it was written.
async fn documents_hold(hub: &Hub, plan: &Plan, commit: &str) -> Result<(), PublishError> {
    let record = landed(hub, &plan.target, commit).await?.filter(|record| record.whole);
    let Some(record) = record else {
        return Err(PublishError::Differs(format!("`{RECORD}` is not as it was written")));
    };
    for document in record.documents {
        let path = &document.path;
        let bytes = hub.small_file(&plan.target.repo, commit, path, DOCUMENT_LIMIT).await?;
        if bytes.is_none_or(|bytes| Digest::of(&bytes) != document.sha256) {
            return Err(PublishError::Differs(format!("`{path}` is not what its record says")));
        }
    }
    Ok(())
}

/// The files of a commit that is known to be there.
pub(super) async fn at(
    hub: &Hub,
    plan: &Plan,
    commit: &str,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<RemoteFile>, PublishError> {
    let look = async || match files(hub, &plan.target, commit).await {
        Ok(files) => Ok(Some(files)),
        Err(PublishError::Hub(error)) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    };
    match awaited(hub, "the commit", &**progress, look).await? {
        Some(files) => Ok(files),
        None => files(hub, &plan.target, commit).await,
    }
}
