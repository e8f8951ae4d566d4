//! Execute: blobs, which nobody sees; one guarded commit; read back; only then the tag.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::look::{files, landed};
use super::plan::{Content, Planned};
use super::transfer;
use super::{CARD, Landed, Plan, Progress, PublishError, RECORD, Receipt};
use crate::digest::Digest;
use crate::finding::Cleared;
use crate::hub::wire::PreuploadFile;
use crate::hub::{Blob, Hub, HubError, Operation, Watch};
use crate::own_files;
use crate::policy::HubScan;
use crate::release::RemoteFile;

/// How often the commit is tried against a head that moved.
const TRIES: u32 = 3;
/// Pause between looks at the Hub's scan.
const SCAN_PAUSE: Duration = Duration::from_secs(5);

/// Publishes what the plan says. Killed anywhere and run again, it ends in the same state.
pub async fn execute(
    hub: &Hub,
    plan: &Plan,
    cleared: Cleared,
    scan: &HubScan,
    progress: &Arc<dyn Progress>,
) -> Result<Receipt, PublishError> {
    if cleared.manifest() != plan.manifest {
        return Err(PublishError::NotCleared);
    }
    let mut receipt = receipt(plan);
    if let Some(commit) = plan.remote.tagged.clone().filter(|_| plan.already) {
        receipt.already_published = true;
        receipt.revision = commit;
        let published = &plan.remote.published;
        receipt.unchanged = published.this_version.as_ref().map_or(0, Vec::len);
        // It is of the run that published it, and tells of that run.
        if let Some(record) = published.records.get(&plan.version) {
            receipt.record_digest = Digest::of(record).to_string();
        }
        return Ok(receipt);
    }
    prepare(hub, plan, progress).await?;
    let (commit, by) = match head_is_ours(hub, plan).await? {
        // A run before this one was stopped between commit and tag.
        Some(commit) => {
            receipt.unchanged = plan.files.len();
            (commit, By::AnotherRun)
        }
        None => {
            let operations = bring(hub, plan, &mut receipt, progress).await?;
            commit(hub, plan, &operations, progress).await?
        }
    };
    progress.doing("reading back what arrived");
    verify(hub, plan, &commit, by).await?;
    wait_for_scan(hub, plan, scan, progress).await?;
    tag(hub, plan, &commit, progress).await?;
    receipt.revision = commit;
    Ok(receipt)
}

fn receipt(plan: &Plan) -> Receipt {
    Receipt {
        already_published: false,
        repo_id: plan.target.repo.to_string(),
        revision: String::new(),
        tag: plan.tag.clone(),
        record_digest: plan.record_digest.to_string(),
        written: 0,
        unchanged: 0,
        deleted: 0,
        bytes_sent: 0,
    }
}

/// The token, the repository, the branch.
async fn prepare(hub: &Hub, plan: &Plan, progress: &Arc<dyn Progress>) -> Result<(), PublishError> {
    if !hub.has_token() {
        return Err(PublishError::NoToken);
    }
    let me = hub.whoami().await?;
    if me.auth.access_token.as_ref().is_some_and(|token| token.role == "read") {
        return Err(PublishError::ReadOnly { user: me.name });
    }
    let target = &plan.target;
    if !plan.remote.exists {
        progress.doing(&format!("creating {}", target.repo));
        hub.create_repo(&target.repo, target.private, &me.name).await?;
    }
    if plan.remote.head.is_none() && target.revision != "main" {
        let start = plan.remote.start.as_deref().unwrap_or("main");
        hub.create_branch(&target.repo, &target.revision, start).await?;
    }
    Ok(())
}

/// The head of the target branch, if it is this version with these bytes.
async fn head_is_ours(hub: &Hub, plan: &Plan) -> Result<Option<String>, PublishError> {
    let Some(head) = head(hub, plan).await? else { return Ok(None) };
    let record = landed(hub, &plan.target, &head).await?;
    Ok(record.is_some_and(|record| is_this(&record, plan)).then_some(head))
}

