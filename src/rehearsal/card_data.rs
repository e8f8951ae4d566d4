//! A card's metadata as the Hub's answers carry it.

use serde_json::{Map, Value as Json};

use crate::hub::front_matter;
use crate::hub::yaml_dialect::Reading;
use crate::hub::yaml_tree::{self, Node, Value};

/// The metadata of a card, if it is a map.
pub(super) fn metadata(card: &str) -> Option<Json> {
    let block = front_matter::split(card)?;
    let root = yaml_tree::parse(block.yaml).ok()??;
    matches!(root.value, Value::Map(_)).then(|| as_json(&root))
}

/// A card without its metadata.
pub(super) fn text(card: &str) -> &str {
    front_matter::split(card).map_or(card, |block| block.body)
}

/// The tree is bounded in depth and size by its reader.
fn as_json(node: &Node) -> Json {
    match &node.value {
        Value::Scalar { text, .. } => scalar(node, text),
        Value::List(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => {
            let key = |node: &Node| match &node.value {
                Value::Scalar { text, .. } => Some(text.clone()),
                Value::List(_) | Value::Map(_) => None,
            };
            let entries = entries.iter().filter_map(|(k, v)| Some((key(k)?, as_json(v))));
            Json::Object(entries.collect::<Map<_, _>>())
        }
    }
}

fn scalar(node: &Node, text: &str) -> Json {
    let as_text = || Json::from(text);
    match node.reading() {
        Some(Reading::Null) => Json::Null,
        Some(Reading::Bool(value)) => value.into(),
        Some(Reading::Int(Some(value))) => {
            i64::try_from(value).map_or_else(|_| as_text(), Json::from)
        }
        Some(Reading::Float) => text.parse::<f64>().map_or_else(|_| as_text(), Json::from),
        _ => as_text(),
    }
}

/// The tags that the Hub derives from a card.
pub(super) fn tags(card: &Json) -> Vec<String> {
    let texts = |key: &str| -> Vec<String> {
        match card.get(key) {
            Some(Json::String(text)) => vec![text.clone()],
            Some(Json::Array(values)) => {
                values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    };
    let mut tags = Vec::new();
    for key in ["library_name", "pipeline_tag", "tags", "language"] {
        tags.extend(texts(key));
    }
    for (key, prefix) in
        [("license", "license:"), ("datasets", "dataset:"), ("base_model", "base_model:")]
    {
        tags.extend(texts(key).into_iter().map(|text| format!("{prefix}{text}")));
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cards_metadata_becomes_data_and_tags() {
        let card = "---\nlicense: mit\nlanguage: [en, no]\nlibrary_name: xgboost\n\
                    score: 0.5\nlayers: 2\ninference: false\nbase_model:\n---\n# Hi\n";
        let data = metadata(card).expect("a map");
        let expected = json!({
            "license": "mit", "language": ["en", "no"], "library_name": "xgboost",
            "score": 0.5, "layers": 2, "inference": false, "base_model": null,
        });
        assert_eq!(data, expected, "`no` is Norwegian on the Hub, which reads YAML 1.2");
        assert_eq!(tags(&data), ["xgboost", "en", "no", "license:mit"]);
        assert_eq!(text(card), "# Hi\n");
    }

    #[test]
    fn a_card_without_metadata_has_none() {
        for card in ["# Hi", "", "---\nlicense: mit\n", "---\n- a\n---\n", "---\n: [\n---\n"] {
            assert_eq!(metadata(card), None, "{card:?}");
        }
    }
}
