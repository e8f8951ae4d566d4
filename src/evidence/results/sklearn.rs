//! scikit-learn, `classification_report(output_dict=True)`: a map by label, with averages and a
//! bare `accuracy` among the labels.

use super::document::Document;
use super::{Number, Reader, Results, Spot, count};

pub(super) const READER: Reader = Reader {
    format: "sklearn-report",
    written_by: "scikit-learn (`classification_report(…, output_dict=True)`)",
    claims: |document| {
        document.map().is_some_and(|map| {
            map.entries().any(|(_, row)| is_row(&row))
                && map.entries().all(|(_, row)| is_row(&row) || row.float().is_some())
        })
    },
    read,
};

const METRICS: [&str; 3] = ["precision", "recall", "f1-score"];

fn is_row(row: &Spot<'_>) -> bool {
    METRICS.iter().chain(&["support"]).all(|key| row.get(key).is_some())
}

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.map().ok_or("no map")?;
    let total = count(root.path(&["weighted avg", "support"]));
    let mut numbers = Vec::new();
    for (name, row) in root.entries() {
        numbers.extend(row.number(name).map(|number| Number { samples: total, ..number }));
        let is_average = name.ends_with(" avg");
        for metric in METRICS {
            let number = row.get(metric).and_then(|spot| spot.number(metric));
            numbers.extend(number.map(|number| Number {
                filter: is_average.then(|| name.to_owned()),
                label: (!is_average).then(|| name.to_owned()),
                samples: count(row.get("support")),
                ..number
            }));
        }
    }
    Ok(Results { numbers, ..Results::default() })
}
