//! Where the bytes of large files are: LFS storage on disk, or Xet. Found by SHA-256.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use axum::body::Body;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;
use xet_core_structures::merklehash::MerkleHash;

use super::answer::{Answer, Refusal};
use super::pointer::Pointer;
use super::server::Hub;
use crate::digest::{Digest, Hasher};

/// How many bytes are gathered before they are written, and read at a time.
const BUFFER: usize = 1024 * 1024;

/// Where a large file's bytes are.
pub(super) enum Stored {
    Lfs(PathBuf),
    Xet(MerkleHash),
}

/// The bytes of a large file, if they are here with the size told.
pub(super) async fn find(hub: &Hub, pointer: &Pointer) -> Option<Stored> {
    let (stored, size) = locate(hub, pointer.oid).await?;
    (size == pointer.size).then_some(stored)
}

/// The bytes of a large file and their number, if they are here.
pub(super) async fn locate(hub: &Hub, oid: Digest) -> Option<(Stored, u64)> {
    let path = lfs_path(hub.store.root(), oid);
    match tokio::fs::metadata(&path).await {
        Ok(found) => Some((Stored::Lfs(path), found.len())),
        Err(_) => hub.xet.find(oid).await.map(|(hash, size)| (Stored::Xet(hash), size)),
    }
}

/// Streams the bytes `range` of a large file.
pub(super) async fn read(hub: &Hub, stored: Stored, range: Range<u64>) -> Answer<Body> {
    match stored {
        Stored::Lfs(path) => {
            let mut file = tokio::fs::File::open(path).await?;
            file.seek(io::SeekFrom::Start(range.start)).await?;
            let part = file.take(range.end - range.start);
            Ok(Body::from_stream(ReaderStream::with_capacity(part, BUFFER)))
        }
        Stored::Xet(hash) => match hub.xet.read(hash, range).await {
            Ok(bytes) => Ok(Body::from_stream(bytes)),
            Err(error) => Err(io::Error::other(error).into()),
        },
    }
}

fn lfs_path(root: &Path, oid: Digest) -> PathBuf {
    let name = oid.to_string();
    root.join("lfs").join(&name[..2]).join(&name[2..4]).join(name)
}

/// A large file on its way in: written beside its place, hashed while it comes.
pub(super) struct Incoming {
    file: tokio::fs::File,
    path: tempfile::TempPath,
    hasher: Hasher,
    size: u64,
    limit: u64,
}

impl Incoming {
    /// Starts a file of at most `limit` bytes in `tmp`.
    pub(super) fn start(tmp: &Path, limit: u64) -> Answer<Self> {
        let (file, path) = tempfile::NamedTempFile::new_in(tmp)?.into_parts();
        let file = tokio::fs::File::from_std(file);
        Ok(Self { file, path, hasher: Hasher::default(), size: 0, limit })
    }

    /// Appends a request's body.
    pub(super) async fn receive(&mut self, body: Body) -> Answer<()> {
        let mut stream = body.into_data_stream();
        let mut buffer = BytesMut::with_capacity(BUFFER);
        while let Some(bytes) = stream.next().await {
            let bytes = bytes
                .map_err(|error| Refusal::bad_request(format!("the upload broke off: {error}")))?;
            if buffer.len() + bytes.len() > BUFFER {
                self.append(&buffer).await?;
                buffer.clear();
            }
            buffer.extend_from_slice(&bytes);
        }
        self.append(&buffer).await
    }

    /// Appends a file of unhashed bytes.
    pub(super) async fn append_file(&mut self, path: &Path) -> Answer<()> {
        let mut part = tokio::fs::File::open(path).await?;
        let mut buffer = vec![0; BUFFER];
        loop {
            match part.read(&mut buffer).await? {
                0 => return Ok(()),
                read => self.append(&buffer[..read]).await?,
            }
        }
    }

    async fn append(&mut self, bytes: &[u8]) -> Answer<()> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Err(Refusal::bad_request(format!(
                "the upload is longer than the {} bytes announced",
                self.limit
            )));
        }
        self.hasher.update(bytes);
        self.file.write_all(bytes).await?;
        Ok(())
    }

    /// Puts the file into LFS storage if it is what `pointer` names.
    pub(super) async fn finish(mut self, root: &Path, pointer: &Pointer) -> Answer<()> {
        self.file.flush().await?;
        let oid = self.hasher.finish();
        if oid != pointer.oid || self.size != pointer.size {
            return Err(Refusal::bad_request(format!(
                "expected {} bytes with SHA-256 {}, received {} bytes with {oid}",
                pointer.size, pointer.oid, self.size
            )));
        }
        place(self.path, &lfs_path(root, oid))
    }

    /// Puts the file at `path`, whatever it holds; returns its digest.
    pub(super) async fn finish_at(mut self, path: &Path) -> Answer<Digest> {
        self.file.flush().await?;
        place(self.path, path)?;
        Ok(self.hasher.finish())
    }
}

fn place(file: tempfile::TempPath, path: &Path) -> Answer<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_was_announced_is_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let pointer = Pointer { oid: Digest::of(b"weights"), size: 7 };
        for (sent, stored) in [("weights", true), ("weighty", false), ("weight", false)] {
            let mut incoming = Incoming::start(root, 7).expect("starts");
            incoming.receive(Body::from(sent)).await.expect("fits");
            assert_eq!(incoming.finish(root, &pointer).await.is_ok(), stored, "{sent}");
            let path = lfs_path(root, pointer.oid);
            if stored {
                assert_eq!(fs::read(&path).expect("reads"), sent.as_bytes());
                fs::remove_file(path).expect("removes");
            }
        }
        let mut incoming = Incoming::start(root, 7).expect("starts");
        assert!(incoming.receive(Body::from("weights and more")).await.is_err());
    }
}
