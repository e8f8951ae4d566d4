//! What testing and training left behind: read, never trusted blindly.
//!
//! Adding a format of test reports is one file here and one line in [`TEST_READERS`]; adding a
//! format of results is one file and one line in `results`.

mod before;
mod compared;
mod files;
mod gather;
mod history;
mod json_locate;
mod json_metric;
mod json_report;
mod junit;
mod junit_place;
mod measured;
mod metrics;
mod pipeline;
mod results;
mod scores;
mod shown;
mod sources;

use std::time::SystemTime;

pub use before::{Earlier, Last};
pub use compared::{Compared, Method, Test};
pub use files::{Base, EvidenceFile};
pub use gather::{gather, read_tests, reports_there};
pub use history::{EARLIER, History, Released, Was};
pub use measured::{Breach, Measured, MetricRow, measured};
pub use pipeline::{Pin, Pinned, Pipeline, Reach, Stage, below};
pub use results::{Lineage, Number, Results, formats, read as read_results};
pub use scores::Scores;
pub use shown::{apart, rounded, show, show_change};
pub use sources::Source;

use crate::digest::Digest;
use crate::finding::Location;

/// Everything that was gathered for one model.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Test reports.
    pub tests: Vec<TestReport>,
    /// Metrics that the policy names, found or not.
    pub metrics: Vec<Metric>,
    /// Every finite number of the files that hold those metrics, under the file's name for it.
    /// Gathered only where a person writes the card, whose numbers are held against them.
    pub beside: Vec<(String, f64)>,
    /// Files that matched a pattern but could not be read as evidence.
    pub unreadable: Vec<Unreadable>,
    /// What DVC recorded of the pipeline.
    pub pipeline: Pipeline,
    /// The newest version of the channel that is on the Hub; `None` when there is none, or nobody
    /// asked.
    pub last: Option<Last>,
    /// What the versions before this one measured; empty when nobody asked.
    pub history: History,
}

/// Reads one kind of test report. Total: any bytes give a report or a reason.
pub trait TestReader: Sync {
    /// Whether a text looks like its kind; the first reader that says so reads it.
    fn claims(&self, text: &str) -> bool;
    /// The report in a file's text, or what is wrong and where.
    fn read(&self, file: &EvidenceFile, text: &str, base: &Base) -> Result<TestReport, Unreadable>;
}

/// Every kind of test report.
const TEST_READERS: &[&dyn TestReader] = &[&junit::JUnit, &json_report::JsonReport];

/// A file that should have been evidence.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Where.
    pub at: Location,
    /// What is wrong with it.
    pub why: String,
}

/// Failures that are kept with their messages; the rest is counted.
const MAX_FAILURES: usize = 1_000;

/// One report of tests.
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
    /// A report in which nothing stands yet.
    fn of(file: &EvidenceFile) -> Self {
        Self {
            path: file.shown.clone(),
            sha256: file.sha256,
            modified: file.modified,
            commit: None,
            passed: 0,
            skipped: 0,
            failures: Vec::new(),
            failures_beyond: 0,
        }
    }

    /// Takes a failure in: the first thousand are kept.
    fn failed_with(&mut self, failure: TestFailure) {
        if self.failures.len() < MAX_FAILURES {
            self.failures.push(failure);
        } else {
            self.failures_beyond += 1;
        }
    }

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

/// What of a message is shown: five lines of at most 300 characters.
fn first_lines(message: &str) -> String {
    let lines = message.trim().lines().take(5).map(|line| line.chars().take(300).collect());
    let text = lines.collect::<Vec<String>>().join("\n");
    if text.is_empty() { "no message".into() } else { text }
}

/// One number that the policy asks for.
#[derive(Debug, Clone)]
pub struct Metric {
    /// Name from the policy.
    pub name: String,
    /// What stands there.
    pub value: MetricValue,
    /// Where the number stands in the file.
    pub at: Location,
    /// The file it comes from, relative to the workspace.
    pub file: String,
    /// SHA-256 of that file; `None` when it could not be read.
    pub sha256: Option<Digest>,
    /// When the file was last written.
    pub modified: Option<SystemTime>,
    /// JSON Pointer (RFC 6901) in that file, in files that have such.
    pub pointer: String,
    /// What else the file says of the number: its standard error, its direction, its split.
    pub number: Option<Number>,
    /// The same metric by class or group, where the file has it.
    pub slices: Result<Vec<Slice>, String>,
    /// Why the run does not count as a whole one.
    pub partial: Option<String>,
    /// The run that made it.
    pub lineage: Lineage,
    /// What it was before, when the policy compares it.
    pub earlier: Earlier,
}

/// A metric for one class or group.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The class or group.
    pub label: String,
    /// The value.
    pub value: f64,
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

impl MetricValue {
    /// A number, finite or not.
    pub fn of(number: f64) -> Self {
        if number.is_finite() {
            Self::Number(number)
        } else {
            // As Python writes them.
            let text = if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            Self::NotFinite(text.into())
        }
    }
}
