//! weighbridge.yml as it is written: one struct a section, `None` where the file is silent. The
//! JSON Schema is made from these types, and the structure of a file is checked against that
//! schema, so there is one truth.
//!
//! Unknown keys are refused by the schema alone (`schemars(deny_unknown_fields)`): serde would
//! stop at the first one, and the rest of the file would go unjudged.

mod audit_log;
mod card;
pub(super) mod credentials;
mod hub;
mod publish;
mod size;
mod source;
mod token;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use audit_log::AuditLog;
pub(super) use card::{Card, Statement};
pub(super) use hub::Hub;
pub(super) use publish::{Publish, Transfer};
pub(super) use size::{Size, SizeGate};
pub(super) use source::{
    ApprovalGate, EmergencyPermit, ProtectionGate, ReviewGate, StatusChecksGate, TagSignatureGate,
};
pub(super) use token::TokenGate;

use crate::finding::Level;

/// The release policy of one repository.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
#[schemars(title = "weighbridge.yml")]
pub(super) struct File {
    /// The model of this repository; either this or `models`.
    pub(super) model: Option<Model>,
    /// Several models in one repository, released by tags such as `name/v1.2.3`.
    pub(super) models: Option<Vec<Model>>,
    /// Which tag shapes name a release; default auto.
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
    /// Who may pass over gates in an emergency.
    pub(super) emergency: Option<EmergencyPermit>,
    /// Where runs that write leave a record.
    pub(super) audit_log: Option<AuditLog>,
    /// Level by rule id; see `weighbridge rules`.
    pub(super) rules: Option<BTreeMap<String, RuleLevel>>,
    /// Findings that are allowed for a while.
    pub(super) allow: Option<Vec<Allow>>,
    /// The Hub that may be told a token.
    pub(super) hub: Option<Hub>,
    /// Where the Hub token comes from, in this order; default `environment`, then
    /// `trusted-publishing`.
    pub(super) credentials: Option<Vec<credentials::Source>>,
}

/// One model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct Model {
    /// Name in this repository: used in tags, templates and reports.
    pub(super) name: String,
    /// Hub user or organisation. Needed unless every stage names a `namespace`.
    pub(super) owner: Option<String>,
    /// Folder to publish, relative to this file; default `model`.
    pub(super) path: Option<String>,
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
    pub(super) language: Option<Vec<String>>,
    /// Hub ids of the models this one was made from.
    pub(super) base_models: Option<Vec<String>>,
    /// Hub ids of the datasets it was trained on.
    pub(super) datasets: Option<Vec<String>>,
    /// The model holds what must not be public, as what was trained on personal data; default false.
    pub(super) sensitive: Option<bool>,
    /// Free Hub tags.
    pub(super) tags: Option<Vec<String>>,
    /// Only files matching one of these globs (relative to `path`) are published; empty means all.
    pub(super) include: Option<Vec<String>>,
    /// Files matching one of these globs (relative to `path`) are not published.
    pub(super) exclude: Option<Vec<String>>,
    /// Repository of this model, instead of the one at the top.
    pub(super) repository: Option<Repository>,
    /// Stages of this model, instead of those at the top.
    pub(super) stages: Option<Vec<Stage>>,
    /// Gates of this model: each key set here wins over the same key at the top.
    pub(super) gates: Option<Gates>,
    /// Card of this model: each key set here wins over the same key at the top.
    pub(super) card: Option<Card>,
    /// Publishing of this model: each key set here wins over the same key at the top.
    pub(super) publish: Option<Publish>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Visibility {
    /// The default.
    Private,
    /// Needs a `public-reason`.
    Public,
}

/// The repository on the Hub.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct Repository {
    /// Name template: `{name}`, `{stage}`, `{major}`; default `{name}`.
    pub(super) name: Option<String>,
    /// Who may see it; private unless said otherwise.
    pub(super) visibility: Option<Visibility>,
    /// Why it may be public.
    pub(super) public_reason: Option<String>,
}

