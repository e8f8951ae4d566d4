//! How much of what readers of a card look for is there, out of a hundred points.
//!
//! The weights follow what users miss (arXiv 2512.12443, 2402.05160): what a person must say about
//! use, data and limits counts half; what a search, a lawyer and a first user need the other half.

use super::card_sections::{Outline, Said, said};
use crate::hub::front_matter;
use crate::hub::yaml_tree::{self, Node, Value};
use crate::policy::Section;

/// The part of a card that counts, and for how much.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    /// What it is.
    pub what: &'static str,
    /// Its points.
    pub points: u32,
    /// Whether the card has it.
    pub there: bool,
    /// How it comes onto the card.
    pub hint: &'static str,
}

/// What sections count; together 60.
const SECTIONS: [(Section, u32); 9] = [
    (Section::IntendedUse, 10),
    (Section::OutOfScope, 8),
    (Section::TrainingData, 10),
    (Section::TrainingProcedure, 4),
    (Section::Limitations, 10),
    (Section::Bias, 10),
    (Section::EnvironmentalImpact, 3),
    (Section::Citation, 2),
    (Section::Contact, 3),
];

/// Everything that counts on `card`, the whole README.md; the points add up to 100.
pub fn completeness(card: &str) -> Vec<Item> {
    let (yaml, body) = match front_matter::split(card) {
        Some(block) => (block.yaml, block.body),
        None => ("", card),
    };
    let root = yaml_tree::parse(yaml).ok().flatten();
    let has = |key: &str| root.as_ref().and_then(|root| root.get(key)).is_some_and(is_filled);
    let outline = Outline::of(body, 1);
    let mut items = vec![
        Item {
            what: "licence",
            points: 10,
            there: has("license"),
            hint: "`license:` in the metadata, a Hub licence id",
        },
        Item {
            what: "task",
            points: 5,
            there: has("pipeline_tag"),
            hint: "`pipeline_tag:` in the metadata",
        },
        Item {
            what: "library",
            points: 5,
            there: has("library_name"),
            hint: "`library_name:` in the metadata",
        },
        Item {
            what: "code to use it",
            points: 10,
            there: body.contains("```") || body.contains("~~~"),
            hint: "a block of code that loads the model",
        },
        Item {
            what: "results",
            points: 10,
            there: has("model-index") || outline.says_under(&["evaluation", "results", "metrics"]),
            hint: "`model-index:` in the metadata, or a section “Evaluation” with numbers",
        },
    ];
    // What the files say of the training is worth as much to a reader; no statement is met by it.
    let has_settings = outline.says_under_title("training settings");
    items.extend(SECTIONS.map(|(section, points)| Item {
        what: section.title(),
        points,
        there: said(&outline, section) == Said::Prose
            || (section == Section::TrainingProcedure && has_settings),
        hint: "prose under that heading, by the person who knows",
    }));
    items
}

/// The points of what is there.
pub fn points(items: &[Item]) -> u32 {
    items.iter().filter(|item| item.there).map(|item| item.points).sum()
}

/// Whether something stands at a key. Words such as `unknown` and `…` stand for nothing.
fn is_filled(node: &Node) -> bool {
    match &node.value {
        Value::Scalar { text, .. } => {
            !node.is_null() && !matches!(text.trim(), "" | "unknown" | "…" | "TODO" | "TBD")
        }
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_card_has_nothing_and_a_full_one_all() {
        assert_eq!(points(&completeness("")), 0);
        assert_eq!(completeness("").iter().map(|item| item.points).sum::<u32>(), 100);
        let sections: String = Section::ALL
            .iter()
            .map(|one| format!("## {}\n\nOne country only.\n\n", one.title()))
            .collect();
        let full = format!(
            "---\nlicense: mit\npipeline_tag: text-classification\nlibrary_name: sklearn\n---\n\
             # M\n\n```python\nload()\n```\n\n## Evaluation\n\nMeasured on 40 contracts.\n\n{sections}"
        );
        let missing: Vec<_> = completeness(&full).into_iter().filter(|item| !item.there).collect();
        assert_eq!(missing, Vec::new());
    }

    #[test]
    fn settings_from_files_count_and_are_no_statement() {
        let card = "# M\n\n## Training settings\n\n| Setting | Value |\n|---|---|\n| lr | 0.1 |\n\n\
                    ## Results\n\nNo metric is named in the release policy.\n";
        let there: Vec<_> = completeness(card).into_iter().filter(|item| item.there).collect();
        assert_eq!(there.iter().map(|item| item.what).collect::<Vec<_>>(), ["Training procedure"]);
        assert_eq!(said(&Outline::of(card, 1), Section::TrainingProcedure), Said::Nothing);
    }

    #[test]
    fn placeholders_do_not_count() {
        let card = "---\nlicense: unknown\npipeline_tag:\n---\n# M\n\n## Limitations\n\n\
                    [More Information Needed]\n\n## Evaluation\n\n<!-- numbers -->\n";
        assert_eq!(points(&completeness(card)), 0);
    }
}
