//! A Hub is many machines, and the one that is asked may not know yet what another has just taken in.

use std::time::Duration;

use super::{Progress, PublishError};
use crate::hub::Hub;

/// Pauses between looks for what was just made: half a minute in all.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 15];

/// What `look` finds, waited for if it must be there and is not yet; not beyond the run's deadline.
pub(super) async fn awaited<T>(
    hub: &Hub,
    what: &str,
    progress: &dyn Progress,
    look: impl AsyncFn() -> Result<Option<T>, PublishError>,
) -> Result<Option<T>, PublishError> {
    for pause in PAUSES {
        if let Some(found) = look().await? {
            return Ok(Some(found));
        }
        let pause = Duration::from_secs(pause).min(hub.left());
        if pause.is_zero() {
            break;
        }
        let shown = pause.as_secs_f64().ceil();
        progress.doing(&format!("the Hub does not show {what} yet; looking again in {shown} s"));
        hub.rest(pause).await;
    }
    look().await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::http::{Client, ClientOptions};
    use crate::hub::Sending;

    #[derive(Default)]
    struct Said(Mutex<Vec<String>>);

    impl Sending for Said {
        fn wanted(&self, _: u64, _: &str) {}
        fn again(&self) {}
        fn sent(&self, _: &str, _: u64) {}
    }

    impl Progress for Said {
        fn doing(&self, what: &str) {
            self.0.lock().expect("one at a time").push(what.to_owned());
        }
    }

    #[tokio::test]
    async fn nothing_is_waited_for_beyond_the_deadline() {
        let deadline = Duration::from_millis(1500);
        let client = Client::new(ClientOptions { deadline, ..ClientOptions::default() });
        let hub = Hub::new(client.expect("a client"), "http://localhost", None).expect("a Hub");
        let (said, looks, begun) = (Said::default(), AtomicUsize::new(0), Instant::now());
        let look = async || {
            looks.fetch_add(1, Ordering::SeqCst);
            Ok(None::<()>)
        };
        assert!(awaited(&hub, "the tag", &said, look).await.expect("looked").is_none());
        // 1 s, and half of the 2 s that the second pause would be.
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert_eq!(looks.into_inner(), 4, "once more at the end, which the deadline ends");
        assert_eq!(said.0.into_inner().expect("said").len(), 2);
    }
}
