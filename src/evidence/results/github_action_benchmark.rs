//! The custom format of github-action-benchmark: a list of `{name, unit, value}`.
//! <https://github.com/benchmark-action/github-action-benchmark#examples>. Which way is better
//! stands in the workflow (`customSmallerIsBetter`), not in the file.

use super::document::Document;
use super::{Number, Reader, Results, Spot};
use crate::evidence::MetricValue;

pub(super) const READER: Reader = Reader {
    format: "github-action-benchmark",
    written_by: "github-action-benchmark (`customSmallerIsBetter`, `customBiggerIsBetter`)",
    claims: |document| {
        document.root().is_some_and(|root| {
            let mut items = root.items().peekable();
            items.peek().is_some()
                && items
                    .all(|item| ["name", "unit", "value"].iter().all(|key| item.get(key).is_some()))
        })
    },
    read,
};

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.root().ok_or("no list")?;
    let numbers = root.items().filter_map(|item| number(&item)).collect();
    Ok(Results { numbers, ..Results::default() })
}

fn number(item: &Spot<'_>) -> Option<Number> {
    let mut number = item.get("value")?.number_or_text(&item.text_at(&["name"])?)?;
    // The action itself takes a number in quotes for a number.
    if let Some(text) = item.text_at(&["value"]) {
        number.value = MetricValue::of(text.trim().parse().ok()?);
    }
    Some(Number { unit: item.text_at(&["unit"]), ..number })
}
