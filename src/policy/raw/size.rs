//! What the files may weigh, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// Budgets of bytes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct SizeGate {
    /// Most that all files together may have: 2GB.
    pub(in crate::policy) max: Option<Size>,
    /// Most that all files together may have without a warning.
    pub(in crate::policy) warn_max: Option<Size>,
    /// Most that one file may have.
    pub(in crate::policy) max_file: Option<Size>,
    /// By how much all files together may outgrow those of the last release: 20%, or 200MB.
    pub(in crate::policy) max_growth: Option<Size>,
}

/// Bytes, or a size as text: `500MB`, `2GiB`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(in crate::policy) enum Size {
    Number(f64),
    Text(String),
}

impl Size {
    /// As it is written.
    pub(in crate::policy) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl JsonSchema for Size {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Bytes, or a size as text: `500MB`, `2GiB`.",
            "type": ["number", "string"],
        })
    }
}
