//! The small `config.json` that a release adds where the Hub would count no downloads otherwise.

use serde::Serialize;

use super::{CardInput, usage};
use crate::hub::query_files::Counted;

/// Its content: what the card says too, in the words of the Hub. Old versions keep theirs for good,
/// so keys may be added, never renamed.
#[derive(Serialize)]
struct QueryFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    library_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline_tag: Option<String>,
}

/// Its text; `None` where none is added. The same input gives the same bytes.
pub fn query_file(input: &CardInput<'_>) -> Option<String> {
    if input.counted() != Counted::ByAdded {
        return None;
    }
    let content = QueryFile {
        library_name: input.library(),
        model_file: usage::loaded_file(input),
        pipeline_tag: input.task(),
    };
    // Plain texts under text keys: this cannot fail.
    let mut text = serde_json::to_string_pretty(&content).unwrap_or_default();
    text.push('\n');
    Some(text)
}
