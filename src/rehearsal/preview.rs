//! A card as the Hub would show it: one self-contained page, with no Hub behind it.

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::Serialize;
use serde_json::Value as Json;

use super::page::{human, rows};
use super::{card_data, card_html};

/// The most files that the page lists.
const SHOWN_MAX: usize = 200;
/// Keys of the metadata that the Hub shows beside the model's name, in its order.
const BADGES: [&str; 3] = ["pipeline_tag", "library_name", "license"];

#[derive(Serialize)]
struct Page<'a> {
    id: &'a str,
    namespace: &'a str,
    name: &'a str,
    badges: Vec<String>,
    html: String,
    metadata: Vec<(String, String)>,
    files: Vec<(&'a str, String)>,
    more_files: usize,
    total: String,
}

/// The page of `card` (a whole README.md) for the model `id`, with the files that would lie beside
/// it: path and bytes.
///
/// # Errors
///
/// The page's own template is broken.
pub fn preview(id: &str, card: &str, files: &[(&str, u64)]) -> Result<String, minijinja::Error> {
    let metadata = card_data::metadata(card);
    let metadata = metadata.as_ref().and_then(Json::as_object);
    let badge = |key: &&str| metadata?.get(*key)?.as_str().map(str::to_owned);
    let (namespace, name) = id.split_once('/').unwrap_or(("", id));
    let page = Page {
        id,
        namespace,
        name,
        badges: BADGES.iter().filter_map(badge).collect(),
        html: card_html::render(card_data::text(card), id, "main", &|_| None),
        metadata: metadata.map(rows).unwrap_or_default(),
        files: files.iter().take(SHOWN_MAX).map(|(path, size)| (*path, human(*size))).collect(),
        more_files: files.len().saturating_sub(SHOWN_MAX),
        total: human(files.iter().map(|(_, size)| size).sum()),
    };
    let mut environment = Environment::new();
    environment.add_template("layout.html", include_str!("page/layout.html"))?;
    environment.add_template("preview.html", include_str!("page/preview.html"))?;
    environment.get_template("preview.html")?.render(context! { card => Value::from(Serde(&page)) })
}
