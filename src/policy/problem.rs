//! What is wrong with a policy file, all of it, shown as compilers do.

use std::fmt::Write as _;

use crate::failure::Advise;
use crate::source::{Position, SourceFile};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: Position,
    /// What was found.
    pub message: String,
    /// What was expected, or what to do.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(at: Position, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: None }
    }

    pub(super) fn expected(self, what: impl std::fmt::Display) -> Self {
        self.help(format!("expected {what}"))
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Problems that are shown; a file with more is broken in one place that shows in many.
const SHOWN: usize = 50;

/// Characters of a source line that are shown.
const WINDOW: usize = 100;

/// The known word nearest to a mistyped one.
pub(super) fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.75).then_some(best.1)
}

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// There is none.
    #[error("there is no policy file `{path}`")]
    Missing {
        /// As shown.
        path: String,
        /// A file beside it that may have been meant.
        beside: Option<String>,
    },
    /// It could not be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// As shown.
        path: String,
        /// The error.
        source: std::io::Error,
    },
    /// It says something that cannot be.
    #[error("{}", rendered(.file, .problems))]
    Invalid {
        /// The file.
        file: SourceFile,
        /// Everything that is wrong, in file order.
        problems: Vec<Problem>,
    },
}

/// A policy to start from.
pub const STARTER: &str = "\
model:
  name: my-model
  owner: my-org            # Hub user or organisation
  path: model              # folder to publish
  library: transformers
  task: text-classification
  license: apache-2.0
gates:
  tests: {reports: [\"reports/*.xml\"]}
  benchmarks:
    - {metric: accuracy, file: metrics.json, pointer: /accuracy, min: 0.9}
card:                      # what only a person can say; `…` counts as unsaid
  intended-use: {text: …, by: your name, date: 2026-01-31}
  training-data: {text: …, by: your name, date: 2026-01-31}
  limitations: {text: …, by: your name, date: 2026-01-31}
  bias: {text: …, by: your name, date: 2026-01-31}
";

impl Advise for PolicyError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Missing { path, beside: Some(beside) } => {
                format!(
                    "there is a `{beside}`: rename it, or name it as the policy instead of `{path}`"
                )
            }
            Self::Missing { path, beside: None } => {
                format!("create `{path}` and adapt it:\n\n{STARTER}")
            }
            Self::Unreadable { .. } => "make it a readable UTF-8 text file under 1 MiB".into(),
            Self::Invalid { .. } => {
                "mend the lines above; editors complete the file with weighbridge.schema.json"
                    .into()
            }
        })
    }
}

fn rendered(file: &SourceFile, problems: &[Problem]) -> String {
    let mut text = match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    for problem in problems.iter().take(SHOWN) {
        let Position { line, column } = problem.at;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n\n{}:{line}:{column}: {}",
            printable(&file.path),
            printable(&problem.message)
        );
        if let Some(source) = file.line(line) {
            text.push_str(&excerpt(source, line, column as usize));
        }
        if let Some(help) = &problem.help {
            let _ = write!(text, "\n       = {}", printable(help));
        }
    }
    if let Some(more) = problems.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = write!(text, "\n\nand {more} more");
    }
    text
}

/// The source line with carets under the word at `column`, cut to the window around it.
fn excerpt(source: &str, line: u32, column: usize) -> String {
    let start = (column - 1).saturating_sub(WINDOW / 2);
    let shown: String = printable(source).chars().skip(start).take(WINDOW).collect();
    let before = column - 1 - start;
    let word = word_length(shown.chars().skip(before));
    let carets = "^".repeat(word.max(1));
    format!("\n  {line:>4} | {}\n       | {}{carets}", shown.trim_end(), " ".repeat(before))
}

/// How many characters the YAML key or scalar at the beginning of `rest` has.
fn word_length(rest: impl Iterator<Item = char>) -> usize {
    let rest: Vec<char> = rest.collect();
    match rest.first() {
        Some(quote @ ('"' | '\'')) => {
            rest.iter().skip(1).position(|c| c == quote).map_or(1, |end| end + 2)
        }
        Some('[' | '{' | '|' | '>') | None => 1,
        Some(_) => {
            let ends = |at: usize| match rest[at] {
                ',' | ']' | '}' => true,
                ':' => rest.get(at + 1).is_none_or(|c| c.is_whitespace()),
                '#' => rest[at - 1].is_whitespace(),
                _ => false,
            };
            let end = (1..rest.len()).find(|at| ends(*at)).unwrap_or(rest.len());
            rest[..end].iter().rposition(|c| !c.is_whitespace()).map_or(1, |last| last + 1)
        }
    }
}

/// One character for each, none of which moves the cursor or hides text.
fn printable(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if hides(c) => '\u{FFFD}',
            c => c,
        })
        .collect()
}
