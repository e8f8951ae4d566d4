//! Files of results, whatever wrote them, in one shape: named numbers with where they stand.
//!
//! A format is one file here and one line in [`READERS`]. A reader says what the file says and
//! nothing else: a direction, a split or a unit that the format does not hold stays unknown.

mod boosting;
mod document;
mod dvc;
mod evaluate;
mod examples;
mod github_action_benchmark;
mod inspect;
mod lighteval;
mod lm_eval;
mod mlflow;
mod mlperf;
mod plain;
mod pytest_benchmark;
mod record;
mod select;
mod sklearn;
mod spot;
mod table;
mod transformers;
mod wandb;
mod wandb_run;

pub(super) use lm_eval::samples_beside;
pub(super) use record::{FORMAT as RECORD, bytes_in};
pub(super) use select::{On, select, slices};

use super::scores::Scores;
use super::{EvidenceFile, MetricValue};
pub(super) use document::Document;
pub(super) use spot::Spot;

use crate::machine_path;

/// Every format; the first that claims a file reads it.
const READERS: &[&Reader] = &[
    &wandb_run::READER,
    &record::READER,
    &lighteval::READER,
    &lm_eval::READER,
    &inspect::READER,
    &pytest_benchmark::READER,
    &github_action_benchmark::READER,
    &mlflow::RUN,
    &mlflow::MODEL,
    &mlflow::METRIC,
    &mlperf::READER,
    &wandb::READER,
    &evaluate::READER,
    &transformers::STATE,
    &transformers::RESULTS,
    &sklearn::READER,
    &boosting::READER,
    &dvc::SHOWN,
    &dvc::LIVE,
    &examples::READER,
    &table::READER,
    &plain::READER,
];

/// One format of results.
struct Reader {
    /// Its name, as reports and the documentation have it.
    format: &'static str,
    /// What writes it, for the documentation.
    written_by: &'static str,
    /// Whether a file is of this format, by its content.
    claims: fn(&Document<'_>) -> bool,
    /// What it holds. Total: any bytes give results or a reason.
    read: fn(&Document<'_>) -> Result<Results, String>,
}

/// What a file of results says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// The format it was read as.
    pub format: &'static str,
    /// Every number, in the file's order.
    pub numbers: Vec<Number>,
    /// Where the numbers come from, as far as the file tells.
    pub lineage: Lineage,
    /// Why the run does not count as a whole one: `limit: 10`, `status: error`.
    pub partial: Option<String>,
}

/// What a file tells of the run that made its numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The program and its version.
    pub tool: Option<String>,
    /// The run's id in the program that kept it.
    pub run: Option<String>,
    /// The commit of the code that ran.
    pub commit: Option<String>,
    /// The model that was measured, under the name that the run had for it.
    pub model: Option<String>,
    /// Data that went in.
    pub datasets: Vec<String>,
}

impl Lineage {
    /// Without paths of the machine that the run was on: all of it may be published.
    fn told(self) -> Self {
        let told = |name: Option<String>| machine_path::name_of(&name?);
        let mut datasets: Vec<_> =
            self.datasets.iter().filter_map(|name| machine_path::name_of(name)).collect();
        datasets.sort();
        datasets.dedup();
        Self {
            tool: told(self.tool),
            run: told(self.run),
            commit: told(self.commit),
            model: told(self.model),
            datasets,
        }
    }
}

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The metric as the file names it.
    pub metric: String,
    /// The task or test it was measured in.
    pub task: Option<String>,
    /// Which of several ways of counting: a filter, a scorer, an average, a statistic.
    pub filter: Option<String>,
    /// The class or group that it is about, when it is about one only.
    pub label: Option<String>,
    /// The dataset.
    pub dataset: Option<String>,
    /// The split of it.
    pub split: Option<String>,
    /// The configuration of it.
    pub config: Option<String>,
    /// The revision of it.
    pub revision: Option<String>,
    /// Whether more is better, where the file says so.
    pub higher_is_better: Option<bool>,
    /// Standard error of the value.
    pub stderr: Option<f64>,
    /// How many samples it was computed from.
    pub samples: Option<u64>,
    /// The scores that it is the mean of, where the file has one for each example.
    pub scores: Option<Scores>,
    /// The unit, where there is one.
    pub unit: Option<String>,
    /// The value.
    pub value: MetricValue,
    /// JSON Pointer (RFC 6901) to it, in files that have such.
    pub pointer: String,
    /// Byte at which it stands.
    pub at: usize,
}

impl Number {
    pub(super) fn new(metric: impl Into<String>, value: MetricValue, at: usize) -> Self {
        Self {
            metric: metric.into(),
            task: None,
            filter: None,
            label: None,
            dataset: None,
            split: None,
            config: None,
            revision: None,
            higher_is_better: None,
            stderr: None,
            samples: None,
            scores: None,
            unit: None,
            value,
            pointer: String::new(),
            at,
        }
    }

    /// Takes the scores of the examples in, if they are all of them and it is their mean: a metric
    /// may be something else, and a file of another run.
    pub(super) fn with_scores(self, scores: Scores) -> Self {
        let MetricValue::Number(value) = self.value else { return self };
        let all = self.samples.is_none_or(|samples| samples == scores.count());
        // Adding in another order makes a difference this small, printing fewer digits a larger one.
        let allowed = half_a_digit(value).max(1e-6 * value.abs().max(1.0));
        if !all || (scores.mean() - value).abs() > allowed {
            return self;
        }
        Self {
            stderr: self.stderr.or_else(|| scores.stderr()),
            samples: self.samples.or(Some(scores.count())),
            scores: Some(scores),
            ..self
        }
    }
}

/// Half a unit of the last digit of a number that is printed with four or more of them; fewer are too
/// few to tell one mean from another.
fn half_a_digit(value: f64) -> f64 {
    let text = value.abs().to_string();
    let digits = text.trim_start_matches(['0', '.']).bytes().filter(u8::is_ascii_digit).count();
    match text.split_once('.') {
        // A hair more, as neither number is exact.
        Some((_, behind)) if digits > 3 => {
            format!("0.501e-{}", behind.len()).parse().unwrap_or(0.0)
        }
        _ => 0.0,
    }
}

/// The formats and what writes them, for the documentation.
pub fn formats() -> impl Iterator<Item = (&'static str, &'static str)> {
    READERS.iter().map(|reader| (reader.format, reader.written_by))
}

/// Reads a file by its content.
///
/// # Errors
///
/// In words: what the file is not, or what is wrong with it.
pub fn read(file: &EvidenceFile) -> Result<Results, String> {
    let document = Document::new(file)?;
    // The last one claims every document that has values.
    let reader = READERS
        .iter()
        .find(|reader| (reader.claims)(&document))
        .ok_or("it is in no format of results that is known (JSON, YAML, TOML, CSV and others)")?;
    let mut results = (reader.read)(&document)?;
    results.format = reader.format;
    results.lineage = results.lineage.told();
    for number in &mut results.numbers {
        number.stderr = number.stderr.filter(|error| error.is_finite() && *error >= 0.0);
        number.dataset = number.dataset.take().and_then(|name| machine_path::name_of(&name));
    }
    Ok(results)
}

/// A count that may be written as a float; `None` of anything else.
pub(super) fn count(spot: Option<Spot<'_>>) -> Option<u64> {
    let number = spot?.float()?;
    // Above 2^53 a float is no exact count.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    ((0.0..=9e15).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests;
