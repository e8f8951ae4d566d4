//! MLflow: a run as JSON, `MLmodel`, and the metric files of its file store.

use super::document::Document;
use super::{Lineage, Number, Reader, Results, Spot};
use crate::evidence::MetricValue;

pub(super) const RUN: Reader = Reader {
    format: "mlflow-run",
    written_by: "MLflow (`mlflow runs describe`, the REST API, `Run.to_dictionary()`)",
    claims: |document| run(document).is_some(),
    read: |document| {
        let root = run(document).ok_or("no run")?;
        let metrics = root.path(&["data", "metrics"]);
        let mut numbers = Vec::new();
        for (metric, spot) in metrics.iter().flat_map(Spot::entries) {
            numbers.extend(spot.number(metric));
        }
        // The REST API has a list of `{key, value, timestamp, step}`.
        for item in metrics.iter().flat_map(Spot::items) {
            let (Some(key), Some(value)) = (item.text_at(&["key"]), item.get("value")) else {
                continue;
            };
            numbers.extend(value.number(&key));
        }
        let tag = |name: &str| {
            let tags = root.path(&["data", "tags"])?;
            let listed = || {
                tags.items()
                    .find(|tag| tag.text_at(&["key"]).as_deref() == Some(name))?
                    .text_at(&["value"])
            };
            tags.text_at(&[name]).or_else(listed)
        };
        let inputs = root.path(&["inputs", "dataset_inputs"]);
        let lineage = Lineage {
            tool: Some("mlflow".into()),
            run: root.text_at(&["info", "run_id"]),
            commit: tag("mlflow.source.git.commit"),
            datasets: inputs
                .iter()
                .flat_map(Spot::items)
                .filter_map(|input| input.text_at(&["dataset", "name"]))
                .collect(),
            ..Lineage::default()
        };
        let status = root.text_at(&["info", "status"]);
        let partial = status
            .filter(|status| status != "FINISHED")
            .map(|status| format!("its status is {status}, not FINISHED"));
        Ok(Results { numbers, lineage, partial, ..Results::default() })
    },
};

/// The run itself, or the `run` of a REST answer.
fn run<'v>(document: &'v Document<'_>) -> Option<Spot<'v>> {
    let map = document.map()?;
    let is_run = |run: &Spot<'_>| {
        run.path(&["info", "run_id"]).is_some() && run.path(&["data", "metrics"]).is_some()
    };
    map.get("run").filter(is_run).or_else(|| Some(map).filter(is_run))
}

pub(super) const MODEL: Reader = Reader {
    format: "mlmodel",
    written_by: "MLflow (`MLmodel`)",
    claims: |document| document.has(&["flavors", "mlflow_version"]),
    read: |document| {
        let root = document.map().ok_or("no map")?;
        let size = root.get("model_size_bytes").and_then(|spot| spot.number("model_size_bytes"));
        let lineage = Lineage {
            tool: root.text_at(&["mlflow_version"]).map(|version| format!("mlflow {version}")),
            run: root.text_at(&["run_id"]),
            model: root.text_at(&["model_id"]),
            ..Lineage::default()
        };
        let numbers = size.map(|size| Number { unit: Some("bytes".into()), ..size });
        Ok(Results { numbers: numbers.into_iter().collect(), lineage, ..Results::default() })
    },
};

pub(super) const METRIC: Reader = Reader {
    format: "mlflow-metric",
    written_by: "MLflow's file store (`mlruns/…/metrics/NAME`)",
    claims: |document| {
        let text = document.text.trim_start_matches('\u{feff}');
        document.path.contains("/metrics/")
            && !text.is_empty()
            && text.lines().all(|line| point(line).is_some())
    },
    read: |document| {
        // The folder that is named last: metrics with a `/` in their name are folders.
        let name = document.path.rsplit_once("/metrics/").map_or(document.path, |(_, name)| name);
        // Runs may log out of order; the last step is the last value, and of two the later one.
        let text = document.text.trim_start_matches('\u{feff}');
        let mut at = document.text.len() - text.len();
        let mut last: Option<(i64, i64, f64, usize)> = None;
        for line in text.split_inclusive('\n') {
            if let Some((time, value, step)) = point(line.trim_end())
                && last.is_none_or(|(s, t, ..)| (s, t) <= (step, time))
            {
                last = Some((step, time, value, at));
            }
            at += line.len();
        }
        let numbers = last
            .map(|(_, _, value, at)| Number::new(name, MetricValue::of(value), at))
            .into_iter()
            .collect();
        // The folder of the run, or of the model that a run logged, whose lines name the run.
        let folder = document.path.rsplit_once("/metrics/").map_or("", |(folder, _)| folder);
        let id = folder.rsplit('/').next().unwrap_or_default();
        let is_run = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let of_line = document.text.lines().next().and_then(|line| line.split(' ').nth(3));
        let lineage = Lineage {
            tool: Some("mlflow".into()),
            run: if is_run { Some(id) } else { of_line }.map(str::to_owned),
            model: id.starts_with("m-").then(|| id.to_owned()),
            ..Lineage::default()
        };
        Ok(Results { numbers, lineage, ..Results::default() })
    },
};

/// `epoch-ms value step`, and the run's id behind it in a logged model.
fn point(line: &str) -> Option<(i64, f64, i64)> {
    let mut words = line.split(' ');
    let point =
        (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (words.count() <= 3).then_some(point)
}
