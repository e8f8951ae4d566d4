//! Inspect AI logs in JSON (`--log-format json`): <https://inspect.aisi.org.uk/eval-logs.html>.

use super::document::Document;
use super::{Lineage, Number, Reader, Results, Spot, count};

pub(super) const READER: Reader = Reader {
    format: "inspect-ai",
    written_by: "Inspect AI (`inspect eval --log-format json`)",
    claims: |document| document.has(&["version", "status", "eval"]),
    read,
};

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.map().ok_or("no map")?;
    let eval = root.get("eval").ok_or("no evaluation")?;
    let scores = root.path(&["results", "scores"]);
    let mut numbers = Vec::new();
    for score in scores.iter().flat_map(Spot::items) {
        let metrics = score.get("metrics");
        let stderr = score.path(&["metrics", "stderr", "value"]).and_then(|spot| spot.float());
        for (metric, spot) in metrics.iter().flat_map(Spot::entries) {
            let Some(number) = spot.get("value").and_then(|spot| spot.number(metric)) else {
                continue;
            };
            if metric == "stderr" {
                continue;
            }
            numbers.push(Number {
                task: eval.text_at(&["task"]),
                filter: score.text_at(&["name"]),
                dataset: eval.text_at(&["dataset", "name"]).filter(|name| !name.starts_with('/')),
                // The error is that of the mean, which is what accuracy is.
                stderr: stderr.filter(|_| matches!(metric, "accuracy" | "mean")),
                samples: count(score.get("scored_samples")),
                ..number
            });
        }
    }
    let lineage = Lineage {
        tool: eval
            .text_at(&["packages", "inspect_ai"])
            .map_or(Some("inspect_ai".into()), |version| Some(format!("inspect_ai {version}"))),
        run: eval.text_at(&["run_id"]),
        commit: eval.text_at(&["revision", "commit"]),
        model: eval.text_at(&["model"]),
        ..Lineage::default()
    };
    Ok(Results { numbers, lineage, partial: partial(&root), ..Results::default() })
}

fn partial(root: &Spot<'_>) -> Option<String> {
    let status = root.text_at(&["status"]).unwrap_or_default();
    if status != "success" {
        return Some(format!("its status is `{status}`, not `success`"));
    }
    if root
        .path(&["eval", "config", "limit"])
        .is_some_and(|limit| limit.float().is_some() || !limit.value.list().is_empty())
    {
        return Some("`limit` was set: only a part of the samples was run".into());
    }
    let done = count(root.path(&["results", "completed_samples"]))?;
    let all = count(root.path(&["results", "total_samples"]))?;
    (done < all).then(|| format!("{done} of {all} samples were completed"))
}
