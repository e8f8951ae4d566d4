//! Xet: the official transfer, for when the Hub's batch answer chooses it.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use xet::xet_session::{Sha256Policy, XetSessionBuilder, XetUploadCommit};
use xet_runtime::config::XetConfig;

use super::Hub;
use super::RepoId;
use super::api::segment;
use super::error::{HubError, doing};
use super::upload::{Blob, Watch};
use super::weighed::{Meter, Weighed};
use super::wire::{Actions, XetToken};
use super::xet_watch::watched;
use crate::http::Again;

/// Files fed at the same time: one is read and hashed while another is cut into chunks. More only
/// fill memory with what waits for the network.
const FILES: usize = 2;

impl Hub {
    pub(super) async fn send_xet(
        &self,
        repo: &RepoId,
        revision: &str,
        wanted: &[(&Blob, Actions)],
        watch: &Watch,
    ) -> Result<(), HubError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let path = format!("/api/models/{repo}/xet-write-token/{}", segment(revision));
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
        let token: XetToken = self
            .client
            .json(Again::Safe, build)
            .await
            .map_err(doing("get leave to write to Xet storage"))?;

        let cache = tempfile::tempdir().map_err(|error| HubError::Xet(error.to_string()))?;
        let silence = format!("{}ms", self.client.answer_timeout().as_millis());
        let config = XetConfig::new()
            .with_config("telemetry.enabled", false)
            .and_then(|config| config.with_config("client.read_timeout", silence))
            .map_err(|error| HubError::Xet(error.to_string()))?;
        // Its caches would go to HOME, which CI keeps between steps and hosts share.
        let session = XetSessionBuilder::new_with_config(config)
            .with_cache_dir(cache.path())
            .build()
            .map_err(|error| HubError::Xet(error.to_string()))?;
        let refresh = format!("{}{path}", self.endpoint());
        let commit = session
            .new_upload_commit()
            .map_err(|error| HubError::Xet(error.to_string()))?
            .with_endpoint(token.cas_url)
            .with_token_info(token.access_token, token.exp)
            .with_token_refresh_url(refresh, self.refresh_headers())
            .build()
            .await?;
        let sends = wanted.iter().map(|(blob, _)| send(&commit, blob, watch));
        let transfer = async {
            stream::iter(sends).buffer_unordered(FILES).try_collect::<()>().await?;
            commit.commit().await?;
            Ok(())
        };
        watched(&self.client, &commit, "the Xet transfer", transfer).await
    }

    /// What the session needs to get a new token by itself when this one ends.
    fn refresh_headers(&self) -> HeaderMap {
        let request = self.request(self.client.reqwest(), Method::GET, "/").build();
        let bearer = request.ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned());
        bearer.map(|bearer| (AUTHORIZATION, bearer)).into_iter().collect()
    }
}

/// Feeds one file to the transfer. Xet believes the digest it is given, so the bytes are held
/// against it on their way in, and one that differs ends the commit that would have named it.
async fn send(commit: &XetUploadCommit, blob: &Blob, watch: &Watch) -> Result<(), HubError> {
    let digest = Sha256Policy::from_hex(&blob.sha256.to_string());
    let upload = commit.upload_stream(Some(blob.path.clone()), digest).await?;
    let meter = Meter::new(blob, watch);
    let mut file = Weighed::of(blob);
    loop {
        match file.read(u64::MAX).await {
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
