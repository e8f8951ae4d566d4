//! The card says what people need to know, in a form that the Hub accepts.

use super::card_downloads;
use super::card_numbers;
use super::card_sections::{Outline, Said, said};
use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::hub::card_rules::{self, Problem};
use crate::hub::front_matter;
use crate::hub::tables::LIBRARIES;
use crate::hub::yaml_tree::{self, Node};
use crate::policy::{CardSource, Section, Statement};

/// Judges the finished card.
pub struct Card;

const INVALID: Rule = Rule {
    id: "card-invalid",
    level: Level::Error,
    summary: "the Hub would refuse the card's metadata",
    reason: "The Hub checks README.md on every commit and refuses the whole commit for it.",
    fix: "correct the value where it is written: in weighbridge.yml, or in the README it names",
    example: "language: zh-CN",
};

const WARNING: Rule = Rule {
    id: "card-warning",
    level: Level::Warning,
    summary: "the card's metadata is doubtful",
    reason: "The Hub accepts it, but shows it wrongly, not at all, or differently from what Python \
             readers see.",
    fix: "correct the value where it is written: in weighbridge.yml, or in the README it names",
    example: "pipeline_tag: text-clasification",
};

const SECTION_MISSING: Rule = Rule {
    id: "card-section-missing",
    level: Level::Error,
    summary: "a section that the policy requires is missing or says nothing",
    reason: "Only a person can say what a model is for and where it fails; users decide by it.",
    fix: "state it under `card:` in weighbridge.yml, with name and date",
    example: "card: {required: [limitations]} and no `limitations:` statement",
};

const SECTION_UNSTATED: Rule = Rule {
    id: "card-section-unstated",
    level: Level::Warning,
    summary: "intended use, training data, limitations or bias is not stated",
    reason: "These are the sections that users miss most; the card says plainly that nobody wrote \
             them.",
    fix: "state it under `card:` in weighbridge.yml, with name and date",
    example: "a policy without `card: {bias: …}`",
};

const EXPIRED: Rule = Rule {
    id: "statement-expired",
    level: Level::Error,
    summary: "a statement on the card has not been looked at for longer than the policy allows",
    reason: "What was true of a model and its users a year ago may not be; somebody has to say that it still is.",
    fix: "read it again, correct it, and set its `by` and `date`",
    example: "card: {review-months: 12} with a statement of three years ago",
};

const METADATA_MISSING: Rule = Rule {
    id: "card-metadata-missing",
    level: Level::Warning,
    summary: "the card lacks metadata that the Hub finds models by",
    reason: "Without a task a model is in no search; without a library it gets no usage snippet and \
             its downloads are not counted.",
    fix: "set `library:` and `task:` of the model in weighbridge.yml",
    example: "a model with no `task:`",
};

/// Sections whose absence is worth a word even where the policy does not require them.
const EXPECTED: [Section; 4] =
    [Section::IntendedUse, Section::TrainingData, Section::Limitations, Section::Bias];

impl Gate for Card {
    fn name(&self) -> &'static str {
        "card"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![
            &INVALID,
            &WARNING,
            &SECTION_MISSING,
            &SECTION_UNSTATED,
            &EXPIRED,
            &METADATA_MISSING,
            &card_numbers::DIFFERS,
            &card_numbers::UNSUPPORTED,
            &card_downloads::NOT_COUNTED,
        ]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let mut findings = metadata(load);
        let (yaml, body) = match front_matter::split(load.card) {
            Some(block) => (block.yaml, block.body),
            None => ("", load.card),
        };
        let root = yaml_tree::parse(yaml).ok().flatten();
        findings.extend(missing_keys(load, root.as_ref()));
        let outline = Outline::of(body, 1);
        let (mut stated, mut usual) = (0, 0);
        for section in Section::ALL {
            let prose = said(&outline, section);
            // Not every model needs a statement on law; those that are there count.
            if !section.is_of_compliance() || prose == Said::Prose {
                usual += 1;
            }
            match prose {
                Said::Prose => stated += 1,
                silence => findings.extend(unsaid(load, section, silence)),
            }
        }
        findings.extend(expired(load));
        findings.extend(card_numbers::findings(load));
        findings.extend(card_downloads::finding(load, root.as_ref()));
        let note = format!("{stated} of {usual} sections stated");
        Ok(Judgement { note, findings, skipped: false })
    }
}

