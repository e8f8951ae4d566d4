//! Inspect AI logs in JSON (`--log-format json`): <https://inspect.aisi.org.uk/eval-logs.html>.

use super::document::Document;
use super::{Lineage, Number, Reader, Results, Spot, count};
use crate::evidence::scores::Scores;

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
            let is_mean = matches!(metric, "accuracy" | "mean");
            let number = Number {
                task: eval.text_at(&["task"]),
                filter: score.text_at(&["name"]),
                dataset: eval.text_at(&["dataset", "name"]).filter(|name| !name.starts_with('/')),
                // The error is that of the mean, which is what accuracy is.
                stderr: stderr.filter(|_| is_mean),
                samples: count(score.get("scored_samples")),
                ..number
            };
            numbers.push(match of_samples(&root, &score).filter(|_| is_mean) {
                Some(scores) => number.with_scores(scores),
                None => number,
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

/// The scores of the samples, by their ids: as they were reduced over epochs, else as they are.
fn of_samples(root: &Spot<'_>, score: &Spot<'_>) -> Option<Scores> {
    let scorer = score.text_at(&["scorer"]).or_else(|| score.text_at(&["name"]))?;
    let reductions = root.get("reductions");
    let reduction = reductions.iter().flat_map(Spot::items).find(|one| {
        one.text_at(&["scorer"]).as_ref() == Some(&scorer)
            && one.text_at(&["reducer"]) == score.text_at(&["reducer"])
    });
    let samples = match &reduction {
        Some(reduction) => reduction.get("samples"),
        None => root.get("samples"),
    }?;
    let of_sample = |sample: Spot<'_>| {
        let (id, value) = match &reduction {
            Some(_) => (sample.get("sample_id")?, sample.get("value")?),
            None => (sample.get("id")?, sample.path(&["scores", &scorer, "value"])?),
        };
        // A scorer may give several scores by name.
        let value = if value.is_map() { value.get(&score.text_at(&["name"])?)? } else { value };
        let value = value.score().or_else(|| letter(value.value.text()?));
        Some((id.id()?, value.filter(|value| value.is_finite())?))
    };
    Scores::of(samples.items().map(of_sample).collect::<Option<_>>()?).ok()
}

/// Correct, partly correct, incorrect, no answer: as Inspect's `value_to_float` counts them.
fn letter(text: &str) -> Option<f64> {
    match text {
        "C" => Some(1.0),
        "P" => Some(0.5),
        "I" | "N" => Some(0.0),
        _ => None,
    }
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
