//! What the Hub token may be.

use crate::finding::Location;

/// Settings of the token gate.
#[derive(Debug, Clone)]
pub struct TokenGate {
    /// Only a fine-grained token is taken.
    pub fine_grained: bool,
    /// Days after which a token is too old.
    pub max_age: u32,
    /// Days before that from which on it is a warning.
    pub warn_before: u32,
    /// Hub accounts that belong to a machine.
    pub accounts: Vec<String>,
    /// What the token may write beside the repositories of the policy, as [`TokenGate::named`] reads it.
    pub may_write: Vec<String>,
    /// Where the policy says so, or the policy file.
    pub at: Location,
}

impl Default for TokenGate {
    fn default() -> Self {
        Self {
            fine_grained: true,
            max_age: 90,
            warn_before: 14,
            accounts: Vec::new(),
            may_write: Vec::new(),
            at: Location::release(),
        }
    }
}

impl TokenGate {
    /// Whether an account belongs to a machine.
    pub fn is_machine(&self, account: &str) -> bool {
        self.accounts.iter().any(|name| name.eq_ignore_ascii_case(account))
    }

    /// Whether the policy names a place that the token may write too.
    pub fn named(&self, place: &str) -> bool {
        self.may_write.iter().any(|name| name.eq_ignore_ascii_case(place))
    }
}
