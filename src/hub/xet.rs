//! Xet: the official transfer, for when the Hub's batch answer chooses it.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use xet::xet_session::{Sha256Policy, XetSessionBuilder};
use xet_runtime::config::XetConfig;

use super::Hub;
use super::RepoId;
use super::api::segment;
use super::error::{HubError, doing};
use super::upload::{Blob, Sent, verify_on_disk};
use super::wire::{Actions, XetToken};
use crate::http::Again;

impl Hub {
    pub(super) async fn send_xet(
        &self,
        repo: &RepoId,
        revision: &str,
        wanted: &[(&Blob, Actions)],
        sent: Sent<'_>,
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
        let config = XetConfig::new()
            .with_config("telemetry.enabled", false)
            .map_err(|error| HubError::Xet(error.to_string()))?;
        // Its caches would go to HOME, which CI keeps between steps and hosts share.
        let session = XetSessionBuilder::new_with_config(config)
            .with_cache_dir(cache.path())
            .build()
            .map_err(|error| HubError::Xet(error.to_string()))?;
        let refresh = format!("{}{path}", self.endpoint());
        let xet = |error: xet::XetError| HubError::Xet(error.to_string());
        let commit = session
            .new_upload_commit()
            .map_err(|error| HubError::Xet(error.to_string()))?
            .with_endpoint(token.cas_url)
            .with_token_info(token.access_token, token.exp)
            .with_token_refresh_url(refresh, self.refresh_headers())
            .build()
            .await
            .map_err(xet)?;
        for (blob, _) in wanted {
            let handle = commit
                .upload_from_path(
                    blob.on_disk.clone(),
                    Sha256Policy::from_hex(&blob.sha256.to_string()),
                )
                .await
                .map_err(xet)?;
            let info = handle.finalize_ingestion().await.map_err(xet)?;
            if info.xet_info.file_size.is_some_and(|size| size != blob.size) {
                return Err(HubError::Object {
                    path: blob.path.clone(),
                    why: "it changed after it was weighed".into(),
                });
            }
            // Xet trusts the digest it is given, so the file is compared once more, from the
            // page cache that the transfer has just filled.
            verify_on_disk(blob).await?;
            sent(&blob.path, blob.size);
        }
        commit.commit().await.map_err(xet)?;
        Ok(())
    }

    /// What the session needs to get a new token by itself when this one ends.
    fn refresh_headers(&self) -> HeaderMap {
        let request = self.request(self.client.reqwest(), Method::GET, "/").build();
        let bearer = request.ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned());
        bearer.map(|bearer| (AUTHORIZATION, bearer)).into_iter().collect()
    }
}
