//! weighbridge.yml as it is written: one struct a section. The JSON Schema is made from these
//! types, and the structure of a file is checked against that schema, so there is one truth.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::finding::Level;

/// The release policy of one repository.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
#[schemars(title = "weighbridge.yml")]
pub(super) struct File {
    /// The model of this repository; either this or `models`.
    pub(super) model: Option<Model>,
    /// Several models in one repository, released by tags such as `name/v1.2.3`.
    pub(super) models: Option<Vec<Model>>,
    /// Which tag shapes name a release.
    pub(super) tags: Option<Tags>,
    /// The repository on the Hub: short for one stage named `production`.
    pub(super) repository: Option<Repository>,
    /// Places versions go to.
    pub(super) stages: Option<Vec<Stage>>,
    /// What a version must pass.
    pub(super) gates: Option<Gates>,
    /// What the model card says.
    pub(super) card: Option<Card>,
    /// How a version is published.
    pub(super) publish: Option<Publish>,
    /// Level by rule id; see `weighbridge rules`.
    pub(super) rules: BTreeMap<String, RuleLevel>,
    /// Findings that are allowed for a while.
    pub(super) allow: Vec<Allow>,
}

/// One model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Model {
    /// Name in this repository: used in tags, templates and reports.
    pub(super) name: String,
    /// Hub user or organisation.
    pub(super) owner: String,
    /// Folder to publish, relative to this file.
    #[serde(default = "model_folder")]
    pub(super) path: String,
    /// One sentence for the card.
    pub(super) description: Option<String>,
    /// Hub `library_name`: transformers, sentence-transformers, sklearn, xgboost, …
    pub(super) library: Option<String>,
    /// Hub `pipeline_tag`: text-classification, tabular-classification, …
    pub(super) task: Option<String>,
    /// Hub licence id, lower case: apache-2.0, mit, …
    pub(super) license: Option<String>,
    /// Name of the licence, for `license: other`.
    pub(super) license_name: Option<String>,
    /// Link to the licence, for `license: other`: `LICENSE` or an address.
    pub(super) license_link: Option<String>,
    /// Language codes, lower case: en, de, …
    #[serde(default)]
    pub(super) language: Vec<String>,
    /// Hub ids of the models this one was made from.
    #[serde(default)]
    pub(super) base_models: Vec<String>,
    /// Hub ids of the datasets it was trained on.
    #[serde(default)]
    pub(super) datasets: Vec<String>,
    /// Free Hub tags.
    #[serde(default)]
    pub(super) tags: Vec<String>,
    /// Only files matching one of these globs are published; empty means all.
    #[serde(default)]
    pub(super) include: Vec<String>,
    /// Files matching one of these globs are not published.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Replaces the repository section for this model.
    pub(super) repository: Option<Repository>,
    /// Replaces the stages for this model.
    pub(super) stages: Option<Vec<Stage>>,
    /// Replaces the gates for this model.
    pub(super) gates: Option<Gates>,
    /// Replaces the card section for this model.
    pub(super) card: Option<Card>,
    /// Replaces the publish section for this model.
    pub(super) publish: Option<Publish>,
}

fn model_folder() -> String {
    "model".into()
}

/// Which tag shapes name a release.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tags {
    /// Every shape below.
    Auto,
    /// `v1.2.3` or `1.2.3`.
    Plain,
    /// `name/v1.2.3`.
    Slash,
    /// `name@v1.2.3`.
    At,
}

/// Who may see the repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Visibility {
    /// The default.
    #[default]
    Private,
    /// Needs a `public-reason`.
    Public,
}

/// The repository on the Hub.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Repository {
    /// Name template: `{name}`, `{stage}`, `{major}`; default `{name}`.
    pub(super) name: Option<String>,
    /// Who may see it; private unless said otherwise.
    pub(super) visibility: Visibility,
    /// Why it may be public.
    pub(super) public_reason: Option<String>,
}

/// A place versions go to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Stage {
    /// Name: development, staging, production, …
    pub(super) name: String,
    /// Hub user or organisation; the model's owner unless said otherwise.
    pub(super) namespace: Option<String>,
    /// Repository name template: `{name}`, `{stage}`, `{major}`; default `{name}`.
    pub(super) repository: Option<String>,
    /// Who may see it; private unless said otherwise.
    #[serde(default)]
    pub(super) visibility: Visibility,
    /// Why it may be public.
    pub(super) public_reason: Option<String>,
    /// Channels released here first; the stage without any takes the rest.
    #[serde(default)]
    pub(super) channels: Vec<Channel>,
}

