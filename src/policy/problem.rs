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
    #[error("there is no policy file `{0}`")]
    Missing(String),
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
";

impl Advise for PolicyError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Missing(path) => format!("create `{path}` and adapt it:\n\n{STARTER}"),
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
    for problem in problems {
        let Position { line, column } = problem.at;
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\n{}:{line}:{column}: {}", file.path, problem.message);
        if let Some(source) = file.line(line) {
            let shown: String = source.chars().take(100).collect();
            let indent = " ".repeat((column as usize - 1).min(100));
            let _ = write!(text, "\n  {line:>4} | {shown}\n       | {indent}^");
        }
        if let Some(help) = &problem.help {
            let _ = write!(text, "\n       = {help}");
        }
    }
    text
}
