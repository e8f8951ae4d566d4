//! Where a version has to come from, and who may pass over that, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// The review gate: the commit came by a pull request that others approved.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct ReviewGate {
    /// People who approved, the author and whoever wrote a commit in it not among them, 1 to 10; default 1.
    pub(in crate::policy) approvals: Option<u32>,
    /// Slug of the team of the organisation that they have to be of.
    pub(in crate::policy) team: Option<String>,
    /// The branch that the pull request has to be merged into; default that of `protection`, else the
    /// repository's default branch.
    pub(in crate::policy) branch: Option<String>,
    /// Addresses of tools, which no person uses, in `Co-authored-by:`. A commit's own author and committer are
    /// never taken for one.
    pub(in crate::policy) machines: Option<Vec<String>>,
    /// Stages whose versions it is asked of; default all.
    pub(in crate::policy) stages: Option<Vec<String>>,
}

/// The gate of other checks on the commit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct StatusChecksGate {
    /// Names of check runs and commit statuses that have to be green; default all that ran.
    pub(in crate::policy) required: Option<Vec<String>>,
    /// Stages whose versions it is asked of; default all.
    pub(in crate::policy) stages: Option<Vec<String>>,
}

/// The gate of the tag.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct TagSignatureGate {
    /// The tag is an object of its own, made with `git tag -a` or `-s`; default true.
    pub(in crate::policy) annotated: Option<bool>,
    /// The tag is signed, and GitHub verifies the signature; default false.
    pub(in crate::policy) signed: Option<bool>,
    /// Stages whose versions it is asked of; default all.
    pub(in crate::policy) stages: Option<Vec<String>>,
}

/// The gate of an environment's reviewers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct ApprovalGate {
    /// The environment of the repository whose reviewers have to let this run in.
    pub(in crate::policy) environment: String,
    /// Stages whose versions it is asked of; default all.
    pub(in crate::policy) stages: Option<Vec<String>>,
}

/// The gate of what protects branch and tag.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct ProtectionGate {
    /// The branch that has to be protected; default the repository's default branch.
    pub(in crate::policy) branch: Option<String>,
    /// An active ruleset keeps the tag from being moved and deleted; default true.
    pub(in crate::policy) tag: Option<bool>,
    /// Stages whose versions it is asked of; default all.
    pub(in crate::policy) stages: Option<Vec<String>>,
}

/// Who may pass over gates in an emergency.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct EmergencyPermit {
    /// Logins of people: whoever starts the run, and whoever starts it again, has to be among them.
    pub(in crate::policy) who: Vec<String>,
    /// Gates that may be passed over; never leaks, scan, token and version.
    pub(in crate::policy) gates: Vec<String>,
}
