//! Ctrl-C, and the runner cancelling the job: what has to be brought to an end in order, such as a
//! test command or a release, holds a [`Guard`] and is told; at any other time, and the second time,
//! they end us, as they would without anybody listening.

use std::io::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How many guards are held.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Whether somebody wants us to stop. Whoever listens to a signal once has to do so for good: its
/// own effect does not come back (tokio, `tokio::signal::unix::Signal`, "Caveats").
static ASKED: LazyLock<watch::Sender<bool>> = LazyLock::new(|| {
    std::thread::spawn(until_the_end);
    watch::channel(false).0
});

/// As long as this is held, its holder is asked to stop, once, and has the time that it needs.
pub struct Guard(watch::Receiver<bool>);

impl Guard {
    /// Listens from now on.
    pub fn new() -> Self {
        HELD.fetch_add(1, Ordering::SeqCst);
        Self(ASKED.subscribe())
    }

    /// Ends when somebody wants us to stop.
    pub async fn interrupted(&self) {
        let mut asked = self.0.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Listens from now on. Without that, the first process of a container hears of no signal at all
/// (kill(2), "Notes").
pub fn listen() {
    LazyLock::force(&ASKED);
}

/// Whether somebody wants us to stop.
pub fn asked() -> bool {
    *ASKED.borrow()
}

/// Says it on standard error, unless that is full, or held by somebody who waits for it.
fn say(line: String) {
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // Whoever closed it does not want to know.
        let _ = std::io::stderr().write_all(line.as_bytes());
        let _ = said.send(());
    });
    let _ = heard.recv_timeout(Duration::from_millis(200));
}

fn until_the_end() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return;
        };
        loop {
            let (name, number) = tokio::select! {
                _ = terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
                _ = interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
            };
            // Who is told may let go of its guard at once.
            let held = HELD.load(Ordering::SeqCst);
            let asked_before = ASKED.send_replace(true);
            if held == 0 || asked_before {
                say(format!("\nweighbridge: stopped by {name}\n"));
                // As shells say it of whom a signal ended.
                #[expect(clippy::exit, reason = "a signal ends a process wherever it is")]
                std::process::exit(128 + number);
            }
        }
    });
}
