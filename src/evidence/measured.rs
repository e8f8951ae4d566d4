//! A metric beside the bounds that the policy sets for it.

use super::{Evidence, Metric, MetricValue};
use crate::policy::{Benchmark, Model};

/// One bounded metric with what was measured. `metric` is `None` only when nothing was gathered
/// for it.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// What the policy asks for.
    pub benchmark: &'a Benchmark,
    /// What the evidence says.
    pub metric: Option<&'a Metric>,
}

/// Every benchmark of the model with its evidence, in the policy's order.
pub fn measured<'a>(model: &'a Model, evidence: &'a Evidence) -> Vec<Measured<'a>> {
    let mut left: Vec<&Metric> = evidence.metrics.iter().collect();
    model
        .gates
        .benchmarks
        .iter()
        .map(|benchmark| {
            let fits = |metric: &&Metric| {
                metric.name == benchmark.metric && metric.pointer == benchmark.pointer
            };
            let metric = left.iter().position(fits).map(|index| left.remove(index));
            Measured { benchmark, metric }
        })
        .collect()
}

/// A row of the metrics table, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRow {
    /// Name.
    pub name: String,
    /// Value as shown.
    pub value: String,
    /// Bound as shown (`≥ 0.9`), empty when there is none.
    pub bound: String,
    /// Whether the number is there and within its bounds.
    pub passed: bool,
    /// `file:line` it came from.
    pub source: String,
}

impl Measured<'_> {
    /// The row of the metrics table.
    pub fn row(&self) -> MetricRow {
        MetricRow {
            name: self.benchmark.metric.clone(),
            value: self.value(),
            bound: self.bound(),
            passed: self.passed(),
            source: self.source(),
        }
    }

    /// The number, when there is a finite one.
    pub fn number(&self) -> Option<f64> {
        match self.metric?.value {
            MetricValue::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Whether the number is there and within its bounds (inclusive).
    pub fn passed(&self) -> bool {
        self.number().is_some_and(|number| {
            self.benchmark.min.is_none_or(|min| number >= min)
                && self.benchmark.max.is_none_or(|max| number <= max)
        })
    }

    /// The value as tables show it.
    pub fn value(&self) -> String {
        match self.metric.map(|metric| &metric.value) {
            Some(MetricValue::Number(number)) => show(*number),
            Some(MetricValue::NotFinite(text) | MetricValue::NotANumber(text)) => text.clone(),
            Some(MetricValue::Missing(_)) | None => "missing".into(),
        }
    }

    /// The bounds as tables show them: `≥ 0.9`, `≤ 12`, `0.2 … 0.4`; empty when there are none.
    pub fn bound(&self) -> String {
        match (self.benchmark.min, self.benchmark.max) {
            (Some(min), Some(max)) => format!("{} … {}", show(min), show(max)),
            (Some(min), None) => format!("≥ {}", show(min)),
            (None, Some(max)) => format!("≤ {}", show(max)),
            (None, None) => String::new(),
        }
    }

    /// `file:line` of the evidence, or the file the policy names.
    pub fn source(&self) -> String {
        match self.metric {
            Some(Metric { at, .. }) => match (&at.path, at.line) {
                (Some(path), Some(line)) => format!("{path}:{line}"),
                (Some(path), None) => path.clone(),
                (None, _) => self.benchmark.file.clone(),
            },
            None => self.benchmark.file.clone(),
        }
    }
}

/// A number for people: the shortest text that reads back equal, exponents only for the very large
/// and the very small.
pub fn show(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-5..1e15).contains(&size) {
        format!("{number}")
    } else {
        format!("{number:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_read_back() {
        for (number, text) in
            [(0.9474, "0.9474"), (12.0, "12"), (-0.0, "-0"), (1e300, "1e300"), (2.5e-7, "2.5e-7")]
        {
            assert_eq!(show(number), text);
            assert_eq!(text.parse::<f64>().ok(), Some(number));
        }
    }
}