/// What is wrong with a card that stands alone: no policy says what it must have. `path` is the
/// card as people know it.
pub fn of_readme(path: &str, card: &str) -> Vec<Finding> {
    let said_by_hub = card_rules::check(card);
    let finding = |rule, problem: &Problem| {
        let at = problem.at.map_or_else(|| Location::file(path), |at| Location::at(path, at));
        Finding::new(rule, problem.message.clone(), at).with_fix(problem.fix.to_string())
    };
    let mut findings: Vec<_> =
        said_by_hub.errors.iter().map(|problem| finding(&INVALID, problem)).collect();
    findings.extend(said_by_hub.warnings.iter().map(|problem| finding(&WARNING, problem)));
    let placeholders = Section::ALL.into_iter().filter_map(|section| {
        let line = heading_in(card, section)?;
        let message = format!("“{}” has only a placeholder under it", section.title());
        let fix = "write what people should know, or remove the heading";
        Some(Finding::new(&SECTION_UNSTATED, message, Location::line(path, line)).with_fix(fix))
    });
    findings.extend(placeholders);
    findings
}

/// What the Hub would say of the metadata. A problem that the hand-kept README has too is placed
/// there; anything else was written from the policy.
fn metadata(load: &Load<'_>) -> Vec<Finding> {
    let finished = card_rules::check(load.card);
    let written = load.readme.map(|readme| card_rules::check(&readme.text)).unwrap_or_default();
    let place = |problem: &Problem, among: &[Problem]| {
        let same = among.iter().find(|written| written.message == problem.message);
        match (load.readme, same.and_then(|problem| problem.at)) {
            (Some(readme), Some(at)) => Location::at(&readme.path, at),
            _ => load.model.at.clone(),
        }
    };
    let finding = |rule, problem: &Problem, among: &[Problem]| {
        let finding = Finding::new(rule, problem.message.clone(), place(problem, among));
        // Of what was written from the policy, the rule's own fix tells more.
        let in_readme = among.iter().any(|written| written.message == problem.message);
        if in_readme { finding.with_fix(problem.fix.to_string()) } else { finding }
    };
    let errors = finished.errors.iter().map(|error| finding(&INVALID, error, &written.errors));
    // A remark on the README is lost in the finished card, in which every scalar is written anew.
    let remarks = if load.readme.is_some() { &written.warnings } else { &finished.warnings };
    let remarks = remarks.iter().map(|remark| finding(&WARNING, remark, remarks));
    errors.chain(remarks).collect()
}

fn missing_keys(load: &Load<'_>, root: Option<&Node>) -> Vec<Finding> {
    let text = |key: &str| root.and_then(|root| root.get(key)).and_then(Node::as_text);
    let mut findings = Vec::new();
    let at = || load.model.at.clone();
    if text("pipeline_tag").is_none() {
        let message = "the card names no `pipeline_tag` (task)";
        findings.push(Finding::new(&METADATA_MISSING, message, at()).with_fix(
            "add `task:` to the model in weighbridge.yml, e.g. `task: text-classification`",
        ));
    }
    if text("library_name").is_none() {
        let example = LIBRARIES.ids().find(|id| *id == "transformers").unwrap_or_default();
        findings.push(
            Finding::new(&METADATA_MISSING, "the card names no `library_name`", at()).with_fix(
                format!(
                    "add `library:` to the model in weighbridge.yml, e.g. `library: {example}`"
                ),
            ),
        );
    }
    findings
}

