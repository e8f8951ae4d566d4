//! What a mode asks of servers.

use crate::failure::Failure;
use crate::signals::Guard;

/// A runtime that holds nobody up when it goes: what a transfer that was given up still has to do is
/// of no use any more, and a name that is looked up may take longer than anybody waits.
pub(super) struct Network(Option<tokio::runtime::Runtime>);

impl Network {
    pub(super) fn start() -> Result<Self, Failure> {
        super::hub::runtime().map(Some).map(Self)
    }

    /// What `work` yields.
    pub(super) fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.0.as_ref().expect("it is taken when it goes").block_on(work)
    }

    /// What `work` yields, unless somebody wants us to stop before: then what `stopped` says.
    pub(super) fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
        stopped: impl FnOnce() -> Failure,
    ) -> Result<T, Failure> {
        let guard = Guard::new();
        self.block_on(async {
            tokio::select! {
                ended = work => ended,
                () = guard.interrupted() => Err(stopped()),
            }
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
