//! Progress of long work: a bar on a terminal, sparse lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::console::size;
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

/// Tells the steps of publishing.
pub struct Publishing {
    last: Mutex<Option<Instant>>,
}

impl Publishing {
    /// Lines on standard error.
    pub fn new() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl Default for Publishing {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Publishing {
    fn doing(&self, step: &str) {
        super::aside(&format!("· {}", markdown::line(step)));
    }

    fn sent(&self, path: &str, bytes: u64) {
        let now = Instant::now();
        // A poisoned lock only means that a thread that was printing panicked.
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.is_none_or(|last| now - last >= SPARSE) || std::io::stderr().is_terminal() {
            *last = Some(now);
            super::aside(&format!("· sent {} ({})", markdown::line(path), size(bytes)));
        }
    }
}
