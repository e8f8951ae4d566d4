//! Progress of long work: a bar on a terminal, sparse lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::console::size;
use crate::hub;
use crate::markdown;
use crate::publish::Progress;

/// Silence between lines of a log.
const SPARSE: Duration = Duration::from_secs(10);

/// Counts bytes while files are weighed.
pub struct Weighing {
    bar: Option<ProgressBar>,
}

impl Weighing {
    /// A bar where a person watches.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("weighing {bytes} ({bytes_per_sec})");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Self { bar }
    }

    /// Bytes passed.
    pub fn read(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }
}

impl Default for Weighing {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Weighing {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Tells the steps of publishing and how its large files go.
pub struct Publishing {
    sending: Mutex<Sending>,
}

/// What is being sent.
struct Sending {
    wanted: u64,
    sent: u64,
    since: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Publishing {
    /// Lines on standard error; a bar where a person watches.
    pub fn new() -> Self {
        let now = Instant::now();
        let sending = Sending { wanted: 0, sent: 0, since: now, told: now, bar: None };
        Self { sending: Mutex::new(sending) }
    }

    fn sending(&self) -> MutexGuard<'_, Sending> {
        // A poisoned lock only means that a thread that was printing panicked.
        self.sending.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Default for Publishing {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Publishing {
    fn doing(&self, step: &str) {
        let mut sending = self.sending();
        sending.end();
        super::aside(&format!("· {}", markdown::line(step)));
    }
}

impl hub::Sending for Publishing {
    fn wanted(&self, bytes: u64, transfer: &str) {
        let mut sending = self.sending();
        if bytes > 0 {
            let takes = format!("· the Hub wants {} of them, by {transfer}", size(bytes));
            super::aside(&markdown::line(&takes));
        }
        if sending.wanted == 0 {
            sending.since = Instant::now();
            sending.told = sending.since;
        }
        sending.wanted += bytes;
        if bytes > 0 && std::io::stderr().is_terminal() {
            let length = sending.wanted;
            sending.bar.get_or_insert_with(bar).set_length(length);
        }
    }

    fn again(&self) {
        self.sending().end();
    }

    fn sent(&self, path: &str, bytes: u64) {
        let mut sending = self.sending();
        sending.sent += bytes;
        if let Some(bar) = &sending.bar {
            bar.set_message(markdown::line(path));
            bar.inc(bytes);
        } else if sending.told.elapsed() >= SPARSE {
            sending.told = Instant::now();
            super::aside(&sending.line());
        }
    }
}

impl Sending {
    /// `· sent 3.2 GB of 8.0 GB, 40 %, 112.0 MB/s`.
    fn line(&self) -> String {
        let percent = self.sent.saturating_mul(100).checked_div(self.wanted).unwrap_or(100);
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = size(self.sent.saturating_mul(1000) / millis);
        format!("· sent {} of {}, {percent} %, {rate}/s", size(self.sent), size(self.wanted))
    }

    /// The sending is over, for good or ill.
    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if self.wanted > 0 {
            super::aside(&self.line());
        }
        (self.wanted, self.sent) = (0, 0);
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let template = "{bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta} {wide_msg}";
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Sending as _;

    #[test]
    fn the_line_says_how_far_it_is() {
        let publishing = Publishing::new();
        publishing.wanted(8_000_000, "xet");
        publishing.sent("model.bin", 2_000_000);
        publishing.sent("model.bin", 1_200_000);
        let line = publishing.sending().line();
        assert!(line.starts_with("· sent 3.2 MB of 8.0 MB, 40 %, "), "{line}");
        publishing.doing("committing");
        assert_eq!(publishing.sending().wanted, 0);
    }
}
