//! The LFS endpoints and the Xet tokens: how large files are let in
//! (<https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md>, and the Hub's `multipart`
//! and `xet` transfers as `huggingface_hub` and `@huggingface/hub` speak them).

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, read_json, set};
use super::large::{self, Incoming};
use super::multipart;
use super::options::Transfers;
use super::pointer::Pointer;
use super::preupload::Proposal;
use super::repos::{Target, proposable, readable, writable};
use super::server::{Hub, Shared};
use super::signed::{base, cas_url};
use crate::digest::Digest;

/// The media type of the LFS API.
const LFS_JSON: HeaderValue = HeaderValue::from_static("application/vnd.git-lfs+json");
/// The most objects of one request, as the Hub has it.
const OBJECTS_MAX: usize = 1000;
/// The largest file: the Hub's own hard limit of 500 GB.
const FILE_MAX: u64 = 500_000_000_000;
/// Files above this size go in parts, where the client can: 64 MiB.
const MULTIPART_ABOVE: u64 = 64 * 1024 * 1024;
/// How long a Xet token is said to hold, in seconds.
const TOKEN_SECONDS: i64 = 3600;

#[derive(Deserialize)]
struct Batch {
    operation: String,
    #[serde(default)]
    transfers: Vec<String>,
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    size: u64,
}

#[derive(Clone, Copy)]
enum Transfer {
    Basic,
    Multipart,
    Xet,
}

impl Transfer {
    fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Multipart => "multipart",
            Self::Xet => "xet",
        }
    }
}

/// `POST /{repo}.git/info/lfs/objects/batch`.
pub(super) async fn batch(
    State(hub): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let name = name.strip_suffix(".git").unwrap_or(&name);
    let batch: Batch = read_json(body).await?;
    // A pull request's files are let in for every signed-in reader, as their owner is not told.
    let target = proposable(&hub, &headers, &namespace, name)?;
    if batch.operation != "upload" {
        return Err(Refusal::bad_request("downloads go through `resolve`; only `upload` is known"));
    }
    if batch.objects.len() > OBJECTS_MAX {
        return Err(Refusal::bad_request(format!("more than {OBJECTS_MAX} objects")));
    }
    let transfer = choose(&hub, &batch);
    let mut objects = Vec::with_capacity(batch.objects.len());
    for object in &batch.objects {
        objects.push(let_in(&hub, &headers, &target, transfer, object).await);
    }
    let answer = json!({ "transfer": transfer.name(), "objects": objects, "hash_algo": "sha256" });
    Ok(([(CONTENT_TYPE, LFS_JSON)], answer.to_string()).into_response())
}

fn choose(hub: &Hub, batch: &Batch) -> Transfer {
    let offers = |name: &str| batch.transfers.iter().any(|offered| offered == name);
    let largest = batch.objects.iter().map(|object| object.size).max().unwrap_or(0);
    match hub.options.lfs_transfer {
        Transfers::Auto if offers("xet") => Transfer::Xet,
        Transfers::Auto if offers("multipart") && largest > MULTIPART_ABOVE => Transfer::Multipart,
        Transfers::ForceMultipart { chunk } if offers("multipart") && largest > chunk => {
            Transfer::Multipart
        }
        Transfers::Auto | Transfers::ForceBasic | Transfers::ForceMultipart { .. } => {
            Transfer::Basic
        }
    }
}

async fn let_in(
    hub: &Hub,
    headers: &HeaderMap,
    target: &Target,
    transfer: Transfer,
    object: &Object,
) -> Value {
    let refused = |message: &str| {
        json!({
            "oid": object.oid, "size": object.size,
            "error": { "code": 422, "message": message },
        })
    };
    let Ok(oid) = object.oid.parse::<Digest>() else {
        return refused("the oid is no SHA-256 digest");
    };
    if object.size > FILE_MAX {
        return refused("the file is larger than 500 GB");
    }
    let pointer = Pointer { oid, size: object.size };
    let mut answer = json!({ "oid": object.oid, "size": object.size, "authenticated": true });
    if large::find(hub, &pointer).await.is_none() {
        answer["actions"] = actions(hub, headers, target, transfer, &pointer);
    }
    answer
}

