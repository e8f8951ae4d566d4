//! What the Hub token may be, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// The token gate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct TokenGate {
    /// Only a fine-grained token is taken, which can do what its scopes list; default true.
    pub(in crate::policy) fine_grained: Option<bool>,
    /// Days after which a token is too old; default 90.
    #[schemars(range(min = 1))]
    pub(in crate::policy) max_age: Option<u32>,
    /// Days before that from which on it is a warning; default 14.
    pub(in crate::policy) warn_before: Option<u32>,
    /// Hub accounts that belong to a machine, not to a person.
    pub(in crate::policy) accounts: Option<Vec<String>>,
    /// What the token may write beside the repositories of this policy: `acme/other`,
    /// `datasets/acme/data`, or all of a namespace: `acme`.
    pub(in crate::policy) may_write: Option<Vec<String>>,
}
