//! What stands in a part report: shapes of their own, so that what is written stays what is read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::Binding;
use crate::digest::{Digest, Hasher, Md5};
use crate::finding::Rule;
use crate::inventory::{self, Artifact, INLINE_LIMIT, Place, SAMPLE, Staged, Unread, Unweighed};
use crate::rel_path::RelPath;
use crate::scan::{Detection, Format, Tensors};

/// The version of the shape.
pub(super) const SCHEMA: &str = "weighbridge-part/1";

/// The file: a part, and its digest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    pub(super) digest: Digest,
    pub(super) part: Part,
}

/// A part of a release.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) schema: String,
    /// Which share, from 1.
    pub(super) shard: u16,
    pub(super) of: u16,
    pub(super) release: Binding,
    /// Over paths and sizes of the whole folder.
    pub(super) listing: Digest,
    /// Names of the folder that no share weighs; told by the first.
    pub(super) names: Vec<Aside>,
    /// Files of the share that could not be read.
    pub(super) unread: Vec<Broken>,
    pub(super) files: Vec<File>,
}

impl Part {
    /// The digest over the content as it is understood: compact JSON in the order of the shapes.
    pub(super) fn digest(&self) -> Digest {
        let mut hashing = Hashing(Hasher::default());
        // Nothing here can fail to be JSON, and hashing cannot fail.
        let _ = serde_json::to_writer(&mut hashing, self);
        hashing.0.finish()
    }
}

struct Hashing(Hasher);

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A file that could not be read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Broken {
    pub(super) path: RelPath,
    pub(super) size: u64,
    pub(super) why: String,
}

/// A name that is not weighed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Aside {
    Excluded { shown: String, pattern: String },
    BadLink { shown: String, why: String },
    BadName { shown: String, why: String },
    NotAFile { shown: String },
    Unreadable { shown: String, why: String },
}

/// A file, weighed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) path: RelPath,
    pub(super) size: u64,
    pub(super) sha256: Digest,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) git_oid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) md5: Option<String>,
    /// The first bytes, in base64.
    pub(super) sample: String,
    pub(super) format: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) detections: Vec<Seen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tensors: Option<Tensors>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// Its content lies beside the part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) kept: bool,
}

/// What a scanner saw.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    pub(super) rule: String,
    pub(super) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) member: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<String>,
}

impl From<&Unread> for Broken {
    fn from(file: &Unread) -> Self {
        Self { path: file.path.clone(), size: file.size, why: file.why.clone() }
    }
}

impl Broken {
    pub(super) fn into_unread(self, shown_root: &str) -> Unread {
        let shown = inventory::shown(shown_root, &self.path);
        Unread { path: self.path, shown, size: self.size, why: self.why }
    }
}

impl From<&Unweighed> for Aside {
    fn from(name: &Unweighed) -> Self {
        match name.clone() {
            Unweighed::Excluded { shown, pattern } => Self::Excluded { shown, pattern },
            Unweighed::BadLink { shown, why } => Self::BadLink { shown, why },
            Unweighed::BadName { shown, why } => Self::BadName { shown, why },
            Unweighed::NotAFile { shown } => Self::NotAFile { shown },
            Unweighed::Unreadable { shown, why } => Self::Unreadable { shown, why },
        }
    }
}

impl From<Aside> for Unweighed {
    fn from(name: Aside) -> Self {
        let safe = |shown: String| inventory::printable(&shown);
        match name {
            Aside::Excluded { shown, pattern } => Self::Excluded { shown: safe(shown), pattern },
            Aside::BadLink { shown, why } => Self::BadLink { shown: safe(shown), why },
            Aside::BadName { shown, why } => Self::BadName { shown: safe(shown), why },
            Aside::NotAFile { shown } => Self::NotAFile { shown: safe(shown) },
            Aside::Unreadable { shown, why } => Self::Unreadable { shown: safe(shown), why },
        }
    }
}

impl File {
    pub(super) fn of(file: &Artifact, kept: bool) -> Self {
        Self {
            path: file.path.clone(),
            size: file.size,
            sha256: file.sha256,
            git_oid: file.git_oid.clone(),
            md5: file.md5.map(|md5| md5.to_string()),
            sample: STANDARD.encode(&file.sample),
            format: file.format.as_str().to_owned(),
            detections: file.detections.iter().map(Seen::from).collect(),
            tensors: file.tensors.clone(),
            text: file.text.clone(),
            kept,
        }
    }

    /// The artifact, or what in it cannot be. `kept` is where its content would lie.
    pub(super) fn into_artifact(
        self,
        rules: &BTreeMap<&str, &'static Rule>,
        shown_root: &str,
        staged: impl FnOnce(Option<&Digest>) -> Staged,
    ) -> Result<Artifact, String> {
        let bad = |what: &str| format!("the {what} of `{}` cannot be", self.path);
        let sample = STANDARD.decode(&self.sample).map_err(|_| bad("beginning"))?;
        if sample.len() as u64 != self.size.min(SAMPLE as u64) {
            return Err(bad("beginning"));
        }
        let is_oid = |text: &str| {
            text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let fits =
            if self.size <= INLINE_LIMIT { is_oid(&self.git_oid) } else { self.git_oid.is_empty() };
        if !fits {
            return Err(bad("git id"));
        }
        let md5 = self.md5.as_deref().map(|text| Md5::parse(text).ok_or_else(|| bad("MD5")));
        if self.text.as_ref().is_some_and(|text| Digest::of(text.as_bytes()) != self.sha256) {
            return Err(bad("text"));
        }
        let format = Format::named(&self.format).ok_or_else(|| bad("format"))?;
        let detections: Option<Vec<_>> =
            self.detections.iter().map(|seen| seen.detection(rules)).collect();
        Ok(Artifact {
            place: Place::Staged(staged(self.kept.then_some(&self.sha256))),
            shown: inventory::shown(shown_root, &self.path),
            size: self.size,
            sha256: self.sha256,
            md5: md5.transpose()?,
            sample,
            format,
            detections: detections.ok_or_else(|| bad("rule of a detection"))?,
            git_oid: self.git_oid,
            // Nothing of it is sent from here.
            seals: Arc::default(),
            tensors: self.tensors,
            text: self.text,
            path: self.path,
        })
    }
}

impl From<&Detection> for Seen {
    fn from(seen: &Detection) -> Self {
        Self {
            rule: seen.rule.id.to_owned(),
            message: seen.message.clone(),
            line: seen.line,
            column: seen.column,
            member: seen.member.clone(),
            offset: seen.offset,
            subject: seen.subject.clone(),
            evidence: seen.evidence.clone(),
        }
    }
}

impl Seen {
    fn detection(&self, rules: &BTreeMap<&str, &'static Rule>) -> Option<Detection> {
        Some(Detection {
            rule: rules.get(self.rule.as_str())?,
            message: self.message.clone(),
            line: self.line,
            column: self.column,
            member: self.member.clone(),
            offset: self.offset,
            subject: self.subject.clone(),
            evidence: self.evidence.clone(),
        })
    }
}

/// Where the content of a file lies, beside the part in `folder`.
pub(super) fn kept_in(folder: &std::path::Path, sha256: &Digest) -> PathBuf {
    folder.join(super::FILES).join(sha256.to_string())
}
