//! The waits inside the Xet transfer, which tries again by itself and says nothing of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use xet::xet_session::XetUploadCommit;

use super::error::HubError;
use crate::http::Client;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Standstill after which a line is said; the next is said after twice that, and so on.
const SAID_AFTER: Duration = Duration::from_secs(10);
/// Standstill, in longest silences of a server, after which it is given up: a body has four of them, is
/// tried again after that, and pauses lie between.
const GIVEN_UP_AFTER: u32 = 10;

/// When anything moved last, in any part of the transfer: one part may wait for another's turn.
pub(super) struct Pace(Mutex<Still>);

struct Still {
    since: Instant,
    /// Standstill after which the next line is said.
    say_after: Duration,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Still { since: Instant::now(), say_after: SAID_AFTER }))
    }

    fn moved(&self) {
        *self.still() = Still { since: Instant::now(), say_after: SAID_AFTER };
    }

    fn still(&self) -> MutexGuard<'_, Still> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a part of the transfer until it ends, the run's time is over, or nothing moves any more in any
/// part. Dropped before its end, the transfer does no more work.
pub(super) async fn watched<T>(
    client: &Client,
    commit: &XetUploadCommit,
    pace: &Pace,
    transfer: impl Future<Output = Result<T, HubError>>,
) -> Result<T, HubError> {
    let mut abort = AbortOnDrop(Some(commit));
    let done = tokio::select! {
        done = transfer => done,
        error = standstill(client, commit, pace) => Err(error),
    };
    if done.is_ok() {
        abort.0 = None;
    }
    done
}

async fn standstill(client: &Client, commit: &XetUploadCommit, pace: &Pace) -> HubError {
    let mut last = moved(commit);
    loop {
        sleep(LOOK).await;
        if client.left().is_zero() {
            return HubError::Standstill("the run's time is over".into());
        }
        let now = moved(commit);
        if now != last {
            last = now;
            pace.moved();
            continue;
        }
        let mut still = pace.still();
        let long = still.since.elapsed();
        if long >= client.answer_timeout() * GIVEN_UP_AFTER {
            return HubError::Standstill(format!("nothing has moved for {} s", long.as_secs()));
        }
        if long >= still.say_after {
            let long = long.as_secs();
            client.wait(&format!("the Xet transfer: nothing has moved for {long} s; waiting"));
            still.say_after *= 2;
        }
    }
}

/// What changes whenever anything goes on.
fn moved(commit: &XetUploadCommit) -> [u64; 5] {
    let report = commit.progress();
    let shard = report.shard.unwrap_or_default();
    [
        report.total_bytes_completed,
        report.total_transfer_bytes_completed,
        shard.total_shard_bytes_upload_completed,
        shard.total_shard_validation_entries_completed,
        u64::from(shard.total_shards_completed),
    ]
}

struct AbortOnDrop<'c>(Option<&'c XetUploadCommit>);

impl Drop for AbortOnDrop<'_> {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.0.map(XetUploadCommit::abort);
    }
}
