//! Why weighbridge could not do its work, and what to do about it (exit code 2).
//!
//! Rooms have typed errors of their own (`thiserror`); those that a user can mend implement
//! [`Advise`]. At the edge each becomes a [`Failure`]: what happened, why, and the fix to paste.

use std::error::Error;
use std::fmt;

/// An error that knows how to be mended.
pub trait Advise: Error {
    /// What to do, in words a person can paste; `None` where nothing helpful is known.
    fn fix(&self) -> Option<String>;
}

/// A failure to do the work, ready to be shown: one line of what happened, its causes, the fix.
#[derive(Debug)]
pub struct Failure {
    what: String,
    causes: Vec<String>,
    fix: Option<String>,
    standing: Option<(&'static str, String)>,
}

impl Failure {
    /// A failure with no underlying error.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), causes: Vec::new(), fix: None, standing: None }
    }

    /// A failure while `doing` something, because of `error`; takes over the error's own advice.
    pub fn advised(doing: impl Into<String>, error: &dyn Advise) -> Self {
        let mut failure = Self::new(doing).because(error);
        failure.fix = error.fix();
        failure
    }

    /// Adds the cause and its chain of sources.
    #[must_use]
    pub fn because<E: Error + ?Sized>(mut self, error: &E) -> Self {
        self.causes.push(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            self.causes.push(cause.to_string());
            source = cause.source();
        }
        self
    }

    /// Sets the advice.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Says how things stand where something was half done: in one word, and in a sentence.
    #[must_use]
    pub fn standing(mut self, word: &'static str, sentence: impl Into<String>) -> Self {
        self.standing = Some((word, sentence.into()));
        self
    }

    /// What happened, in one line.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The causes, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// How things stand: in one word, and in a sentence.
    pub fn stands(&self) -> Option<(&'static str, &str)> {
        self.standing.as_ref().map(|(word, sentence)| (*word, sentence.as_str()))
    }

    /// The advice, if any is known.
    pub fn advice(&self) -> Option<&str> {
        self.fix.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl Error for Failure {}
