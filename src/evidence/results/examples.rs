//! A score for each example: CSV, TSV, JSON lines or a list in JSON, with a column of ids and
//! columns of scores. lm-evaluation-harness writes its samples so. The metric is the mean of a
//! column; by `label` or `group`, that of its rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::Document;
use super::{Number, Reader, Results, Spot};
use crate::evidence::MetricValue;
use crate::evidence::scores::{Scores, error_of_mean, mean};
use crate::json::Value;

pub(super) const READER: Reader = Reader {
    format: "examples",
    written_by: "anything: CSV, TSV or JSON lines with a row for each example",
    claims: |document| document.root().is_some_and(|root| id_column(&root).is_some()),
    read,
};

/// Columns that name the example.
const IDS: [&str; 5] = ["example_id", "sample_id", "doc_id", "example", "id"];

/// The one of them that may as well be that of a run: only scores that are right or wrong are taken
/// for those of examples.
const VAGUE: &str = "id";

/// Columns of the log of a training, in which the last row counts.
const TIMES: [&str; 2] = ["step", "epoch"];

/// Columns that say what a row is about; all others may be scores.
const NAMES: [&str; 6] = ["task", "filter", "dataset", "split", "label", "group"];

/// Most columns of a row: scores are few, and a row is looked through for each.
const MAX_COLUMNS: usize = 256;

/// What tells the runs in a file apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    task: Option<String>,
    filter: Option<String>,
    dataset: Option<String>,
    split: Option<String>,
}

struct Example<'v> {
    id: String,
    row: Spot<'v>,
}

fn id_column(root: &Spot<'_>) -> Option<&'static str> {
    let rows = root.value.list();
    let is_by_metric = |row: &Value| {
        row.get("value").is_some() && (row.get("metric").is_some() || row.get("name").is_some())
    };
    let is_log = |row: &Value| TIMES.iter().any(|time| row.get(time).is_some());
    let first = rows.first().filter(|row| !is_by_metric(row) && !is_log(row))?;
    let column = IDS.into_iter().find(|column| first.get(column).is_some())?;
    rows.iter().all(|row| row.get(column).is_some()).then_some(column)
}

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.root().ok_or("no rows")?;
    let column = id_column(&root).ok_or("no column of ids")?;
    let mut runs: BTreeMap<Run, Vec<Example<'_>>> = BTreeMap::new();
    for row in root.items() {
        if row.value.entries().len() > MAX_COLUMNS {
            return Err(format!("a row holds more than {MAX_COLUMNS} columns"));
        }
        let id = id(&row, column)?;
        let text = |column: &str| row.text_at(&[column]);
        let run = Run {
            task: text("task"),
            // As lm-evaluation-harness calls having none.
            filter: text("filter").filter(|filter| filter != "none"),
            dataset: text("dataset"),
            split: text("split"),
        };
        runs.entry(run).or_default().push(Example { id, row });
    }
    let mut numbers = Vec::new();
    for (run, examples) in runs {
        numbers.extend(of_run(&run, examples, column)?);
    }
    Ok(Results { numbers, ..Results::default() })
}

/// The id of a row; with the digest of what was asked, where the file has it, so that only the same
/// questions are the same example.
fn id(row: &Spot<'_>, column: &str) -> Result<String, String> {
    let id = row.get(column).and_then(|spot| spot.id());
    let id = id.ok_or_else(|| format!("a row has no text or number as its `{column}`"))?;
    Ok(match row.text_at(&["doc_hash"]) {
        Some(hash) => format!("{id} {hash}"),
        None => id,
    })
}

fn of_run(
    run: &Run,
    mut examples: Vec<Example<'_>>,
    id_column: &str,
) -> Result<Vec<Number>, String> {
    let first = examples.first().map(|example| example.row.clone()).ok_or("no rows")?;
    examples.sort_by(|one, other| one.id.cmp(&other.id));
    if let Some(twice) = examples.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(format!(
            "the id `{}` stands in two rows: each example has one, or the runs are told apart by \
             a column `task`, `filter` or `split`",
            twice[0].id
        ));
    }
    let ids: Arc<[String]> = examples.iter().map(|example| example.id.clone()).collect();
    let mut numbers = Vec::new();
    for (column, spot) in first.entries() {
        if column == id_column || NAMES.contains(&column) || !spot.may_be_score() {
            continue;
        }
        let named = |value, at| Number {
            task: run.task.clone(),
            filter: run.filter.clone(),
            dataset: run.dataset.clone(),
            split: run.split.clone(),
            ..Number::new(column, value, at)
        };
        match column_of(&examples, column) {
            Ok(values) if id_column == VAGUE && !values.iter().copied().all(is_right_or_wrong) => {
                let why = format!(
                    "its rows may be examples or runs: call the column `{VAGUE}` `example_id` to \
                     have the mean of `{column}`"
                );
                numbers.push(named(MetricValue::Missing(why), spot.at()));
            }
            Ok(values) => {
                numbers.extend(by_label(&examples, &values).into_iter().map(|(label, values)| {
                    Number {
                        label: Some(label),
                        stderr: error_of_mean(&values),
                        samples: Some(values.len() as u64),
                        ..named(MetricValue::of(mean(&values)), spot.at())
                    }
                }));
                let scores = Scores::new(Arc::clone(&ids), values);
                let number = named(MetricValue::of(scores.mean()), spot.at());
                numbers.push(number.with_scores(scores));
            }
            Err((value, at)) => numbers.push(named(value, at)),
        }
    }
    Ok(numbers)
}

/// The scores of a column, or the first cell that is none.
fn column_of(examples: &[Example<'_>], column: &str) -> Result<Vec<f64>, (MetricValue, usize)> {
    let cell = |example: &Example<'_>| {
        let spot = example.row.get(column);
        let at = spot.as_ref().map_or_else(|| example.row.at(), Spot::at);
        match spot.as_ref().and_then(Spot::score) {
            Some(score) if score.is_finite() => Ok(score),
            Some(other) => Err((MetricValue::of(other), at)),
            None => {
                let why = format!("no number (example `{}`)", example.id);
                Err((MetricValue::NotANumber(why), at))
            }
        }
    };
    examples.iter().map(cell).collect()
}

fn is_right_or_wrong(score: f64) -> bool {
    [0.0, 1.0].contains(&score)
}

/// The scores of each label or group.
fn by_label(examples: &[Example<'_>], values: &[f64]) -> BTreeMap<String, Vec<f64>> {
    let mut labels: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (example, value) in examples.iter().zip(values) {
        let label = example.row.text_at(&["label"]).or_else(|| example.row.text_at(&["group"]));
        if let Some(label) = label {
            labels.entry(label).or_default().push(*value);
        }
    }
    labels
}
