//! Which sections a card has, and whether anything is said in them.
//!
//! Authors title the same section in a hundred ways (arXiv 2512.12443 counts 947 names over 100
//! cards), so headings are matched by synonyms; and a heading with a placeholder under it says
//! nothing, so prose is asked for.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::policy::Section;

/// What a card says under one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// No heading of that kind.
    Nothing,
    /// A heading with nothing, or only placeholders, under it; its line in the card, from 1.
    Placeholder(u32),
    /// Prose.
    Prose,
}

/// A heading and the blocks of text up to the next heading of its level or above.
struct Part {
    title: String,
    line: u32,
    has_prose: bool,
}

/// What the card says under `section`: prose under any fitting heading counts.
pub(super) fn said(card: &Outline, section: Section) -> Said {
    let fitting = card.parts.iter().filter(|part| is_title_of(&part.title, section));
    let mut said = Said::Nothing;
    for part in fitting {
        if part.has_prose {
            return Said::Prose;
        }
        if said == Said::Nothing {
            said = Said::Placeholder(part.line);
        }
    }
    said
}

/// The headings of a card.
pub(super) struct Outline {
    parts: Vec<Part>,
}

impl Outline {
    /// Whether there is prose under a heading that has one of these words.
    pub(super) fn says_under(&self, words: &[&str]) -> bool {
        let has_word = |title: &str| title.split(' ').any(|word| words.contains(&word));
        self.parts.iter().any(|part| part.has_prose && has_word(&part.title))
    }

    /// Whether something stands under a heading of just this title, in lower case.
    pub(super) fn says_under_title(&self, title: &str) -> bool {
        self.parts.iter().any(|part| part.has_prose && part.title == title)
    }

    /// Reads the Markdown `body`, which starts at `first_line` of the card.
    pub(super) fn of(body: &str, first_line: u32) -> Self {
        let mut reader = Reader {
            parts: Vec::new(),
            open: Vec::new(),
            title: None,
            block: String::new(),
            lines: Lines { text: body, offset: 0, line: first_line },
        };
        for (event, range) in Parser::new_ext(body, Options::ENABLE_TABLES).into_offset_iter() {
            reader.take(event, range);
        }
        reader.end_block();
        Self { parts: reader.parts }
    }
}

struct Reader<'a> {
    parts: Vec<Part>,
    /// The headings that text stands under now, outermost first: their levels and indexes.
    open: Vec<(HeadingLevel, usize)>,
    /// The heading being read.
    title: Option<String>,
    /// The paragraph, list item, cell or code block being read.
    block: String,
    lines: Lines<'a>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                self.end_block();
                let line = self.lines.at(range.start);
                self.open.retain(|(above, _)| *above < level);
                self.open.push((level, self.parts.len()));
                self.parts.push(Part { title: String::new(), line, has_prose: false });
                self.title = Some(String::new());
            }
            Event::End(TagEnd::Heading(_)) => {
                if let (Some(title), Some(part)) = (self.title.take(), self.parts.last_mut()) {
                    part.title = plain(&title);
                }
            }
            Event::Text(text) | Event::Code(text) => match &mut self.title {
                Some(title) => title.push_str(&text),
                None => self.block.push_str(&text),
            },
            Event::SoftBreak | Event::HardBreak => self.block.push(' '),
            Event::Start(tag) if is_block(&tag) => self.end_block(),
            Event::End(
                TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::TableCell,
            ) => self.end_block(),
            _ => {}
        }
    }

    /// Credits prose to the last heading and to those it stands under.
    fn end_block(&mut self) {
        if is_placeholder(&std::mem::take(&mut self.block)) {
            return;
        }
        for (_, index) in self.open.iter().rev() {
            let part = &mut self.parts[*index];
            part.has_prose = true;
            // Tools append it to whatever section comes last.
            if part.title == "framework versions" {
                break;
            }
        }
    }
}

fn is_block(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::Paragraph | Tag::Item | Tag::CodeBlock(_) | Tag::TableCell | Tag::List(_))
}

/// Lines by rising byte offsets, counted once.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
}

impl Lines<'_> {
    fn at(&mut self, offset: usize) -> u32 {
        let offset = offset.clamp(self.offset, self.text.len());
        let breaks =
            self.text.get(self.offset..offset).map_or(0, |passed| passed.matches('\n').count());
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.offset = offset;
        self.line
    }
}

/// Sentences of the Hub's template that stand in every card made from it, and one of ours.
const BOILERPLATE: [&str; 3] = [
    "carbon emissions can be estimated using the machine learning impact calculator",
    "use the code below to get started with the model",
    "no metric is named in the release policy",
];

/// Whether a block says nothing: the placeholders of the Hub's, `transformers`' and skops'
/// templates, and our own word for a missing statement.
fn is_placeholder(block: &str) -> bool {
    let words = plain(block);
    // `BibTeX:` before a placeholder is a label, and no prose by itself.
    let label = block.trim_end().ends_with(':') && words.split(' ').count() <= 3;
    words.is_empty()
        || label
        || BOILERPLATE.iter().any(|start| words.starts_with(start))
        || words.contains("more information needed")
        || words.contains("insert response here")
        || matches!(words.as_str(), "todo" | "tbd" | "n a" | "none" | "not stated" | "coming soon")
        || words.starts_with("todo ")
}

