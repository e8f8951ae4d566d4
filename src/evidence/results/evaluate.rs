//! Hugging Face evaluate, `evaluate.save`: a flat map, with what is no metric under `_`.

use super::document::Document;
use super::{Lineage, Number, Reader, Results};

pub(super) const READER: Reader = Reader {
    format: "evaluate",
    written_by: "Hugging Face evaluate (`evaluate.save`)",
    claims: |document| document.has(&["_evaluate_version"]),
    read,
};

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.map().ok_or("no map")?;
    let mut numbers = Vec::new();
    for (metric, spot) in root.entries().filter(|(key, _)| !key.starts_with('_')) {
        numbers.extend(spot.number(metric));
        // `average=None` gives one number a class.
        for (label, item) in spot.items().enumerate() {
            let number = item.number(metric);
            numbers
                .extend(number.map(|number| Number { label: Some(label.to_string()), ..number }));
        }
    }
    let lineage = Lineage {
        tool: root.text_at(&["_evaluate_version"]).map(|version| format!("evaluate {version}")),
        commit: root.text_at(&["_git_commit_hash"]),
        ..Lineage::default()
    };
    Ok(Results { numbers, lineage, ..Results::default() })
}
