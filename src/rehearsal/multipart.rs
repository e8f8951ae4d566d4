//! A large file in parts: each part is PUT to its own pre-signed URL and written to its place in the
//! file at once, in any order; then the ETags are handed in. The file is hashed from its first byte
//! on, as far as it has come, while later parts are still on their way.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, blocking, header_text, read_json};
use super::large;
use super::lfs::signed_for;
use super::options::Transfers;
use super::pointer::Pointer;
use super::pour::pour;
use super::server::{Hub, Shared};
use crate::digest::{Digest, Hasher};

/// The most parts of a file, as in S3.
const PARTS_MAX: u64 = 10_000;
/// The size of a part where the options name none: 16 MiB, as the Hub's.
const PART: u64 = 16 * 1024 * 1024;
/// How many bytes are hashed at a time.
const BUFFER: usize = 1024 * 1024;

/// The files that are coming in parts, by the session in their URLs.
#[derive(Default)]
pub(super) struct Uploads(Mutex<HashMap<String, Arc<Upload>>>);

/// A file that is coming in parts.
struct Upload {
    file: File,
    size: u64,
    chunk: u64,
    writing: Mutex<()>,
    parts: Mutex<Parts>,
    /// Taken by whoever hashes.
    hashed: Mutex<Hashed>,
    /// Held while a part is written; whoever completes the file waits for all of them and says
    /// with `None` that no more may come.
    path: tokio::sync::RwLock<Option<tempfile::TempPath>>,
}

/// Which parts are there.
#[derive(Default)]
struct Parts {
    tags: BTreeMap<u64, String>,
    /// Parts whose bytes are hashed, or are just being.
    hashed: u64,
    /// One of those came again: the hash is of bytes that may not be there any more.
    spoiled: bool,
}

/// The file as far as it is hashed.
#[derive(Default)]
struct Hashed {
    hasher: Hasher,
}

impl Uploads {
    fn get(&self, session: &str, start: impl FnOnce() -> Answer<Upload>) -> Answer<Arc<Upload>> {
        let mut uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(upload) = uploads.get(session) {
            return Ok(upload.clone());
        }
        let upload = Arc::new(start()?);
        uploads.insert(session.to_owned(), upload.clone());
        Ok(upload)
    }

    fn find(&self, session: &str) -> Option<Arc<Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(session).cloned()
    }

    fn end(&self, session: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(session);
    }
}

impl Upload {
    fn start(tmp: &FilePath, pointer: &Pointer, chunk: u64) -> Answer<Self> {
        let (file, path) = tempfile::NamedTempFile::new_in(tmp)?.into_parts();
        Ok(Self {
            file,
            size: pointer.size,
            chunk,
            writing: Mutex::default(),
            parts: Mutex::default(),
            hashed: Mutex::default(),
            path: tokio::sync::RwLock::new(Some(path)),
        })
    }

    fn count(&self) -> u64 {
        self.size.div_ceil(self.chunk)
    }

