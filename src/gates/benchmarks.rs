//! Every number that the policy names is there, finite and within its bounds.

use super::{Gate, Judgement, Load};
use crate::evidence::{Evidence, Measured, MetricRow, MetricValue, measured, show};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::policy::Model;

/// Judges metrics against `gates.benchmarks`.
pub struct Benchmarks;

const MISSING: Rule = Rule {
    id: "metric-missing",
    level: Level::Error,
    summary: "a metric that the policy names was not found",
    reason: "A bound that is never compared with a number guards nothing.",
    fix: "write the metrics file before this step, or correct `file` and `pointer` in \
          `gates.benchmarks`",
    example: "pointer: /eval/f1 with {\"eval\": {\"accuracy\": 0.9}}",
};

const NOT_FINITE: Rule = Rule {
    id: "metric-not-finite",
    level: Level::Error,
    summary: "a metric is NaN or infinite",
    reason: "No bound holds for NaN; training that diverged, or a division by an empty class, writes it.",
    fix: "find out where the evaluation divides by zero or overflows, and evaluate again",
    example: "{\"f1\": NaN}",
};

const NOT_A_NUMBER: Rule = Rule {
    id: "metric-not-a-number",
    level: Level::Error,
    summary: "what stands at a metric's pointer is not a number",
    reason: "A number in quotes may be a name or a rounded text; only numbers are compared.",
    fix: "write the number without quotes, or let `pointer` lead to the number itself",
    example: "{\"f1\": \"0.93\"}",
};

const BELOW_MIN: Rule = Rule {
    id: "metric-below-min",
    level: Level::Error,
    summary: "a metric is below its lowest allowed value",
    reason: "The policy says that a model this weak is not released.",
    fix: "improve the model; or, if the bound is wrong, change `min` in a reviewed commit",
    example: "f1 of 0.81 with `min: 0.9`",
};

const ABOVE_MAX: Rule = Rule {
    id: "metric-above-max",
    level: Level::Error,
    summary: "a metric is above its highest allowed value",
    reason: "The policy says that a model with this much loss, error or latency is not released.",
    fix: "improve the model; or, if the bound is wrong, change `max` in a reviewed commit",
    example: "loss of 0.7 with `max: 0.5`",
};

const UNBOUNDED: Rule = Rule {
    id: "metric-unbounded",
    level: Level::Note,
    summary: "a metric has neither `min` nor `max`",
    reason: "It is shown on the card, but no value of it would ever stop a release.",
    fix: "add `min:` or `max:` beside the metric in `gates.benchmarks`",
    example: "benchmarks: [{metric: f1, file: metrics.json, pointer: /f1}]",
};

/// The rows of the metrics table, in the policy's order.
pub fn rows(model: &Model, evidence: &Evidence) -> Vec<MetricRow> {
    measured(model, evidence).iter().map(Measured::row).collect()
}

impl Gate for Benchmarks {
    fn name(&self) -> &'static str {
        "benchmarks"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&MISSING, &NOT_FINITE, &NOT_A_NUMBER, &BELOW_MIN, &ABOVE_MAX, &UNBOUNDED]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let rows = measured(load.model, load.evidence);
        if rows.is_empty() {
            let note = "the policy names no benchmark".into();
            return Ok(Judgement { note, findings: Vec::new(), skipped: true });
        }
        let findings = rows.iter().flat_map(judge).collect();
        let passed = rows.iter().filter(|row| row.passed()).count();
        let note = format!("{passed} of {} metrics within bounds", rows.len());
        Ok(Judgement { note, findings, skipped: false })
    }
}

fn judge(row: &Measured<'_>) -> Vec<Finding> {
    let benchmark = row.benchmark;
    let name = &benchmark.metric;
    let Some(metric) = row.metric else {
        let message = format!("{name}: {} was not read", benchmark.file);
        return vec![Finding::new(&MISSING, message, benchmark.at_min.clone())];
    };
    let at = || metric.at.clone();
    let asked = &benchmark.at_min;
    let pointer = if metric.pointer.is_empty() { "the whole file" } else { &metric.pointer };
    match &metric.value {
        MetricValue::Missing(why) => {
            let message = format!("{name} is missing: {why} (asked for at {asked})");
            vec![Finding::new(&MISSING, message, at())]
        }
        MetricValue::NotFinite(text) => {
            let message = format!("{name} is {text} at {} ({pointer})", metric.at);
            vec![Finding::new(&NOT_FINITE, message, at())]
        }
        MetricValue::NotANumber(text) => {
            let message = format!(
                "{name} should be a number, but {text} stands at {} ({pointer})",
                metric.at
            );
            vec![Finding::new(&NOT_A_NUMBER, message, at())]
        }
        MetricValue::Number(value) => bounds(row, *value, &metric.at),
    }
}

