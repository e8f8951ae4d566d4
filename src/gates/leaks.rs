//! Secrets outside the model's files: in what git tracks, and on the card.

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::http;
use crate::leaks::Leaks as Found;
use crate::own_files::CARD;
use crate::scan;

const IN_REPOSITORY: Rule = Rule {
    id: "secret-in-repository",
    level: Level::Error,
    summary: "a token or private key in a file that git tracks",
    reason: "Whoever can read the repository can use it, and git keeps it when the line is gone.",
    fix: "revoke it where it was issued (Hugging Face: https://huggingface.co/settings/tokens), then \
          read it from a secret (`${{ secrets.HF_TOKEN }}`) or use trusted publishing, which has \
          none; one that is made up for a test can be listed under `allow:`",
    example: "`run: hf auth login --token hf_…` in .github/workflows/train.yml",
};

const IN_CARD: Rule = Rule {
    id: "secret-in-card",
    level: Level::Error,
    summary: "a token or private key on the model card",
    reason: "The card is the first thing that everybody reads, and the Hub keeps every version of it.",
    fix: "revoke it where it was issued, then remove it from the statement, README or result that the \
          card is made from",
    example: "`login(\"hf_…\")` in the usage example of a README.md",
};

const NOT_SEARCHED: Rule = Rule {
    id: "secrets-not-searched",
    level: Level::Note,
    summary: "files that git tracks were too long, too many or unreadable to be searched for secrets",
    reason: "What was not looked at may hold a token; of a long text the beginning was.",
    fix: "nothing, if they are data; large data is better kept out of git (DVC, Git LFS, the Hub)",
    example: "a tracked data.csv of 300 MB",
};

/// Names of files in one finding.
const MOST_NAMED: usize = 5;

/// The gate on secrets.
pub struct Leaks;

impl Gate for Leaks {
    fn name(&self) -> &'static str {
        "leaks"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&IN_REPOSITORY, &IN_CARD, &NOT_SEARCHED]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let mut findings = on_card(load.card);
        let note = match load.leaks {
            Some(leaks) => {
                findings.extend(in_repository(leaks));
                findings.extend(not_searched(leaks));
                let binaries = match leaks.binaries {
                    0 => String::new(),
                    binaries => format!(" and {binaries} binary files"),
                };
                format!("{} texts{binaries} of the repository and the card", leaks.texts)
            }
            None => "the card; there is no git repository".to_owned(),
        };
        let found = findings.iter().filter(|finding| finding.rule != &NOT_SEARCHED).count();
        let told = match found {
            0 => "nothing found".to_owned(),
            found => format!("{found} found"),
        };
        Ok(Judgement::new(format!("{note}: {told}"), findings))
    }
}

fn in_repository(leaks: &Found) -> impl Iterator<Item = Finding> {
    leaks.found.iter().map(|leak| {
        let path = leak.at.path.as_deref().unwrap_or_default();
        let message = format!("`{path}`: {}", leak.what);
        Finding::new(&IN_REPOSITORY, message, leak.at.clone())
    })
}

fn on_card(card: &str) -> Vec<Finding> {
    let found = scan::secrets(card.as_bytes()).into_iter();
    let finding = |seen: scan::Detection| {
        let at = Location { line: seen.line, column: seen.column, ..Location::file(CARD) };
        Finding::new(&IN_CARD, format!("the card: {}", seen.message), at)
    };
    let mut findings: Vec<_> = found.map(finding).collect();
    // What this run itself is told in secret has no shape that everybody knows.
    let blotted = http::blotted(card);
    let own = card.lines().zip(blotted.lines()).position(|(text, blotted)| text != blotted);
    if let Some(index) = own.filter(|_| findings.is_empty()) {
        let line = u32::try_from(index + 1).ok();
        let message = "the card: a secret of this very run stands here (not shown)";
        findings.push(Finding::new(&IN_CARD, message, Location { line, ..Location::file(CARD) }));
    }
    findings
}

fn not_searched(leaks: &Found) -> Option<Finding> {
    let mut parts = Vec::new();
    if !leaks.cut.is_empty() {
        let named: Vec<_> =
            leaks.cut.iter().take(MOST_NAMED).map(|path| format!("`{path}`")).collect();
        let more = match leaks.cut.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        parts.push(format!("only the first 8 MiB of {}{more} were searched", named.join(", ")));
    }
    if leaks.left > 0 {
        parts.push(format!("{} tracked files were not searched", leaks.left));
    }
    let message = parts.join("; ");
    (!message.is_empty()).then(|| Finding::new(&NOT_SEARCHED, message, Location::release()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::sample::Sample;
    use crate::leaks::Leak;

    fn token() -> String {
        ["hf", "_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3f"].concat()
    }

    #[test]
    fn each_secret_is_told_at_its_line_and_the_rest_is_said_to_be_left() {
        let mut sample = Sample::new();
        let clean = Found { texts: 12, ..Found::default() };
        sample.leaks = Some(clean.clone());
        let (findings, note) = sample.weigh(&Leaks);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(note, "12 texts of the repository and the card: nothing found");
        let at = Location { line: Some(3), column: Some(7), ..Location::file("train.py") };
        sample.leaks = Some(Found {
            binaries: 3,
            found: vec![Leak { at, what: "a Hugging Face token stands here (not shown)".into() }],
            cut: (0..7).map(|n| format!("{n}.csv")).collect(),
            left: 2,
            ..clean
        });
        let (findings, note) = sample.weigh(&Leaks);
        assert_eq!(
            findings,
            [
                "secret-in-repository at train.py:3:7: `train.py`: a Hugging Face token stands here (not shown)",
                "secrets-not-searched at the release: only the first 8 MiB of `0.csv`, `1.csv`, `2.csv`, \
                 `3.csv`, `4.csv` and 2 more were searched; 2 tracked files were not searched",
            ]
        );
        assert_eq!(note, "12 texts and 3 binary files of the repository and the card: 1 found");
    }

    #[test]
    fn the_card_is_searched_without_a_repository_too() {
        let mut sample = Sample::new();
        sample.card = format!("# Churn\n\nlogin(\"{}\")\n", token());
        let said = sample.one(&Leaks, "secret-in-card");
        assert_eq!(
            said,
            "secret-in-card at README.md:3:8: the card: a Hugging Face token stands here (not shown)"
        );
        let (_, note) = sample.weigh(&Leaks);
        assert_eq!(note, "the card; there is no git repository: 1 found");
        let secret = crate::http::Secret::new("what.the*vault_of_this_test_gave").expect("some");
        sample.card =
            format!("# Churn\n\nTrained with {}.\n", crate::markdown::text(secret.expose()));
        assert_eq!(
            sample.one(&Leaks, "secret-in-card"),
            "secret-in-card at README.md:3: the card: a secret of this very run stands here (not shown)"
        );
    }
}
