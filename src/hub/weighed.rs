//! A file's bytes on their way out, held against what was weighed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::error::HubError;
use super::upload::{Blob, Watch};
use crate::digest::{Digest, Hasher};
use crate::http::BadBody;

/// Bytes read from disk at once.
const PIECE: u64 = 1024 * 1024;

impl Blob {
    /// The whole file in memory, if it is still what was weighed; for the small ones.
    pub async fn read(&self) -> Result<Vec<u8>, HubError> {
        let mut file = Weighed::of(self);
        let mut bytes = Vec::new();
        let moved = |error: std::io::Error| HubError::Moved(error.to_string());
        while let Some(piece) = file.read(PIECE).await.map_err(moved)? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

/// Reads a file once, in order, and hashes it on the way. If it is not what was weighed, an error
/// stands in place of the last piece: no server ever gets a complete body of other bytes.
pub(super) struct Weighed {
    path: String,
    on_disk: PathBuf,
    sha256: Digest,
    file: Option<File>,
    hasher: Hasher,
    left: u64,
}

impl Weighed {
    /// From the first byte; the file is opened at the first read.
    pub(super) fn of(blob: &Blob) -> Self {
        Self {
            path: blob.path.clone(),
            on_disk: blob.on_disk.clone(),
            sha256: blob.sha256,
            file: None,
            hasher: Hasher::default(),
            left: blob.size,
        }
    }

    /// Bytes still to come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The next bytes, at most `most` and at most a mebibyte; none at the end.
    pub(super) async fn read(&mut self, most: u64) -> std::io::Result<Option<Bytes>> {
        let length = PIECE.min(self.left).min(most);
        if length == 0 {
            return Ok(None);
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.on_disk).await.map_err(|error| self.unreadable(&error))?,
        };
        let mut piece = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact(&mut piece).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.changed("it is shorter now"),
            _ => self.unreadable(&error),
        })?;
        self.hasher.update(&piece);
        self.left -= length;
        if self.left == 0 {
            let more = file.read(&mut [0; 1]).await.map_err(|error| self.unreadable(&error))?;
            if more > 0 {
                return Err(self.changed("it is longer now"));
            }
            if std::mem::take(&mut self.hasher).finish() != self.sha256 {
                return Err(self.changed("its bytes are others now"));
            }
        }
        self.file = Some(file);
        Ok(Some(Bytes::from(piece)))
    }

    /// A request's body that tells the meter how far it is.
    pub(super) fn metered(self, meter: Arc<Meter>) -> impl Stream<Item = std::io::Result<Bytes>> {
        stream::try_unfold((self, meter, 0), |(mut file, meter, before)| async move {
            let Some(piece) = file.read(PIECE).await? else { return Ok(None) };
            let now = before + piece.len() as u64;
            meter.reach(now);
            Ok(Some((piece, (file, meter, now))))
        })
    }

    fn changed(&self, how: &str) -> std::io::Error {
        bad(format!("`{}` changed after it was weighed: {how}", self.path))
    }

    fn unreadable(&self, error: &std::io::Error) -> std::io::Error {
        bad(format!("`{}` was weighed and cannot be read now: {error}", self.path))
    }
}

fn bad(why: String) -> std::io::Error {
    std::io::Error::other(BadBody(why))
}

/// Tells the watch of one file's progress: a body that is sent again is not told again.
pub(super) struct Meter {
    path: String,
    reached: AtomicU64,
    watch: Watch,
}

impl Meter {
    pub(super) fn new(blob: &Blob, watch: &Watch) -> Arc<Self> {
        let reached = AtomicU64::new(0);
        Arc::new(Self { path: blob.path.clone(), reached, watch: watch.clone() })
    }

    /// So many more bytes.
    pub(super) fn add(&self, bytes: u64) {
        self.watch.sent(&self.path, bytes);
    }

    /// So many bytes in all, counted from the start of one body.
    fn reach(&self, bytes: u64) {
        let before = self.reached.fetch_max(bytes, Ordering::Relaxed);
        if bytes > before {
            self.add(bytes - before);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::StreamExt as _;

    use super::*;
    use crate::hub::{Sending, Way};

    struct Told(Mutex<u64>);

    impl Sending for Told {
        fn wanted(&self, _: u64, _: &str) {}
        fn sent(&self, _: &str, bytes: u64) {
            *self.0.lock().expect("whole") += bytes;
        }
    }

    /// A file of three pieces and a bit, as weighed.
    fn blob(folder: &tempfile::TempDir) -> (Blob, Vec<u8>) {
        let bytes: Vec<u8> = (0..3 * PIECE + 5).map(|at| (at % 251) as u8).collect();
        let on_disk = folder.path().join("model.bin");
        std::fs::write(&on_disk, &bytes).expect("writes");
        let sha256 = Digest::of(&bytes);
        (
            Blob {
                path: "model.bin".into(),
                on_disk,
                size: bytes.len() as u64,
                sha256,
                way: Way::Lfs,
            },
            bytes,
        )
    }

    #[tokio::test]
    async fn only_what_was_weighed_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let (blob, bytes) = blob(&folder);
        assert_eq!(blob.read().await.expect("as weighed"), bytes);

        let mut other = bytes.clone();
        other[7] ^= 1;
        let longer = [&bytes[..], b"!"].concat();
        for (content, why) in [
            (&other[..], "its bytes are others now"),
            (&bytes[1..], "it is shorter now"),
            (&longer[..], "it is longer now"),
        ] {
            std::fs::write(&blob.on_disk, content).expect("writes");
            let refused = blob.read().await.expect_err(why).to_string();
            assert!(refused.contains("`model.bin` changed after it was weighed"), "{refused}");
            assert!(refused.ends_with(why), "{refused}");
        }
        std::fs::remove_file(&blob.on_disk).expect("removes");
        let gone = blob.read().await.expect_err("no file").to_string();
        assert!(gone.contains("`model.bin` was weighed and cannot be read now"), "{gone}");
    }

    #[tokio::test]
    async fn a_body_sent_twice_is_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (blob, bytes) = blob(&folder);
        let told = Arc::new(Told(Mutex::new(0)));
        let watch: Watch = told.clone();
        let meter = Meter::new(&blob, &watch);
        for _ in 0..2 {
            let pieces: Vec<_> = Weighed::of(&blob).metered(meter.clone()).collect().await;
            assert!(pieces.iter().all(Result::is_ok));
        }
        assert_eq!(*told.0.lock().expect("whole"), bytes.len() as u64);
    }
}
