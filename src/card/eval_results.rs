//! Results in the Hub's newer form (`.eval_results/*.yaml`): the Hub shows them on the model's page
//! and on the benchmark's leaderboard. It takes them only for benchmarks that it knows, so only what
//! the policy maps to one is written.

use super::yaml::Data;
use crate::evidence::{Evidence, Measured, measured};
use crate::policy::{HubBenchmark, Model};
use crate::release::Release;

/// What the file is made of.
#[derive(Debug, Clone, Copy)]
pub struct EvalInput<'a> {
    /// The model, as the policy has it.
    pub model: &'a Model,
    /// The release; without one there is nothing to tell the Hub.
    pub release: Option<&'a Release>,
    /// What tests and training left.
    pub evidence: &'a Evidence,
    /// Address of the CI run, else of the repository.
    pub source: Option<&'a str>,
    /// When the commit was made that the tag names, in RFC 3339.
    pub date: Option<&'a str>,
}

/// The file's text; `None` when the policy maps no number that is there and passes.
pub fn eval_results(input: &EvalInput<'_>) -> Option<String> {
    let release = input.release?;
    let rows = measured(input.model, input.evidence);
    let entries = rows.iter().filter(|row| row.passed()).filter_map(|row| {
        Some(entry(row, row.benchmark.hub_benchmark.as_ref()?, row.number()?, release, input))
    });
    let entries: Vec<_> = entries.collect();
    (!entries.is_empty()).then(|| Data::List(entries).to_yaml())
}

fn entry(
    row: &Measured<'_>,
    on: &HubBenchmark,
    value: f64,
    release: &Release,
    input: &EvalInput<'_>,
) -> Data {
    let text = |key: &str, text: &str| (key.to_owned(), Data::text(text));
    let mut dataset = vec![text("id", &on.dataset), text("task_id", &on.task)];
    dataset.extend(on.revision.as_deref().map(|revision| text("revision", revision)));
    let mut entry =
        vec![("dataset".to_owned(), Data::Map(dataset)), ("value".to_owned(), Data::Float(value))];
    entry.extend(input.date.map(|date| text("date", date)));
    entry.extend(input.source.map(|url| ("source".to_owned(), Data::Map(vec![text("url", url)]))));
    let mut notes = format!("version {}, {}", release.version, row.name());
    if let Some(partial) = row.metric.and_then(|metric| metric.partial.as_deref()) {
        notes += &format!(", {partial}");
    }
    entry.push(text("notes", &notes));
    Data::Map(entry)
}
