//! The commit payload: one JSON object a line, read line by line as it arrives.

use axum::body::{Body, BodyDataStream};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use serde::Deserialize;

use super::answer::{Answer, Refusal};
use super::preupload::INLINE_MAX;
use crate::digest::{Digest, NotADigest};
use crate::rel_path::RelPath;

/// The longest line in bytes: an inline file of [`INLINE_MAX`] in base64, and its path.
const LINE_MAX: usize = 15 * 1024 * 1024;
/// The most lines of a commit, far above the Hub's advice of 100 files.
const LINES_MAX: usize = 100_000;

/// One line.
#[derive(Debug)]
pub(super) enum Line {
    Header {
        summary: String,
        description: String,
        parent_commit: Option<String>,
    },
    File(RelPath, Vec<u8>),
    /// A copy inside the repository names no size.
    LargeFile(RelPath, Digest, Option<u64>),
    DeletedFile(RelPath),
    DeletedFolder(RelPath),
}

#[derive(Deserialize)]
#[serde(tag = "key", content = "value", rename_all = "camelCase")]
enum Wire {
    Header(Header),
    File { path: String, content: String, encoding: Option<String> },
    LfsFile { path: String, algo: Option<String>, oid: String, size: Option<u64> },
    DeletedFile { path: String },
    DeletedFolder { path: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    summary: String,
    #[serde(default)]
    description: Option<String>,
    parent_commit: Option<String>,
}

/// The lines of a request's body.
pub(super) struct Lines {
    stream: BodyDataStream,
    buffer: BytesMut,
    /// How far the buffer is known to hold no line break.
    searched: usize,
    count: usize,
}

impl Lines {
    pub(super) fn new(body: Body) -> Self {
        let stream = body.into_data_stream();
        Self { stream, buffer: BytesMut::new(), searched: 0, count: 0 }
    }

    /// The next line; `None` at the end of a body that arrived whole.
    pub(super) async fn next(&mut self) -> Answer<Option<Line>> {
        loop {
            let line = match self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                Some(at) => self.buffer.split_to(self.searched + at + 1),
                None if self.receive().await? => continue,
                None if self.buffer.is_empty() => return Ok(None),
                None => self.buffer.split(),
            };
            self.searched = 0;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.count += 1;
            if self.count > LINES_MAX {
                return Err(Refusal::bad_request(format!("more than {LINES_MAX} lines")));
            }
            return parse(&line).map(Some).map_err(|why| {
                Refusal::bad_request(format!("line {} of the commit: {why}", self.count))
            });
        }
    }

    /// Takes more of the body; `false` at its end.
    async fn receive(&mut self) -> Answer<bool> {
        self.searched = self.buffer.len();
        let Some(bytes) = self.stream.next().await else { return Ok(false) };
        let bytes = bytes
            .map_err(|error| Refusal::bad_request(format!("the commit broke off: {error}")))?;
        self.buffer.extend_from_slice(&bytes);
        if self.buffer.len() > LINE_MAX + bytes.len() {
            return Err(Refusal::bad_request(format!(
                "a line of the commit is longer than {LINE_MAX} bytes: send files above \
                 {INLINE_MAX} bytes as LFS"
            )));
        }
        Ok(true)
    }
}

fn parse(line: &[u8]) -> Result<Line, String> {
    let wire: Wire = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let path = |text: &str| RelPath::parse(text).map_err(|error| error.to_string());
    Ok(match wire {
        Wire::Header(header) => Line::Header {
            summary: header.summary,
            description: header.description.unwrap_or_default(),
            parent_commit: header.parent_commit,
        },
        Wire::File { path: at, content, encoding } => {
            let bytes = match encoding.as_deref() {
                Some("base64") => STANDARD.decode(content).map_err(|error| error.to_string())?,
                None | Some("utf-8") => content.into_bytes(),
                Some(other) => return Err(format!("unknown encoding `{other}`")),
            };
            if bytes.len() as u64 > INLINE_MAX {
                return Err(format!("`{at}` is above {INLINE_MAX} bytes: send it as LFS"));
            }
            Line::File(path(&at)?, bytes)
        }
        Wire::LfsFile { path: at, algo, oid, size } => {
            if !matches!(algo.as_deref(), None | Some("sha256")) {
                return Err("the only known algo is `sha256`".to_owned());
            }
            let oid = oid.parse().map_err(|error: NotADigest| error.to_string())?;
            Line::LargeFile(path(&at)?, oid, size)
        }
        Wire::DeletedFile { path: at } => Line::DeletedFile(path(&at)?),
        Wire::DeletedFolder { path: at } => {
            Line::DeletedFolder(path(at.strip_suffix('/').unwrap_or(&at))?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    async fn lines(pieces: &[&'static str]) -> Answer<Vec<Line>> {
        let pieces: Vec<Result<&str, Infallible>> = pieces.iter().map(|piece| Ok(*piece)).collect();
        let mut lines = Lines::new(Body::from_stream(futures_util::stream::iter(pieces)));
        let mut all = Vec::new();
        while let Some(line) = lines.next().await? {
            all.push(line);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn reads_lines_however_they_are_cut() {
        let read = lines(&[
            "{\"key\":\"header\",\"value\":{\"summary\":\"s\",\"descr",
            "iption\":\"d\",\"parentCommit\":\"p\"}}\n\n{\"key\":\"file\",\"value\":",
            "{\"path\":\"a\",\"content\":\"aGk=\",\"encoding\":\"base64\"}}\n",
            "{\"key\":\"deletedFolder\",\"value\":{\"path\":\"b/\"}}",
        ])
        .await
        .expect("valid");
        assert!(
            matches!(&read[0], Line::Header { parent_commit: Some(parent), .. } if parent == "p")
        );
        assert!(
            matches!(&read[1], Line::File(path, bytes) if path.as_str() == "a" && bytes == b"hi")
        );
        assert!(matches!(&read[2], Line::DeletedFolder(path) if path.as_str() == "b"));
        assert_eq!(read.len(), 3);
    }

    #[tokio::test]
    async fn refuses_what_cannot_be_committed() {
        for bad in [
            "{",
            "{\"key\":\"odd\",\"value\":{}}",
            "{\"key\":\"file\",\"value\":{\"path\":\"../a\",\"content\":\"\",\"encoding\":\"base64\"}}",
            "{\"key\":\"file\",\"value\":{\"path\":\"a\",\"content\":\"?\",\"encoding\":\"base64\"}}",
            "{\"key\":\"lfsFile\",\"value\":{\"path\":\"a\",\"oid\":\"12\",\"size\":1}}",
            "{\"key\":\"deletedFile\",\"value\":{\"path\":\".git/config\"}}",
        ] {
            assert!(lines(&[bad]).await.is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_off() {
        let piece = "x".repeat(1024 * 1024);
        let endless = futures_util::stream::repeat_with(move || Ok::<_, Infallible>(piece.clone()));
        let refusal = Lines::new(Body::from_stream(endless)).next().await;
        assert_eq!(refusal.expect_err("refused").status, axum::http::StatusCode::BAD_REQUEST);
    }
}
