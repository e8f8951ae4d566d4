//! What the files say of the model, as rows: the same thing said by several files stands once.

use serde::Serialize;

use super::facts::grouped;
use crate::inventory::{Fact, Known, Weights};

/// Rows of a table that are shown.
const MAX_ROWS: usize = 200;
/// Files that are named as saying the same.
const MAX_FILES: usize = 3;

/// One thing that is known, and the files that say it.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    name: String,
    value: String,
    files: Vec<String>,
    files_beyond: usize,
}

/// Parameters of one data type in one set of weights.
#[derive(Debug, Serialize)]
pub(super) struct Parameters {
    what: String,
    dtype: String,
    count: String,
}

/// The rows of the technical details: the parameters first.
pub(super) fn of_model(known: &Known, weights: &[Weights]) -> Vec<Row> {
    let model = weights.iter().find(|weights| weights.is_the_model);
    let parameters = model.map(|weights| Row {
        name: "Parameters".to_owned(),
        value: grouped(weights.total),
        files: vec![shown(weights)],
        files_beyond: 0,
    });
    let software = known.software.iter().map(|fact| Fact {
        name: "Software".to_owned(),
        value: format!("{} {}", fact.name, fact.value),
        file: fact.file.clone(),
    });
    let facts: Vec<_> = known.model.iter().cloned().chain(software).collect();
    parameters.into_iter().chain(rows(&facts)).collect()
}

/// Facts as rows, those on one matter beside each other.
pub(super) fn rows(facts: &[Fact]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for Fact { name, value, file } in facts {
        match rows.iter_mut().find(|row| row.name == *name && row.value == *value) {
            Some(row) if row.files.contains(file) => {}
            Some(row) if row.files.len() == MAX_FILES => row.files_beyond += 1,
            Some(row) => row.files.push(file.clone()),
            None => {
                let (name, value, files) = (name.clone(), value.clone(), vec![file.clone()]);
                let beside = rows.iter().rposition(|row| row.name == name);
                let at = beside.map_or(rows.len(), |at| at + 1);
                rows.insert(at, Row { name, value, files, files_beyond: 0 });
            }
        }
    }
    rows
}

/// The parameters by data type, with a line for the whole where a part alone would mislead.
pub(super) fn parameters(weights: &[Weights]) -> Vec<Parameters> {
    let rows = weights.iter().flat_map(|weights| {
        let what = shown(weights);
        let row = move |dtype: &str, count: u64| Parameters {
            what: what.clone(),
            dtype: dtype.to_owned(),
            count: grouped(count),
        };
        let sum = weights.by_type.values().fold(0u64, |sum, count| sum.saturating_add(*count));
        let whole = weights.by_type.len() > 1 || sum != weights.total;
        let whole = whole.then(|| row("all", weights.total));
        let by_type = weights.by_type.iter().map(move |(dtype, count)| row(dtype, *count));
        by_type.chain(whole)
    });
    rows.take(MAX_ROWS).collect()
}

fn shown(weights: &Weights) -> String {
    match weights.shards {
        0 => weights.path.clone(),
        1 => format!("{} in 1 shard", weights.path),
        shards => format!("{} in {shards} shards", weights.path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_stands_once_and_matters_stay_together() {
        let said = [
            ("Context length", "2048", "a.gguf"),
            ("Layers", "1", "a.gguf"),
            ("Context length", "2048", "b.gguf"),
            ("Context length", "64", "config.json"),
            ("Layers", "1", "b.gguf"),
            ("Layers", "1", "b.gguf"),
            ("Layers", "1", "c.gguf"),
            ("Layers", "1", "d.gguf"),
        ];
        let facts = said.map(|(name, value, file)| Fact {
            name: name.into(),
            value: value.into(),
            file: file.into(),
        });
        let shown: Vec<_> = rows(&facts)
            .into_iter()
            .map(|row| {
                format!("{}={} {} +{}", row.name, row.value, row.files.join(" "), row.files_beyond)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "Context length=2048 a.gguf b.gguf +0",
                "Context length=64 config.json +0",
                "Layers=1 a.gguf b.gguf c.gguf +1",
            ]
        );
    }
}