fn unsaid(load: &Load<'_>, section: Section, silence: Said) -> Option<Finding> {
    let settings = &load.model.card;
    let here = load.target.and_then(|target| load.model.stage(&target.stage));
    let (rule, so) = if load.model.requires(section, here) {
        (&SECTION_MISSING, "and the policy requires it")
    } else if EXPECTED.contains(&section) {
        (&SECTION_UNSTATED, "and the card says so")
    } else {
        return None;
    };
    let title = section.title();
    let what = match (&settings.source, settings.statements.contains_key(&section), silence) {
        (_, true, _) => {
            format!("“{title}” is stated in the policy, but the template leaves it out")
        }
        (CardSource::Generated, false, _) => format!("“{title}” is not stated, {so}"),
        (CardSource::File(readme), false, Said::Placeholder(_)) => {
            format!("“{title}” in {readme} has only a placeholder under it")
        }
        (CardSource::File(readme), false, _) => format!("{readme} has no section “{title}”"),
    };
    let at = match load.readme {
        Some(readme) => heading_in(&readme.text, section).map_or_else(
            || Location::file(&readme.path),
            |line| Location::line(&readme.path, line),
        ),
        None => load.model.at.clone(),
    };
    let key = section.key();
    let fix = format!(
        "write it; in weighbridge.yml: `card: {{{key}: {{text: \"…\", by: \"your name\", date: \"{}\"}}}}`",
        load.today
    );
    Some(Finding::new(rule, what, at).with_fix(fix))
}

/// Statements that are due for review.
fn expired(load: &Load<'_>) -> Vec<Finding> {
    let Some(months) = load.model.card.review_months else { return Vec::new() };
    let span = jiff::Span::new().months(months);
    let due = |statement: &Statement| {
        // A date so late that no year has it is due never.
        statement.date.checked_add(span).is_ok_and(|due| due < load.today)
    };
    let statements = load.model.card.statements.iter();
    let expired = statements.filter(|(_, statement)| due(statement)).map(|(section, statement)| {
        let Statement { by, date, .. } = statement;
        let title = section.title();
        let message = format!(
            "“{title}” was stated by {by} on {date}; the policy has statements reviewed every {months} months"
        );
        Finding::new(&EXPIRED, message, statement.at.clone())
    });
    expired.collect()
}

/// The line of the section's empty heading in a README.
fn heading_in(readme: &str, section: Section) -> Option<u32> {
    let body = front_matter::split(readme).map_or(readme, |block| block.body);
    let before = &readme[..readme.len() - body.len()];
    let first_line = u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX);
    match said(&Outline::of(body, first_line), section) {
        Said::Placeholder(line) => Some(line),
        Said::Nothing | Said::Prose => None,
    }
}

#[cfg(test)]
mod speaks {
    use super::*;
    use crate::gates::sample::Sample;
    use crate::source::SourceFile;

    #[test]
    fn nothing_of_a_good_card() {
        let (findings, note) = Sample::new().weigh(&Card);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(note, "4 of 9 sections stated");
    }

    #[test]
    fn of_what_the_hub_refuses_and_doubts() {
        let mut sample = Sample::new();
        sample.card = sample.card.replace("license: mit", "license: MIT");
        let found = sample.one(&Card, "card-invalid");
        assert!(found.starts_with(
            "card-invalid at weighbridge.yml:2:1: \"license\" is \"MIT\" (did you mean \"mit\"?)"
        ));
        let mut sample = Sample::new();
        sample.card = sample.card.replace("tabular-classification", "tabular");
        assert!(sample.one(&Card, "card-warning").contains("official list"));
    }

