//! GitHub workflow commands: annotations within the runner's limits (10 of a kind, 4,096
//! characters), masks, and fences around text that is not ours.
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::failure::Failure;
use crate::finding::{Finding, Level};
use crate::http::Secret;
use crate::markdown;

/// Annotations of one kind that the runner records for a step.
const OF_A_KIND: usize = 10;
/// Characters of a message that the runner keeps.
const MESSAGE: usize = 4096;

/// The annotations for findings, gravest first; the last slot of a kind tells how many are left.
pub(super) fn annotations(findings: &[&Finding]) -> Vec<String> {
    let mut lines = Vec::new();
    for (level, command) in
        [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "notice")]
    {
        let of_level: Vec<_> = findings.iter().filter(|finding| finding.level == level).collect();
        let fits = of_level.len() <= OF_A_KIND;
        let shown = if fits { of_level.len() } else { OF_A_KIND - 1 };
        lines.extend(of_level[..shown].iter().map(|finding| annotation(command, finding)));
        if !fits {
            let rest = of_level.len() - shown;
            lines.push(format!(
                "::{command} title=weighbridge::{rest} more of this kind are in the job summary"
            ));
        }
    }
    lines
}

fn annotation(command: &str, finding: &Finding) -> String {
    let mut properties = Vec::new();
    if let Some(path) = &finding.at.path {
        properties.push(format!("file={}", property(path)));
    }
    if let Some(line) = finding.at.line {
        properties.push(format!("line={line}"));
        properties.extend(finding.at.column.map(|column| format!("col={column}")));
    }
    properties.push(format!("title={}", property(finding.rule.id)));
    let message = format!("{}\nFix: {}", finding.message, finding.fix);
    format!("::{command} {}::{}", properties.join(","), data(&cut(&message)))
}

/// A failure to do the work.
pub(super) fn error(message: &str) -> String {
    format!("::error title=weighbridge::{}", data(&cut(message)))
}

/// Something to change, beside all findings.
pub(super) fn warning(title: &str, message: &str) -> String {
    format!("::warning title={}::{}", property(title), data(&cut(message)))
}

/// Commands that mask a secret and every form it may take in a log.
pub(super) fn masks(secret: &Secret) -> Vec<String> {
    let value = secret.expose();
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut forms = vec![
        value.to_owned(),
        STANDARD.encode(value),
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        json.trim_matches('"').to_owned(),
    ];
    // The parts of a JWT are secrets of their own; short words would mask half the log.
    forms.extend(value.split(['.', '\n']).filter(|part| part.len() >= 16).map(str::to_owned));
    forms.sort();
    forms.dedup();
    forms.iter().map(|form| format!("::add-mask::{}", data(form))).collect()
}

/// Text that is not ours, so fenced that no line of it is a command.
pub(super) fn fenced(text: &str) -> Result<String, Failure> {
    let token = token()?;
    Ok(format!("::stop-commands::{token}\n{text}\n::{token}::\n"))
}

/// A word that ends a fence, and that nobody can guess.
pub(super) fn token() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new("the system gives no random bytes").because(&error))?;
    Ok(hex::encode(bytes))
}

/// Escapes the message of a command.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// At most [`MESSAGE`] characters, direction characters made visible, line breaks kept.
fn cut(text: &str) -> String {
    let clean: Vec<String> = text.split('\n').map(markdown::line).collect();
    let clean = clean.join("\n");
    if clean.chars().count() <= MESSAGE {
        return clean;
    }
    clean.chars().take(MESSAGE - 1).chain(['…']).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::finding::{Location, Rule};
    use proptest::prelude::*;

    pub(in crate::report) const RULE: Rule = Rule {
        id: "a-rule",
        level: Level::Error,
        summary: "s",
        reason: "r",
        fix: "f",
        example: "e",
    };

    /// The runner's own reading of a line (actions/runner, `ActionCommand.TryParseV2`).
    fn parse(line: &str) -> Option<(String, Vec<(String, String)>, String)> {
        let rest = line.trim_start().strip_prefix("::")?;
        let (head, message) = rest.split_once("::")?;
        let (command, properties) = head.split_once(' ').unwrap_or((head, ""));
        let undo = |text: &str| {
            text.replace("%0A", "\n")
                .replace("%0D", "\r")
                .replace("%3A", ":")
                .replace("%2C", ",")
                .replace("%25", "%")
        };
        let pairs = properties
            .split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), undo(value)));
        Some((command.to_owned(), pairs.collect(), undo(message)))
    }

    proptest! {
        #[test]
        fn nothing_is_forged_and_no_limit_is_passed(
            texts in prop::collection::vec(("\\PC{0,20}|[:%,\\n\\ra-z]{0,40}", "[:%,\\n\\r/a-z.]{1,30}", 0u8..3), 0..40),
        ) {
            let findings: Vec<Finding> = texts.iter().map(|(message, path, level)| {
                let mut finding = Finding::new(&RULE, message.clone(), Location::line(path.clone(), 3));
                finding.level = [Level::Note, Level::Warning, Level::Error][usize::from(*level)];
                finding
            }).collect();
            let lines = annotations(&findings.iter().collect::<Vec<_>>());
            for line in &lines {
                prop_assert!(!line.contains(['\n', '\r']));
                let (command, properties, message) = parse(line).expect("a command");
                prop_assert!(["error", "warning", "notice"].contains(&command.as_str()));
                prop_assert!(message.chars().count() <= MESSAGE);
                prop_assert!(properties.iter().all(|(name, _)| ["file", "line", "title"].contains(&name.as_str())));
                if let Some((_, file)) = properties.iter().find(|(name, _)| name == "file") {
                    prop_assert!(texts.iter().any(|(_, path, _)| path == file));
                }
            }
            for kind in ["::error", "::warning", "::notice"] {
                prop_assert!(lines.iter().filter(|line| line.starts_with(kind)).count() <= OF_A_KIND);
            }
        }
    }

    #[test]
    fn long_messages_are_cut_and_the_rest_is_counted() {
        let finding = Finding::new(&RULE, "x".repeat(9000), Location::release());
        let many = vec![&finding; 25];
        let lines = annotations(&many);
        assert_eq!(lines.len(), 10);
        assert!(lines[9].contains("16 more"));
        assert!(lines[0].len() < 4300);
    }

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let secret =
            Secret::new("hf_\"quoted\"/token+with.several_long_parts_inside").expect("not empty");
        let masks = masks(&secret).join("\n");
        for form in [
            secret.expose().to_owned(),
            STANDARD.encode(secret.expose()),
            "several_long_parts_inside".into(),
            "%2F".replace('%', "%25"),
        ] {
            assert!(masks.contains(&form), "{form}");
        }
    }
}
