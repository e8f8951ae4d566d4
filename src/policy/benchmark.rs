//! What the policy asks of one metric.

use std::fmt;

use semver::Version;

use crate::finding::Location;

/// One bounded metric.
#[derive(Debug, Clone)]
pub struct Benchmark {
    /// Metric name, as the card shows it (a Hub metric id where there is one: `accuracy`, `f1`).
    pub metric: String,
    /// File of results, relative to the policy file's folder; may be a glob.
    pub file: String,
    /// Whether the policy names no file: those that the pipeline names are looked into too.
    pub file_is_default: bool,
    /// Where in it.
    pub place: Place,
    /// Lowest value that passes.
    pub min: Option<f64>,
    /// Highest value that passes.
    pub max: Option<f64>,
    /// Lowest value that passes without a warning.
    pub warn_min: Option<f64>,
    /// Highest value that passes without a warning.
    pub warn_max: Option<f64>,
    /// The value that is wanted.
    pub target: Option<Around>,
    /// Which values are better, when the policy says so.
    pub direction: Option<Direction>,
    /// What it must not fall behind.
    pub no_worse_than: Option<NoWorseThan>,
    /// Largest difference between labels that passes.
    pub max_gap: Option<f64>,
    /// A run that was cut short counts too.
    pub allow_partial: bool,
    /// Dataset the number was measured on.
    pub dataset: Option<String>,
    /// Split of that dataset.
    pub split: Option<String>,
    /// Configuration of that dataset.
    pub config: Option<String>,
    /// Revision of that dataset.
    pub revision: Option<String>,
    /// The Hub's benchmark that the number is a result of.
    pub hub_benchmark: Option<HubBenchmark>,
    /// Where the policy asks for it.
    pub at: Location,
    /// Where the policy sets `min` (or the benchmark, when there is no `min`).
    pub at_min: Location,
    /// Where the policy sets `max` (or the benchmark).
    pub at_max: Location,
}

impl Benchmark {
    /// Whether any value of it could stop a release.
    pub fn is_bounded(&self) -> bool {
        self.min.is_some()
            || self.max.is_some()
            || self.target.is_some()
            || self.no_worse_than.is_some()
            || self.max_gap.is_some()
    }

    /// The dataset's revision as it is shown: of a commit the first twelve digits.
    pub fn short_revision(&self) -> Option<&str> {
        let revision = self.revision.as_deref()?;
        let is_commit = revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit());
        Some(if is_commit { &revision[..12] } else { revision })
    }
}

/// A benchmark that the Hub knows: a task of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubBenchmark {
    /// Hub id of the dataset.
    pub dataset: String,
    /// Id of the task in the dataset's `eval.yaml`.
    pub task: String,
    /// Commit of the dataset.
    pub revision: Option<String>,
}

/// Where in a file of results a number stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// JSON Pointer (RFC 6901).
    Pointer(String),
    /// By the names that the file's format gives it.
    Named(Named),
}

/// The names of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The metric as the file names it.
    pub key: String,
    /// Task, test or scenario.
    pub task: Option<String>,
    /// Filter, scorer, average or statistic.
    pub filter: Option<String>,
    /// Class or group.
    pub label: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer(pointer) if pointer.is_empty() => f.write_str("the whole file"),
            Self::Pointer(pointer) => f.write_str(pointer),
            Self::Named(Named { key, task, filter, label }) => {
                f.write_str(key)?;
                for (what, name) in [("task", task), ("filter", filter), ("label", label)] {
                    if let Some(name) = name {
                        write!(f, ", {what} {name}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Greater ones.
    Higher,
    /// Smaller ones.
    Lower,
}

/// A wanted value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Around {
    /// The value.
    pub target: f64,
    /// How far from it passes.
    pub tolerance: Tolerance,
}

/// What a version must not fall behind.
#[derive(Debug, Clone, PartialEq)]
pub struct NoWorseThan {
    /// What it is compared with.
    pub than: Before,
    /// How much worse still passes.
    pub tolerance: Tolerance,
    /// One-sided confidence with which it must be shown to be worse, above 0.5 and below 1.
    pub confidence: Option<f64>,
    /// Where the policy says so.
    pub at: Location,
}

impl NoWorseThan {
    /// The published version that it names.
    pub fn version(&self) -> Option<&Version> {
        match &self.than {
            Before::Version(version) => Some(version),
            Before::Last | Before::File(_) => None,
        }
    }
}

/// What came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// The newest published version of the channel.
    Last,
    /// A published version.
    Version(Version),
    /// A committed file of results.
    File(String),
}

impl fmt::Display for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str("the last release"),
            Self::Version(version) => write!(f, "version {version}"),
            Self::File(path) => write!(f, "`{path}`"),
        }
    }
}

/// An amount, in the metric's own unit or as a part of the value it is measured against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// In the metric's own unit.
    Absolute(f64),
    /// A part: 0.01 is 1 %.
    Relative(f64),
}

impl Tolerance {
    /// The amount around `value`.
    pub fn around(self, value: f64) -> f64 {
        match self {
            Self::Absolute(amount) => amount,
            Self::Relative(part) => part * value.abs(),
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(amount) => write!(f, "{amount}"),
            Self::Relative(part) => write!(f, "{}%", part * 100.0),
        }
    }
}
