//! What the gate says, and when it says nothing.

use super::*;
use crate::evidence::{Earlier, Last, MetricValue, Number, Slice};
use crate::gates::sample::Sample;
use crate::policy::{Around, Before, NoWorseThan, Tolerance};

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
    assert!(nan.one(&Benchmarks, "metric-not-finite").contains("f1 is NaN at metrics.json:4:9"));
    let text = with(MetricValue::NotANumber("\"0.93\"".into()));
    assert!(text.one(&Benchmarks, "metric-not-a-number").contains("\"0.93\" stands at"));
    let missing = with(MetricValue::Missing("no such file".into()));
    assert!(
        missing.one(&Benchmarks, "metric-missing").contains("asked for at weighbridge.yml:20:12")
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

fn named(number: f64) -> Sample {
    let mut sample = with(MetricValue::Number(number));
    sample.evidence.metrics[0].number = Some(Number {
        higher_is_better: Some(true),
        stderr: Some(0.01),
        samples: Some(400),
        ..number_of("f1", number)
    });
    sample
}

fn number_of(metric: &str, value: f64) -> Number {
    Number {
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
        value: MetricValue::Number(value),
        pointer: String::new(),
        at: 0,
    }
}

fn before(sample: &mut Sample, value: f64, confidence: Option<f64>) {
    sample.model().gates.benchmarks[0].no_worse_than = Some(NoWorseThan {
        than: Before::Last,
        tolerance: Tolerance::Absolute(0.005),
        confidence,
        at: crate::finding::Location::file("weighbridge.yml"),
    });
    sample.evidence.metrics[0].earlier = Earlier::Number {
        from: "1.2.0".into(),
        value,
        stderr: Some(0.01),
        samples: Some(300),
        scores: None,
        unit: None,
    };
}

#[test]
fn of_what_got_worse() {
    let mut sample = named(0.93);
    before(&mut sample, 0.95, None);
    assert_eq!(
        sample.one(&Benchmarks, "metric-worse"),
        "metric-worse at metrics.json:4:9: f1 is 0.93 (metrics.json:4:9), worse than 0.95 in 1.2.0 \
         (-0.02; 0.005 is allowed at weighbridge.yml)"
    );
    // The same loss is within what two such errors make of it.
    before(&mut sample, 0.95, Some(0.95));
    assert_eq!(sample.weigh(&Benchmarks).0, Vec::<String>::new());
    before(&mut sample, 0.99, Some(0.95));
    let said = sample.one(&Benchmarks, "metric-worse");
    assert!(
        said.contains(
            "with 95% confidence by at least 0.03671 (one-sided test, unpaired, 400 and 300 \
             samples, p < 0.001, standard error of the difference 0.01414)"
        ),
        "{said}"
    );
}

#[test]
fn of_comparisons_that_cannot_be_made() {
    let mut sample = named(0.93);
    before(&mut sample, 0.9, None);
    if let Some(number) = &mut sample.evidence.metrics[0].number {
        number.higher_is_better = None;
    }
    assert!(sample.one(&Benchmarks, "metric-direction-unknown").contains("which way is better"));
    sample.model().gates.benchmarks[0].direction = Some(Direction::Higher);
    assert_eq!(sample.weigh(&Benchmarks).0, Vec::<String>::new());
    if let Some(number) = &mut sample.evidence.metrics[0].number {
        number.higher_is_better = Some(false);
    }
    let said = sample.weigh(&Benchmarks).0.join("\n");
    assert!(
        said.contains("metric-direction-disputed") && said.contains("lower is better"),
        "{said}"
    );

    let mut sample = named(0.93);
    before(&mut sample, 0.93, Some(0.95));
    if let Some(number) = &mut sample.evidence.metrics[0].number {
        number.stderr = None;
    }
    assert!(sample.one(&Benchmarks, "metric-not-tested").contains("not known on both sides"));
    sample.evidence.metrics[0].earlier = Earlier::Missing("no record".into());
    assert!(sample.one(&Benchmarks, "metric-not-compared").contains("no record"));
    sample.evidence.metrics[0].earlier = Earlier::NotAsked;
    assert!(sample.one(&Benchmarks, "metric-compared-later").contains("the last release"));
    sample.evidence.metrics[0].earlier = Earlier::Nothing;
    assert_eq!(sample.weigh(&Benchmarks).0, Vec::<String>::new());
}

#[test]
fn of_targets_warnings_and_gaps() {
    let mut sample = named(0.93);
    let asked = &mut sample.model().gates.benchmarks[0];
    asked.target = Some(Around { target: 0.9, tolerance: Tolerance::Relative(0.01) });
    assert!(
        sample.one(&Benchmarks, "metric-off-target").contains("not within 1% of the wanted 0.9")
    );
    let asked = &mut sample.model().gates.benchmarks[0];
    asked.target = Some(Around { target: 0.92, tolerance: Tolerance::Absolute(0.02) });
    asked.warn_min = Some(0.94);
    assert!(sample.one(&Benchmarks, "metric-doubtful").contains("below `warn-min` (0.94)"));
    let asked = &mut sample.model().gates.benchmarks[0];
    (asked.warn_min, asked.warn_max, asked.max_gap) = (None, Some(0.9), Some(0.1));
    let said = sample.weigh(&Benchmarks).0.join("\n");
    assert!(
        said.contains("above `warn-max` (0.9)") && said.contains("metric-without-labels"),
        "{said}"
    );
    sample.model().gates.benchmarks[0].warn_max = None;
    let slice = |label: &str, value| Slice { label: label.into(), value };
    sample.evidence.metrics[0].slices =
        Ok(vec![slice("a", 0.94), slice("b", 0.71), slice("c", 0.8)]);
    let said = sample.one(&Benchmarks, "metric-gap");
    assert!(said.contains("0.71 for `b` and 0.94 for `a`: 0.23 apart"), "{said}");
    sample.model().gates.benchmarks[0].max_gap = Some(0.25);
    assert_eq!(sample.weigh(&Benchmarks).0, Vec::<String>::new());
    sample.evidence.metrics[0].slices = Err("`c` is nan".into());
    assert!(sample.one(&Benchmarks, "metric-without-labels").contains("`c` is nan"));
}

#[test]
fn of_runs_that_do_not_count() {
    let mut sample = named(0.93);
    sample.evidence.metrics[0].partial = Some("`limit: 10`: only a part".into());
    assert!(sample.one(&Benchmarks, "metric-partial-run").contains("`limit: 10`"));
    sample.model().gates.benchmarks[0].allow_partial = true;
    assert_eq!(sample.weigh(&Benchmarks).0, Vec::<String>::new());
    sample.evidence.metrics[0].lineage.commit = Some("0123456".into());
    assert_eq!(sample.weigh(&Benchmarks).0, Vec::<String>::new());
    sample.evidence.metrics[0].lineage.commit = Some("fedcba9876".into());
    let said = sample.one(&Benchmarks, "metric-other-commit");
    assert!(said.contains("measured at commit fedcba9, and 0123456 is weighed"), "{said}");
}

#[test]
fn of_metrics_that_are_gone() {
    let mut sample = named(0.93);
    let of_task = |task: &str| Number { task: Some(task.into()), ..number_of("recall", 0.9) };
    let metrics = vec![number_of("f1", 0.9), of_task("a"), of_task("b")];
    sample.evidence.last = Some(Last { version: "1.2.0".into(), metrics, bytes: None });
    let named = |task: &str| crate::policy::Named {
        key: "recall".into(),
        task: Some(task.into()),
        filter: None,
        label: None,
    };
    let mut recall = sample.model().gates.benchmarks[0].clone();
    recall.metric = "recall".into();
    recall.place = crate::policy::Place::Named(named("a"));
    sample.model().gates.benchmarks.push(recall);
    let mut metric = sample.evidence.metrics[0].clone();
    metric.name = "recall".into();
    sample.evidence.metrics.push(metric);
    assert!(
        sample.one(&Benchmarks, "metric-dropped").contains("version 1.2.0 had recall (b), and")
    );
}

#[test]
fn of_units_that_changed() {
    let mut sample = named(0.93);
    before(&mut sample, 0.95, None);
    if let Some(number) = &mut sample.evidence.metrics[0].number {
        number.unit = Some("s".into());
    }
    assert!(sample.one(&Benchmarks, "metric-worse").contains("worse than 0.95"));
    if let Earlier::Number { unit, .. } = &mut sample.evidence.metrics[0].earlier {
        *unit = Some("ms".into());
    }
    let said = sample.one(&Benchmarks, "metric-other-unit");
    assert!(said.contains("f1 is in s (metrics.json:4:9), and what it is compared with is in ms"));
    let row = &rows(&sample.policy.models[0], &sample.evidence)[0];
    assert_eq!((row.before.as_str(), row.delta.as_str(), row.passed), ("", "", false));
}
