//! Large files: the LFS batch call, and the transfer that its answer chooses.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use reqwest::{Body, Method, Url};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::Hub;
use super::RepoId;
use super::error::{HubError, doing};
use super::wire::{Action, Actions, Batch, BatchObject};
use crate::digest::{Digest, Hasher};
use crate::http::{Again, BodyChanged};

/// Objects the Hub takes in one batch call.
const BATCH: usize = 256;
/// Bytes read from disk at once.
const PIECE: usize = 1024 * 1024;
/// Files or parts on their way at the same time.
const AT_ONCE: usize = 4;
const LFS_JSON: &str = "application/vnd.git-lfs+json";

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

/// Told of every file's bytes as they are sent: path, bytes.
pub(super) type Sent<'a> = &'a (dyn Fn(&str, u64) + Sync);

impl Hub {
    /// Brings blobs into large-file storage, where nobody sees them until a commit names them.
    /// What is stored already is not sent.
    pub async fn upload(
        &self,
        repo: &RepoId,
        revision: &str,
        blobs: &[Blob],
        sent: Sent<'_>,
    ) -> Result<Uploaded, HubError> {
        let mut uploaded = Uploaded::default();
        for batch in blobs.chunks(BATCH) {
            let answer = self.batch(repo, revision, batch).await?;
            let transfer = answer.transfer.as_deref().unwrap_or("basic");
            let mut wanted = Vec::new();
            for object in answer.objects {
                let blob = batch.iter().find(|blob| blob.sha256.to_string() == object.oid);
                let blob = blob.ok_or_else(|| {
                    HubError::Protocol(format!(
                        "it names `{:.80}`, which was not asked for",
                        object.oid
                    ))
                })?;
                if let Some(actions) = wanted_actions(blob, object)? {
                    uploaded.objects += 1;
                    uploaded.bytes += blob.size;
                    wanted.push((blob, actions));
                }
            }
            match transfer {
                "xet" => self.send_xet(repo, revision, &wanted, sent).await?,
                "basic" | "multipart" => self.send_all(&wanted, sent).await?,
                other => {
                    return Err(HubError::Protocol(format!("it chose the transfer `{other:.40}`")));
                }
            }
        }
        Ok(uploaded)
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

    async fn send_all(&self, wanted: &[(&Blob, Actions)], sent: Sent<'_>) -> Result<(), HubError> {
        stream::iter(wanted.iter().map(|(blob, actions)| self.send_one(blob, actions, sent)))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
    }

    async fn send_one(
        &self,
        blob: &Blob,
        actions: &Actions,
        sent: Sent<'_>,
    ) -> Result<(), HubError> {
        let Some(upload) = &actions.upload else { return Ok(()) };
        match upload.header.get("chunk_size") {
            Some(size) => self.send_parts(blob, upload, size, sent).await?,
            None => self.send_whole(blob, upload).await?,
        }
        sent(&blob.path, blob.size);
        if let Some(verify) = &actions.verify {
            let body = json!({"oid": blob.sha256.to_string(), "size": blob.size});
            let address = self.own_address(&verify.href)?;
            let build = |client: &reqwest::Client| {
                self.request(client, Method::POST, &address)
                    .json(&body)
                    .header("content-type", LFS_JSON)
            };
            self.client
                .send(Again::Safe, build)
                .await
                .map_err(doing(format!("confirm the upload of {}", blob.path)))?;
        }
        Ok(())
    }

    /// One PUT to a signed address, which never gets the token.
    async fn send_whole(&self, blob: &Blob, upload: &Action) -> Result<(), HubError> {
        let address = self.signed_address(&upload.href)?;
        let build = |client: &reqwest::Client| {
            let mut request = client.put(address.clone()).header("content-length", blob.size);
            for (name, value) in &upload.header {
                if let Some(value) = value.as_str() {
                    request = request.header(name, value);
                }
            }
            request.body(Body::wrap_stream(checked(blob.clone())))
        };
        self.client
            .send(Again::Safe, build)
            .await
            .map(drop)
            .map_err(doing(format!("send {}", blob.path)))
    }

    /// Parts to signed addresses `1`, `2`, …, then their tags to the address of the whole.
    async fn send_parts(
        &self,
        blob: &Blob,
        upload: &Action,
        size: &serde_json::Value,
        sent: Sent<'_>,
    ) -> Result<(), HubError> {
        let size = size.as_u64().or_else(|| size.as_str()?.parse().ok()).filter(|size| *size > 0);
        let size = size.ok_or_else(|| HubError::Protocol("the part size is no number".into()))?;
        let _ = sent;
        // What was weighed is what is sent: the whole is checked before the first part leaves,
        // because parts go out side by side and cannot be hashed in order.
        verify_on_disk(blob).await?;
        let count = blob.size.div_ceil(size);
        let mut parts: Vec<(u64, String)> =
            stream::iter((1..=count).map(|number| self.send_part(blob, upload, number, size)))
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
        parts.sort();
        let parts: Vec<_> = parts
            .into_iter()
            .map(|(number, tag)| json!({"partNumber": number, "etag": tag}))
            .collect();
        let body = json!({"oid": blob.sha256.to_string(), "parts": parts});
        let address = self.signed_address(&upload.href)?;
        let build = |client: &reqwest::Client| {
            client
                .post(address.clone())
                .json(&body)
                .header("accept", LFS_JSON)
                .header("content-type", LFS_JSON)
        };
        self.client
            .send(Again::Safe, build)
            .await
            .map(drop)
            .map_err(doing(format!("join the parts of {}", blob.path)))
    }

    async fn send_part(
        &self,
        blob: &Blob,
        upload: &Action,
        number: u64,
        size: u64,
    ) -> Result<(u64, String), HubError> {
        // The Hub pads part numbers with zeros.
        let address = upload
            .header
            .iter()
            .find(|(name, _)| name.parse() == Ok(number))
            .and_then(|(_, value)| value.as_str());
        let address =
            address.ok_or_else(|| HubError::Protocol(format!("part {number} has no address")))?;
        let address = self.signed_address(address)?;
        let start = (number - 1) * size;
        let length = size.min(blob.size - start);
        let build = |client: &reqwest::Client| {
            let body = Body::wrap_stream(slice(blob.clone(), start, length));
            client.put(address.clone()).header("content-length", length).body(body)
        };
        let what = format!("send part {number} of {}", blob.path);
        let response = self.client.send(Again::Safe, build).await.map_err(doing(what))?;
        let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok());
        let tag = tag.ok_or_else(|| HubError::Protocol(format!("part {number} got no ETag")))?;
        Ok((number, tag.to_owned()))
    }

