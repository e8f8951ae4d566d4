//! JSON as the Hub writes it. Unknown fields are ignored; what is relied on is named.

mod who;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use who::{
    AccessToken, Auth, Entity, FineGrained, Kind, Org, Resource, ResourceGroup, Role, Scope, WhoAmI,
};

/// `GET …/refs`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Refs {
    /// Branches.
    pub branches: Vec<Ref>,
    /// Tags.
    pub tags: Vec<Ref>,
}

/// A branch or tag.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ref {
    /// Short name.
    pub name: String,
    /// Commit, 40 hex digits.
    pub target_commit: String,
}

/// An entry of `GET …/commits/{revision}`.
#[derive(Debug, Clone, Deserialize)]
pub struct CommitEntry {
    /// Commit, 40 hex digits.
    pub id: String,
    /// First line of its message.
    pub title: String,
    /// When it was made, as it says itself.
    #[serde(default, deserialize_with = "who::or_default")]
    pub date: String,
    /// Who made it, as the Hub names them.
    #[serde(default, deserialize_with = "who::or_default")]
    pub authors: Vec<Author>,
}

/// Who made a commit.
#[derive(Debug, Clone, Deserialize)]
pub struct Author {
    /// The name of a user, or of whoever git names.
    #[serde(default, deserialize_with = "who::or_default")]
    pub user: String,
}

/// What `GET /api/{models,datasets}/{id}?expand[]=cardData` tells.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Stated {
    /// The metadata of its card.
    #[serde(rename = "cardData")]
    pub(super) card_data: Option<CardData>,
}

/// The part of a card's metadata that matters to those who build on it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CardData {
    /// Licence ids.
    pub(super) license: Option<OneOrMore>,
}

/// A text or a list of texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    /// A text.
    One(String),
    /// A list.
    More(Vec<String>),
}

/// An entry of `GET …/tree/{revision}`.
#[derive(Debug, Clone, Deserialize)]
pub struct TreeEntry {
    /// `file` or `directory`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Path.
    pub path: String,
    /// Git id.
    pub oid: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// Where the content is in large-file storage.
    #[serde(default)]
    pub lfs: Option<LfsInfo>,
    /// Its name in Xet storage, where it is there.
    #[serde(default, rename = "xetHash")]
    pub xet_hash: Option<String>,
}

/// The `lfs` of a tree entry.
#[derive(Debug, Clone, Deserialize)]
pub struct LfsInfo {
    /// SHA-256, 64 hex digits.
    pub oid: String,
    /// Bytes.
    pub size: u64,
}

/// A file of `POST …/preupload/{revision}`.
#[derive(Debug, Serialize)]
pub struct PreuploadFile<'a> {
    /// Path.
    pub path: &'a str,
    /// Bytes.
    pub size: u64,
    /// Base64 of the first 512 bytes.
    pub sample: String,
}

/// The answer of preupload.
#[derive(Debug, Deserialize)]
pub struct Preupload {
    /// One answer a file.
    pub files: Vec<PreuploadAnswer>,
}

/// What the Hub wants of one file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreuploadAnswer {
    /// Path.
    pub path: String,
    /// `lfs` or `regular`.
    pub upload_mode: String,
}

/// The answer of the LFS batch call.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// `basic`, `multipart` or `xet`; basic when absent (Git LFS API).
    #[serde(default)]
    pub transfer: Option<String>,
    /// One answer an object.
    pub objects: Vec<BatchObject>,
}

/// The answer for one object; no actions and no error means it is stored already.
#[derive(Debug, Deserialize)]
pub struct BatchObject {
    /// SHA-256.
    pub oid: String,
    /// What to do.
    #[serde(default)]
    pub actions: Option<Actions>,
    /// Why it is refused.
    #[serde(default)]
    pub error: Option<ObjectError>,
}

/// Why an object is refused.
#[derive(Debug, Deserialize)]
pub struct ObjectError {
    /// Words.
    pub message: String,
}

/// Upload and verify.
#[derive(Debug, Deserialize)]
pub struct Actions {
    /// Where to send it.
    pub upload: Option<Action>,
    /// Where to say that it was sent.
    pub verify: Option<Action>,
}

/// An address with headers.
#[derive(Debug, Clone, Deserialize)]
pub struct Action {
    /// Address.
    pub href: String,
    /// Headers to send; for multipart `chunk_size` and the parts' addresses.
    #[serde(default)]
    pub header: BTreeMap<String, serde_json::Value>,
}

/// The Xet token answer. It cannot be printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct XetToken {
    /// Address of the content-addressed store.
    pub cas_url: String,
    /// When the token ends, seconds since 1970.
    pub exp: u64,
    /// The token.
    pub access_token: Zeroizing<String>,
}

/// The answer of a commit.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Committed {
    /// The new commit.
    pub commit_oid: String,
}

/// `GET …/scan`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanStatus {
    /// Whether every scan has ended.
    pub scans_done: bool,
    /// Files with something to say.
    pub files_with_issues: Vec<ScanIssue>,
}

/// A file the Hub's scanners object to.
#[derive(Debug, Deserialize)]
pub struct ScanIssue {
    /// Path.
    pub path: String,
    /// unscanned, safe, queued, error, caution, suspicious, unsafe.
    pub level: String,
}
