//! MLPerf inference, `mlperf_log_summary.txt`, which LoadGen writes: lines of `key : value`.
//! <https://github.com/mlcommons/inference/tree/master/loadgen>

use super::document::Document;
use super::{Lineage, Number, Reader, Results};
use crate::evidence::MetricValue;

pub(super) const READER: Reader = Reader {
    format: "mlperf-inference",
    written_by: "MLPerf LoadGen (`mlperf_log_summary.txt`)",
    claims: |document| {
        let head: String = document.text.chars().take(2_000).collect();
        head.contains("MLPerf Results Summary") && head.contains("Scenario")
    },
    read,
};

#[expect(clippy::unnecessary_wraps, reason = "the shape that every reader has")]
fn read(document: &Document<'_>) -> Result<Results, String> {
    let (mut numbers, mut scenario, mut verdict) = (Vec::<Number>::new(), None, None);
    let mut at = 0;
    for line in document.text.split_inclusive('\n') {
        if let Some((key, value)) =
            line.split_once(':').map(|(key, value)| (key.trim(), value.trim()))
        {
            match key {
                "Scenario" => scenario = Some(value.to_owned()),
                "Result is" => verdict = Some(value.to_owned()),
                // Settings follow the results.
                "samples_per_query" => break,
                _ => numbers.extend(number(key, value, at + line.len() - line.trim_start().len())),
            }
        }
        at += line.len();
    }
    for number in &mut numbers {
        number.task.clone_from(&scenario);
    }
    let partial = match verdict.as_deref() {
        Some("VALID") => None,
        Some(other) => Some(format!("MLPerf's own verdict is {other}")),
        None => Some("it has no line `Result is : VALID`".into()),
    };
    let lineage = Lineage { tool: Some("mlperf loadgen".into()), ..Lineage::default() };
    Ok(Results { numbers, lineage, partial, ..Results::default() })
}

/// `99.00 percentile latency (ns) : 1234`, `Samples per second: 12.5`.
fn number(key: &str, value: &str, at: usize) -> Option<Number> {
    let value = value.parse().ok()?;
    let (metric, unit) = match key.strip_suffix(')').and_then(|key| key.rsplit_once(" (")) {
        Some((metric, unit)) => (metric, Some(unit.to_owned())),
        None => (key, None),
    };
    Some(Number { unit, ..Number::new(metric, MetricValue::of(value), at) })
}
