//! lm-evaluation-harness, `results_*.json` (`EvaluationTracker.save_results_aggregated`): keys
//! `metric,filter` and `metric_stderr,filter` in `results`, everything else beside it by task.

use super::document::Document;
use super::{Lineage, Number, Reader, Results, Spot, count};

pub(super) const READER: Reader = Reader {
    format: "lm-eval",
    written_by: "lm-evaluation-harness (`lm_eval run --output_path …`)",
    claims: |document| {
        document.has(&["results", "configs"])
            || document.has(&["results", "higher_is_better"])
            || document.has(&["results", "versions", "n-shot"])
    },
    read,
};

/// What `datasets.load_dataset` takes as a path without it being a dataset.
const LOADERS: [&str; 10] = [
    "json",
    "csv",
    "parquet",
    "text",
    "arrow",
    "pandas",
    "sql",
    "xml",
    "imagefolder",
    "audiofolder",
];

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.map().ok_or("no map")?;
    let mut numbers = Vec::new();
    for part in ["results", "groups"] {
        for (task, metrics) in root.get(part).iter().flat_map(Spot::entries) {
            // Groups stand in `results` too.
            if part == "groups" && root.path(&["results", task]).is_some() {
                continue;
            }
            for (key, spot) in metrics.entries() {
                numbers.extend(number(&root, task, &metrics, key, &spot));
            }
        }
    }
    let lineage = Lineage {
        tool: root.text_at(&["lm_eval_version"]).map(|version| format!("lm_eval {version}")),
        model: root.text_at(&["model_name"]),
        ..Lineage::default()
    };
    Ok(Results { numbers, lineage, partial: partial(&root), ..Results::default() })
}

fn number(
    root: &Spot<'_>,
    task: &str,
    metrics: &Spot<'_>,
    key: &str,
    spot: &Spot<'_>,
) -> Option<Number> {
    // Before 0.4 there were no filters, and no keys that are no metrics either.
    let (metric, filter) = match key.split_once(',') {
        Some((metric, filter)) => (metric, Some(filter)),
        None => (key, None),
    };
    if metric.ends_with("_stderr") || matches!(metric, "sample_len" | "alias" | "name") {
        return None;
    }
    let stderr = match filter {
        Some(filter) => format!("{metric}_stderr,{filter}"),
        None => format!("{metric}_stderr"),
    };
    let config = |key: &str| root.text_at(&["configs", task, key]);
    let dataset = config("dataset_path")
        .filter(|path| !LOADERS.contains(&path.as_str()) && !path.starts_with(['/', '.']));
    Some(Number {
        task: Some(task.to_owned()),
        // `none` is the name of having none.
        filter: filter.filter(|filter| *filter != "none").map(str::to_owned),
        dataset,
        split: config("test_split"),
        higher_is_better: higher(root, task, metric),
        // "N/A" where there is none.
        stderr: metrics.get(&stderr).and_then(|spot| spot.float()).filter(|error| *error >= 0.0),
        samples: count(root.path(&["n-samples", task, "effective"])),
        ..spot.number(metric)?
    })
}

fn higher(root: &Spot<'_>, task: &str, metric: &str) -> Option<bool> {
    match root.path(&["higher_is_better", task, metric])?.value {
        crate::json::Value::Bool(higher) => Some(*higher),
        _ => None,
    }
}

fn partial(root: &Spot<'_>) -> Option<String> {
    if let Some(limit) = root.path(&["config", "limit"]).and_then(|limit| limit.float()) {
        return Some(format!("`limit: {limit}`: only a part of each task was run"));
    }
    root.get("n-samples")?.entries().find_map(|(task, samples)| {
        let (done, all) = (count(samples.get("effective"))?, count(samples.get("original"))?);
        (done < all).then(|| format!("{done} of {all} samples of `{task}` were run"))
    })
}

/// The file of samples that `--log_samples` writes beside a file of results for a task: `results`
/// and `samples` have the same time in their names.
pub(in crate::evidence) fn samples_beside(results: &str, number: &Number) -> Option<String> {
    let task = number.task.as_deref().filter(|task| !task.contains(['/', '\\']))?;
    let (folder, name) = results.rsplit_once('/').map_or(("", results), |(f, name)| (f, name));
    let time = name.strip_prefix("results")?.strip_suffix(".json")?;
    let slash = if folder.is_empty() { "" } else { "/" };
    Some(format!("{folder}{slash}samples_{task}{time}.jsonl"))
}
