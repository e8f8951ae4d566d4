//! The commit: one NDJSON request, guarded by its parent. Never repeated without asking.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;

use super::Hub;
use super::RepoId;
use super::api::segment;
use super::error::{HubError, doing};
use super::wire::Committed;
use crate::digest::Digest;
use crate::http::Again;

/// One change of a commit.
#[derive(Debug, Clone)]
pub enum Operation {
    /// A small file, sent with the commit.
    Inline {
        /// Path.
        path: String,
        /// Content.
        bytes: Vec<u8>,
    },
    /// A file whose bytes are in large-file storage already.
    Large {
        /// Path.
        path: String,
        /// Digest.
        sha256: Digest,
        /// Bytes.
        size: u64,
    },
    /// A file that goes.
    Delete {
        /// Path.
        path: String,
    },
}

impl Hub {
    /// Makes the commit and returns its id. With a parent that is not the branch's head any more
    /// the Hub refuses with 412. A lost answer is the caller's to look into
    /// ([`HubError::maybe_done`]).
    pub async fn commit(
        &self,
        repo: &RepoId,
        revision: &str,
        parent: Option<&str>,
        summary: &str,
        description: &str,
        operations: &[Operation],
    ) -> Result<String, HubError> {
        let mut header = json!({"summary": summary, "description": description});
        if let Some(parent) = parent {
            header["parentCommit"] = json!(parent);
        }
        let mut body = line(&json!({"key": "header", "value": header}));
        for operation in operations {
            body.push_str(&line(&match operation {
                Operation::Inline { path, bytes } => {
                    json!({"key": "file", "value": {"path": path, "content": STANDARD.encode(bytes), "encoding": "base64"}})
                }
                Operation::Large { path, sha256, size } => {
                    json!({"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": sha256, "size": size}})
                }
                Operation::Delete { path } => json!({"key": "deletedFile", "value": {"path": path}}),
            }));
        }
        let path = format!("/api/models/{repo}/commit/{}", segment(revision));
        let body = bytes::Bytes::from(body);
        let build = |client: &reqwest::Client| {
            self.request(client, Method::POST, &path)
                .header("content-type", "application/x-ndjson")
                .body(body.clone())
        };
        let done: Committed = self
            .client
            .json(Again::IfNotDone, build)
            .await
            .map_err(doing(format!("commit to {repo}")))?;
        Ok(done.commit_oid)
    }
}

fn line(value: &serde_json::Value) -> String {
    format!("{value}\n")
}
