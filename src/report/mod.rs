//! One report, many renderers, each knowing its medium's limits.

use serde::Serialize;

use crate::evidence::Metric;
use crate::finding::Verdict;
use crate::inventory::Inventory;
use crate::release::{Target, Versioning};

/// Everything a run has to tell.
#[derive(Debug)]
pub struct Report {
    /// `check`, `release` or `rehearse`.
    pub mode: &'static str,
    /// Model name.
    pub model: String,
    /// Whether there is a version.
    pub versioning: Versioning,
    /// Where it goes.
    pub target: Option<Target>,
    /// Commit that was weighed.
    pub commit: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was weighed.
    pub inventory: Inventory,
    /// Metrics with their bounds: name, shown value, shown bound, passed.
    pub metrics: Vec<MetricRow>,
    /// What publishing did, when it ran.
    pub publication: Option<Publication>,
    /// Remarks on the run itself ("no checks: write permission, annotations went to the log").
    pub notes: Vec<String>,
}

/// A row of the metrics table.
#[derive(Debug, Clone, Serialize)]
pub struct MetricRow {
    /// Name.
    pub name: String,
    /// Value as shown.
    pub value: String,
    /// Bound as shown (`≥ 0.9`), empty when there is none.
    pub bound: String,
    /// Whether the bound holds.
    pub passed: bool,
    /// `file:line` it came from.
    pub source: String,
}

impl MetricRow {
    /// How a metric's value is shown.
    pub fn show(metric: &Metric) -> String {
        use crate::evidence::MetricValue;
        match &metric.value {
            MetricValue::Number(number) => format!("{number}"),
            MetricValue::NotFinite(text) | MetricValue::NotANumber(text) => text.clone(),
            MetricValue::Missing(_) => "missing".into(),
        }
    }
}

/// What publishing did.
#[derive(Debug, Clone, Serialize)]
pub struct Publication {
    /// Nothing was written: the version was there already.
    pub already_published: bool,
    /// `namespace/name`.
    pub repo_id: String,
    /// Commit on the Hub.
    pub revision: String,
    /// Tag on the Hub.
    pub tag: String,
    /// Page of the version.
    pub url: String,
    /// Digest of `weighbridge.json` as published.
    pub record_digest: String,
    /// Files in the commit, files that were there already, files deleted.
    pub files: PublishedFiles,
    /// Bytes sent through Xet or LFS.
    pub bytes_sent: u64,
}

/// Counts of files.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PublishedFiles {
    /// Added or changed.
    pub written: usize,
    /// Already there with the same digest.
    pub unchanged: usize,
    /// Deleted because this version does not have them.
    pub deleted: usize,
}
