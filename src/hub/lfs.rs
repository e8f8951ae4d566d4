//! Git LFS transfers: one PUT of the whole, or parts that are joined at the end.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use reqwest::{Body, Method, Url};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Hub;
use super::error::{HubError, doing};
use super::upload::{AT_ONCE, Blob, LFS_JSON, Watch};
use super::weighed::{Meter, Weighed};
use super::wire::{Action, Actions};
use crate::http::Again;

/// Bytes of parts in memory, over all files.
const IN_MEMORY: u32 = 64 * 1024 * 1024;
/// Longest part that is taken; a part over [`IN_MEMORY`] goes alone.
const PART: u64 = 1024 * 1024 * 1024;

impl Hub {
    /// Sends what the batch answer wants, several files side by side.
    pub(super) async fn send_lfs(
        &self,
        wanted: &[(&Blob, Actions)],
        watch: &Watch,
    ) -> Result<(), HubError> {
        let memory = Arc::new(Semaphore::new(IN_MEMORY as usize));
        stream::iter(
            wanted.iter().map(|(blob, actions)| self.send_one(blob, actions, &memory, watch)),
        )
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
    }

    async fn send_one(
        &self,
        blob: &Blob,
        actions: &Actions,
        memory: &Arc<Semaphore>,
        watch: &Watch,
    ) -> Result<(), HubError> {
        let Some(upload) = &actions.upload else { return Ok(()) };
        let meter = Meter::new(blob, watch);
        let mut joined = Ok(());
        match upload.header.get("chunk_size") {
            Some(size) => {
                let size =
                    size.as_u64().or_else(|| size.as_str()?.parse().ok()).filter(|size| *size > 0);
                let size =
                    size.ok_or_else(|| HubError::Protocol("the part size is no number".into()))?;
                joined = self.send_parts(blob, upload, size, memory, &meter).await;
            }
            None => self.send_whole(blob, upload, &meter).await?,
        }
        let Some(verify) = &actions.verify else { return joined };
        // Where the answer to joining them was lost, storage knows the parts no more when it is asked
        // again: whether the whole is there says the Hub.
        let lost = |error: &HubError| error.status().is_some_and(|status| status < 500);
        if joined.as_ref().is_err_and(|error| !lost(error)) {
            return joined;
        }
        let body = json!({"oid": blob.sha256.to_string(), "size": blob.size});
        let address = self.own_address(&verify.href)?;
        let build = |client: &reqwest::Client| {
            self.request(client, Method::POST, &address)
                .json(&body)
                .header("content-type", LFS_JSON)
        };
        let confirmed = self.client.about(blob.path.as_str()).send(Again::Safe, build).await;
        match (confirmed, joined) {
            (Ok(_), _) => Ok(()),
            (Err(_), Err(error)) => Err(error),
            (Err(error), Ok(())) => {
                Err(doing(format!("confirm the upload of {}", blob.path))(error))
            }
        }
    }

    /// One PUT to a signed address, which never gets the token.
    async fn send_whole(
        &self,
        blob: &Blob,
        upload: &Action,
        meter: &Arc<Meter>,
    ) -> Result<(), HubError> {
        let address = self.signed_address(&upload.href)?;
        let build = |client: &reqwest::Client| {
            let mut request = client.put(address.clone()).header("content-length", blob.size);
            for (name, value) in &upload.header {
                if let Some(value) = value.as_str() {
                    request = request.header(name, value);
                }
            }
            request.body(Body::wrap_stream(Weighed::of(blob).metered(meter.clone())))
        };
        self.client
            .about(blob.path.as_str())
            .send(Again::Safe, build)
            .await
            .map(drop)
            .map_err(doing(format!("send {}", blob.path)))
    }

    /// Parts to the signed addresses `1`, `2`, …, then their tags to the address of the whole.
    ///
    /// The file is read once, in order, and hashed on the way; the parts go out side by side from
    /// memory. They are joined only if the whole was what was weighed: until then the Hub has
    /// loose parts that nobody can name.
    async fn send_parts(
        &self,
        blob: &Blob,
        upload: &Action,
        size: u64,
        memory: &Arc<Semaphore>,
        meter: &Arc<Meter>,
    ) -> Result<(), HubError> {
        if size.min(blob.size) > PART {
            return Err(HubError::Protocol(format!(
                "it wants parts of {size} bytes; {PART} are the most that are sent at once"
            )));
        }
        let mut tags: Vec<(u64, String)> = parts(blob, size, memory.clone())
            .map_ok(|part| self.send_part(blob, upload, part, meter))
            .try_buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        tags.sort();
        let tags: Vec<_> = tags
            .into_iter()
            .map(|(number, tag)| json!({"partNumber": number, "etag": tag}))
            .collect();
        let body = json!({"oid": blob.sha256.to_string(), "parts": tags});
        let address = self.signed_address(&upload.href)?;
        let build = |client: &reqwest::Client| {
            client
                .post(address.clone())
                .json(&body)
                .header("accept", LFS_JSON)
                .header("content-type", LFS_JSON)
        };
        self.client
            .about(blob.path.as_str())
            .send(Again::Safe, build)
            .await
            .map(drop)
            .map_err(doing(format!("join the parts of {}", blob.path)))
    }

    async fn send_part(
        &self,
        blob: &Blob,
        upload: &Action,
        part: Part,
        meter: &Meter,
    ) -> Result<(u64, String), HubError> {
        let number = part.number;
        // The Hub pads part numbers with zeros.
        let address = upload
            .header
            .iter()
            .find(|(name, _)| name.parse() == Ok(number))
            .and_then(|(_, value)| value.as_str());
        let address =
            address.ok_or_else(|| HubError::Protocol(format!("part {number} has no address")))?;
        let address = self.signed_address(address)?;
        let build = |client: &reqwest::Client| client.put(address.clone()).body(part.bytes.clone());
        let part_of = format!("part {number} of {}", blob.path);
        let what = format!("send {part_of}");
        let client = self.client.about(part_of);
        let response = client.send(Again::Safe, build).await.map_err(doing(what))?;
        meter.add(part.bytes.len() as u64);
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

/// A part in memory, and its share of what may be there.
struct Part {
    /// From 1.
    number: u64,
    bytes: Bytes,
    _memory: OwnedSemaphorePermit,
}

/// The parts in order. The last comes out only if the whole file is what was weighed.
fn parts(
    blob: &Blob,
    size: u64,
    memory: Arc<Semaphore>,
) -> impl Stream<Item = Result<Part, HubError>> {
    let state = (Weighed::of(blob), 1, memory);
    stream::try_unfold(state, move |(mut file, number, memory)| async move {
        let length = size.min(file.left());
        if length == 0 && number > 1 {
            return Ok(None);
        }
        let share = u32::try_from(length).unwrap_or(IN_MEMORY).min(IN_MEMORY);
        // The semaphore is never closed.
        let permit = memory.clone().acquire_many_owned(share).await;
        let permit = permit.map_err(|error| HubError::Protocol(error.to_string()))?;
        let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0));
        while (bytes.len() as u64) < length {
            let most = length - bytes.len() as u64;
            match file.read(most).await.map_err(|error| HubError::Moved(error.to_string()))? {
                Some(piece) => bytes.extend_from_slice(&piece),
                None => break,
            }
        }
        let part = Part { number, bytes: bytes.freeze(), _memory: permit };
        Ok(Some((part, (file, number + 1, memory))))
    })
}
