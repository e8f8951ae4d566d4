//! What the Hub's own card check (`POST /api/validate-yaml`) accepts, refuses and warns about,
//! applied locally: the card gate uses it before any byte moves, the embedded Hub answers with it.

use crate::source::Position;

/// One thing the Hub would say of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The message, in the Hub's manner.
    pub message: String,
    /// Where in the README, when it can be told.
    pub at: Option<Position>,
}

/// The Hub's answer: errors refuse the commit (HTTP 400), warnings are only shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardCheck {
    /// Reasons to refuse.
    pub errors: Vec<Problem>,
    /// Remarks.
    pub warnings: Vec<Problem>,
}
