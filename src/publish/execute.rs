//! Execute: blobs, which nobody sees; one guarded commit; read back; only then the tag.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lag::awaited;
use super::look::landed;
use super::ours::{head, is_this, ours, ours_above};
use super::pieces::{self, Unmade};
use super::plan::{Content, Planned};
use super::stage::{are_large, blob, confirm, operation, question};
use super::standing::Reached;
use super::transfer;
use super::verify::{By, at, verify};
use super::{Plan, Progress, PublishError, Receipt, Remote};
use crate::digest::Digest;
use crate::finding::Cleared;
use crate::hub::wire::Role;
use crate::hub::{Hub, HubError, Operation, Origin, Watch};
use crate::policy::HubScan;
use crate::release::Target;

/// How often a commit is tried when its answer is lost.
pub(super) const TRIES: u32 = 5;
/// Pause between looks at the Hub's scan.
const SCAN_PAUSE: Duration = Duration::from_secs(5);

/// Publishes what the plan says, and tells how far it has come.
pub(super) async fn execute(
    hub: &Hub,
    plan: &Plan,
    cleared: Cleared,
    scan: &HubScan,
    progress: &Arc<dyn Progress>,
    reached: &Reached,
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
        pieces::clear(hub, plan, None, progress).await;
        return Ok(receipt);
    }
    prepare(hub, &plan.target, &plan.remote, progress).await?;
    let (commit, by, unseen) = match whole(hub, plan, progress, reached).await? {
        // A run before this one was stopped between commit and tag.
        Some(commit) => {
            receipt.unchanged = plan.files.len();
            (commit, By::AnotherRun, None)
        }
        None => {
            let operations = bring(hub, plan, &mut receipt, progress).await?;
            send(hub, plan, &operations, progress, reached).await?
        }
    };
    if unseen.is_none() {
        reached.committed(&commit);
    }
    progress.doing("reading back what arrived");
    verify(hub, plan, &commit, by, progress).await?;
    let commit = match &unseen {
        Some(built) => pieces::show(hub, plan, built, progress, reached).await?,
        None => commit,
    };
    wait_for_scan(hub, plan, scan, progress).await?;
    tag(hub, plan, &commit, progress, reached).await?;
    pieces::clear(hub, plan, unseen.as_ref(), progress).await;
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
pub(super) async fn prepare(
    hub: &Hub,
    target: &Target,
    remote: &Remote,
    progress: &Arc<dyn Progress>,
) -> Result<(), PublishError> {
    if !hub.has_token() {
        return Err(PublishError::NoToken);
    }
    if hub.only().is_some() {
        // Made for this repository, it has no user, and can make none.
        if !remote.exists {
            return Err(PublishError::NotMade { repo: target.repo.to_string() });
        }
    } else {
        let me = hub.whoami().await?;
        if me.token().is_some_and(|token| token.role == Role::Read) {
            return Err(PublishError::ReadOnly { user: me.name.clone() });
        }
        if !remote.exists {
            progress.doing(&format!("creating {}", target.repo));
            hub.create_repo(&target.repo, target.private, &me.name).await?;
        }
    }
    if remote.head.is_none() && target.revision != "main" {
        let start = remote.start.as_deref().unwrap_or("main");
        hub.create_branch(&target.repo, &target.revision, start).await?;
    }
    Ok(())
}

