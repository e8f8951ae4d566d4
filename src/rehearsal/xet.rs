//! Large files that come by Xet: the CAS server that the official client's crate ships for
//! simulation, mounted on a second listener, and the way from a SHA-256 to its bytes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use xet_client::cas_client::{
    Client, DeletionControlableClient, DirectAccessClient, LocalClient, LocalServer,
};
use xet_client::error::ClientError;
use xet_core_structures::merklehash::MerkleHash;
use xet_core_structures::metadata_shard::file_structs::{FileDataSequenceEntry, MDBFileInfo};
use xet_runtime::core::XetContext;

use super::options::HubError;
use crate::digest::Digest;

/// How many chunks (64 KiB each on average, at most 128 KiB) are unpacked at a time.
const CHUNKS_AT_A_TIME: u32 = 64;

/// The Xet storage and its server.
pub(super) struct Xet {
    client: Arc<LocalClient>,
    addr: SocketAddr,
    index: Mutex<Index>,
}

/// What the uploaded shards told of files.
#[derive(Default)]
struct Index {
    by_digest: HashMap<Digest, (MerkleHash, u64)>,
    /// The shard that each file was last seen in: a newer one may tell more.
    seen: HashSet<(MerkleHash, MerkleHash)>,
}

/// The running server of a [`Xet`].
pub(super) struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Asks the server to end; the task is done when it has.
    pub(super) fn stop(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.task
    }
}

impl Xet {
    /// Opens the storage and serves it on `addr`.
    pub(super) async fn start(data: &Path, addr: SocketAddr) -> Result<(Self, Serving), HubError> {
        let failed = |why: String| HubError::Xet { data: data.to_owned(), why };
        let context = XetContext::default().map_err(|error| failed(error.to_string()))?;
        let client =
            LocalClient::new(context, data).await.map_err(|error| failed(error.to_string()))?;
        let unheard = |source| HubError::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(unheard)?;
        let addr = listener.local_addr().map_err(unheard)?;
        let server = LocalServer::from_client(
            client.clone(),
            Some(client.clone()),
            addr.ip().to_string(),
            addr.port(),
        );
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            // It ends when told to, or with its listener; either way nothing is left to do.
            let _ = server.serve_until_stopped(listener, stopped).await;
        });
        let xet = Self { client, addr, index: Mutex::default() };
        Ok((xet, Serving { stop, task }))
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The Xet hash and the size in bytes of a file that was uploaded with this SHA-256.
    pub(super) async fn find(&self, oid: Digest) -> Option<(MerkleHash, u64)> {
        let known = |index: &mut Index| index.by_digest.get(&oid).copied();
        let mut found = self.with_index(known);
        if found.is_none() {
            self.learn().await.ok()?;
            found = self.with_index(known);
        }
        found
    }

    /// Reads the shards that came since the last time.
    async fn learn(&self) -> Result<(), ClientError> {
        for (file, shard) in self.client.list_file_shard_entries().await? {
            if self.with_index(|index| index.seen.contains(&(file, shard))) {
                continue;
            }
            let info = self.client.get_file_reconstruction_info(&file).await?;
            self.with_index(|index| index.add(file, shard, info.map(|(info, _)| info)));
        }
        Ok(())
    }

    fn with_index<T>(&self, work: impl FnOnce(&mut Index) -> T) -> T {
        work(&mut self.index.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bytes `range` of a file, unpacked a few MiB at a time.
    pub(super) async fn read(
        &self,
        hash: MerkleHash,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, ClientError>> + Send + use<>, ClientError> {
        let info = self.client.get_file_reconstruction_info(&hash).await?;
        let (info, _) = info.ok_or(ClientError::FileNotFound(hash))?;
        let unread = Unread {
            client: self.client.clone(),
            segments: info.segments.into(),
            position: 0,
            range,
        };
        Ok(stream::try_unfold(unread, Unread::next))
    }
}

/// What is left of a file being read.
struct Unread {
    client: Arc<LocalClient>,
    segments: VecDeque<FileDataSequenceEntry>,
    /// Where the first segment starts in the file.
    position: u64,
    range: Range<u64>,
}

impl Unread {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ClientError> {
        while self.position < self.range.end {
            let Some(segment) = self.segments.front_mut() else { break };
            let (from, to) = (segment.chunk_index_start, segment.chunk_index_end);
            let whole = u64::from(segment.unpacked_segment_bytes);
            if from >= to {
                self.segments.pop_front();
            } else if self.position + whole <= self.range.start {
                self.position += whole;
                self.segments.pop_front();
            } else {
                let until = to.min(from.saturating_add(CHUNKS_AT_A_TIME));
                let xorb = segment.xorb_hash;
                let unpacked = self.client.get_xorb_ranges(&xorb, vec![(from, until)]).await?;
                let unpacked = unpacked.into_iter().next().unwrap_or_default();
                let start = self.position;
                self.position += unpacked.len() as u64;
                segment.chunk_index_start = until;
                segment.unpacked_segment_bytes = segment
                    .unpacked_segment_bytes
                    .saturating_sub(u32::try_from(unpacked.len()).unwrap_or(u32::MAX));
                let bytes = within(&unpacked, start, &self.range);
                if !bytes.is_empty() {
                    return Ok(Some((bytes, self)));
                }
            }
        }
        Ok(None)
    }
}

/// The part of `bytes`, which stand at `start`, that lies in `range`.
fn within(bytes: &Bytes, start: u64, range: &Range<u64>) -> Bytes {
    let clamp =
        |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX).min(bytes.len());
    let (from, to) = (clamp(range.start), clamp(range.end));
    if from < to { bytes.slice(from..to) } else { Bytes::new() }
}

impl Index {
    fn add(&mut self, file: MerkleHash, shard: MerkleHash, info: Option<MDBFileInfo>) {
        self.seen.insert((file, shard));
        let Some(info) = info else { return };
        let Some(declared) = info.metadata_ext.as_ref() else { return };
        if let Ok(digest) = declared.sha256.hex().parse::<Digest>() {
            self.by_digest.insert(digest, (file, info.file_size()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_out_of_pieces() {
        let bytes = Bytes::from_static(b"0123456789");
        assert_eq!(within(&bytes, 100, &(0..1000)), "0123456789");
        assert_eq!(within(&bytes, 100, &(103..105)), "34");
        assert_eq!(within(&bytes, 100, &(0..102)), "01");
        assert_eq!(within(&bytes, 100, &(110..120)), "");
        assert_eq!(within(&bytes, 100, &(0..100)), "");
    }
}
