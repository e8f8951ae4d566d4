//! The Hub that may be told a token, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// The Hub that may be told a token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct Hub {
    /// Its address: `https://hub.example.com`; without it https://huggingface.co, or a Hub on this
    /// machine.
    pub(in crate::policy) endpoint: String,
}
