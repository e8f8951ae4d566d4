//! A release in parts: what a job brings of its share before there is a release, and how the release
//! makes sure that it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::execute::prepare;
use super::look::standing;
use super::plan::Planned;
use super::resemblance::look_into;
use super::transfer::Chooser;
use super::{Progress, PublishError};
use crate::digest::Seals;
use crate::finding::Cleared;
use crate::hub::wire::PreuploadFile;
use crate::hub::{Blob, Hub, HubError, Operation, Origin, Uploaded, Watch};
use crate::inventory::{INLINE_LIMIT, Place, Shard, Share, Staged};
use crate::policy::Model;
use crate::rel_path::RelPath;
use crate::release::{Release, Target};

/// What a share brought.
#[derive(Debug, Default)]
pub struct Brought {
    /// What went to large-file storage.
    pub uploaded: Uploaded,
    /// Small files, which travel with the part and go into the commit.
    pub small: Vec<Blob>,
    /// The version's tag is on the Hub already, so that nothing was brought.
    pub already_published: bool,
}

/// Brings the large files of a share into storage, where nobody sees them until a commit names them.
/// `cleared` is the pass of the share.
pub async fn stage(
    hub: &Hub,
    target: &Target,
    release: &Release,
    weighed: &Share,
    model: &Model,
    cleared: Cleared,
    progress: &Arc<dyn Progress>,
) -> Result<Brought, PublishError> {
    let share = &weighed.inventory;
    if cleared.manifest() != share.manifest_digest() {
        return Err(PublishError::NotCleared);
    }
    let mut remote = standing(hub, target, release).await?;
    if remote.tagged.is_some() {
        return Ok(Brought { already_published: true, ..Brought::default() });
    }
    prepare(hub, target, &remote, progress).await?;
    let questions: Vec<_> = share
        .files
        .iter()
        .map(|file| question(file.path.as_str(), file.size, &file.sample))
        .collect();
    let is_large = are_large(hub, target, &questions).await?;
    // A file of another share is no earlier version of one here.
    let here = weighed.listing.files.keys().map(RelPath::as_str).collect();
    look_into(hub, &target.repo, &mut remote, model, &share.files).await;
    let chooser = Chooser::new(model.publish.transfer, &remote, &here);
    let (mut large, mut small) = (Vec::new(), Vec::new());
    for file in &share.files {
        let Place::OnDisk(on_disk) = &file.place else { continue };
        let (path, origin) = (file.path.to_string(), Origin::Disk(on_disk.clone()));
        let into = if is_large(&path)? { &mut large } else { &mut small };
        let (seals, way) = (file.seals.clone(), chooser.choose(&path).way);
        into.push(Blob { path, origin, size: file.size, sha256: file.sha256, seals, way });
    }
    let mut uploaded = Uploaded::default();
    if !large.is_empty() {
        progress.doing(&format!("bringing {} large files", large.len()));
        let watch: Watch = progress.clone();
        uploaded = hub.upload(&target.repo, &target.revision, &large, &watch).await?;
    }
    Ok(Brought { uploaded, small, already_published: false })
}

/// What the Hub is asked about a file before it is sent.
pub(super) fn question<'a>(path: &'a str, size: u64, sample: &[u8]) -> PreuploadFile<'a> {
    PreuploadFile { path, size, sample: STANDARD.encode(sample) }
}

/// Asks the Hub which files go to large-file storage; what is returned says so of each.
pub(super) async fn are_large(
    hub: &Hub,
    target: &Target,
    questions: &[PreuploadFile<'_>],
) -> Result<impl Fn(&str) -> Result<bool, HubError> + use<>, HubError> {
    let answers = hub.preupload(&target.repo, &target.revision, questions).await?;
    let modes: BTreeMap<_, _> =
        answers.into_iter().map(|answer| (answer.path, answer.upload_mode)).collect();
    let sizes: BTreeMap<_, _> =
        questions.iter().map(|asked| (asked.path.to_owned(), asked.size)).collect();
    let most = INLINE_LIMIT;
    Ok(move |path: &str| match modes.get(path).map(String::as_str) {
        Some("lfs") => Ok(true),
        // It would go through memory, and nobody could tell by its git id what arrived.
        Some("regular") if sizes.get(path).is_none_or(|size| *size > most) => {
            let why = format!("it wants `{path}`, of more than {most} bytes, within the commit");
            Err(HubError::Protocol(why))
        }
        Some("regular") => Ok(false),
        other => {
            let said = other.unwrap_or("nothing");
            let why = format!("it says `{said:.40}` of how `{path}` is to be sent");
            Err(HubError::Protocol(why))
        }
    })
}

/// How a file that came with a part goes into the commit.
pub(super) async fn operation(
    file: &Planned,
    staged: &Staged,
    is_large: bool,
) -> Result<Operation, PublishError> {
    let path = file.path.clone();
    if is_large {
        return Ok(Operation::Large { path, sha256: file.sha256, size: file.size });
    }
    let Some(kept) = &staged.kept else {
        let why = "the Hub wants it in the commit, and its content did not come with the part";
        return Err(not_staged(&path, staged.shard, why));
    };
    // Looked at now, so that what is wrong is told with its share, and read again when it goes out.
    let blob = blob(file, Origin::Disk(kept.clone()), Arc::default());
    match blob.read().await {
        Ok(_) => Ok(Operation::InlineFile(blob)),
        Err(error) => Err(not_staged(&file.path, staged.shard, &error.to_string())),
    }
}

/// Makes sure that large-file storage has what the parts brought; nothing is sent.
pub(super) async fn confirm(
    hub: &Hub,
    target: &Target,
    staged: &[(&Planned, &Staged)],
) -> Result<(), PublishError> {
    let nowhere = || Origin::Memory(Bytes::new());
    let blobs: Vec<_> =
        staged.iter().map(|(file, _)| blob(file, nowhere(), Arc::default())).collect();
    let missing = hub.missing(&target.repo, &target.revision, &blobs).await?;
    let Some(blob) = missing.first() else { return Ok(()) };
    let of = staged.iter().find(|(file, _)| file.path == blob.path);
    match of {
        Some((_, of)) => {
            Err(not_staged(&blob.path, of.shard, "it is not in the Hub's large-file storage"))
        }
        None => Ok(()),
    }
}

/// A planned file with its bytes; where a digest alone holds these, there are no seals.
pub(super) fn blob(file: &Planned, origin: Origin, seals: Arc<Seals>) -> Blob {
    Blob {
        path: file.path.clone(),
        origin,
        size: file.size,
        sha256: file.sha256,
        seals,
        way: file.transfer.way,
    }
}

fn not_staged(path: &str, shard: Shard, why: &str) -> PublishError {
    PublishError::NotStaged { path: path.to_owned(), shard, why: why.to_owned() }
}
