//! One attempt at publishing: it comes to its end, or it fails or is stopped, and then it says how
//! things stand.

use std::sync::Arc;

use super::execute::execute;
use super::standing::{Reached, Standing};
use super::{Plan, Progress, PublishError, Receipt};
use crate::finding::Cleared;
use crate::hub::Hub;
use crate::policy::HubScan;

/// Publishing that did not come to its end.
#[derive(Debug)]
pub struct Unfinished {
    /// Why.
    pub error: PublishError,
    /// What stands on the Hub.
    pub standing: Standing,
}

/// Publishes what the plan says, unless `stopped` ends first. Killed anywhere and run again, it ends
/// in the same state.
pub async fn publish(
    hub: &Hub,
    plan: &Plan,
    cleared: Cleared,
    scan: &HubScan,
    progress: &Arc<dyn Progress>,
    stopped: impl Future<Output = ()>,
) -> Result<Receipt, Unfinished> {
    let reached = Reached::before(plan);
    let ended = tokio::select! {
        ended = execute(hub, plan, cleared, scan, progress, &reached) => ended,
        () = stopped => Err(PublishError::Interrupted),
    };
    match ended {
        Ok(receipt) => Ok(receipt),
        Err(error) => {
            let standing = reached.standing(hub, plan, &error).await;
            Err(Unfinished { error, standing })
        }
    }
}
