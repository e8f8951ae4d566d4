//! Closed lists that the Hub publishes, kept as data files beside this module.

/// Task ids that a card may name as `pipeline_tag`.
pub const PIPELINE_TAGS: Table = Table(include_str!("tables/pipeline-tags.txt"));

/// Library ids that the Hub knows: those get a snippet or download counting. Any other text is
/// accepted as `library_name`.
pub const LIBRARIES: Table = Table(include_str!("tables/libraries.txt"));

/// ISO 639-1 codes.
pub const TWO_LETTER_LANGUAGES: Table = Table(include_str!("tables/languages.txt"));

/// One id a line; lines that start with `#` say where the list comes from.
#[derive(Debug, Clone, Copy)]
pub struct Table(&'static str);

impl Table {
    /// Every id, in the file's order.
    pub fn ids(self) -> impl Iterator<Item = &'static str> {
        self.0.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    }

    /// Whether the id is in the list, spelled exactly so.
    pub fn has(self, id: &str) -> bool {
        self.ids().any(|known| known == id)
    }

    /// The id most like `text`, if any is like it.
    pub fn closest(self, text: &str) -> Option<&'static str> {
        closest(self.ids(), text)
    }
}

/// The candidate most like `text` (Jaro–Winkler over lower-case letters), if it is at least 0.8
/// alike: enough for a slip of the finger, not for another word.
pub(super) fn closest(
    candidates: impl Iterator<Item = &'static str>,
    text: &str,
) -> Option<&'static str> {
    let text: String = text.chars().take(100).collect::<String>().to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(candidate, &text), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_whole() {
        assert_eq!(PIPELINE_TAGS.ids().count(), 57);
        assert_eq!(LIBRARIES.ids().count(), 257);
        assert_eq!(TWO_LETTER_LANGUAGES.ids().count(), 184);
        assert!(LIBRARIES.has("sentence-transformers") && !LIBRARIES.has("xgboost"));
    }

    #[test]
    fn slips_are_guessed_and_other_words_are_not() {
        assert_eq!(PIPELINE_TAGS.closest("text-clasification"), Some("text-classification"));
        assert_eq!(LIBRARIES.closest("Transformers"), Some("transformers"));
        assert_eq!(PIPELINE_TAGS.closest("zzzz"), None);
    }
}
