//! Large files: the LFS batch call, and the transfer that its answer chooses.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::Hub;
use super::RepoId;
use super::error::{HubError, doing};
use super::wire::{Actions, Batch, BatchObject};
use crate::digest::Digest;
use crate::http::Again;

/// Objects the Hub takes in one batch call.
const BATCH: usize = 256;
/// Files, or parts of one file, on their way at the same time.
pub(super) const AT_ONCE: usize = 4;
pub(super) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// A file to send.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Path in the repository, for messages.
    pub path: String,
    /// Where it lies.
    pub on_disk: PathBuf,
    /// Bytes, as weighed.
    pub size: u64,
    /// Digest, as weighed; checked while sending.
    pub sha256: Digest,
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
    /// The Hub wants this many bytes, in all, of one batch of files.
    fn wanted(&self, bytes: u64);
    /// So many more bytes of a file have left; no byte is told twice.
    fn sent(&self, path: &str, bytes: u64);
}

impl Hub {
    /// Brings blobs into large-file storage, where nobody sees them until a commit names them.
    /// What is stored already is not sent.
    pub async fn upload(
        &self,
        repo: &RepoId,
        revision: &str,
        blobs: &[Blob],
        watch: &Watch,
    ) -> Result<Uploaded, HubError> {
        let mut uploaded = Uploaded::default();
        for batch in blobs.chunks(BATCH) {
            let answer = self.batch(repo, revision, batch).await?;
            let transfer = answer.transfer.as_deref().unwrap_or("basic");
            let wanted = wanted(batch, answer.objects)?;
            let bytes = wanted.iter().map(|(blob, _)| blob.size).sum();
            watch.wanted(bytes);
            uploaded.objects += wanted.len();
            uploaded.bytes += bytes;
            match transfer {
                "xet" => self.send_xet(repo, revision, &wanted, watch).await?,
                "basic" | "multipart" => self.send_lfs(&wanted, watch).await?,
                other => {
                    return Err(HubError::Protocol(format!("it chose the transfer `{other:.40}`")));
                }
            }
        }
        Ok(uploaded)
    }

    /// The blobs that are not in large-file storage. Only asks: nothing is sent.
    pub async fn missing<'b>(
        &self,
        repo: &RepoId,
        revision: &str,
        blobs: &'b [Blob],
    ) -> Result<Vec<&'b Blob>, HubError> {
        let mut missing = Vec::new();
        for batch in blobs.chunks(BATCH) {
            let answer = self.batch(repo, revision, batch).await?;
            missing.extend(wanted(batch, answer.objects)?.into_iter().map(|(blob, _)| blob));
        }
        Ok(missing)
    }

    async fn batch(
        &self,
        repo: &RepoId,
        revision: &str,
        blobs: &[Blob],
    ) -> Result<Batch, HubError> {
        let objects: Vec<_> = blobs
            .iter()
            .map(|blob| json!({"oid": blob.sha256.to_string(), "size": blob.size}))
            .collect();
        let body = json!({
            "operation": "upload",
            "transfers": ["basic", "multipart", "xet"],
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
fn wanted(batch: &[Blob], objects: Vec<BatchObject>) -> Result<Vec<(&Blob, Actions)>, HubError> {
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
            wanted.push((blob, actions));
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
