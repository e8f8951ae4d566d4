//! The version history: the changelog's text, taken apart into labels and items, so that it can be
//! shown escaped and still reads as a list.

use serde::Serialize;

use crate::release::HistoryEntry;

/// Versions that are shown.
const MAX_VERSIONS: usize = 20;
/// Items of one version that are shown.
const MAX_ITEMS: usize = 20;

/// One version.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    version: String,
    date: Option<String>,
    items: Vec<Item>,
    items_beyond: usize,
}

/// One remark, under the last heading (`Added`, `Fixed`, …).
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    label: String,
    text: String,
}

/// The newest versions first, and how many more there are.
pub(super) fn entries<'a>(
    history: impl IntoIterator<Item = &'a HistoryEntry>,
) -> (Vec<Entry>, usize) {
    let mut sorted: Vec<_> = history.into_iter().collect();
    sorted.sort_by(|a, b| b.version.cmp(&a.version));
    let beyond = sorted.len().saturating_sub(MAX_VERSIONS);
    (sorted.into_iter().take(MAX_VERSIONS).map(entry).collect(), beyond)
}

fn entry(history: &HistoryEntry) -> Entry {
    let mut items = items(history.notes.as_deref().unwrap_or_default());
    let items_beyond = items.len().saturating_sub(MAX_ITEMS);
    items.truncate(MAX_ITEMS);
    Entry {
        version: history.version.to_string(),
        date: history.date.map(|date| date.to_string()),
        items,
        items_beyond,
    }
}

/// Bullets and paragraphs become items, headings become labels, wrapped lines are joined.
fn items(notes: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut label = String::new();
    let mut continues = false;
    for line in notes.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('#') {
            heading.trim_start_matches('#').trim().clone_into(&mut label);
            continues = false;
            continue;
        }
        let bullet = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark));
        match (bullet, items.last_mut()) {
            _ if line.is_empty() => continues = false,
            (None, Some(last)) if continues => {
                last.text.push(' ');
                last.text.push_str(line);
            }
            (bullet, _) => {
                let text = bullet.unwrap_or(line).trim().to_owned();
                items.push(Item { label: label.clone(), text });
                continues = true;
            }
        }
    }
    // Long texts are for the changelog itself.
    for item in &mut items {
        if let Some((cut, _)) = item.text.char_indices().nth(500) {
            item.text.truncate(cut);
            item.text.push('…');
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(notes: &str) -> Vec<String> {
        items(notes).iter().map(|item| format!("{}|{}", item.label, item.text)).collect()
    }

    #[test]
    fn keep_a_changelog() {
        let notes =
            "First of its kind.\n\n### Added\n- one\n  wrapped\n- two\n\n### Fixed\n* three\n";
        assert_eq!(
            shown(notes),
            ["|First of its kind.", "Added|one wrapped", "Added|two", "Fixed|three"]
        );
        assert!(shown("\n\n").is_empty());
        assert_eq!(items(&"é".repeat(600))[0].text.chars().count(), 501);
    }

    #[test]
    fn the_newest_come_first_and_old_ones_are_counted() {
        let entry = |minor| HistoryEntry {
            version: semver::Version::new(1, minor, 0),
            date: None,
            notes: Some("- x\n".repeat(30)),
        };
        let history: Vec<_> = (0..25).map(entry).collect();
        let (shown, beyond) = entries(&history);
        assert_eq!((shown.len(), beyond), (20, 5));
        assert_eq!((shown[0].version.as_str(), shown[0].items_beyond), ("1.24.0", 10));
    }
}