fn actions(
    hub: &Hub,
    headers: &HeaderMap,
    target: &Target,
    transfer: Transfer,
    pointer: &Pointer,
) -> Value {
    let base = base(hub, headers);
    let session = format!("{:016x}", fastrand::u64(..));
    let upload = match transfer {
        Transfer::Basic => {
            json!({ "href": format!("{base}{}", hub.key.path("basic", pointer, &session)) })
        }
        Transfer::Multipart => multipart::action(hub, &base, pointer, &session),
        Transfer::Xet => {
            let token = XetToken::new(hub, headers);
            json!({
                "href": format!("{base}/api/{}/xet-write-token/main", target.repo.in_api()),
                "header": {
                    "X-Xet-Cas-Url": token.cas_url,
                    "X-Xet-Access-Token": token.access_token,
                    "X-Xet-Token-Expiration": token.expires.to_string(),
                    "X-Xet-Session-Id": session,
                },
            })
        }
    };
    let verify = format!("{base}/{}.git/info/lfs/objects/verify", target.repo);
    json!({ "upload": upload, "verify": { "href": verify } })
}

/// `PUT` to a pre-signed URL: the whole file.
pub(super) async fn put_basic(
    State(hub): State<Shared>,
    Path((oid, size, session, signature)): Path<(String, u64, String, String)>,
    body: Body,
) -> Answer<StatusCode> {
    let pointer = signed_for(&oid, size)?;
    hub.key.check("basic", &pointer, &session, &signature)?;
    let incoming = Incoming::receive(&hub.store.tmp(), pointer.size, body).await?;
    incoming.finish(hub.store.root(), &pointer)?;
    Ok(StatusCode::OK)
}

/// The file that a storage URL names.
pub(super) fn signed_for(oid: &str, size: u64) -> Answer<Pointer> {
    let oid = oid.parse().map_err(|_| Refusal::not_found())?;
    Ok(Pointer { oid, size })
}

/// `POST /{repo}.git/info/lfs/objects/verify`: is the file there, and as large as told?
pub(super) async fn verify(
    State(hub): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<StatusCode> {
    let name = name.strip_suffix(".git").unwrap_or(&name);
    proposable(&hub, &headers, &namespace, name)?;
    let object: Object = read_json(body).await?;
    let pointer = signed_for(&object.oid, object.size)?;
    match large::find(&hub, &pointer).await {
        Some(_) => Ok(StatusCode::OK),
        None => Err(Refusal::new(StatusCode::NOT_FOUND, "the object is not in storage")),
    }
}

struct XetToken {
    cas_url: String,
    access_token: String,
    expires: i64,
}

impl XetToken {
    fn new(hub: &Hub, headers: &HeaderMap) -> Self {
        Self {
            cas_url: cas_url(hub, headers),
            // The simulated CAS takes any token; this one only has to look like one.
            access_token: format!("xet_{:016x}", fastrand::u64(..)),
            expires: Timestamp::now().as_second() + TOKEN_SECONDS,
        }
    }

    fn answer(&self) -> Response {
        let body = json!({
            "casUrl": self.cas_url, "exp": self.expires, "accessToken": self.access_token,
        });
        let mut response = Json(body).into_response();
        let headers = response.headers_mut();
        set(headers, "x-xet-cas-url", &self.cas_url);
        set(headers, "x-xet-access-token", &self.access_token);
        set(headers, "x-xet-token-expiration", &self.expires.to_string());
        response
    }
}

/// `GET …/xet-write-token/{revision}`.
pub(super) async fn xet_write_token(
    State(hub): State<Shared>,
    Path((namespace, name, _revision)): Path<(String, String, String)>,
    Query(proposal): Query<Proposal>,
    headers: HeaderMap,
) -> Answer<Response> {
    if proposal.wanted() {
        proposable(&hub, &headers, &namespace, &name)?;
    } else {
        writable(&hub, &headers, &namespace, &name)?;
    }
    xet_token(&hub, &headers)
}

/// `GET …/xet-read-token/{revision}`.
pub(super) async fn xet_read_token(
    State(hub): State<Shared>,
    Path((namespace, name, _revision)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    readable(&hub, &headers, &namespace, &name)?;
    xet_token(&hub, &headers)
}

fn xet_token(hub: &Hub, headers: &HeaderMap) -> Answer<Response> {
    if hub.options.lfs_transfer != Transfers::Auto {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "this Hub is set up to know no Xet"));
    }
    Ok(XetToken::new(hub, headers).answer())
}
