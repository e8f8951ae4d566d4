//! Where the bytes of large files are: LFS storage on disk, or Xet. Found by SHA-256.

use std::fs;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use axum::body::Body;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use xet_core_structures::merklehash::MerkleHash;

use super::answer::{Answer, Refusal};
use super::pointer::Pointer;
use super::pour::pour;
use super::server::Hub;
use crate::digest::{Digest, Hasher};

/// How many bytes are read at a time.
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
pub(super) async fn read(
    hub: &Hub,
    pointer: &Pointer,
    stored: Stored,
    range: Range<u64>,
) -> Answer<Body> {
    let hash = match stored {
        Stored::Xet(hash) => hash,
        Stored::Lfs(path) => match tokio::fs::File::open(path).await {
            Ok(mut file) => {
                file.seek(io::SeekFrom::Start(range.start)).await?;
                let part = file.take(range.end - range.start);
                return Ok(Body::from_stream(ReaderStream::with_capacity(part, BUFFER)));
            }
            // It may have gone to Xet storage a moment ago.
            Err(error) => hub.xet.find(pointer.oid).await.map(|(hash, _)| hash).ok_or(error)?,
        },
    };
    match hub.xet.read(hash, range).await {
        Ok(bytes) => Ok(Body::from_stream(bytes)),
        Err(error) => Err(io::Error::other(error).into()),
    }
}

fn lfs_path(root: &Path, oid: Digest) -> PathBuf {
    let name = oid.to_string();
    root.join("lfs").join(&name[..2]).join(&name[2..4]).join(name)
}

/// A large file on its way in: written beside its place, hashed while it comes.
pub(super) struct Incoming {
    path: tempfile::TempPath,
    written: Written,
    size: u64,
}

/// What was written of a file.
struct Written {
    file: fs::File,
    hasher: Hasher,
}

impl Incoming {
    /// Takes a body of at most `limit` bytes into a file in `tmp`.
    pub(super) async fn receive(tmp: &Path, limit: u64, body: Body) -> Answer<Self> {
        let (file, path) = tempfile::NamedTempFile::new_in(tmp)?.into_parts();
        let written = Written { file, hasher: Hasher::default() };
        let (written, size) = pour(body, limit, written, |written, pieces| {
            for piece in pieces {
                written.hasher.update(piece);
                written.file.write_all(piece)?;
            }
            Ok(())
        })
        .await?;
        Ok(Self { path, written, size })
    }

    /// Puts the file into LFS storage if it is what `pointer` names.
    pub(super) fn finish(self, root: &Path, pointer: &Pointer) -> Answer<()> {
        place(self.path, self.size, self.written.hasher.finish(), root, pointer)
    }
}

/// Puts a file of this size and digest into LFS storage if it is what `pointer` names.
pub(super) fn place(
    file: tempfile::TempPath,
    size: u64,
    oid: Digest,
    root: &Path,
    pointer: &Pointer,
) -> Answer<()> {
    if oid != pointer.oid || size != pointer.size {
        return Err(Refusal::bad_request(format!(
            "expected {} bytes with SHA-256 {}, received {size} bytes with {oid}",
            pointer.size, pointer.oid
        )));
    }
    let path = lfs_path(root, oid);
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
            let incoming = Incoming::receive(root, 7, Body::from(sent)).await.expect("fits");
            assert_eq!(incoming.finish(root, &pointer).is_ok(), stored, "{sent}");
            let path = lfs_path(root, pointer.oid);
            if stored {
                assert_eq!(fs::read(&path).expect("reads"), sent.as_bytes());
                fs::remove_file(path).expect("removes");
            }
        }
        assert!(Incoming::receive(root, 7, Body::from("weights and more")).await.is_err());
    }
}
