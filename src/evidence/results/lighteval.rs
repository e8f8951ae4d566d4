//! lighteval, `results_*.json` (`EvaluationTracker`): tasks as `suite:task:shots` or
//! `suite|task|shots`, with an average named `all`.

use super::document::Document;
use super::{Lineage, Number, Reader, Results, Spot, count};
use crate::json::Value;

pub(super) const READER: Reader = Reader {
    format: "lighteval",
    written_by: "lighteval (`results_*.json`)",
    claims: |document| document.has(&["results", "config_general"]),
    read,
};

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.map().ok_or("no map")?;
    let general = root.get("config_general").ok_or("no general configuration")?;
    let mut numbers = Vec::new();
    for (task, metrics) in root.get("results").iter().flat_map(Spot::entries) {
        let config = config(&root, task);
        for (metric, spot) in metrics.entries().filter(|(key, _)| !key.ends_with("_stderr")) {
            let Some(number) = spot.number(metric) else { continue };
            let stderr = metrics.get(&format!("{metric}_stderr"));
            numbers.push(Number {
                task: Some(task.to_owned()),
                dataset: config.as_ref().and_then(|config| config.text_at(&["hf_repo"])),
                split: config.as_ref().and_then(split),
                higher_is_better: config.as_ref().and_then(|config| higher(config, metric)),
                stderr: stderr.and_then(|spot| spot.float()).filter(|error| *error >= 0.0),
                samples: config
                    .as_ref()
                    .and_then(|config| count(config.get("effective_num_docs")))
                    .filter(|samples| *samples > 0),
                ..number
            });
        }
    }
    let limit = general.get("max_samples").and_then(|limit| limit.float());
    let lineage = Lineage {
        tool: Some("lighteval".into()),
        model: general.text_at(&["model_name"]),
        ..Lineage::default()
    };
    let partial = limit.map(|limit| format!("`max_samples: {limit}`: only a part was run"));
    Ok(Results { numbers, lineage, partial, ..Results::default() })
}

/// The configuration of a task: under its own name, without the number of shots in some versions,
/// and with `|` where results have `:`.
fn config<'v>(root: &Spot<'v>, task: &str) -> Option<Spot<'v>> {
    let plain = |name: &str| name.replace('|', ":");
    let wanted = plain(task);
    let name = |name: &str| {
        let name = plain(name);
        wanted == name || wanted.strip_prefix(&name).is_some_and(|rest| rest.starts_with(':'))
    };
    root.get("config_tasks")?.entries().find(|(key, _)| name(key)).map(|(_, config)| config)
}

fn higher(config: &Spot<'_>, metric: &str) -> Option<bool> {
    let metrics = config.get("metrics").or_else(|| config.get("metric"))?;
    metrics.items().find_map(|one| {
        // A metric that yields several has a list of names and a map of directions.
        match &one.get("higher_is_better")?.value {
            Value::Bool(higher) if one.get("metric_name")?.value.text() == Some(metric) => {
                Some(*higher)
            }
            Value::Map(_) => match one.path(&["higher_is_better", metric])?.value {
                Value::Bool(higher) => Some(*higher),
                _ => None,
            },
            _ => None,
        }
    })
}

fn split(config: &Spot<'_>) -> Option<String> {
    let splits = config.get("evaluation_splits")?;
    let mut names = splits.items().filter_map(|split| split.value.text());
    let only = names.next()?;
    names.next().is_none().then(|| only.to_owned())
}
