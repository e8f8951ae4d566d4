//! The catalogue of a repository's models: Markdown to commit, JSON for programs. The same policy
//! and the same tags give the same bytes.

use std::fmt::Write as _;

use serde::Serialize;

use crate::markdown::{code, text};

/// One model in one of its places.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Name in the repository.
    pub model: String,
    /// One sentence.
    pub description: Option<String>,
    /// Stage name.
    pub stage: String,
    /// `namespace/name` on the Hub; with `{major}` where no version is there yet.
    pub repository: String,
    /// Whether a repository made now is public.
    pub public: bool,
    /// Channels that go there first; empty for the rest.
    pub channels: Vec<String>,
    /// The newest version that has a tag in git and goes there.
    pub version: Option<String>,
    /// The day of that version's commit.
    pub date: Option<String>,
    /// Hub `pipeline_tag`.
    pub task: Option<String>,
    /// Hub `library_name`.
    pub library: Option<String>,
    /// Hub licence id.
    pub license: Option<String>,
    /// Who stands for what the card states.
    pub stated_by: Vec<String>,
}

/// As a table.
pub fn markdown(entries: &[Entry]) -> String {
    let mut table = "| model | version | repository | task | library | licence | stated by |\n\
                     | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let maybe = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
    for entry in entries {
        let about = match &entry.description {
            Some(description) => format!("{}: {}", text(&entry.model), text(description)),
            None => text(&entry.model),
        };
        let version = match (&entry.version, &entry.date) {
            (Some(version), Some(date)) => format!("{} of {date}", text(version)),
            (Some(version), None) => text(version),
            (None, _) => "none yet".into(),
        };
        let seen = if entry.public { "public" } else { "private" };
        let channels = match &entry.channels[..] {
            [] => String::new(),
            channels => format!(": {}", channels.join(", ")),
        };
        let place =
            format!("{} ({}, {seen}{channels})", code(&entry.repository), text(&entry.stage));
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {about} | {version} | {place} | {} | {} | {} | {} |",
            maybe(&entry.task),
            maybe(&entry.library),
            maybe(&entry.license),
            text(&entry.stated_by.join(", ")),
        );
    }
    table
}

/// As a JSON array.
pub fn json(entries: &[Entry]) -> String {
    format!("{:#}\n", serde_json::json!(entries))
}
