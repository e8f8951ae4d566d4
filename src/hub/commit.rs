//! The commit: one NDJSON request, guarded by its parent. Never repeated without asking.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use reqwest::{Body, Method};
use serde_json::json;

use super::Hub;
use super::RepoId;
use super::api::segment;
use super::error::{HubError, doing};
use super::upload::Blob;
use super::wire::Committed;
use crate::digest::Digest;
use crate::http::Again;

/// One change of a commit.
#[derive(Debug, Clone)]
pub enum Operation {
    /// A small file in memory, sent with the commit.
    Inline {
        /// Path.
        path: String,
        /// Content.
        bytes: Bytes,
    },
    /// A small file on disk, sent with the commit: read while that goes out.
    InlineFile(Blob),
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

impl Operation {
    /// Bytes of content that go out with the commit itself.
    pub fn inline_bytes(&self) -> u64 {
        match self {
            Self::Inline { bytes, .. } => bytes.len() as u64,
            Self::InlineFile(blob) => blob.size,
            Self::Large { .. } | Self::Delete { .. } => 0,
        }
    }

    /// The line of the commit, around the content where it has any.
    fn line(&self) -> Line<'_> {
        let (key, value) = match self {
            Self::Inline { path, .. } | Self::InlineFile(Blob { path, .. }) => {
                return Line::Around(path);
            }
            Self::Large { path, sha256, size } => {
                ("lfsFile", json!({"path": path, "algo": "sha256", "oid": sha256, "size": size}))
            }
            Self::Delete { path } => ("deletedFile", json!({"path": path})),
        };
        Line::Whole(line(key, &value))
    }

    /// Bytes of its line, known before the content is read.
    fn length(&self) -> u64 {
        match self.line() {
            Line::Whole(line) => line.len() as u64,
            Line::Around(path) => {
                let base64 = self.inline_bytes().div_ceil(3) * 4;
                base64 + around(path).iter().map(|part| part.len() as u64).sum::<u64>()
            }
        }
    }

    /// Its line. A file that is not what was weighed ends the body: the Hub gets no whole commit.
    async fn line_with_content(&self) -> std::io::Result<Bytes> {
        let path = match self.line() {
            Line::Whole(line) => return Ok(line.into()),
            Line::Around(path) => path,
        };
        let [before, after] = around(path);
        let mut line = String::with_capacity(usize::try_from(self.length()).unwrap_or(0));
        line.push_str(&before);
        match self {
            Self::Inline { bytes, .. } => STANDARD.encode_string(bytes, &mut line),
            Self::InlineFile(blob) => STANDARD.encode_string(blob.bytes().await?, &mut line),
            Self::Large { .. } | Self::Delete { .. } => {}
        }
        line.push_str(&after);
        Ok(line.into())
    }
}

enum Line<'a> {
    Whole(String),
    /// The content of the file at this path is missing.
    Around(&'a str),
}

/// What stands before and after a file's content.
fn around(path: &str) -> [String; 2] {
    let path = json!(path);
    [
        "{\"key\":\"file\",\"value\":{\"content\":\"".to_owned(),
        format!("\",\"encoding\":\"base64\",\"path\":{path}}}}}\n"),
    ]
}

fn line(key: &str, value: &serde_json::Value) -> String {
    format!("{}\n", json!({"key": key, "value": value}))
}

/// The lines of a commit, one at a time: memory holds one file's, however many there are.
fn body(
    header: Bytes,
    operations: Arc<[Operation]>,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    let lines = stream::unfold((operations, 0), |(operations, at)| async move {
        let line = operations.get(at)?.line_with_content().await;
        Some((line, (operations, at + 1)))
    });
    stream::iter([Ok(header)]).chain(lines)
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
        operations: &Arc<[Operation]>,
    ) -> Result<String, HubError> {
        let mut header = json!({"summary": summary, "description": description});
        if let Some(parent) = parent {
            header["parentCommit"] = json!(parent);
        }
        let header = Bytes::from(line("header", &header));
        let lengths = operations.iter().map(Operation::length);
        let length = header.len() as u64 + lengths.sum::<u64>();
        let path = format!("/api/{}/commit/{}", repo.in_api(), segment(revision));
        let build = |client: &reqwest::Client| {
            self.request(client, Method::POST, &path)
                .header("content-type", "application/x-ndjson")
                .header("content-length", length)
                .body(Body::wrap_stream(body(header.clone(), operations.clone())))
        };
        let done: Committed = self
            .client
            .json(Again::IfNotDone, build)
            .await
            .map_err(doing(format!("commit to {repo}")))?;
        Ok(done.commit_oid)
    }
}