    #[test]
    fn of_the_readmes_own_line() {
        let mut sample = Sample::new();
        let readme = "---\nlanguage: zh-CN\ntags: [on]\n---\n# Churn\n";
        sample.readme = Some(SourceFile::new("docs/CARD.md", readme));
        sample.model().card.source = CardSource::File("CARD.md".into());
        sample.card = sample.card.replace("license: mit", "license: mit\nlanguage: \"zh-CN\"");
        let (findings, _) = sample.weigh(&Card);
        assert!(
            findings[0].starts_with("card-invalid at docs/CARD.md:2:11: \"language\""),
            "{findings:?}"
        );
        assert!(
            findings[1].starts_with("card-warning at docs/CARD.md:3:8: unquoted on"),
            "{findings:?}"
        );
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn of_sections_by_their_weight() {
        let mut sample = Sample::new();
        sample.card = sample.card.replace("One country.", "*Not stated.*");
        sample.model().card.statements.clear();
        assert_eq!(
            sample.one(&Card, "card-section-missing"),
            "card-section-missing at weighbridge.yml:2:1: “Limitations” is not stated, and the \
             policy requires it"
        );
        sample.model().card.required.clear();
        assert!(sample.one(&Card, "card-section-unstated").contains("the card says so"));
        let mut sample = Sample::new();
        sample.card = sample.card.replace("## Limitations\n\nOne country.\n", "");
        assert!(sample.one(&Card, "card-section-missing").contains("the template leaves it out"));
    }

    #[test]
    fn of_statements_that_are_due_for_review() {
        let mut sample = Sample::new();
        sample.model().card.review_months = Some(12);
        assert_eq!(sample.weigh(&Card).0, Vec::<String>::new());
        for statement in sample.model().card.statements.values_mut() {
            statement.date = jiff::civil::date(2025, 1, 2);
        }
        // A year to the day is a year.
        assert_eq!(sample.weigh(&Card).0, Vec::<String>::new());
        for statement in sample.model().card.statements.values_mut() {
            statement.date = jiff::civil::date(2025, 1, 1);
        }
        assert_eq!(
            sample.one(&Card, "statement-expired"),
            "statement-expired at weighbridge.yml:30:5: “Limitations” was stated by A. Person on \
             2025-01-01; the policy has statements reviewed every 12 months"
        );
        for statement in sample.model().card.statements.values_mut() {
            statement.date = jiff::civil::Date::MAX;
        }
        assert_eq!(sample.weigh(&Card).0, Vec::<String>::new());
    }

    #[test]
    fn of_statements_on_law_where_they_are_asked_for() {
        let mut sample = Sample::new();
        sample.model().card.required.push(Section::AiAct);
        assert!(sample.one(&Card, "card-section-missing").contains("“EU AI Act” is not stated"));
        sample.card.push_str("\n## EU AI Act\n\nNo systemic risk.\n");
        let (findings, note) = sample.weigh(&Card);
        assert_eq!((findings, note.as_str()), (Vec::new(), "5 of 10 sections stated"));
    }

    #[test]
    fn of_empty_headings_in_a_readme() {
        let mut sample = Sample::new();
        let readme = "---\nlicense: mit\n---\n# Churn\n\n## Limitations\n\nTODO\n";
        sample.readme = Some(SourceFile::new("README.md", readme));
        sample.model().card.source = CardSource::File("README.md".into());
        sample.model().card.statements.clear();
        sample.card = sample.card.replace("One country.", "TODO");
        assert_eq!(
            sample.one(&Card, "card-section-missing"),
            "card-section-missing at README.md:6: “Limitations” in README.md has only a \
             placeholder under it"
        );
    }

    #[test]
    fn of_missing_metadata() {
        let mut sample = Sample::new();
        sample.card = sample.card.replace("library_name: sklearn\n", "");
        assert!(sample.one(&Card, "card-metadata-missing").contains("library_name"));
        let mut sample = Sample::new();
        sample.card = sample.card.replace("pipeline_tag: tabular-classification\n", "");
        assert!(sample.one(&Card, "card-metadata-missing").contains("pipeline_tag"));
    }
}
