//! Git LFS transfers: one PUT of the whole, or parts that are joined at the end.

use std::ops::Range;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::{Body, Method, RequestBuilder, Url};
use serde_json::json;
use tokio::sync::Semaphore;

use super::Hub;
use super::error::{HubError, doing};
use super::upload::{Blob, LFS_JSON, Luck, Watch};
use super::weighed::{Meter, Source, Weighed};
use super::wire::{Action, Actions};
use crate::http::Again;

/// Bodies on their way at the same time, over all files: each has two blocks in memory.
const BODIES: usize = 8;
/// The most parts of a file, as in S3; the Hub asks for far fewer.
const PARTS_MAX: u64 = 10_000;

impl Hub {
    /// Sends what the batch answer wants, several files side by side.
    pub(super) async fn send_lfs(
        &self,
        wanted: &[(&Blob, Actions)],
        watch: &Watch,
        luck: &Luck,
    ) -> Result<(), HubError> {
        let bodies = Semaphore::new(BODIES);
        let sends =
            wanted.iter().map(|(blob, actions)| self.send_one(blob, actions, &bodies, watch));
        self.each(luck, stream::iter(sends).buffer_unordered(BODIES)).await
    }

    async fn send_one(
        &self,
        blob: &Blob,
        actions: &Actions,
        bodies: &Semaphore,
        watch: &Watch,
    ) -> Result<(), HubError> {
        let Some(upload) = &actions.upload else { return Ok(()) };
        let file = Sent { blob, source: Source::of(blob), bodies, watch };
        let mut joined = Ok(());
        match upload.header.get("chunk_size") {
            Some(size) => {
                let size =
                    size.as_u64().or_else(|| size.as_str()?.parse().ok()).filter(|size| *size > 0);
                let size =
                    size.ok_or_else(|| HubError::Protocol("the part size is no number".into()))?;
                joined = self.send_parts(&file, upload, size).await;
            }
            None => self.send_whole(&file, upload).await?,
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
    async fn send_whole(&self, file: &Sent<'_>, upload: &Action) -> Result<(), HubError> {
        let headers = |mut request: RequestBuilder| {
            for (name, value) in &upload.header {
                if let Some(value) = value.as_str() {
                    request = request.header(name, value);
                }
            }
            request
        };
        let (address, what) = (self.signed_address(&upload.href)?, file.blob.path.clone());
        self.put(file, &address, 0..file.blob.size, headers, what).await.map(drop)
    }

    /// Parts to the signed addresses `1`, `2`, …, side by side, then their tags to the address of
    /// the whole.
    async fn send_parts(
        &self,
        file: &Sent<'_>,
        upload: &Action,
        size: u64,
    ) -> Result<(), HubError> {
        let blob = file.blob;
        let count = blob.size.div_ceil(size).max(1);
        if count > PARTS_MAX {
            return Err(HubError::Protocol(format!(
                "it wants parts of {size} bytes: that is more than {PARTS_MAX} parts"
            )));
        }
        let parts = (1..=count).map(|number| {
            let from = (number - 1) * size;
            self.send_part(file, upload, number, from..(from + size).min(blob.size))
        });
        let mut tags: Vec<(u64, String)> =
            stream::iter(parts).buffer_unordered(BODIES).try_collect().await?;
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
        file: &Sent<'_>,
        upload: &Action,
        number: u64,
        range: Range<u64>,
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
        let what = format!("part {number} of {}", file.blob.path);
        let response = self.put(file, &address, range, |request| request, what).await?;
        let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok());
        let tag = tag.ok_or_else(|| HubError::Protocol(format!("part {number} got no ETag")))?;
        Ok((number, tag.to_owned()))
    }

    /// Sends a range of a file, when it is its turn.
    async fn put(
        &self,
        file: &Sent<'_>,
        address: &Url,
        range: Range<u64>,
        headers: impl Fn(RequestBuilder) -> RequestBuilder + Send + Sync,
        what: String,
    ) -> Result<reqwest::Response, HubError> {
        // The semaphore is never closed.
        let turn = file.bodies.acquire().await;
        let _turn = turn.map_err(|error| HubError::Protocol(error.to_string()))?;
        let meter = Meter::new(file.blob, file.watch);
        let build = |client: &reqwest::Client| {
            let body = Weighed::new(&file.source, range.clone(), 1).metered(meter.clone());
            headers(client.put(address.clone()))
                .header("content-length", range.end - range.start)
                .body(Body::wrap_stream(body))
        };
        self.client.about(what.as_str()).send(Again::Safe, build).await.map_err(|source| {
            match source.status() {
                Some(403) => HubError::AddressRefused { what, source },
                _ => doing(format!("send {what}"))(source),
            }
        })
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

/// A file on its way.
struct Sent<'a> {
    blob: &'a Blob,
    source: Arc<Source>,
    bodies: &'a Semaphore,
    watch: &'a Watch,
}