fn is_this(record: &Landed, plan: &Plan) -> bool {
    record.version == plan.version.to_string() && record.manifest_digest == plan.manifest
}

async fn head(hub: &Hub, plan: &Plan) -> Result<Option<String>, PublishError> {
    let refs = hub.refs(&plan.target.repo).await?.unwrap_or_default();
    let branch = refs.branches.into_iter().find(|branch| branch.name == plan.target.revision);
    Ok(branch.map(|branch| branch.target_commit))
}

/// Asks how each file is to be sent and brings the large ones into storage.
async fn bring(
    hub: &Hub,
    plan: &Plan,
    receipt: &mut Receipt,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<Operation>, PublishError> {
    let changed: Vec<&Planned> = plan.files.iter().filter(|file| !file.there).collect();
    receipt.written = changed.len();
    receipt.unchanged = plan.files.len() - changed.len();
    receipt.deleted = plan.deletes.len();
    let questions: Vec<_> = changed
        .iter()
        .map(|file| PreuploadFile {
            path: &file.path,
            size: file.size,
            sample: STANDARD.encode(&file.sample),
        })
        .collect();
    let answers = hub.preupload(&plan.target.repo, &plan.target.revision, &questions).await?;
    let modes: BTreeMap<_, _> =
        answers.into_iter().map(|answer| (answer.path, answer.upload_mode)).collect();

    let mut operations = Vec::new();
    let (mut blobs, mut chosen) = (Vec::new(), Vec::new());
    for file in changed {
        let large = match modes.get(&file.path).map(String::as_str) {
            Some("lfs") => true,
            Some("regular") => false,
            other => {
                let said = other.unwrap_or("nothing");
                let why = format!("it says `{said:.40}` of how `{}` is to be sent", file.path);
                return Err(HubError::Protocol(why).into());
            }
        };
        let path = file.path.clone();
        match &file.content {
            Content::Written(_) if large && Plan::is_card(file) => {
                return Err(PublishError::CardAsLarge);
            }
            Content::Written(bytes) => {
                operations.push(Operation::Inline { path, bytes: bytes.clone() });
            }
            Content::OnDisk(on_disk, seals) => {
                let (on_disk, size, sha256) = (on_disk.clone(), file.size, file.sha256);
                let (seals, way) = (seals.clone(), file.transfer.way);
                let blob = Blob { path: path.clone(), on_disk, size, sha256, seals, way };
                if large {
                    chosen.push((file.path.as_str(), &file.transfer));
                    operations.push(Operation::Large { path, sha256, size });
                    blobs.push(blob);
                } else {
                    operations.push(Operation::Inline { path, bytes: blob.read().await? });
                }
            }
        }
    }
    operations.extend(plan.deletes.iter().map(|path| Operation::Delete { path: path.clone() }));
    if !blobs.is_empty() {
        transfer::lines(chosen.into_iter()).iter().for_each(|line| progress.doing(line));
        let watch: Watch = progress.clone();
        let uploaded = hub.upload(&plan.target.repo, &plan.target.revision, &blobs, &watch).await?;
        receipt.bytes_sent = uploaded.bytes;
    }
    Ok(operations)
}

/// The one commit. After an answer that was lost, the Hub is asked whether it landed before
/// anything is sent again; the parent makes a second one impossible.
async fn commit(
    hub: &Hub,
    plan: &Plan,
    operations: &[Operation],
    progress: &Arc<dyn Progress>,
) -> Result<(String, By), PublishError> {
    progress.doing("committing");
    let summary = format!("Release {}", plan.version);
    let description = plan.description();
    let mut expected = plan.remote.head.clone();
    let mut tries = 0;
    loop {
        tries += 1;
        let parent = head(hub, plan).await?;
        // A branch that moved since the plan was made has files nobody compared.
        if expected.is_some() && parent != expected {
            return match head_is_ours(hub, plan).await? {
                Some(commit) => Ok((commit, By::AnotherRun)),
                None => Err(PublishError::Contended(plan.target.revision.clone())),
            };
        }
        expected.clone_from(&parent);
        let (repo, revision) = (&plan.target.repo, &plan.target.revision);
        let error = match hub
            .commit(repo, revision, parent.as_deref(), &summary, &description, operations)
            .await
        {
            Ok(commit) => return Ok((commit, By::ThisRun)),
            Err(error) => error,
        };
        if !error.maybe_done() && error.status() != Some(412) && error.status() != Some(409) {
            return Err(error.into());
        }
        progress.doing("asking whether the commit landed");
        // Whose it is cannot be told: the same tag may be released twice at the same time.
        if let Some(commit) = head_is_ours(hub, plan).await? {
            return Ok((commit, By::AnotherRun));
        }
        if tries >= TRIES {
            return Err(error.into());
        }
        tokio::time::sleep(Duration::from_secs(tries.into())).await;
    }
}

/// Who made the commit: the documents hold their run's own address, and which of them there are may
/// depend on what its run saw, so those of another run differ from ours though the weighed files are
/// the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    ThisRun,
    AnotherRun,
}

