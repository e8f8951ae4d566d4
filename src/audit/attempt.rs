//! What is known of a record while it is added: whoever stops waiting for it says exactly that.

use std::sync::{Mutex, PoisonError};

/// One record on its way into the log.
#[derive(Debug, Default)]
pub struct Attempt(Mutex<Known>);

/// What is known of a record that is not known to be in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Known {
    /// It is not there: no commit with it was sent, or each was refused.
    #[default]
    Absent,
    /// A commit with it was sent, and nobody said what became of it.
    Unknown,
    /// The Hub took it in this commit, and did not show it since.
    Unseen(String),
}

impl Attempt {
    /// What is known now.
    pub fn known(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn learn(&self, known: Known) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl Known {
    /// As reports have it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Unknown => "unknown",
            Self::Unseen(_) => "unseen",
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Absent => "the record was not added".into(),
            Self::Unknown => "the record was sent, and it is not known whether it was added".into(),
            Self::Unseen(commit) => {
                format!("the Hub took the record, in the commit {commit:.12}, and does not show it")
            }
        }
    }
}
