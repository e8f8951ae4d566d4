//! What testing and training left behind: read, never trusted blindly.
//!
//! Adding a format is one file here and one line in [`TEST_READERS`] or [`METRIC_READERS`].

mod files;
mod gather;
mod json_locate;
mod json_metric;
mod junit;
mod junit_place;
mod measured;

use std::time::SystemTime;

pub use files::{Base, EvidenceFile};
pub use gather::gather;
pub use measured::{Measured, MetricRow, measured, show};

use crate::digest::Digest;
use crate::finding::Location;

/// Everything that was gathered for one model.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Test reports.
    pub tests: Vec<TestReport>,
    /// Metrics that the policy names, found or not.
    pub metrics: Vec<Metric>,
    /// Files that matched a pattern but could not be read as evidence.
    pub unreadable: Vec<Unreadable>,
}

/// Reads one kind of test report. Total: any bytes give a report or a reason.
pub trait TestReader: Sync {
    /// Whether the file looks like its kind; the first reader that says so reads it.
    fn claims(&self, file: &EvidenceFile) -> bool;
    /// The report, or what is wrong and where.
    fn read(&self, file: &EvidenceFile, base: &Base) -> Result<TestReport, Unreadable>;
}

/// Reads one number from one kind of metrics file. Total, as [`TestReader`] is.
pub trait MetricReader: Sync {
    /// Whether the file looks like its kind; the first reader that says so reads it.
    fn claims(&self, file: &EvidenceFile) -> bool;
    /// What the pointer leads to, and where it stands.
    fn read(&self, file: &EvidenceFile, pointer: &str) -> (MetricValue, Location);
}

/// Every kind of test report.
const TEST_READERS: &[&dyn TestReader] = &[&junit::JUnit];
/// Every kind of metrics file; the last one takes what no other claims.
const METRIC_READERS: &[&dyn MetricReader] = &[&json_metric::Json];

/// A file that should have been evidence.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Where.
    pub at: Location,
    /// What is wrong with it.
    pub why: String,
}

/// One JUnit file.
#[derive(Debug, Clone)]
pub struct TestReport {
    /// Path relative to the workspace.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// When the file was last written.
    pub modified: Option<SystemTime>,
    /// Commit named in the report's properties (`commit`, `git_commit`, `revision`, …), if any.
    pub commit: Option<String>,
    /// Tests that ran and passed.
    pub passed: u64,
    /// Tests that were skipped.
    pub skipped: u64,
    /// Failures and errors: the first thousand.
    pub failures: Vec<TestFailure>,
    /// Failures and errors beyond those.
    pub failures_beyond: u64,
}

impl TestReport {
    /// Failures and errors, kept or not.
    pub fn failed(&self) -> u64 {
        self.failures.len() as u64 + self.failures_beyond
    }

    /// Tests that ran: everything but the skipped.
    pub fn executed(&self) -> u64 {
        self.passed + self.failed()
    }
}

/// A test that failed or broke.
#[derive(Debug, Clone)]
pub struct TestFailure {
    /// `class::name` as the report has it.
    pub name: String,
    /// `failure` or `error`.
    pub kind: &'static str,
    /// The message, first lines only.
    pub message: String,
    /// The test's own file and line, when the report has them; else the report.
    pub at: Location,
}

/// One number that the policy asks for.
#[derive(Debug, Clone)]
pub struct Metric {
    /// Name from the policy.
    pub name: String,
    /// The file it comes from, relative to the workspace.
    pub file: String,
    /// SHA-256 of that file; `None` when it could not be read.
    pub sha256: Option<Digest>,
    /// When the file was last written.
    pub modified: Option<SystemTime>,
    /// JSON Pointer (RFC 6901) in that file.
    pub pointer: String,
    /// Where the number stands in the file.
    pub at: Location,
    /// What stands there.
    pub value: MetricValue,
}

/// What a pointer led to.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricValue {
    /// A finite number.
    Number(f64),
    /// NaN or an infinity.
    NotFinite(String),
    /// Something else than a number, shown shortly.
    NotANumber(String),
    /// The file or the pointer leads nowhere; the text says which.
    Missing(String),
}
