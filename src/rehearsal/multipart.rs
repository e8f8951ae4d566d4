//! A large file in parts: each part is PUT to its own pre-signed URL, then their ETags are handed
//! in and the parts become one file.

use std::path::PathBuf;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, header_text, read_json};
use super::large::Incoming;
use super::lfs::signed_for;
use super::pointer::Pointer;
use super::server::{Hub, Shared};
use crate::digest::Digest;

/// The most parts of a file, as in S3.
const PARTS_MAX: u64 = 10_000;

/// The batch answer's upload action: the URL to complete at, and the URL of every part.
pub(super) fn action(hub: &Hub, base: &str, pointer: &Pointer, session: &str, chunk: u64) -> Value {
    let chunk = chunk.max(pointer.size.div_ceil(PARTS_MAX));
    let mut header = Map::new();
    header.insert("chunk_size".to_owned(), chunk.to_string().into());
    let path = hub.key.path("part", pointer, session);
    for number in 1..=pointer.size.div_ceil(chunk) {
        header.insert(number.to_string(), format!("{base}{path}/{number}").into());
    }
    json!({
        "href": format!("{base}{}", hub.key.path("complete", pointer, session)),
        "header": header,
    })
}

/// Where the parts of an upload stand; its segments were checked by the signature.
fn folder(hub: &Hub, pointer: &Pointer, session: &str) -> PathBuf {
    hub.store.tmp().join(format!("{}-{session}", pointer.oid))
}

/// `PUT` of one part.
pub(super) async fn put_part(
    State(hub): State<Shared>,
    Path((oid, size, session, signature, number)): Path<(String, u64, String, String, u64)>,
    body: Body,
) -> Answer<Response> {
    let pointer = signed_for(&oid, size)?;
    hub.key.check("part", &pointer, &session, &signature)?;
    if !(1..=PARTS_MAX).contains(&number) {
        return Err(Refusal::bad_request(format!("part numbers go from 1 to {PARTS_MAX}")));
    }
    let mut incoming = Incoming::start(&hub.store.tmp(), pointer.size)?;
    incoming.receive(body).await?;
    let unnamed = folder(&hub, &pointer, &session).join(number.to_string());
    let digest = incoming.finish_at(&unnamed).await?;
    // The digest is in the part's name too, so that completing need not read it for its ETag.
    tokio::fs::rename(&unnamed, unnamed.with_extension(digest.to_string())).await?;
    Ok([(ETAG, header_text(&format!("\"{digest}\"")))].into_response())
}

#[derive(Deserialize)]
struct Completion {
    oid: String,
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    part_number: u64,
    etag: String,
}

/// `POST` of the completion: the parts, in order, are the file.
pub(super) async fn complete(
    State(hub): State<Shared>,
    Path((oid, size, session, signature)): Path<(String, u64, String, String)>,
    body: Body,
) -> Answer<Response> {
    let pointer = signed_for(&oid, size)?;
    hub.key.check("complete", &pointer, &session, &signature)?;
    let completion: Completion = read_json(body).await?;
    if completion.oid != oid {
        return Err(Refusal::bad_request("the completion names another oid"));
    }
    let folder = folder(&hub, &pointer, &session);
    let mut whole = Incoming::start(&hub.store.tmp(), pointer.size)?;
    for (part, number) in completion.parts.iter().zip(1..) {
        let digest: Option<Digest> = part.etag.trim_matches('"').parse().ok();
        let Some(digest) = digest.filter(|_| part.part_number == number) else {
            return Err(Refusal::bad_request(format!("part {number} is not handed in as sent")));
        };
        let path = folder.join(format!("{number}.{digest}"));
        whole.append_file(&path).await.map_err(|_| {
            Refusal::bad_request(format!("part {number} was not received with this ETag"))
        })?;
    }
    whole.finish(hub.store.root(), &pointer).await?;
    let _ = tokio::fs::remove_dir_all(folder).await;
    Ok(Json(json!({})).into_response())
}