    /// The path of an address on this Hub, to which the token may go.
    fn own_address(&self, href: &str) -> Result<String, HubError> {
        let url = self
            .endpoint
            .join(href)
            .map_err(|_| HubError::Protocol("an address cannot be read".into()))?;
        if url.origin() != self.endpoint.origin() {
            return Err(HubError::Protocol(format!(
                "`{}` is not on this Hub",
                url.host_str().unwrap_or_default()
            )));
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(format!("{}{query}", url.path()))
    }

    /// An address the server gave: encrypted, unless the Hub itself is not.
    fn signed_address(&self, href: &str) -> Result<Url, HubError> {
        let url = self
            .endpoint
            .join(href)
            .map_err(|_| HubError::Protocol("an address cannot be read".into()))?;
        match (url.scheme(), self.endpoint.scheme()) {
            ("https", _) | ("http", "http") => Ok(url),
            (scheme, _) => Err(HubError::Protocol(format!("it wants the bytes over `{scheme}`"))),
        }
    }
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

type Pieces = std::io::Result<Bytes>;

/// The file's bytes, hashed on their way: if they are not what was weighed, the last piece is
/// replaced by an error and the server never sees a complete body.
pub(super) fn checked(blob: Blob) -> impl Stream<Item = Pieces> {
    struct State {
        blob: Arc<Blob>,
        file: Option<tokio::fs::File>,
        hasher: Hasher,
        left: u64,
    }
    let state =
        State { left: blob.size, blob: Arc::new(blob), file: None, hasher: Hasher::default() };
    stream::try_unfold(state, |mut state| async move {
        let mut file = match state.file.take() {
            Some(file) => file,
            None => tokio::fs::File::open(&state.blob.on_disk).await?,
        };
        if state.left == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(state.left).unwrap_or(PIECE))];
        file.read_exact(&mut piece).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => changed(&state.blob, "it is shorter now"),
            _ => error,
        })?;
        state.hasher.update(&piece);
        state.left -= piece.len() as u64;
        if state.left == 0 {
            let longer = file.read(&mut [0; 1]).await? > 0;
            if longer || std::mem::take(&mut state.hasher).finish() != state.blob.sha256 {
                return Err(changed(&state.blob, "its bytes are others now"));
            }
        }
        state.file = Some(file);
        Ok(Some((Bytes::from(piece), state)))
    })
}

/// A part of the file.
fn slice(blob: Blob, start: u64, length: u64) -> impl Stream<Item = Pieces> {
    let state: (Blob, Option<tokio::fs::File>, u64) = (blob, None, length);
    stream::try_unfold(state, move |(blob, file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut file = if let Some(file) = file {
            file
        } else {
            let mut file = tokio::fs::File::open(&blob.on_disk).await?;
            file.seek(std::io::SeekFrom::Start(start)).await?;
            file
        };
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        file.read_exact(&mut piece).await.map_err(|_| changed(&blob, "it is shorter now"))?;
        let left = left - piece.len() as u64;
        Ok(Some((Bytes::from(piece), (blob, Some(file), left))))
    })
}

/// Reads the file once more and compares it with what was weighed.
pub(super) async fn verify_on_disk(blob: &Blob) -> Result<(), HubError> {
    let mut pieces = std::pin::pin!(checked(blob.clone()));
    while let Some(piece) = pieces.next().await {
        piece.map_err(|error| HubError::Object {
            path: blob.path.clone(),
            why: error.to_string(),
        })?;
    }
    Ok(())
}

fn changed(blob: &Blob, how: &str) -> std::io::Error {
    std::io::Error::other(BodyChanged(format!(
        "`{}` changed after it was weighed: {how}",
        blob.path
    )))
}
