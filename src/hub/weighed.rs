//! A file's bytes on their way out, held against what was weighed.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::task::JoinHandle;

use super::error::HubError;
use super::upload::{Blob, Origin, Watch};
use crate::digest::{BLOCK, Digest, Seals};
use crate::http::BadBody;

/// Buffers that are kept for the next piece: memory that is asked of the system again and again
/// costs more than the reading.
const KEPT: usize = 32;

impl Blob {
    /// The whole file in memory, if it is still what was weighed; for the small ones.
    pub async fn read(&self) -> Result<Vec<u8>, HubError> {
        self.bytes().await.map_err(|error| HubError::Moved(error.to_string()))
    }

    /// The same, for a body. Held against its digest, which needs no seals.
    pub(super) async fn bytes(&self) -> std::io::Result<Vec<u8>> {
        let (source, sha256) = (Source::of(self), self.sha256);
        let read = tokio::task::spawn_blocking(move || source.whole(sha256));
        read.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }
}

/// A file that was weighed. It is opened once, at the first read, and read from many places.
pub(super) struct Source {
    path: String,
    origin: Origin,
    size: u64,
    seals: Arc<Seals>,
    file: OnceLock<File>,
}

impl Source {
    pub(super) fn of(blob: &Blob) -> Arc<Self> {
        Arc::new(Self {
            path: blob.path.clone(),
            origin: blob.origin.clone(),
            size: blob.size,
            seals: blob.seals.clone(),
            file: OnceLock::new(),
        })
    }

    fn file(&self, on_disk: &Path) -> std::io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = File::open(on_disk).map_err(|error| self.unreadable(&error))?;
        Ok(self.file.get_or_init(|| file))
    }

    /// All of it, for the small ones: held against the digest itself, which needs no seals.
    fn whole(&self, sha256: Digest) -> std::io::Result<Vec<u8>> {
        let on_disk = match &self.origin {
            Origin::Memory(bytes) => return Ok(bytes.to_vec()),
            Origin::Disk(on_disk) => on_disk,
        };
        let mut bytes = vec![0; usize::try_from(self.size).unwrap_or(0)];
        let file = self.file(on_disk)?;
        file.read_exact_at(&mut bytes, 0).map_err(|error| self.cut(&error))?;
        self.ends_here(file)?;
        if Digest::of(&bytes) != sha256 {
            return Err(self.changed("its bytes are others now"));
        }
        Ok(bytes)
    }

    /// Reads whole blocks from the block number `first` on, and holds each against its seal.
    fn fill(&self, first: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        let on_disk = match &self.origin {
            Origin::Memory(all) => return self.copy(all, first, bytes),
            Origin::Disk(on_disk) => on_disk,
        };
        let file = self.file(on_disk)?;
        let block = usize::try_from(BLOCK).unwrap_or(usize::MAX);
        for (index, block) in (first..).zip(bytes.chunks_mut(block)) {
            file.read_exact_at(block, index * BLOCK).map_err(|error| self.cut(&error))?;
            if !self.seals.hold(index, block) {
                let length = file.metadata().map(|found| found.len());
                let shorter = length.is_ok_and(|length| length < self.size);
                let how = if shorter { "it is shorter now" } else { "its bytes are others now" };
                return Err(self.changed(how));
            }
        }
        if first * BLOCK + bytes.len() as u64 == self.size {
            self.ends_here(file)?;
        }
        Ok(())
    }

    /// The same of bytes that nobody else can change.
    fn copy(&self, all: &[u8], first: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        let start = usize::try_from(first * BLOCK).unwrap_or(usize::MAX);
        let there = all.get(start..).and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(there.ok_or_else(|| self.changed("it is shorter now"))?);
        Ok(())
    }

    fn ends_here(&self, file: &File) -> std::io::Result<()> {
        let more = file.read_at(&mut [0; 1], self.size);
        match more.map_err(|error| self.unreadable(&error))? {
            0 => Ok(()),
            _ => Err(self.changed("it is longer now")),
        }
    }

    fn cut(&self, error: &std::io::Error) -> std::io::Error {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.changed("it is shorter now"),
            _ => self.unreadable(error),
        }
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

/// Reads a range of a file in order, a piece ahead and off the threads that send. Where the file is
/// not what was weighed, an error stands in place of the piece: no byte of another file goes out.
pub(super) struct Weighed {
    source: Arc<Source>,
    left: Range<u64>,
    /// Bytes of a piece, some blocks.
    piece: u64,
    ahead: Option<JoinHandle<std::io::Result<Bytes>>>,
}

impl Weighed {
    /// The bytes `range` of a file, in pieces of `blocks` blocks.
    pub(super) fn new(source: &Arc<Source>, range: Range<u64>, blocks: u64) -> Self {
        Self { source: source.clone(), left: range, piece: blocks * BLOCK, ahead: None }
    }

