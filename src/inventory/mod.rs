//! The artifact folder: every file opened once, read once, and in that one pass hashed,
//! recognised by content and scanned.

use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::rel_path::RelPath;
use crate::scan::{Detection, Format, Tensors};

/// Files up to this size are kept in memory for sending inline (the Hub takes small files in the
/// commit itself; it decides, this only bounds what is held).
pub const INLINE_LIMIT: u64 = 10 * 1024 * 1024;

/// One file, weighed.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Path in the published repository.
    pub path: RelPath,
    /// Where it lies on disk.
    pub on_disk: PathBuf,
    /// Path as findings show it: relative to the workspace, `/` separated.
    pub shown: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the whole content: the LFS oid and the signing digest.
    pub sha256: Digest,
    /// The git blob id, taken in the same pass (40 hex digits).
    pub git_oid: String,
    /// The first up to 512 bytes, for the Hub's preupload question.
    pub sample: Vec<u8>,
    /// What it is, by content.
    pub format: Format,
    /// What the scanners saw.
    pub detections: Vec<Detection>,
    /// Parameters, where the format has a header that tells.
    pub tensors: Option<Tensors>,
}

/// A name in the folder that was not weighed, and why. The scan gate turns these into findings;
/// what a policy pattern excluded is only listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unweighed {
    /// A pattern of the policy left it out.
    Excluded {
        /// As shown.
        shown: String,
        /// The pattern.
        pattern: String,
    },
    /// A symbolic link whose target is outside the folder, or that loops or dangles.
    BadLink {
        /// As shown.
        shown: String,
        /// What is wrong with it.
        why: String,
    },
    /// A name the Hub or a log line could not carry.
    BadName {
        /// As shown, made printable.
        shown: String,
        /// What is wrong with it.
        why: String,
    },
    /// A socket, device or pipe.
    NotAFile {
        /// As shown.
        shown: String,
    },
    /// The file could not be read to its end, or changed while it was read.
    Unreadable {
        /// As shown.
        shown: String,
        /// The error.
        why: String,
    },
}

/// The weighed folder, sorted by path.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The folder.
    pub root: PathBuf,
    /// Files that would be published.
    pub files: Vec<Artifact>,
    /// Names that would not.
    pub unweighed: Vec<Unweighed>,
}

impl Inventory {
    /// Total bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The file at a path in the repository.
    pub fn get(&self, path: &str) -> Option<&Artifact> {
        self.files.iter().find(|file| file.path.as_str() == path)
    }

    /// One digest over all files: SHA-256 over `<sha256> <size> <path>\n` lines in path order.
    pub fn manifest_digest(&self) -> Digest {
        let mut hasher = crate::digest::Hasher::default();
        for file in &self.files {
            hasher.update(format!("{} {} {}\n", file.sha256, file.size, file.path).as_bytes());
        }
        hasher.finish()
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}