/// The version's commit, if the target branch has it already and all of it is there.
async fn whole(
    hub: &Hub,
    plan: &Plan,
    progress: &Arc<dyn Progress>,
    reached: &Reached,
) -> Result<Option<String>, PublishError> {
    let Some(head) = head(hub, plan).await? else { return Ok(None) };
    let record = landed(hub, &plan.target, &head).await?;
    if !record.is_some_and(|record| is_this(&record, plan)) {
        return Ok(None);
    }
    let commit = ours(hub, plan).await?.unwrap_or(head);
    reached.committed(&commit);
    match verify(hub, plan, &commit, By::AnotherRun, progress).await {
        Ok(()) => Ok(Some(commit)),
        // What does not hold is mended by another commit, for no tag is on it yet.
        Err(PublishError::Differs(_)) => Ok(None),
        Err(error) => Err(error),
    }
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
    let questions: Vec<_> =
        changed.iter().map(|file| question(&file.path, file.size, &file.sample)).collect();
    let is_large = are_large(hub, &plan.target, &questions).await?;

    // First what goes: a folder may take the place of a file.
    let deletes = plan.deletes.iter().map(|path| Operation::Delete { path: path.clone() });
    let mut operations: Vec<_> = deletes.collect();
    let mut documents = Vec::new();
    let (mut blobs, mut chosen) = (Vec::new(), Vec::new());
    let mut staged = Vec::new();
    for file in changed {
        let large = is_large(&file.path)?;
        let (path, size, sha256) = (file.path.clone(), file.size, file.sha256);
        match &file.content {
            Content::Written(_) if large && Plan::is_card(file) => {
                return Err(PublishError::CardAsLarge);
            }
            Content::Written(bytes) if large => {
                chosen.push((file.path.as_str(), &file.transfer));
                documents.push(Operation::Large { path, sha256, size });
                blobs.push(blob(file, Origin::Memory(bytes.clone().into()), Arc::default()));
            }
            Content::Written(bytes) => {
                documents.push(Operation::Inline { path, bytes: bytes.clone().into() });
            }
            Content::Staged(by) => {
                operations.push(operation(file, by, large).await?);
                if large {
                    staged.push((file, by));
                }
            }
            Content::OnDisk(on_disk, seals) => {
                let blob = blob(file, Origin::Disk(on_disk.clone()), seals.clone());
                if large {
                    chosen.push((file.path.as_str(), &file.transfer));
                    operations.push(Operation::Large { path, sha256, size });
                    blobs.push(blob);
                } else {
                    operations.push(Operation::InlineFile(blob));
                }
            }
        }
    }
    // The record says that the version is whole, so it goes with the last piece.
    operations.extend(documents);
    if !staged.is_empty() {
        progress.doing(&format!("asking for {} large files of the parts", staged.len()));
        confirm(hub, &plan.target, &staged).await?;
    }
    if !blobs.is_empty() {
        transfer::lines(chosen.into_iter()).iter().for_each(|line| progress.doing(line));
        let watch: Watch = progress.clone();
        let uploaded = hub.upload(&plan.target.repo, &plan.target.revision, &blobs, &watch).await?;
        receipt.bytes_sent = uploaded.bytes;
    }
    Ok(operations)
}

/// A commit that is there: which, whose, and where it is, if nobody sees it yet.
type Made = (String, By, Option<pieces::Built>);

/// Makes the version's commit, or its pieces out of sight: smaller ones when the Hub cannot take those
/// that were tried.
async fn send(
    hub: &Hub,
    plan: &Plan,
    operations: &[Operation],
    progress: &Arc<dyn Progress>,
    reached: &Reached,
) -> Result<Made, PublishError> {
    let (mut most, mut halved) = (plan.largest_commit, 0);
    loop {
        let cut = pieces::cut(operations, most);
        let parent = match ground(hub, plan, progress).await? {
            Ground::Ours(commit) => return Ok((commit, By::AnotherRun, None)),
            Ground::Parent(parent) => parent,
        };
        let made = match cut.as_slice() {
            [all] => {
                let made = commit(hub, plan, &parent, all, progress, reached).await;
                made.map(|(commit, by)| (commit, by, None))
            }
            several => {
                let built = pieces::build(hub, plan, parent, several, progress).await;
                built.map(|built| (built.commit.clone(), By::ThisRun, Some(built)))
            }
        };
        match (made, pieces::half(&cut)) {
            (Err(Unmade::TooMuch(error)), Some(less))
                if error.status() == Some(413) || halved < pieces::HALVED =>
            {
                if error.status() != Some(413) {
                    halved += 1;
                    hub.rest(error.pause(2)).await;
                }
                progress.doing(&format!("{}; trying smaller pieces", error.in_full()));
                most = less;
            }
            // Another run of the same tag that came to its end has swept behind itself.
            (Err(error), _) if cut.len() > 1 => {
                let Ok(Some(commit)) = ours(hub, plan).await else { return Err(error.into()) };
                return Ok((commit, By::AnotherRun, None));
            }
            (made, _) => return Ok(made?),
        }
    }
}