    /// The next piece; none at the end.
    pub(super) async fn read(&mut self) -> std::io::Result<Option<Bytes>> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let reading = self.ahead.take().unwrap_or_else(|| self.start());
        let piece = reading.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))?;
        self.left.start += piece.len() as u64;
        if !self.left.is_empty() {
            self.ahead = Some(self.start());
        }
        Ok(Some(piece))
    }

    /// Starts to read what comes next, up to the end of a piece.
    fn start(&self) -> JoinHandle<std::io::Result<Bytes>> {
        let (source, left) = (self.source.clone(), self.left.clone());
        let first = left.start / BLOCK;
        let from = first * BLOCK;
        let to = (from + self.piece).min(left.end);
        // A seal is of a whole block, of which the range may have a part only.
        let whole = to.next_multiple_of(BLOCK).min(source.size);
        tokio::task::spawn_blocking(move || {
            let at = |place: u64| usize::try_from(place - from).unwrap_or(usize::MAX);
            let mut piece = Piece::new(at(whole));
            source.fill(first, &mut piece.0)?;
            Ok(Bytes::from_owner(piece).slice(at(left.start)..at(to)))
        })
    }

    /// A request's body that tells the meter how far it is.
    pub(super) fn metered(self, meter: Arc<Meter>) -> impl Stream<Item = std::io::Result<Bytes>> {
        stream::try_unfold((self, meter, 0), |(mut file, meter, before)| async move {
            let Some(piece) = file.read().await? else { return Ok(None) };
            let now = before + piece.len() as u64;
            meter.reach(now);
            Ok(Some((piece, (file, meter, now))))
        })
    }
}

/// The memory of a piece, which is used again when the piece has left.
struct Piece(Vec<u8>);

static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

impl Piece {
    fn new(length: usize) -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = free.unwrap_or_default();
        bytes.resize(length, 0);
        Self(bytes)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.0));
        }
    }
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
        fn again(&self) {}
        fn sent(&self, _: &str, bytes: u64) {
            *self.0.lock().expect("whole") += bytes;
        }
    }

    /// A file of three blocks and a bit, as weighed.
    fn blob(folder: &tempfile::TempDir) -> (Blob, Vec<u8>) {
        let bytes: Vec<u8> = (0..3 * BLOCK + 5).map(|at| (at % 251) as u8).collect();
        let on_disk = folder.path().join("model.bin");
        std::fs::write(&on_disk, &bytes).expect("writes");
        let blob = Blob {
            path: "model.bin".into(),
            origin: Origin::Disk(on_disk),
            size: bytes.len() as u64,
            sha256: Digest::of(&bytes),
            seals: Arc::new(Seals::of(&bytes).expect("a key")),
            way: Way::Lfs,
        };
        (blob, bytes)
    }

    #[tokio::test]
    async fn only_what_was_weighed_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let (blob, bytes) = blob(&folder);
        let on_disk = folder.path().join("model.bin");
        assert_eq!(blob.read().await.expect("as weighed"), bytes);

        let mut other = bytes.clone();
        other[7] ^= 1;
        let longer = [&bytes[..], b"!"].concat();
        for (content, why) in [
            (&other[..], "its bytes are others now"),
            (&bytes[1..], "it is shorter now"),
            (&longer[..], "it is longer now"),
        ] {
            std::fs::write(&on_disk, content).expect("writes");
            let refused = blob.read().await.expect_err(why).to_string();
            assert!(refused.contains("`model.bin` changed after it was weighed"), "{refused}");
            assert!(refused.ends_with(why), "{refused}");
        }
        std::fs::remove_file(&on_disk).expect("removes");
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
            let body = Weighed::new(&Source::of(&blob), 0..blob.size, 1);
            let pieces: Vec<_> = body.metered(meter.clone()).collect().await;
            assert!(pieces.iter().all(Result::is_ok));
        }
        assert_eq!(*told.0.lock().expect("whole"), bytes.len() as u64);
    }

    #[tokio::test]
    async fn a_range_is_read_in_pieces_and_only_of_what_was_weighed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (blob, bytes) = blob(&folder);
        let written = Blob { origin: Origin::Memory(bytes.clone().into()), ..blob.clone() };
        let all = async |blob: &Blob, range: Range<u64>, blocks| {
            let mut file = Weighed::new(&Source::of(blob), range, blocks);
            let mut read = Vec::new();
            while let Some(piece) = file.read().await? {
                read.extend_from_slice(&piece);
            }
            Ok::<_, std::io::Error>(read)
        };
        let at = |place: u64| usize::try_from(place).expect("small");
        for range in
            [0..blob.size, 1..2, 7..BLOCK + 7, BLOCK..2 * BLOCK, 3 * BLOCK..blob.size, 5..5]
        {
            for blocks in [1, 2, 9] {
                for blob in [&blob, &written] {
                    let read = all(blob, range.clone(), blocks).await.expect("as weighed");
                    assert!(read == bytes[at(range.start)..at(range.end)], "{range:?} by {blocks}");
                }
            }
        }
        // A bit that flips spoils every range of its block, and no other.
        let mut other = bytes.clone();
        other[at(BLOCK) + 9] ^= 1;
        std::fs::write(folder.path().join("model.bin"), other).expect("writes");
        assert!(all(&blob, BLOCK + 20..BLOCK + 21, 1).await.is_err());
        assert!(all(&blob, 0..BLOCK, 1).await.is_ok());
        assert!(all(&blob, 2 * BLOCK..blob.size, 1).await.is_ok());
    }
}
