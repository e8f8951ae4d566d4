//! Content of files on the Hub: small ones, and parts of large ones.

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, StatusCode};

use super::api::{encoded_path, segment};
use super::error::{HubError, doing};
use super::{Hub, RepoId};
use crate::digest::git_blob_id;
use crate::http::{Again, HttpError, Whole};

impl Hub {
    /// A small file of a revision; `None` when it is not there.
    pub async fn small_file(
        &self,
        repo: &RepoId,
        revision: &str,
        path: &str,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, HubError> {
        let address = format!("/{repo}/resolve/{}/{}", segment(revision), encoded_path(path));
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &address);
        let what = || doing(format!("read {path} of {repo} at {revision}"));
        match self.client.whole(Again::Safe, limit, build).await {
            Ok(answer) if is_another(&answer) => Err(HubError::Protocol(format!(
                "{path} of {repo} came with other bytes than its ETag names"
            ))),
            Ok(answer) => Ok(Some(answer.body.to_vec())),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(HttpError::TooLarge { limit, .. }) => {
                Err(HubError::TooLarge { path: path.to_owned(), limit })
            }
            Err(error) => Err(what()(error)),
        }
    }

    /// So many bytes of a large file of a revision from `at` on, where the Hub gives just these. Asked once:
    /// whoever wants them can do without.
    pub async fn part_of_file(
        &self,
        repo: &RepoId,
        revision: &str,
        path: &str,
        at: u64,
        wanted: usize,
    ) -> Result<Bytes, HubError> {
        let address = format!("/{repo}/resolve/{}/{}", segment(revision), encoded_path(path));
        let end = at.saturating_add(wanted as u64).saturating_sub(1);
        let bytes = format!("bytes={at}-{end}");
        let build = |client: &reqwest::Client| {
            self.request(client, Method::GET, &address).header(RANGE, &bytes)
        };
        let what = || doing(format!("read a part of {path} of {repo} at {revision}"));
        let answer = self.client.whole(Again::Never, wanted, build).await.map_err(what())?;
        let told = answer.headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let are_these = told.is_some_and(|told| told.starts_with(&format!("bytes {at}-{end}/")));
        let is_part = answer.status == StatusCode::PARTIAL_CONTENT && are_these;
        if !is_part || answer.body.len() != wanted {
            return Err(HubError::Protocol(format!(
                "it gives other bytes of {path} than asked for"
            )));
        }
        Ok(answer.body)
    }
}

/// Whether a small file is not the one that the answer's ETag names: its git blob id, where it is one.
fn is_another(answer: &Whole) -> bool {
    let etag = answer.headers.get("etag").and_then(|etag| etag.to_str().ok());
    let oid = etag.and_then(|etag| etag.strip_prefix('"')?.strip_suffix('"'));
    let oid = oid.filter(|oid| oid.len() == 40 && oid.bytes().all(|byte| byte.is_ascii_hexdigit()));
    oid.is_some_and(|oid| oid != git_blob_id(&answer.body))
}
