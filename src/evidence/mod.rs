//! What testing and training left behind: read, never trusted blindly.

use std::time::SystemTime;

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
    /// Failures and errors.
    pub failures: Vec<TestFailure>,
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
