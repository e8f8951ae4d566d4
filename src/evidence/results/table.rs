//! Tables: either a row a metric, with columns `metric` (or `name`) and `value`, or a column a
//! metric, where the last row counts, as in training logs.

use super::{Number, Reader, Results, Spot, count};

pub(super) const READER: Reader = Reader {
    format: "table",
    written_by: "anything: CSV or TSV with a head",
    claims: |document| document.is_table,
    read: |document| {
        let root = document.root().ok_or("no table")?;
        let rows: Vec<_> = root.items().collect();
        let last = rows.last().ok_or("the table has no rows")?;
        let name = ["metric", "name"].into_iter().find(|name| last.get(name).is_some());
        let numbers = match name.filter(|_| last.get("value").is_some()) {
            Some(name) => rows.iter().filter_map(|row| named(row, name)).collect(),
            None => last
                .entries()
                .filter(|(column, _)| !matches!(*column, "step" | "epoch"))
                .filter_map(|(column, spot)| spot.number(column))
                .collect(),
        };
        Ok(Results { numbers, ..Results::default() })
    },
};

fn named(row: &Spot<'_>, name: &str) -> Option<Number> {
    let text = |column: &str| row.text_at(&[column]);
    Some(Number {
        task: text("task"),
        filter: text("filter"),
        label: text("label").or_else(|| text("group")),
        dataset: text("dataset"),
        split: text("split"),
        unit: text("unit"),
        stderr: row.get("stderr").and_then(|spot| spot.float()),
        samples: count(row.get("samples")),
        ..row.get("value")?.number(&text(name)?)?
    })
}