/// A channel, by the version's prerelease part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Channel {
    /// Full versions.
    Production,
    /// rc, beta, preview.
    Staging,
    /// alpha, dev, nightly, snapshot.
    Development,
}

/// What a version must pass.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Gates {
    /// The version gate.
    pub(super) version: VersionGate,
    /// The tests gate.
    pub(super) tests: TestsGate,
    /// Bounds on metrics.
    pub(super) benchmarks: Vec<Benchmark>,
    /// The licence gate.
    pub(super) licenses: Licenses,
    /// The Hub's own scan, after the commit and before the tag.
    pub(super) hub_scan: HubScan,
}

/// The version gate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct VersionGate {
    /// A version older than the newest of its channel may be released.
    pub(super) allow_older: bool,
}

/// The tests gate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct TestsGate {
    /// No test report is an error.
    pub(super) required: bool,
    /// Globs of JUnit XML files, relative to this file.
    pub(super) reports: Vec<String>,
}

impl Default for TestsGate {
    fn default() -> Self {
        Self { required: true, reports: Vec::new() }
    }
}

/// A bounded metric.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Benchmark {
    /// Metric name, a Hub metric id where there is one: accuracy, f1, …
    pub(super) metric: String,
    /// JSON file, relative to this file.
    pub(super) file: String,
    /// JSON Pointer (RFC 6901) to the number: `/accuracy`.
    pub(super) pointer: String,
    /// Lowest value that passes.
    pub(super) min: Option<f64>,
    /// Highest value that passes.
    pub(super) max: Option<f64>,
    /// Dataset the number was measured on.
    pub(super) dataset: Option<String>,
    /// Split of that dataset.
    pub(super) split: Option<String>,
}

/// The licence gate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Licenses {
    /// Licence ids that may be released; empty means any the Hub knows.
    pub(super) allowed: Vec<String>,
}

/// The Hub's own scan.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct HubScan {
    /// Wait for it before the version tag is made.
    pub(super) wait: bool,
    /// Longest wait in seconds.
    pub(super) timeout: u64,
}

impl Default for HubScan {
    fn default() -> Self {
        Self { wait: false, timeout: 600 }
    }
}

/// What the model card says.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Card {
    /// `generated`, or the path of a README.md kept by hand.
    pub(super) source: Option<String>,
    /// Sections that must be stated; default: intended-use, training-data, limitations, bias.
    pub(super) required: Option<Vec<super::Section>>,
    /// Template that replaces the built-in one, relative to this file.
    pub(super) template: Option<String>,
    /// What the model is meant for.
    pub(super) intended_use: Option<Statement>,
    /// What it must not be used for.
    pub(super) out_of_scope: Option<Statement>,
    /// What it was trained on.
    pub(super) training_data: Option<Statement>,
    /// How it was trained.
    pub(super) training_procedure: Option<Statement>,
    /// Where it fails.
    pub(super) limitations: Option<Statement>,
    /// Whom it may treat unfairly.
    pub(super) bias: Option<Statement>,
    /// Energy and emissions.
    pub(super) environmental_impact: Option<Statement>,
    /// How to cite it.
    pub(super) citation: Option<Statement>,
    /// Whom to ask.
    pub(super) contact: Option<Statement>,
}

/// What a person says, with name and date.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Statement {
    /// Markdown.
    pub(super) text: String,
    /// Who says it.
    pub(super) by: String,
    /// When: YYYY-MM-DD.
    pub(super) date: String,
}

/// How a version is published.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Publish {
    /// Files on the Hub matching one of these globs stay, though this version does not have them.
    pub(super) keep: Vec<String>,
}

/// A rule's level.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RuleLevel {
    /// The rule does not speak.
    Off,
    /// A remark.
    Note,
    /// Does not block.
    Warning,
    /// Blocks.
    Error,
}

impl From<RuleLevel> for Option<Level> {
    fn from(level: RuleLevel) -> Self {
        match level {
            RuleLevel::Off => None,
            RuleLevel::Note => Some(Level::Note),
            RuleLevel::Warning => Some(Level::Warning),
            RuleLevel::Error => Some(Level::Error),
        }
    }
}

/// One finding that is allowed for a while.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Allow {
    /// Rule id.
    pub(super) rule: String,
    /// Path or glob as findings show it; without it, every finding of the rule.
    pub(super) path: Option<String>,
    /// Why it is allowed.
    pub(super) reason: String,
    /// The last day on which it holds: YYYY-MM-DD.
    pub(super) expires: String,
}