/// Lower-case words separated by single blanks, without punctuation, `&` as `and`.
fn plain(text: &str) -> String {
    let text = text.to_lowercase().replace('&', " and ");
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a heading (as [`plain`] gives it) is a title of the section: equal to a whole title, or
/// holding a phrase.
fn is_title_of(title: &str, section: Section) -> bool {
    let (whole, phrases): (&[&str], &[&str]) = match section {
        Section::IntendedUse => (
            &["use", "uses", "applications"],
            &[
                "intended use",
                "intended uses",
                "intended purpose",
                "direct use",
                "use case",
                "use cases",
                "primary use",
            ],
        ),
        Section::OutOfScope => (
            &[],
            &[
                "out of scope",
                "misuse",
                "prohibited use",
                "prohibited uses",
                "unintended use",
                "not intended",
            ],
        ),
        Section::TrainingData => (
            &["data", "dataset", "datasets"],
            &[
                "training data",
                "training dataset",
                "training datasets",
                "training set",
                "training corpus",
                "training and evaluation data",
                "pretraining data",
                "data sources",
            ],
        ),
        Section::TrainingProcedure => (
            &["training", "fine tuning", "finetuning"],
            &[
                "training procedure",
                "training process",
                "training details",
                "training hyperparameters",
                "training recipe",
                "how it was trained",
            ],
        ),
        Section::Limitations => (
            &[],
            &[
                "limitation",
                "limitations",
                "known issues",
                "caveats",
                "failure modes",
                "shortcomings",
                "where it fails",
            ],
        ),
        Section::Bias => (
            &["risks", "ethics"],
            &["bias", "biases", "fairness", "ethical considerations", "societal impact"],
        ),
        Section::EnvironmentalImpact => {
            (&[], &["environmental impact", "carbon", "co2", "emissions", "energy"])
        }
        Section::Citation => {
            (&["references"], &["citation", "citations", "citing", "cite", "bibtex"])
        }
        Section::PersonalData => (&["pii"], &["personal data", "personal information"]),
        Section::Retention => (&[], &["retention"]),
        Section::Privacy => (&["privacy"], &["gdpr", "ccpa", "privacy law", "data protection"]),
        Section::HealthData => (&[], &["hipaa", "health data", "health information"]),
        Section::AiAct => (&[], &["ai act"]),
        Section::RiskManagement => (&[], &["risk management", "ai rmf"]),
        Section::Contact => (
            &["authors", "maintainers", "support", "questions"],
            &["contact", "contacts", "card authors", "whom to ask"],
        ),
    };
    let padded = format!(" {title} ");
    whole.contains(&title) || phrases.iter().any(|phrase| padded.contains(&format!(" {phrase} ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(card: &str, section: Section) -> Said {
        said(&Outline::of(card, 1), section)
    }

    #[test]
    fn headings_are_known_by_many_names() {
        for (heading, section) in [
            ("## 🎯 Intended Uses & Limitations", Section::IntendedUse),
            ("## Intended uses & limitations", Section::Limitations),
            ("### Bias, Risks, and Limitations", Section::Bias),
            ("# Out-of-Scope Use", Section::OutOfScope),
            ("Training Data\n---", Section::TrainingData),
            ("## How to **cite**", Section::Citation),
            ("## 7. Carbon footprint", Section::EnvironmentalImpact),
        ] {
            assert_eq!(of(&format!("{heading}\n\nProse.\n"), section), Said::Prose, "{heading}");
        }
        assert_eq!(of("## Out-of-scope uses\n\nX.\n", Section::IntendedUse), Said::Nothing);
        assert_eq!(of("## Unbiased estimates\n\nX.\n", Section::Bias), Said::Nothing);
        assert_eq!(of("```\n## Limitations\n```\nx\n", Section::Limitations), Said::Nothing);
    }

    #[test]
    fn prose_counts_and_placeholders_do_not() {
        for empty in [
            "",
            "[More Information Needed]",
            "- **Who:** [More Information Needed]\n",
            "TODO: write",
            "TBD",
            "<!-- Say where it fails. -->",
            "*Not stated.*",
            "[Insert Response Here]",
            "**BibTeX:**\n\n[More Information Needed]",
            "### Framework versions\n\n- PEFT 0.21.2",
            "Carbon emissions can be estimated using the [Machine Learning Impact calculator](https://x).",
            "### Details\n\nTBD",
        ] {
            let card = format!("# T\n\nIntro.\n\n## Limitations\n\n{empty}\n\n## Next\n\nText.\n");
            assert_eq!(of(&card, Section::Limitations), Said::Placeholder(5), "{empty}");
        }
        for prose in [
            "One country.",
            "- young customers",
            "### Known\n\nSlow.",
            "```\n@article{x}\n```",
            "|a|b|\n|-|-|\n|1|2|",
        ] {
            let card = format!("## Limitations\n\n{prose}\n\n## Next\n");
            assert_eq!(of(&card, Section::Limitations), Said::Prose, "{prose}");
        }
        let second = "## Limitations\n\nTBD\n\n## Caveats\n\nSlow.\n";
        assert_eq!(of(second, Section::Limitations), Said::Prose);
    }
}