/// A place versions go to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct Stage {
    /// Name: development, staging, production, …
    pub(super) name: String,
    /// Hub user or organisation; the model's owner unless said otherwise.
    pub(super) namespace: Option<String>,
    /// Repository name template: `{name}`, `{stage}`, `{major}`; default `{name}`.
    pub(super) repository: Option<String>,
    /// Who may see it; private unless said otherwise.
    pub(super) visibility: Option<Visibility>,
    /// Why it may be public.
    pub(super) public_reason: Option<String>,
    /// Channels released here first; the stage without any takes the rest.
    pub(super) channels: Option<Vec<Channel>>,
    /// Sections of the card that must be stated for this stage, beside `card.required`.
    pub(super) required: Option<Vec<super::Section>>,
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
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct Gates {
    /// The version gate.
    pub(super) version: Option<VersionGate>,
    /// The naming gate.
    pub(super) naming: Option<NamingGate>,
    /// The changelog gate.
    pub(super) changelog: Option<ChangelogGate>,
    /// The tests gate.
    pub(super) tests: Option<TestsGate>,
    /// Bounds on metrics.
    pub(super) benchmarks: Option<Vec<Benchmark>>,
    /// The licence gate.
    pub(super) licenses: Option<Licenses>,
    /// Budgets of bytes.
    pub(super) size: Option<SizeGate>,
    /// The Hub token.
    pub(super) token: Option<TokenGate>,
    /// Pull request and approvals behind the commit.
    pub(super) review: Option<ReviewGate>,
    /// Other checks on the commit.
    pub(super) status_checks: Option<StatusChecksGate>,
    /// The tag itself.
    pub(super) tag_signature: Option<TagSignatureGate>,
    /// Reviewers of the environment.
    pub(super) approval: Option<ApprovalGate>,
    /// What protects branch and tag.
    pub(super) protection: Option<ProtectionGate>,
    /// The Hub's own scan, after the commit and before the tag.
    pub(super) hub_scan: Option<HubScan>,
}

/// The version gate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct VersionGate {
    /// A version older than the newest of its channel may be released (a patch of an old line);
    /// default false.
    pub(super) allow_older: Option<bool>,
}

/// The naming gate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct NamingGate {
    /// How repositories on the Hub are called: `{team}-{project}-{model}-v{major}`. `{name}` and
    /// `{stage}` are the model's and the stage's, `{major}` is the version's; every other
    /// placeholder is one word of lower-case letters and digits.
    pub(super) convention: Option<String>,
    /// Values that a placeholder may have, by its name: `team: [risk, growth]`.
    pub(super) allowed: Option<BTreeMap<String, Vec<String>>>,
}

/// The changelog gate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct ChangelogGate {
    /// The changelog, relative to this file; default `CHANGELOG.md` beside it or at the root of the
    /// repository.
    pub(super) file: Option<String>,
    /// No changelog is an error; default false, and notes are made of the commits.
    pub(super) required: Option<bool>,
}

/// The tests gate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct TestsGate {
    /// No test report is an error; default true.
    pub(super) required: Option<bool>,
    /// Globs of JUnit XML files, relative to this file; default `reports/**/*.xml`,
    /// `test-results/**/*.xml` and `junit*.xml`.
    pub(super) reports: Option<Vec<String>>,
    /// Shell command (`sh -ec`) that runs the tests, in this file's folder, before anything is
    /// weighed; without it they ran in an earlier step.
    pub(super) run: Option<String>,
    /// Image to run it in: `python:3.12-slim`, better with `@sha256:…`. Needed where weighbridge is
    /// itself a container.
    pub(super) image: Option<String>,
    /// Longest time it may take, in seconds; default 1800.
    pub(super) timeout: Option<u64>,
    /// Run it on a fork's pull request too, whose code nobody has looked at; default false.
    pub(super) on_forks: Option<bool>,
}

