//! Large files: the LFS batch call, and the transfer that its answer chooses.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    /// So many more bytes of a file have left; no byte is told twice, but after [`Self::again`].
    fn sent(&self, path: &str, bytes: u64);
    /// Some of them did not arrive: another count begins, of those.
    fn again(&self);
}

/// What the Hub wants of a batch, by one transfer.
struct Wanted<'b> {
    transfer: &'static str,
    wanted: Vec<(&'b Blob, Actions)>,
}

impl Wanted<'_> {
    fn bytes(&self) -> u64 {
        self.wanted.iter().map(|(blob, _)| blob.size).sum()
    }
}

/// How the files of an upload fared: of so many in a row that did not arrive, none of those to come will.
#[derive(Default)]
pub(super) struct Luck {
    failed_in_a_row: AtomicUsize,
    arrived: AtomicUsize,
}

impl Luck {
    const MOST_IN_A_ROW: usize = 8;

    fn learn(&self, arrived: bool) {
        if arrived {
            self.arrived.fetch_add(1, Ordering::Relaxed);
            self.failed_in_a_row.store(0, Ordering::Relaxed);
        } else {
            self.failed_in_a_row.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_out(&self) -> bool {
        self.failed_in_a_row.load(Ordering::Relaxed) >= Self::MOST_IN_A_ROW
    }

    fn has_any(&self) -> bool {
        self.arrived.load(Ordering::Relaxed) > 0
    }
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
        let (mut uploaded, luck) = (Uploaded::default(), Luck::default());
        // Files of the same bytes are one object.
        let mut seen = BTreeSet::new();
        let objects: Vec<&Blob> = blobs.iter().filter(|blob| seen.insert(blob.sha256)).collect();
        let mut unsent = Vec::new();
        for way in [Way::Lfs, Way::Xet] {
            let of_way: Vec<_> = objects.iter().copied().filter(|blob| blob.way == way).collect();
            for batch in of_way.chunks(BATCH) {
                let asked = self.ask(repo, revision, way, batch).await?;
                uploaded.objects += asked.wanted.len();
                uploaded.bytes += asked.bytes();
                match self.send(repo, revision, &asked, watch, &luck).await {
                    Err(error) if self.spares_others(&error, &luck) => {
                        unsent.push((way, batch.to_vec(), error));
                    }
                    sent => sent?,
                }
            }
        }
        let mut still: Option<HubError> = None;
        for (way, batch, error) in unsent {
            // Where nothing at all arrives, it is no trouble of single files.
            if !luck.has_any() && !matches!(error, HubError::Xet(_)) {
                return Err(error);
            }
            self.client.wait("trying once more to send what did not arrive");
            watch.again();
            // What arrived by now is known as stored.
            let asked = self.ask(repo, revision, way, &batch).await?;
            match self.send(repo, revision, &asked, watch, &luck).await {
                Err(error) if self.spares_others(&error, &luck) => {
                    still = Some(error.after(still));
                }
                sent => sent?,
            }
        }
        still.map_or(Ok(uploaded), Err)
    }

    /// Waits for all sends, whatever becomes of one of them; what no other can survive ends them all.
    pub(super) async fn each(
        &self,
        luck: &Luck,
        sends: impl Stream<Item = Result<(), HubError>>,
    ) -> Result<(), HubError> {
        let mut sends = std::pin::pin!(sends);
        let mut unsent: Option<HubError> = None;
        while let Some(sent) = sends.next().await {
            luck.learn(sent.is_ok());
            match sent {
                Err(error) if self.spares_others(&error, luck) => {
                    self.client.wait(&error.in_full());
                    unsent = Some(error.after(unsent));
                }
                sent => sent?,
            }
        }
        unsent.map_or(Ok(()), Err)
    }

    fn spares_others(&self, error: &HubError, luck: &Luck) -> bool {
        error.spares_others() && !luck.is_out() && !self.client.left().is_zero()
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

    /// Asks which of a batch are to be sent, and how.
    async fn ask<'b>(
        &self,
        repo: &RepoId,
        revision: &str,
        way: Way,
        batch: &[&'b Blob],
    ) -> Result<Wanted<'b>, HubError> {
        let answer = self.batch(repo, revision, way, batch).await?;
        let transfer = match answer.transfer.as_deref() {
            None | Some("basic") => "basic",
            Some("multipart") => "multipart",
            Some("xet") => "xet",
            Some(other) => {
                return Err(HubError::Protocol(format!("it chose the transfer `{other:.40}`")));
            }
        };
        Ok(Wanted { transfer, wanted: wanted(batch, answer.objects)? })
    }

    async fn send(
        &self,
        repo: &RepoId,
        revision: &str,
        asked: &Wanted<'_>,
        watch: &Watch,
        luck: &Luck,
    ) -> Result<(), HubError> {
        watch.wanted(asked.bytes(), asked.transfer);
        match asked.transfer {
            "xet" => self.send_xet(repo, revision, &asked.wanted, watch, luck).await,
            _ => self.send_by_addresses(repo, revision, &asked.wanted, watch, luck).await,
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
        luck: &Luck,
    ) -> Result<(), HubError> {
        let Err(mut refused) = self.send_lfs(wanted, watch, luck).await else { return Ok(()) };
        let mut left: Vec<_> = wanted.iter().map(|(blob, _)| *blob).collect();
        let mut helped = true;
        while helped && matches!(refused, HubError::AddressRefused { .. }) {
            self.client.wait(&format!("{}; asking for new addresses", refused.in_full()));
            let again = self.batch(repo, revision, Way::Lfs, &left).await?;
            let still = self::wanted(&left, again.objects)?;
            helped = still.len() < left.len();
            left = still.iter().map(|(blob, _)| *blob).collect();
            match self.send_lfs(&still, watch, luck).await {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_in_a_row_are_no_trouble_of_single_files() {
        let luck = Luck::default();
        for _ in 0..7 {
            luck.learn(false);
        }
        assert!(!luck.is_out() && !luck.has_any());
        luck.learn(true);
        for _ in 0..7 {
            luck.learn(false);
        }
        assert!(!luck.is_out() && luck.has_any());
        luck.learn(false);
        assert!(luck.is_out());
    }

    #[test]
    fn all_that_did_not_arrive_is_named() {
        let xet = |why: &str| HubError::Xet(why.into());
        let one = xet("a").after(None);
        assert_eq!(one.to_string(), "the Xet transfer failed: a");
        let three = xet("c").after(Some(xet("b").after(Some(one))));
        assert!(matches!(&three, HubError::Unsent(all) if all.len() == 3));
        assert!(
            three.to_string().ends_with("failed: b; and the Xet transfer failed: c"),
            "{three}"
        );
    }
}
