//! What was asked of the embedded Hub: kept for tests, and written to `requests.log` so that
//! another process can count the writes of a run.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The most requests remembered in memory; the file holds them all.
const REMEMBERED: usize = 100_000;

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// HTTP method.
    pub method: String,
    /// Path and query as sent; the query of a pre-signed storage URL is left out.
    pub path: String,
    /// HTTP status answered.
    pub status: u16,
}

pub(super) struct RequestLog(Mutex<Inner>);

struct Inner {
    file: File,
    recent: VecDeque<LoggedRequest>,
}

impl RequestLog {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(Inner { file, recent: VecDeque::new() })))
    }

    /// Remembers a request. A log that cannot be written does not stop the Hub.
    pub(super) fn add(&self, request: LoggedRequest) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{} {} {}\n", request.method, request.path, request.status);
        let _ = inner.file.write_all(line.as_bytes());
        if inner.recent.len() == REMEMBERED {
            inner.recent.pop_front();
        }
        inner.recent.push_back(request);
    }

    pub(super) fn recent(&self) -> Vec<LoggedRequest> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.recent.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_in_memory_and_in_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("requests.log");
        let request =
            LoggedRequest { method: "GET".into(), path: "/api/models".into(), status: 200 };
        for _ in 0..2 {
            let log = RequestLog::open(&path).expect("opens");
            log.add(request.clone());
            assert_eq!(log.recent(), std::slice::from_ref(&request));
        }
        let text = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(text, "GET /api/models 200\nGET /api/models 200\n");
    }
}