/// A bounded metric.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "fields are keys, and the Hub calls it so")]
pub(super) struct Benchmark {
    /// Metric name, a Hub metric id where there is one: accuracy, f1, …
    pub(super) metric: String,
    /// File of results in any format of docs/evidence.md, relative to this file; `*` and `**` may
    /// stand for names that change; default `metrics.json` and what `dvc.yaml` names as metrics.
    pub(super) file: Option<String>,
    /// Name of the metric in the file, where it differs: acc, eval_accuracy, …
    pub(super) key: Option<String>,
    /// Task, test or scenario in the file, where it holds several.
    pub(super) task: Option<String>,
    /// Filter, scorer, average or statistic in the file, where it holds several.
    pub(super) filter: Option<String>,
    /// Class or group in the file, for a bound on one of them.
    pub(super) label: Option<String>,
    /// JSON Pointer (RFC 6901) to the number, instead of `key`, `task`, `filter` and `label`.
    pub(super) pointer: Option<String>,
    /// Lowest value that passes.
    pub(super) min: Option<f64>,
    /// Highest value that passes.
    pub(super) max: Option<f64>,
    /// Lowest value that passes without a warning.
    pub(super) warn_min: Option<f64>,
    /// Highest value that passes without a warning.
    pub(super) warn_max: Option<f64>,
    /// The value that is wanted, within `tolerance`.
    pub(super) target: Option<f64>,
    /// How far from `target` passes: 0.01, or 1% of it.
    pub(super) tolerance: Option<Amount>,
    /// Whether more is better or less, where the file does not say.
    pub(super) direction: Option<Direction>,
    /// What this version must not fall behind.
    pub(super) no_worse_than: Option<NoWorseThan>,
    /// Largest difference between the labels (classes, groups) of the metric that passes.
    pub(super) max_gap: Option<f64>,
    /// Results of a run that was cut short count too; default false.
    pub(super) allow_partial: Option<bool>,
    /// Dataset the number was measured on.
    pub(super) dataset: Option<String>,
    /// Split of that dataset.
    pub(super) split: Option<String>,
    /// Configuration (subset) of that dataset.
    pub(super) config: Option<String>,
    /// Revision of that dataset, better a commit than a branch.
    pub(super) revision: Option<String>,
    /// The benchmark of the Hub that this number is a result of: it goes to the model's page and the
    /// leaderboard.
    pub(super) hub_benchmark: Option<HubBenchmark>,
}

/// A benchmark that is registered on the Hub.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct HubBenchmark {
    /// Hub id of its dataset: openai/gsm8k.
    pub(super) dataset: String,
    /// Id of the task in the dataset's eval.yaml.
    pub(super) task: String,
    /// Commit of the dataset.
    pub(super) revision: Option<String>,
}

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direction {
    /// Greater ones.
    Higher,
    /// Smaller ones.
    Lower,
}

/// What a version is compared with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct NoWorseThan {
    /// A published version (`1.4.0`), or `last`, the newest one of the channel; default last.
    pub(super) release: Option<String>,
    /// A committed file of results instead, relative to this file.
    pub(super) file: Option<String>,
    /// How much worse still passes: 0.01, or 1% of the value before; default 0.
    pub(super) tolerance: Option<Amount>,
    /// Confidence with which it must be shown to be worse, where standard errors are known on both
    /// sides: above 0.5 and below 1. Without it the values alone are compared.
    pub(super) confidence: Option<f64>,
}

/// A number, or a percentage as text: `1%`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    Number(f64),
    Text(String),
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A number, or a percentage as text: `1%`.",
            "type": ["number", "string"],
        })
    }
}

/// The licence gate.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct Licenses {
    /// Licence ids that may be released; empty means any the Hub knows.
    pub(super) allowed: Option<Vec<String>>,
    /// Licences of base models and datasets by Hub id, where the Hub cannot tell them.
    pub(super) of: Option<BTreeMap<String, String>>,
}

/// The Hub's own scan.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct HubScan {
    /// Wait for it before the version tag is made; default false.
    pub(super) wait: Option<bool>,
    /// Longest wait in seconds, 1 to 7200; default 600.
    pub(super) timeout: Option<u64>,
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
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(super) struct Allow {
    /// Rule id.
    pub(super) rule: String,
    /// Path or glob as findings show it; without it, every finding of the rule.
    pub(super) path: Option<String>,
    /// Callable or class that the finding is about: `mypackage.models.Net`.
    pub(super) callable: Option<String>,
    /// SHA-256 of the file, so that no other content is allowed.
    pub(super) sha256: Option<String>,
    /// Why it is allowed.
    pub(super) reason: String,
    /// The last day on which it holds: YYYY-MM-DD.
    pub(super) expires: String,
}