/// The one commit. After an answer that was lost, the Hub is asked whether it landed before
/// anything is sent again; the parent makes a second one impossible.
async fn commit(
    hub: &Hub,
    plan: &Plan,
    parent: &str,
    operations: &Arc<[Operation]>,
    progress: &Arc<dyn Progress>,
    reached: &Reached,
) -> Result<(String, By), Unmade> {
    progress.doing("committing");
    let (summary, description) = (plan.summary(), plan.description());
    let (repo, revision) = (&plan.target.repo, &plan.target.revision);
    let mut tries = 0;
    loop {
        tries += 1;
        reached.committing(parent);
        let begun = Instant::now();
        let error = match hub
            .commit(repo, revision, Some(parent), &summary, &description, operations)
            .await
        {
            Ok(commit) => return Ok((commit, By::ThisRun)),
            Err(error) => error,
        };
        let took = begun.elapsed();
        if !error.maybe_done() && error.status() != Some(412) && error.status() != Some(409) {
            // Unless one before it was not.
            if tries == 1 {
                reached.refused();
            }
            return Err(Unmade::after(tries, operations.len(), took, error)?.into());
        }
        progress.doing("asking whether the commit landed");
        if let Some(now) = head(hub, plan).await?.filter(|now| *now != parent) {
            let ours = ours_above(hub, plan, parent, &now, &**progress).await?;
            let Some(commit) = ours else {
                reached.refused();
                return Err(PublishError::Contended(revision.clone()).into());
            };
            // Once its files are shown, so is its record. Whose it is cannot be told.
            at(hub, plan, &commit, progress).await?;
            return Ok((commit, By::AnotherRun));
        }
        // It did not land, or the head that was told is an old one: the parent keeps it from
        // landing twice.
        let error = Unmade::after(tries, operations.len(), took, error)?;
        let pause = error.pause(tries + 1);
        if tries >= TRIES || pause >= hub.left() {
            return Err(error.into());
        }
        progress.doing(&format!("it did not; trying again in {:.1} s", pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
    }
}

/// What a commit would stand on.
enum Ground {
    /// The head of the target branch.
    Parent(String),
    /// The version is there: the same tag may be released twice at the same time.
    Ours(String),
}

async fn ground(
    hub: &Hub,
    plan: &Plan,
    progress: &Arc<dyn Progress>,
) -> Result<Ground, PublishError> {
    match parent(hub, plan, progress).await {
        Ok(parent) => Ok(Ground::Parent(parent)),
        Err(PublishError::Contended(branch)) => {
            let ours = ours(hub, plan).await?;
            ours.map(Ground::Ours).ok_or(PublishError::Contended(branch))
        }
        Err(error) => Err(error),
    }
}

/// The commit that the version stands on: the head that the plan was made against. A branch that
/// moved since then has files nobody compared.
async fn parent(
    hub: &Hub,
    plan: &Plan,
    progress: &Arc<dyn Progress>,
) -> Result<String, PublishError> {
    let contended = || PublishError::Contended(plan.target.revision.clone());
    let Some(head) =
        awaited(hub, "the branch", &**progress, async || head(hub, plan).await).await?
    else {
        let why = format!("the branch `{}` is not there", plan.target.revision);
        return Err(HubError::Protocol(why).into());
    };
    match plan.remote.head.as_ref().or(plan.remote.start.as_ref()) {
        Some(expected) if *expected == head => Ok(head),
        Some(_) => Err(contended()),
        // The repository is new: it has what the Hub puts into every one, unless another release was
        // faster.
        None => {
            let there = at(hub, plan, &head, progress).await?;
            let own = there.iter().all(|file| file.path == ".gitattributes");
            own.then_some(head).ok_or_else(contended)
        }
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
    let longest = Duration::from_secs(scan.timeout_seconds).min(hub.left());
    let end = Instant::now() + longest;
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
                longest.as_secs()
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
    reached: &Reached,
) -> Result<(), PublishError> {
    progress.doing(&format!("tagging {}", plan.tag));
    reached.tagging(commit);
    let message = plan.tag_message();
    match hub.create_tag(&plan.target.repo, &plan.tag, commit, &message).await {
        Ok(()) => {}
        Err(error) if error.status() == Some(409) => {}
        Err(error) => {
            if !error.maybe_done() {
                reached.committed(commit);
            }
            return Err(error.into());
        }
    }
    let find = async || {
        let refs = hub.refs(&plan.target.repo).await?.unwrap_or_default();
        Ok(refs.tags.into_iter().find(|tag| tag.name == plan.tag))
    };
    match awaited(hub, "the tag", &**progress, find).await? {
        Some(tag) if tag.target_commit == commit => Ok(()),
        Some(tag) => {
            Err(PublishError::TagElsewhere { tag: plan.tag.clone(), commit: tag.target_commit })
        }
        None => Err(PublishError::TagUnseen(plan.tag.clone())),
    }
}
