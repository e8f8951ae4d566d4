//! Digests: SHA-256 (the LFS oid, the signing digest), git blob ids (how the Hub names small files)
//! and MD5 (how DVC pins files). This is the only module that hashes, so that "one read per byte" can be seen here.

mod keyed;
mod own;
mod seal;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

pub use keyed::keyed;
pub use own::{has_own_digest, with_own_digest};
pub use seal::{BLOCK, Sealer, Seals};

/// A SHA-256 digest; written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Text that is not 64 lower-case hex digits.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is not a SHA-256 digest: expected 64 lower-case hex digits")]
pub struct NotADigest(String);

impl Digest {
    /// What stands where a digest is asked for and nothing has one: that of no bytes that anybody knows.
    pub const ZERO: Self = Self([0; 32]);

    /// The digest of bytes already in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The 32 raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut bytes = [0; 32];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if lower => Ok(Self(bytes)),
            _ => Err(NotADigest(text.chars().take(80).collect())),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A running SHA-256.
#[derive(Clone, Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything added.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// The id git gives a file with these bytes (SHA-1 over `blob <len>\0<bytes>`), 40 hex digits.
/// The Hub's preupload and tree answers name small files by it.
pub fn git_blob_id(bytes: &[u8]) -> String {
    let mut hasher = BlobHasher::new(bytes.len() as u64);
    hasher.update(bytes);
    hasher.finish()
}

/// A running git blob id, for a file whose size is known before.
#[derive(Clone)]
pub struct BlobHasher(sha1::Sha1);

impl BlobHasher {
    /// Begins with git's header.
    pub fn new(size: u64) -> Self {
        let mut hasher = sha1::Sha1::default();
        hasher.update(format!("blob {size}\0"));
        Self(hasher)
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The id, 40 hex digits.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

/// An MD5, by which DVC names content; it proves nothing against somebody who wants it to match.
/// Written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Md5([u8; 16]);

impl Md5 {
    /// The MD5 of bytes already in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(md5::Md5::digest(bytes).into())
    }

    /// Reads 32 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }
}

impl fmt::Display for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Md5({self})")
    }
}

/// A running MD5.
#[derive(Clone, Default)]
pub struct Md5Hasher(md5::Md5);

impl Md5Hasher {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The MD5 of everything added.
    pub fn finish(self) -> Md5 {
        Md5(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(empty.parse::<Digest>().expect("valid"), Digest::of(b""));
        assert!(empty.to_uppercase().parse::<Digest>().is_err());
        // `printf 'hello\n' | git hash-object --stdin`
        assert_eq!(git_blob_id(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
        // `md5sum`
        assert_eq!(Md5::of(b"hello\n").to_string(), "b1946ac92492d2347c6235b4d2611184");
    }
}
