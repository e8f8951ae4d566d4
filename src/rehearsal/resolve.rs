//! Downloads: `resolve` and `raw`, for GET and HEAD, with ranges.
//!
//! Every answer comes from here, with no redirect to a storage host: so it may, and does, carry
//! all that the clients read from the redirect of the Hub.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT, ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LINK, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use xet_core_structures::merklehash::MerkleHash;

use super::answer::{Answer, Refusal, header_text, set};
use super::git::{Entry, EntryKind};
use super::large::{self, Stored};
use super::pointer::Pointer;
use super::repos::{Target, readable};
use super::server::{Hub, Shared};
use super::signed::{base, cas_url};

/// What a client accepts that wants to fetch the bytes by Xet itself.
const XET_INFO: &str = "application/vnd.xet-fileinfo+json";

/// `GET|HEAD /{repo}/resolve/{revision}/{path}`: the file's bytes.
pub(super) async fn resolve(
    State(hub): State<Shared>,
    Path((namespace, name, revision, path)): Path<(String, String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let (entry, commit) = find(&hub, &target, revision, path).await?;
    match &entry.kind {
        EntryKind::Large(pointer, _) => {
            let stored = large::find(&hub, pointer).await.ok_or_else(|| {
                Refusal::new(StatusCode::NOT_FOUND, "the file's bytes are not in storage")
            })?;
            answer_large(&hub, &headers, &method, &target, &commit, pointer, stored).await
        }
        EntryKind::Folder | EntryKind::Regular(_) => {
            answer_regular(&hub, &headers, &method, &target, &entry, &commit).await
        }
    }
}

/// `GET|HEAD /{repo}/raw/{revision}/{path}`: what git holds; for a large file, its pointer.
pub(super) async fn raw(
    State(hub): State<Shared>,
    Path((namespace, name, revision, path)): Path<(String, String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let (entry, commit) = find(&hub, &target, revision, path).await?;
    answer_regular(&hub, &headers, &method, &target, &entry, &commit).await
}

/// The file, and the id of the commit that the revision names.
async fn find(
    hub: &Shared,
    target: &Target,
    revision: String,
    path: String,
) -> Answer<(Entry, String)> {
    target
        .git(hub, move |git| {
            let commit = git.resolve(&revision)?;
            let entry = git.entry(&commit, &path)?;
            if entry.kind == EntryKind::Folder {
                return Err(Refusal::entry_not_found(&path));
            }
            Ok((entry, commit.id().to_string()))
        })
        .await
}

async fn answer_regular(
    hub: &Shared,
    headers: &HeaderMap,
    method: &Method,
    target: &Target,
    entry: &Entry,
    commit: &str,
) -> Answer<Response> {
    let oid = entry.oid;
    // At most the Hub's limit for inline files; nothing larger can have been committed.
    let bytes = target.git(hub, move |git| git.read_blob(oid)).await?;
    let span = Span::asked(headers, bytes.len() as u64)?;
    let mut response = span.head(entry.path.as_str(), commit, &oid.to_string());
    // A picture is one only to a page that shows it: opened by itself it stays a download.
    let as_image = headers.get("sec-fetch-dest").is_some_and(|dest| dest == "image");
    let ending = entry.path.rsplit_once('.').map(|(_, ending)| ending);
    if as_image && ending == Some("svg") {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    }
    if method == Method::HEAD {
        return Ok(response);
    }
    let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let part = bytes[within(span.range.start)..within(span.range.end)].to_vec();
    *response.body_mut() = Body::from(part);
    Ok(response)
}

async fn answer_large(
    hub: &Hub,
    headers: &HeaderMap,
    method: &Method,
    target: &Target,
    commit: &str,
    pointer: &Pointer,
    stored: Stored,
) -> Answer<Response> {
    let wants_info = headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains(XET_INFO));
    let oid = pointer.oid.to_string();
    let span = match (&stored, wants_info) {
        (Stored::Xet(_), true) => Span::whole(pointer.size),
        _ => Span::asked(headers, pointer.size)?,
    };
    let mut response = span.head(&oid, commit, &oid);
    let answered = response.headers_mut();
    set(answered, "x-linked-etag", &format!("\"{oid}\""));
    set(answered, "x-linked-size", &pointer.size.to_string());
    if let Stored::Xet(hash) = &stored {
        set(answered, "x-xet-hash", &hash.hex());
        answered.insert(LINK, xet_links(hub, headers, target, commit, *hash));
        if wants_info {
            let body = json!({ "hash": hash.hex(), "size": pointer.size }).to_string();
            answered.insert(CONTENT_TYPE, HeaderValue::from_static(XET_INFO));
            answered.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            *response.body_mut() = Body::from(body);
            return Ok(response);
        }
    }
    if method != Method::HEAD {
        *response.body_mut() = large::read(hub, pointer, stored, span.range).await?;
    }
    Ok(response)
}

/// Where a client gets a Xet token, and how the file is put together.
fn xet_links(
    hub: &Hub,
    headers: &HeaderMap,
    target: &Target,
    commit: &str,
    hash: MerkleHash,
) -> HeaderValue {
    header_text(&format!(
        "<{}/api/{}/xet-read-token/{commit}>; rel=\"xet-auth\", \
         <{}/v1/reconstructions/{}>; rel=\"xet-reconstruction-info\"",
        base(hub, headers),
        target.repo.in_api(),
        cas_url(hub, headers),
        hash.hex(),
    ))
}

/// The part of a file that a request asks for.
struct Span {
    range: Range<u64>,
    size: u64,
    partial: bool,
}

impl Span {
    fn whole(size: u64) -> Self {
        Self { range: 0..size, size, partial: false }
    }

    /// Reads a `Range` header of one range; others are ignored, as RFC 9110 allows.
    fn asked(headers: &HeaderMap, size: u64) -> Answer<Self> {
        let asked = headers.get(RANGE).and_then(|value| value.to_str().ok());
        let bounds = asked
            .and_then(|value| value.strip_prefix("bytes="))
            .filter(|value| !value.contains(','))
            .and_then(|value| value.split_once('-'));
        let Some((first, last)) = bounds else { return Ok(Self::whole(size)) };
        let range = match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
            (Ok(first), Err(_)) if last.is_empty() => first..size,
            (Err(_), Ok(count)) if first.is_empty() => size.saturating_sub(count)..size,
            _ => return Ok(Self::whole(size)),
        };
        if range.is_empty() {
            let refusal = Refusal::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("the file has {size} bytes"),
            );
            return Err(refusal);
        }
        Ok(Self { range, size, partial: true })
    }

    /// An answer without its body.
    fn head(&self, name: &str, commit: &str, etag: &str) -> Response {
        let status = if self.partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        let mut response = status.into_response();
        let headers = response.headers_mut();
        headers.insert(ETAG, header_text(&format!("\"{etag}\"")));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.range.end - self.range.start));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        // Never shown as a page of the Hub's own: a file is what a stranger uploaded.
        let text = [".md", ".txt", ".json", ".yml", ".yaml", ".gitattributes"];
        let kind = if text.iter().any(|ending| name.ends_with(ending)) {
            "text/plain; charset=utf-8"
        } else {
            "application/octet-stream"
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
        set(headers, "x-content-type-options", "nosniff");
        set(headers, "content-security-policy", "default-src 'none'; sandbox");
        set(headers, "x-repo-commit", commit);
        if self.partial {
            let (first, last) = (self.range.start, self.range.end - 1);
            headers
                .insert(CONTENT_RANGE, header_text(&format!("bytes {first}-{last}/{}", self.size)));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(range: &str, size: u64) -> Option<(Range<u64>, bool)> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().expect("a header"));
        Span::asked(&headers, size).ok().map(|span| (span.range, span.partial))
    }

    #[test]
    fn ranges_as_rfc_9110_has_them() {
        assert_eq!(span("bytes=0-0", 10), Some((0..1, true)));
        assert_eq!(span("bytes=4-", 10), Some((4..10, true)));
        assert_eq!(span("bytes=-3", 10), Some((7..10, true)));
        assert_eq!(span("bytes=-30", 10), Some((0..10, true)));
        assert_eq!(span("bytes=8-99", 10), Some((8..10, true)));
        assert_eq!(span("bytes=8-18446744073709551615", 10), Some((8..10, true)));
        for whole in ["bytes=0-1,3-4", "bytes=5-4", "bytes=x-y", "lines=0-1", "bytes=-"] {
            assert_eq!(span(whole, 10), Some((0..10, false)), "{whole}");
        }
        for unsatisfiable in ["bytes=10-", "bytes=99-100"] {
            assert_eq!(span(unsatisfiable, 10), None, "{unsatisfiable}");
        }
        assert_eq!(span("bytes=0-0", 0), None);
    }
}
