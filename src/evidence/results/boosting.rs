//! What XGBoost and LightGBM collect while they train (`evals_result`): a value a round, by dataset
//! and metric. The last round is the model that is kept unless training stopped early, so the
//! smallest and the largest value are there too, under the filters `min` and `max`.

use super::document::Document;
use super::{Number, Reader, Results, Spot};

pub(super) const READER: Reader = Reader {
    format: "evals-result",
    written_by: "XGBoost, LightGBM (`evals_result`, `record_evaluation`)",
    claims: |document| {
        document.map().is_some_and(|map| {
            let mut rounds = map
                .entries()
                .flat_map(|(_, data)| {
                    let mut metrics: Vec<_> = data.entries().map(|(_, rounds)| rounds).collect();
                    if metrics.is_empty() {
                        metrics.push(data);
                    }
                    metrics
                })
                .peekable();
            rounds.peek().is_some()
                && rounds.all(|rounds| {
                    let mut values = rounds.items().peekable();
                    values.peek().is_some() && values.all(|value| value.float().is_some())
                })
                && map.entries().all(|(_, data)| data.is_map())
        })
    },
    read,
};

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.map().ok_or("no map")?;
    let mut numbers = Vec::new();
    for (data, metrics) in root.entries() {
        for (metric, rounds) in metrics.entries() {
            let values: Vec<_> = rounds.items().collect();
            let by_value = |one: &&Spot<'_>, other: &&Spot<'_>| {
                one.float().unwrap_or(f64::NAN).total_cmp(&other.float().unwrap_or(f64::NAN))
            };
            for (filter, spot) in [
                (None, values.last()),
                (Some("min"), values.iter().min_by(by_value)),
                (Some("max"), values.iter().max_by(by_value)),
            ] {
                let Some(number) = spot.and_then(|spot| spot.number(metric)) else { continue };
                numbers.push(Number {
                    split: Some(data.to_owned()),
                    filter: filter.map(str::to_owned),
                    ..number
                });
            }
        }
    }
    Ok(Results { numbers, ..Results::default() })
}
