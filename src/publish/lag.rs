//! A Hub is many machines, and the one that is asked may not know yet what another has just taken in.

use std::time::Duration;

use super::{Progress, PublishError};

/// Pauses between looks for what was just made: half a minute in all.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 15];

/// What `look` finds, waited for if it must be there and is not yet.
pub(super) async fn awaited<T>(
    what: &str,
    progress: &dyn Progress,
    look: impl AsyncFn() -> Result<Option<T>, PublishError>,
) -> Result<Option<T>, PublishError> {
    for pause in PAUSES {
        if let Some(found) = look().await? {
            return Ok(Some(found));
        }
        progress.doing(&format!("the Hub does not show {what} yet; looking again in {pause} s"));
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
    look().await
}