fn bounds(row: &Measured<'_>, value: f64, at: &Location) -> Vec<Finding> {
    let benchmark = row.benchmark;
    let name = &benchmark.metric;
    let value_at = format!("{name} is {} ({at})", show(value));
    let mut findings = Vec::new();
    if let Some(min) = benchmark.min.filter(|min| value < *min) {
        let set = &benchmark.at_min;
        let message = format!("{value_at}, below the lowest allowed {} ({set})", show(min));
        findings.push(Finding::new(&BELOW_MIN, message, at.clone()));
    }
    if let Some(max) = benchmark.max.filter(|max| value > *max) {
        let set = &benchmark.at_max;
        let message = format!("{value_at}, above the highest allowed {} ({set})", show(max));
        findings.push(Finding::new(&ABOVE_MAX, message, at.clone()));
    }
    if benchmark.min.is_none() && benchmark.max.is_none() {
        let message = format!("{value_at} and has no bound");
        findings.push(Finding::new(&UNBOUNDED, message, benchmark.at_min.clone()));
    }
    findings
}

#[cfg(test)]
mod speaks {
    use super::*;
    use crate::gates::sample::Sample;

    fn with(value: MetricValue) -> Sample {
        let mut sample = Sample::new();
        sample.evidence.metrics[0].value = value;
        sample
    }

    #[test]
    fn nothing_within_bounds_and_on_them() {
        for value in [0.93, 0.9] {
            let (findings, note) = with(MetricValue::Number(value)).weigh(&Benchmarks);
            assert_eq!(findings, Vec::<String>::new());
            assert_eq!(note, "1 of 1 metrics within bounds");
        }
        let mut sample = Sample::new();
        sample.model().gates.benchmarks.clear();
        assert!(sample.weigh(&Benchmarks).0.is_empty());
    }

    #[test]
    fn of_values_beyond_bounds_with_both_places() {
        let mut sample = with(MetricValue::Number(0.5));
        assert_eq!(
            sample.one(&Benchmarks, "metric-below-min"),
            "metric-below-min at metrics.json:4:9: f1 is 0.5 (metrics.json:4:9), below the \
             lowest allowed 0.9 (weighbridge.yml:20:12)"
        );
        sample.model().gates.benchmarks[0].min = None;
        sample.model().gates.benchmarks[0].max = Some(0.25);
        assert_eq!(
            sample.one(&Benchmarks, "metric-above-max"),
            "metric-above-max at metrics.json:4:9: f1 is 0.5 (metrics.json:4:9), above the \
             highest allowed 0.25 (weighbridge.yml:19:7)"
        );
    }

    #[test]
    fn of_what_is_no_finite_number() {
        let nan = with(MetricValue::NotFinite("NaN".into()));
        assert!(
            nan.one(&Benchmarks, "metric-not-finite").contains("f1 is NaN at metrics.json:4:9")
        );
        let text = with(MetricValue::NotANumber("\"0.93\"".into()));
        assert!(text.one(&Benchmarks, "metric-not-a-number").contains("\"0.93\" stands at"));
        let missing = with(MetricValue::Missing("no such file".into()));
        assert!(
            missing
                .one(&Benchmarks, "metric-missing")
                .contains("asked for at weighbridge.yml:20:12")
        );
        let mut nothing = Sample::new();
        nothing.evidence.metrics.clear();
        assert!(nothing.one(&Benchmarks, "metric-missing").contains("was not read"));
    }

    #[test]
    fn of_metrics_without_bounds() {
        let mut sample = Sample::new();
        sample.model().gates.benchmarks[0].min = None;
        assert!(sample.one(&Benchmarks, "metric-unbounded").contains("f1 is 0.93"));
    }
}
