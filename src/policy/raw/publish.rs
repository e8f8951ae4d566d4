//! How a version is published, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Size;

/// How a version is published.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct Publish {
    /// Files on the Hub matching one of these globs stay, though this version does not have them.
    pub(in crate::policy) keep: Option<Vec<String>>,
    /// Add a small `config.json` where the Hub would otherwise count no downloads; default true.
    pub(in crate::policy) query_file: Option<bool>,
    /// What one commit may hold; a version beyond it is built up out of sight and appears at once.
    pub(in crate::policy) largest_commit: Option<LargestCommit>,
    /// How large files go to the Hub; default auto.
    pub(in crate::policy) transfer: Option<Transfer>,
}

/// The size of a commit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct LargestCommit {
    /// Files that are added, changed or deleted; default 12000.
    #[schemars(range(min = 1))]
    pub(in crate::policy) files: Option<u32>,
    /// The small files that go with the commit itself, together; default 100MB.
    pub(in crate::policy) bytes: Option<Size>,
}

/// How large files go to the Hub.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::policy) enum Transfer {
    /// New versions of files that the Hub has in Xet storage by Xet, all others by LFS.
    Auto,
    /// By Xet, which sends only what the Hub does not have: for networks slower than a processor.
    Xet,
    /// By LFS, in parts side by side: for networks as fast as a processor.
    Lfs,
}
