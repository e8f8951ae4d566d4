//! What came by LFS goes to Xet storage in the background, as on the Hub
//! (<https://huggingface.co/docs/hub/xet/legacy-git-lfs>): the next version of such a file can send
//! its changed chunks alone.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use xet::xet_session::{Sha256Policy, XetSessionBuilder};
use xet_runtime::config::XetConfig;

use super::large::{self, Stored};
use super::options::Transfers;
use super::pointer::Pointer;
use super::server::Shared;

/// How long nobody must have asked anything: whoever is at work comes first.
const QUIET: Duration = Duration::from_secs(1);

/// Committed files that may have to move.
pub(super) struct Movers {
    queue: mpsc::UnboundedSender<Pointer>,
    asked: Mutex<Instant>,
}

impl Movers {
    /// The queue, and its other end for [`serve`].
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Pointer>) {
        let (queue, other_end) = mpsc::unbounded_channel();
        (Self { queue, asked: Mutex::new(Instant::now()) }, other_end)
    }

    /// A commit names this file.
    pub(super) fn committed(&self, pointer: Pointer) {
        // The other end is gone only when the Hub is.
        let _ = self.queue.send(pointer);
    }

    /// Somebody asks something.
    pub(super) fn disturb(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    async fn quiet(&self) {
        loop {
            let quiet = self.asked.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
            match QUIET.checked_sub(quiet) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }
}

/// Moves one file after the other for as long as the Hub runs. One that cannot be moved stays.
pub(super) async fn serve(hub: Shared, mut queue: mpsc::UnboundedReceiver<Pointer>) {
    if hub.options.lfs_transfer != Transfers::Auto {
        return;
    }
    while let Some(pointer) = queue.recv().await {
        hub.movers.quiet().await;
        if let Some(Stored::Lfs(path)) = large::find(&hub, &pointer).await {
            let sent = send(&hub, &pointer, path.clone()).await;
            if sent.is_ok() && hub.xet.find(pointer.oid).await.is_some() {
                let _ = tokio::fs::remove_file(path).await;
            }
        }
    }
}

/// Sends a file to the Hub's own Xet server. Its digest was checked when it came.
async fn send(
    hub: &Shared,
    pointer: &Pointer,
    path: std::path::PathBuf,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let cache = tempfile::tempdir_in(hub.store.tmp())?;
    let config = XetConfig::new().with_config("telemetry.enabled", false)?;
    let session =
        XetSessionBuilder::new_with_config(config).with_cache_dir(cache.path()).build()?;
    let commit = session
        .new_upload_commit()?
        .with_endpoint(format!("http://{}", hub.xet.addr()))
        .with_token_info("own", u64::MAX)
        .build()
        .await?;
    let digest = Sha256Policy::from_hex(&pointer.oid.to_string());
    commit.upload_from_path(path, digest).await?;
    commit.commit().await?;
    Ok(())
}
