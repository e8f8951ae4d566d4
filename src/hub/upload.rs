//! Large files: the LFS batch call, and the transfer that its answer chooses.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use reqwest::Method;
use serde_json::json;

use super::Hub;
use super::RepoId;
use super::error::{HubError, doing};
use super::wire::{Actions, Batch, BatchObject};
use crate::digest::{Digest, Seals};
use crate::http::Again;

/// Objects the Hub takes in one batch call.
const BATCH: usize = 256;
pub(super) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// How a file is best sent. It is a wish: the Hub decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// As one body, or in parts side by side.
    Lfs,
    /// In chunks, of which only those go out that the Hub does not have.
    Xet,
}

impl Way {
    /// What the batch call offers, as the Hub's own clients do: `huggingface_hub` without Xet, and
    /// `@huggingface/hub` with it.
    fn offers(self) -> &'static [&'static str] {
        match self {
            Self::Lfs => &["basic", "multipart"],
            Self::Xet => &["basic", "multipart", "xet"],
        }
    }
}

/// A file to send.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Path in the repository, for messages.
    pub path: String,
    /// Where its bytes are.
    pub origin: Origin,
    /// Bytes, as weighed.
    pub size: u64,
    /// Digest, as weighed.
    pub sha256: Digest,
    /// By which its bytes are held against what was weighed, while sending.
    pub seals: Arc<Seals>,
    /// How it is best sent.
    pub way: Way,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
pub enum Origin {
    /// In a file, which may change until it is sent.
    Disk(PathBuf),
    /// In memory: this run wrote them.
    Memory(Bytes),
}

/// What an upload did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uploaded {
    /// Objects that had to be sent.
    pub objects: usize,
    /// Bytes of those.
    pub bytes: u64,
}

/// Told what goes out while it goes. Bodies outlive the call that makes them, so it is shared.
pub type Watch = Arc<dyn Sending>;

/// Hears how an upload goes.
pub trait Sending: Send + Sync {
    /// The Hub wants this many bytes, in all, of one batch of files, by this transfer.
    fn wanted(&self, bytes: u64, transfer: &str);
    /// So many more bytes of a file have left; no byte is told twice.
    fn sent(&self, path: &str, bytes: u64);
}

impl Hub {
    /// Brings blobs into large-file storage, where nobody sees them until a commit names them.
    /// What is stored already is not sent. One that does not arrive keeps none of the others from it,
    /// and is tried once more when they are there.
    pub async fn upload(
        &self,
        repo: &RepoId,
        revision: &str,
        blobs: &[Blob],
        watch: &Watch,
    ) -> Result<Uploaded, HubError> {
        let mut uploaded = Uploaded::default();
        // Files of the same bytes are one object.
        let mut seen = BTreeSet::new();
        let objects: Vec<&Blob> = blobs.iter().filter(|blob| seen.insert(blob.sha256)).collect();
        let mut batches = Vec::new();
        for way in [Way::Lfs, Way::Xet] {
            let of_way: Vec<_> = objects.iter().copied().filter(|blob| blob.way == way).collect();
            batches.extend(of_way.chunks(BATCH).map(|batch| (way, batch.to_vec())));
        }
        let mut unsent = Vec::new();
        for (way, batch) in batches {
            let sent = self.upload_batch(repo, revision, way, &batch, watch, &mut uploaded).await;
            match sent {
                Err(error) if self.spares_others(&error) => unsent.push((way, batch)),
                sent => sent?,
            }
        }
        if !unsent.is_empty() {
            self.client.wait("trying once more to send what did not arrive; the rest did");
        }
        let again = unsent.iter().map(async |(way, batch)| {
            // What arrived by now is known as stored.
            self.upload_batch(repo, revision, *way, batch, watch, &mut Uploaded::default()).await
        });
        self.each(futures_util::stream::iter(again).buffer_unordered(1)).await?;
        Ok(uploaded)
    }

    /// Waits for all sends, whatever becomes of one of them; what no other can survive ends them all.
    pub(super) async fn each(
        &self,
        sends: impl Stream<Item = Result<(), HubError>>,
    ) -> Result<(), HubError> {
        let mut sends = std::pin::pin!(sends);
        let mut unsent: Option<HubError> = None;
        while let Some(sent) = sends.next().await {
            match sent {
                Err(error) if self.spares_others(&error) => {
                    self.client.wait(&format!("{}; the others go on", error.in_full()));
                    unsent = Some(match unsent {
                        None => error,
                        Some(before) => before.and(error),
                    });
                }
                sent => sent?,
            }
        }
        unsent.map_or(Ok(()), Err)
    }

    fn spares_others(&self, error: &HubError) -> bool {
        error.spares_others() && !self.client.left().is_zero()
    }

