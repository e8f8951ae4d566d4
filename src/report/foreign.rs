//! Output of programs that are not ours, shown as it comes and fenced: no line of it can be a
//! command to the runner. <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use super::streams::told;
use super::{aside, commands};
use crate::failure::Failure;
use crate::markdown;

/// What another program prints, on standard error from its begin to its end.
pub struct Foreign {
    /// The word that ends the fence, where a runner listens.
    token: Option<String>,
}

impl Foreign {
    /// Begins. On GitHub the output folds under `title`, and commands stop until the end: by a word
    /// that the other program cannot guess, for it could otherwise end the fence itself.
    ///
    /// # Errors
    ///
    /// The system has no random bytes.
    pub fn begin(github: bool, title: &str) -> Result<Self, Failure> {
        let title = markdown::line(title);
        if !github {
            aside(&format!("· {title}"));
            return Ok(Self { token: None });
        }
        let token = commands::token()?;
        told(&format!("::group::{}\n::stop-commands::{token}", commands::data(&title)));
        Ok(Self { token: Some(token) })
    }

    /// A line of it.
    pub fn line(&self, text: &str) {
        if self.token.is_some() { told(text) } else { aside(text) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            told(&format!("::{token}::\n::endgroup::"));
        }
    }
}
