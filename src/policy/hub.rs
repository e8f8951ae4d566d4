//! The Hub that may be told a token.

use crate::finding::Location;

/// The Hub that is meant unless another is named.
pub const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// The one Hub of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedHub {
    /// Its address, without a slash at its end.
    pub endpoint: String,
    /// Where the policy says so.
    pub at: Location,
}