    /// The blobs that are not in large-file storage. Only asks: nothing is sent.
    pub async fn missing<'b>(
        &self,
        repo: &RepoId,
        revision: &str,
        blobs: &'b [Blob],
    ) -> Result<Vec<&'b Blob>, HubError> {
        let all: Vec<_> = blobs.iter().collect();
        let mut missing = Vec::new();
        for batch in all.chunks(BATCH) {
            let answer = self.batch(repo, revision, Way::Lfs, batch).await?;
            missing.extend(wanted(batch, answer.objects)?.into_iter().map(|(blob, _)| blob));
        }
        Ok(missing)
    }

    async fn upload_batch(
        &self,
        repo: &RepoId,
        revision: &str,
        way: Way,
        batch: &[&Blob],
        watch: &Watch,
        uploaded: &mut Uploaded,
    ) -> Result<(), HubError> {
        let answer = self.batch(repo, revision, way, batch).await?;
        let transfer = match answer.transfer.as_deref() {
            None | Some("basic") => "basic",
            Some("multipart") => "multipart",
            Some("xet") => "xet",
            Some(other) => {
                return Err(HubError::Protocol(format!("it chose the transfer `{other:.40}`")));
            }
        };
        let wanted = wanted(batch, answer.objects)?;
        let bytes = wanted.iter().map(|(blob, _)| blob.size).sum();
        watch.wanted(bytes, transfer);
        uploaded.objects += wanted.len();
        uploaded.bytes += bytes;
        match transfer {
            "xet" => self.send_xet(repo, revision, &wanted, watch).await,
            _ => self.send_by_addresses(repo, revision, &wanted, watch).await,
        }
    }

    /// Signed addresses hold for a while only, and many large files take longer: for those that are
    /// still to be sent then, new ones are asked for, as long as that helps.
    async fn send_by_addresses(
        &self,
        repo: &RepoId,
        revision: &str,
        wanted: &[(&Blob, Actions)],
        watch: &Watch,
    ) -> Result<(), HubError> {
        let Err(mut refused) = self.send_lfs(wanted, watch).await else { return Ok(()) };
        let mut left: Vec<_> = wanted.iter().map(|(blob, _)| *blob).collect();
        let mut helped = true;
        while helped && matches!(refused, HubError::AddressRefused { .. }) {
            self.client.wait(&format!("{}; asking for new addresses", refused.in_full()));
            let again = self.batch(repo, revision, Way::Lfs, &left).await?;
            let still = self::wanted(&left, again.objects)?;
            helped = still.len() < left.len();
            left = still.iter().map(|(blob, _)| *blob).collect();
            match self.send_lfs(&still, watch).await {
                Ok(()) => return Ok(()),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    async fn batch(
        &self,
        repo: &RepoId,
        revision: &str,
        way: Way,
        blobs: &[&Blob],
    ) -> Result<Batch, HubError> {
        let objects: Vec<_> = blobs
            .iter()
            .map(|blob| json!({"oid": blob.sha256.to_string(), "size": blob.size}))
            .collect();
        let body = json!({
            "operation": "upload",
            "transfers": way.offers(),
            "objects": objects,
            "hash_algo": "sha256",
            "ref": {"name": revision},
        });
        let path = format!("/{repo}.git/info/lfs/objects/batch");
        let build = |client: &reqwest::Client| {
            self.request(client, Method::POST, &path)
                .json(&body)
                .header("accept", LFS_JSON)
                .header("content-type", LFS_JSON)
        };
        self.client.json(Again::Safe, build).await.map_err(doing("ask where the large files go"))
    }
}

/// The blobs of a batch that are still to be sent, with what to do.
fn wanted<'b>(
    batch: &[&'b Blob],
    objects: Vec<BatchObject>,
) -> Result<Vec<(&'b Blob, Actions)>, HubError> {
    // Silence about an object would be taken for "it is stored already".
    let told: BTreeSet<_> = objects.iter().map(|object| &object.oid).collect();
    if let Some(blob) = batch.iter().find(|blob| !told.contains(&blob.sha256.to_string())) {
        let why = format!("it says nothing of `{}`, which was asked for", blob.path);
        return Err(HubError::Protocol(why));
    }
    let mut wanted = Vec::new();
    for object in objects {
        let blob = batch.iter().find(|blob| blob.sha256.to_string() == object.oid);
        let blob = blob.ok_or_else(|| {
            HubError::Protocol(format!("it names `{:.80}`, which was not asked for", object.oid))
        })?;
        if let Some(actions) = wanted_actions(blob, object)? {
            wanted.push((*blob, actions));
        }
    }
    Ok(wanted)
}

/// The actions for an object that is still to be sent.
fn wanted_actions(blob: &Blob, object: BatchObject) -> Result<Option<Actions>, HubError> {
    match (object.error, object.actions) {
        (Some(error), _) => Err(HubError::Object {
            path: blob.path.clone(),
            why: error.message.chars().take(300).collect(),
        }),
        (None, Some(actions)) if actions.upload.is_some() => Ok(Some(actions)),
        (None, _) => Ok(None),
    }
}