/// Every file is there with its digest and size, and nothing that was to go.
async fn verify(hub: &Hub, plan: &Plan, commit: &str, by: By) -> Result<(), PublishError> {
    let there = files(hub, &plan.target, commit).await?;
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
        let same = found.oid == file.sha256.to_string() || found.oid == file.git_oid;
        if !same || found.size != file.size {
            return Err(PublishError::Differs(format!("`{}` has another digest", file.path)));
        }
    }
    let may_stay = |path: &str| another && own_files::taken(path).is_some();
    let mut gone = plan.deletes.iter().filter(|path| !may_stay(path));
    match gone.find(|path| by_path.contains_key(path.as_str())) {
        Some(path) => Err(PublishError::Differs(format!("`{path}` is still there"))),
        None => Ok(()),
    }
}

async fn wait_for_scan(
    hub: &Hub,
    plan: &Plan,
    scan: &HubScan,
    progress: &Arc<dyn Progress>,
) -> Result<(), PublishError> {
    if !scan.wait {
        return Ok(());
    }
    progress.doing("waiting for the Hub's own scan");
    let end = Instant::now() + Duration::from_secs(scan.timeout_seconds);
    loop {
        let status = hub.scan_status(&plan.target.repo).await?;
        let bad = status
            .files_with_issues
            .iter()
            .find(|issue| matches!(issue.level.as_str(), "unsafe" | "suspicious"));
        if let Some(issue) = bad {
            return Err(PublishError::HubScan(format!("`{}` is {}", issue.path, issue.level)));
        }
        if status.scans_done {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(PublishError::HubScan(format!(
                "it did not end within {} seconds",
                scan.timeout_seconds
            )));
        }
        tokio::time::sleep(SCAN_PAUSE).await;
    }
}

/// The version's tag, on bytes that were read back. One that is there on this commit is fine.
async fn tag(
    hub: &Hub,
    plan: &Plan,
    commit: &str,
    progress: &Arc<dyn Progress>,
) -> Result<(), PublishError> {
    progress.doing(&format!("tagging {}", plan.tag));
    let message = plan.tag_message();
    let error = match hub.create_tag(&plan.target.repo, &plan.tag, commit, &message).await {
        Ok(()) => return Ok(()),
        Err(error) if error.status() == Some(409) => error,
        Err(error) => return Err(error.into()),
    };
    let refs = hub.refs(&plan.target.repo).await?.unwrap_or_default();
    match refs.tags.into_iter().find(|tag| tag.name == plan.tag) {
        Some(tag) if tag.target_commit == commit => Ok(()),
        Some(tag) => {
            Err(PublishError::TagElsewhere { tag: plan.tag.clone(), commit: tag.target_commit })
        }
        None => Err(error.into()),
    }
}
