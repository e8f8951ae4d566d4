//! Xet: the official transfer, for when the Hub's batch answer chooses it.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use tokio::sync::Semaphore;
use xet::xet_session::{Sha256Policy, XetSessionBuilder, XetUploadCommit};
use xet_runtime::config::XetConfig;

use super::Hub;
use super::RepoId;
use super::api::segment;
use super::error::{HubError, doing};
use super::upload::{Blob, Luck, Watch};
use super::weighed::{Meter, Source, Weighed};
use super::wire::{Actions, XetToken};
use super::xet_watch::{Pace, watched};
use crate::http::{Again, Secret};

/// Files fed at the same time: one is read while another is cut into chunks. More only fill memory
/// with what waits for the network.
const FILES: usize = 2;
/// Blocks of a file that are fed at once: the larger, the fewer chunks lie across two of them and have
/// to be copied.
const BLOCKS: u64 = 8;
/// Bodies of up to 64 MiB that are on their way at the same time.
const BODIES: usize = 2;
/// Bytes of files after which they are registered: what a killed run has registered is not even read
/// again. Each registration asks anew which chunks are known, so few are cheaper.
const REGISTERED: u64 = 4 * 1024 * 1024 * 1024;
/// Longest silences of a server that a body has to go out in: reqwest counts from when a request begins,
/// and a slow line takes its time with [`BODIES`] of 64 MiB.
const BODY_TAKES: u32 = 4;

impl Hub {
    pub(super) async fn send_xet(
        &self,
        repo: &RepoId,
        revision: &str,
        wanted: &[(&Blob, Actions)],
        watch: &Watch,
        luck: &Luck,
    ) -> Result<(), HubError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let path = format!("/api/{}/xet-write-token/{}", repo.in_api(), segment(revision));
        let failed = |error: &dyn std::fmt::Display| HubError::Xet(error.to_string());
        let cache = tempfile::tempdir().map_err(|error| failed(&error))?;
        let silence = format!("{}ms", (self.client.answer_timeout() * BODY_TAKES).as_millis());
        let config = XetConfig::new()
            .with_config("telemetry.enabled", false)
            .and_then(|config| config.with_config("client.read_timeout", silence))
            .and_then(|config| config.with_config("client.ac_max_upload_concurrency", BODIES))
            .map_err(|error| failed(&error))?;
        // Its caches would go to HOME, which CI keeps between steps and hosts share.
        let session = XetSessionBuilder::new_with_config(config)
            .with_cache_dir(cache.path())
            .build()
            .map_err(|error| failed(&error))?;
        let refresh = format!("{}{path}", self.endpoint());
        let turns = Semaphore::new(FILES);
        let pace = Pace::new();
        let groups = registered_together(wanted).into_iter().map(async |group| {
            // Each has leave of its own, and the Hub token of its time to get more with: both end.
            let (storage, token, until) = self.xet_token(&path).await?;
            let commit = session
                .new_upload_commit()
                .map_err(|error| failed(&error))?
                .with_endpoint(storage)
                .with_token_info(token.expose().to_owned(), until)
                .with_token_refresh_url(refresh.clone(), self.refresh_headers())
                .build()
                .await?;
            let sends = group.iter().map(|(blob, _)| send(&commit, blob, &turns, watch));
            let transfer = async {
                stream::iter(sends).buffer_unordered(FILES).try_collect::<()>().await?;
                commit.commit().await?;
                Ok(())
            };
            watched(&self.client, &commit, &pace, transfer).await
        });
        // While one group is registered the next is fed.
        self.each(luck, stream::iter(groups).buffer_unordered(2)).await
    }

    /// Leave to write to Xet storage: where that is, and a token for it until a time, which is blotted out
    /// of what storage says from here on.
    async fn xet_token(&self, path: &str) -> Result<(String, Secret, u64), HubError> {
        let build = |client: &reqwest::Client| self.request(client, Method::GET, path);
        let token: Result<XetToken, _> = self.client.json(Again::Safe, build).await;
        let token = token.map_err(doing("get leave to write to Xet storage"))?;
        let secret = Secret::new(token.access_token.as_str());
        let secret = secret.ok_or_else(|| HubError::Protocol("its Xet token is empty".into()))?;
        Ok((token.cas_url, secret, token.exp))
    }

    /// What the session needs to get a new token by itself when this one ends.
    fn refresh_headers(&self) -> HeaderMap {
        let request = self.request(self.client.reqwest(self.endpoint()), Method::GET, "/").build();
        let bearer = request.ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned());
        bearer.map(|bearer| (AUTHORIZATION, bearer)).into_iter().collect()
    }
}

/// The files in groups that are registered together.
fn registered_together<'a>(wanted: &'a [(&'a Blob, Actions)]) -> Vec<&'a [(&'a Blob, Actions)]> {
    let (mut groups, mut rest) = (Vec::new(), wanted);
    while !rest.is_empty() {
        let mut bytes = 0;
        let full = rest.iter().position(|(blob, _)| {
            bytes += blob.size;
            bytes >= REGISTERED
        });
        let (group, after) = rest.split_at(full.map_or(rest.len(), |last| last + 1));
        groups.push(group);
        rest = after;
    }
    groups
}

/// Feeds one file to the transfer, when it is its turn. Xet believes the digest it is given, so the
/// bytes are held against what was weighed on their way in, and one that differs ends the commit
/// that would have named it.
async fn send(
    commit: &XetUploadCommit,
    blob: &Blob,
    turns: &Semaphore,
    watch: &Watch,
) -> Result<(), HubError> {
    // The semaphore is never closed.
    let _turn = turns.acquire().await.map_err(|error| HubError::Xet(error.to_string()))?;
    let digest = Sha256Policy::from_hex(&blob.sha256.to_string());
    let upload = commit.upload_stream(Some(blob.path.clone()), digest).await?;
    let meter = Meter::new(blob, watch);
    let mut file = Weighed::new(&Source::of(blob), 0..blob.size, BLOCKS);
    loop {
        match file.read().await {
            Ok(Some(piece)) => {
                let bytes = piece.len() as u64;
                upload.write(piece).await?;
                meter.add(bytes);
            }
            Ok(None) => break,
            Err(error) => {
                upload.abort();
                return Err(HubError::Moved(error.to_string()));
            }
        }
    }
    upload.finish().await?;
    Ok(())
}

impl From<xet::XetError> for HubError {
    fn from(error: xet::XetError) -> Self {
        Self::Xet(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::digest::Digest;
    use crate::hub::Way;

    #[test]
    fn files_are_registered_when_they_are_much_together() {
        let blob = |size: &u64| Blob {
            path: String::new(),
            origin: crate::hub::Origin::Memory(bytes::Bytes::new()),
            size: size * 1024 * 1024,
            sha256: Digest::of(b""),
            seals: Arc::default(),
            way: Way::Xet,
        };
        for (sizes, groups) in [
            (&[][..], &[][..]),
            (&[1, 2, 3], &[3]),
            (&[5000, 1], &[1, 1]),
            (&[1, 5000, 1, 1], &[2, 2]),
            (&[2400, 2400, 2400, 2400, 2400], &[2, 2, 1]),
        ] {
            let blobs: Vec<Blob> = sizes.iter().map(blob).collect();
            let none = || Actions { upload: None, verify: None };
            let wanted: Vec<_> = blobs.iter().map(|blob| (blob, none())).collect();
            let found: Vec<_> = registered_together(&wanted).iter().map(|one| one.len()).collect();
            assert_eq!(found, groups, "{sizes:?}");
        }
    }
}