    /// Where a part, from 1, stands.
    fn range(&self, number: u64) -> (u64, u64) {
        let from = (number - 1).saturating_mul(self.chunk).min(self.size);
        (from, from.saturating_add(self.chunk).min(self.size))
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part is about to be written: what was there of it counts no more.
    fn expect(&self, number: u64) {
        let mut parts = self.parts();
        parts.tags.remove(&number);
        parts.spoiled |= number <= parts.hashed;
    }

    /// A part is there; returns the tag by which it is handed in.
    fn arrived(&self, number: u64) -> String {
        let tag = format!("\"{:032x}\"", fastrand::u128(..));
        self.parts().tags.insert(number, tag.clone());
        tag
    }

    /// Hashes the parts that are there, in order, up to the first that is not.
    fn hash_on(&self, hashed: &mut Hashed) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let number = {
                let mut parts = self.parts();
                let next = parts.hashed + 1;
                if parts.spoiled || !parts.tags.contains_key(&next) {
                    return Ok(());
                }
                parts.hashed = next;
                next
            };
            let (mut at, end) = self.range(number);
            while at < end {
                let length = usize::try_from(end - at).unwrap_or(BUFFER).min(BUFFER);
                self.file.read_exact_at(&mut buffer[..length], at)?;
                hashed.hasher.update(&buffer[..length]);
                at += length as u64;
            }
        }
    }

    /// Hashes on, if nobody does.
    fn hash_ahead(&self) {
        if let Ok(mut hashed) = self.hashed.try_lock() {
            // What cannot be read now is read again when the file is completed, and told then.
            if self.hash_on(&mut hashed).is_err() {
                self.parts().spoiled = true;
            }
        }
    }

    /// The digest of the whole, once no part can come any more.
    fn digest(&self) -> io::Result<Digest> {
        let mut hashed = self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut parts = self.parts();
            if parts.spoiled {
                (parts.spoiled, parts.hashed) = (false, 0);
                *hashed = Hashed::default();
            }
        }
        self.hash_on(&mut hashed)?;
        Ok(std::mem::take(&mut hashed.hasher).finish())
    }

    /// Whether these are all parts, as they were received.
    fn check(&self, handed_in: &[Part]) -> Answer<()> {
        let parts = self.parts();
        for number in 1..=self.count() {
            let part = usize::try_from(number - 1).ok().and_then(|at| handed_in.get(at));
            let is_it = part.is_some_and(|part| {
                part.part_number == number && parts.tags.get(&number) == Some(&part.etag)
            });
            if !is_it {
                let why = format!("part {number} is not handed in as it was received");
                return Err(Refusal::bad_request(why));
            }
        }
        Ok(())
    }
}

/// The size of each part but the last.
fn chunk(hub: &Hub, pointer: &Pointer) -> u64 {
    let chunk = match hub.options.lfs_transfer {
        Transfers::ForceMultipart { chunk } => chunk.max(1),
        Transfers::Auto | Transfers::ForceBasic => PART,
    };
    chunk.max(pointer.size.div_ceil(PARTS_MAX))
}

/// The batch answer's upload action: the URL to complete at, and the URL of every part.
pub(super) fn action(hub: &Hub, base: &str, pointer: &Pointer, session: &str) -> Value {
    let chunk = chunk(hub, pointer);
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

/// `PUT` of one part.
pub(super) async fn put_part(
    State(hub): State<Shared>,
    Path((oid, size, session, signature, number)): Path<(String, u64, String, String, u64)>,
    body: Body,
) -> Answer<Response> {
    let pointer = signed_for(&oid, size)?;
    hub.key.check("part", &pointer, &session, &signature)?;
    let start = || Upload::start(&hub.store.tmp(), &pointer, chunk(&hub, &pointer));
    let upload = hub.uploads.get(&session, start)?;
    if !(1..=upload.count()).contains(&number) {
        return Err(Refusal::bad_request(format!("the file has {} parts", upload.count())));
    }
    let path = upload.path.read().await;
    if path.is_none() {
        return Err(Refusal::not_found());
    }
    upload.expect(number);
    let (from, to) = upload.range(number);
    let place = (upload.clone(), from);
    let (_, length) = pour(body, to - from, place, |(upload, at), pieces| {
        // Writers to one file wait for each other anyway, and the system's way is to spin.
        let _turn = upload.writing.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in pieces {
            upload.file.write_all_at(piece, *at)?;
            *at += piece.len() as u64;
        }
        Ok(())
    })
    .await?;
    if length != to - from {
        let why = format!("part {number} has {} bytes, {length} came", to - from);
        return Err(Refusal::bad_request(why));
    }
    let tag = upload.arrived(number);
    drop(path);
    tokio::task::spawn_blocking(move || upload.hash_ahead());
    Ok([(ETAG, header_text(&tag))].into_response())
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
    let Some(upload) = hub.uploads.find(&session) else {
        // The answer to the first completion may have been lost.
        let done = large::find(&hub, &pointer).await;
        return done.map(|_| Json(json!({})).into_response()).ok_or_else(Refusal::not_found);
    };
    let mut path = upload.path.write().await;
    upload.check(&completion.parts)?;
    let Some(file) = path.take() else { return Err(Refusal::not_found()) };
    hub.uploads.end(&session);
    let (hashing, root) = (upload.clone(), hub.store.root().to_owned());
    blocking(move || large::place(file, pointer.size, hashing.digest()?, &root, &pointer)).await?;
    Ok(Json(json!({})).into_response())
}
