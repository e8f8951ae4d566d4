//! Where runs that write leave a record, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// Where runs that write leave a record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct AuditLog {
    /// A dataset repository of the organisation on the Hub: `acme/registry`. It must be there.
    pub(in crate::policy) repository: String,
    /// Folder of the log in it; default `audit`.
    pub(in crate::policy) path: Option<String>,
}
