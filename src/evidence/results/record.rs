//! Weighbridge's own release record (`weighbridge.json`), so that a version can be compared with
//! one that was published.

use super::{Lineage, Number, Reader, Results, Spot, count};
use crate::json::Value;

/// The name of the format.
pub(in crate::evidence) const FORMAT: &str = "weighbridge-record";

pub(super) const READER: Reader = Reader {
    format: FORMAT,
    written_by: "weighbridge (`weighbridge.json` of a published version)",
    claims: |document| document.has(&["manifest_digest", "weighbridge", "metrics"]),
    read: |document| {
        let root = document.map().ok_or("no map")?;
        let metrics = root.get("metrics");
        let numbers = metrics.iter().flat_map(Spot::items).filter_map(|one| number(&one)).collect();
        let lineage = Lineage {
            tool: root.text_at(&["weighbridge"]).map(|version| format!("weighbridge {version}")),
            commit: root.text_at(&["commit"]),
            ..Lineage::default()
        };
        Ok(Results { numbers, lineage, ..Results::default() })
    },
};

fn number(metric: &Spot<'_>) -> Option<Number> {
    let text = |key: &str| metric.text_at(&[key]);
    let higher = metric.get("higher_is_better").and_then(|spot| match spot.value {
        Value::Bool(higher) => Some(*higher),
        _ => None,
    });
    Some(Number {
        task: text("task"),
        filter: text("filter"),
        label: text("label"),
        dataset: text("dataset"),
        split: text("split"),
        config: text("config"),
        revision: text("revision"),
        unit: text("unit"),
        higher_is_better: higher,
        stderr: metric.get("stderr").and_then(|spot| spot.float()),
        samples: count(metric.get("samples")),
        ..metric.get("value")?.number(&text("name")?)?
    })
}

/// The bytes of all files that a record lists; `None` when it does not say so of each.
pub(in crate::evidence) fn bytes_in(record: &[u8]) -> Option<u64> {
    let root = Value::parse(std::str::from_utf8(record).ok()?).ok()?;
    let sizes = root.get("files")?.list().iter().map(|file| {
        // A size is a whole number far below 2^53.
        count(file.get("size").map(Spot::root))
    });
    sizes.sum()
}
