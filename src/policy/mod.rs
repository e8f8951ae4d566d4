//! weighbridge.yml, the policy: `raw` (serde, spanned, schema) → `check` (collects every problem)
//! → [`Policy`], in which nothing is left to be defaulted later.

mod audit_log;
mod benchmark;
mod check;
mod convention;
pub mod credentials;
mod explain;
mod hub;
mod keys;
mod load;
mod places;
mod problem;
mod publish;
mod raw;
mod size;
pub mod source;
mod structure;
#[cfg(test)]
mod tests;
mod token;
mod tree;

use std::collections::BTreeMap;
use std::time::Duration;

use globset::GlobMatcher;
use jiff::civil::Date;

pub use audit_log::{AuditLog, FOLDER};
pub use benchmark::{
    Around, Before, Benchmark, Direction, HubBenchmark, Named, NoWorseThan, Place, Tolerance,
};
pub use convention::{Convention, Part};
pub use explain::{Row, explain, explain_json};
pub use hub::{DEFAULT_ENDPOINT, PinnedHub};
pub use keys::keys_page;
pub use load::{load, parse};
pub use problem::{PolicyError, Problem, STARTER};
pub use publish::{CommitSize, Publish, Transfer};
pub use size::{Bytes, Growth, Limit, SizeGate};
pub use token::TokenGate;

use crate::finding::{Location, Overrides};

/// A valid policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The file as shown to people, relative to the workspace.
    pub file: String,
    /// The models of this repository; at least one, names unique.
    pub models: Vec<Model>,
    /// How tags are read.
    pub tags: TagGrammar,
    /// Where runs that write leave a record.
    pub audit_log: Option<AuditLog>,
    /// The one Hub that may be told a token, where the policy names one.
    pub hub: Option<PinnedHub>,
    /// Rule levels and allowances.
    pub overrides: Overrides,
    /// Who may pass over gates in an emergency.
    pub emergency: Option<crate::finding::Permit>,
    /// Where the Hub token comes from, in order.
    pub credentials: Vec<credentials::Source>,
    /// Every value in force with its origin, for `explain`.
    pub explained: Vec<Row>,
}

/// The JSON Schema of weighbridge.yml, pretty printed.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schema_value()).unwrap_or_default();
    text.push('\n');
    text
}

fn schema_value() -> serde_json::Value {
    schemars::schema_for!(raw::File).to_value()
}

/// Which tag shapes name a release. `Auto` takes every shape whose model name (if any) is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagGrammar {
    /// Any of the below.
    #[default]
    Auto,
    /// `v1.2.3` or `1.2.3`.
    Plain,
    /// `name/v1.2.3`.
    Slash,
    /// `name@v1.2.3`.
    At,
}

/// One model: what it is, where it goes, what it must pass.
#[derive(Debug, Clone)]
pub struct Model {
    /// Name in this repository (in tags, templates and reports).
    pub name: String,
    /// Where the policy declares it.
    pub at: Location,
    /// Folder to publish, relative to the policy file's folder.
    pub path: String,
    /// One-sentence summary for the card.
    pub description: Option<String>,
    /// Hub `library_name`.
    pub library: Option<String>,
    /// Hub `pipeline_tag`.
    pub task: Option<String>,
    /// Licence; `None` is a finding, not a default.
    pub license: Option<License>,
    /// Language codes.
    pub language: Vec<String>,
    /// Hub ids of the models this one was made from.
    pub base_models: Vec<String>,
    /// Hub ids of the datasets it was trained on.
    pub datasets: Vec<String>,
    /// Where the policy lists `base_models`, or declares the model.
    pub base_models_at: Location,
    /// Where the policy lists `datasets`, or declares the model.
    pub datasets_at: Location,
    /// It must not be public.
    pub sensitive: bool,
    /// Free Hub tags.
    pub tags: Vec<String>,
    /// Only files matching one of these are published; empty means all.
    pub include: Vec<Pattern>,
    /// Files matching one of these are not published.
    pub exclude: Vec<Pattern>,
    /// Where its versions go; at least one.
    pub stages: Vec<Stage>,
    /// What it must pass.
    pub gates: Gates,
    /// What its card says.
    pub card: Card,
    /// How it is published.
    pub publish: Publish,
}

impl Model {
    /// The stage of a name.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// Whether weighbridge may add a file for the Hub's counter at this path.
    pub fn may_add(&self, path: &str) -> bool {
        self.publish.query_file && !self.exclude.iter().any(|pattern| pattern.glob.is_match(path))
    }

    /// Whether a section of the card has to be stated, for versions that go to `stage`.
    pub fn requires(&self, section: Section, stage: Option<&Stage>) -> bool {
        self.card.required.contains(&section)
            || stage.is_some_and(|stage| stage.required.contains(&section))
    }
}

/// A glob with the text it was written as.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// Compiled; `*` does not cross `/`, `**` does.
    pub glob: GlobMatcher,
}

/// A licence as the Hub names it.
#[derive(Debug, Clone)]
pub struct License {
    /// Hub licence id.
    pub id: String,
    /// `license_name`, for id `other`.
    pub name: Option<String>,
    /// `license_link`, for id `other`.
    pub link: Option<String>,
    /// Where the policy says so.
    pub at: Location,
}

/// A place versions go to.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Name: `development`, `staging`, `production`, …
    pub name: String,
    /// Hub user or organisation.
    pub namespace: String,
    /// Repository name template: `{name}`, `{stage}`, `{major}`.
    pub repo: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Channels whose versions are released here first; the stage without any takes the rest.
    pub channels: Vec<String>,
    /// Sections of the card that are required here, beside those required everywhere.
    pub required: Vec<Section>,
    /// Where the policy declares it.
    pub at: Location,
}

impl Stage {
    /// The repository's name for a model and a major version.
    pub fn repo_name(&self, model: &str, major: &str) -> String {
        check::expand(&self.repo, model, &self.name, major)
    }
}

/// Who may see the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// The default.
    Private,
    /// With the reason the policy gives; an empty reason is a finding.
    Public {
        /// Why it may be public.
        reason: String,
    },
}

/// Settings of the gates.
#[derive(Debug, Clone, Default)]
pub struct Gates {
    /// Version gate.
    pub version: VersionGate,
    /// Naming gate: how repositories on the Hub are called.
    pub naming: Option<Convention>,
    /// Changelog gate.
    pub changelog: ChangelogGate,
    /// Tests gate.
    pub tests: TestsGate,
    /// Bounds on metrics.
    pub benchmarks: Vec<Benchmark>,
    /// The Hub's own scan after the commit.
    pub hub_scan: HubScan,
    /// Licences.
    pub licenses: LicensesGate,
    /// What the files may weigh.
    pub size: SizeGate,
    /// What the Hub token may be.
    pub token: TokenGate,
    /// Where it has to come from.
    pub source: source::SourceGates,
}

/// Settings of the license gate.
#[derive(Debug, Clone, Default)]
pub struct LicensesGate {
    /// Licence ids that may be released; empty means any known one.
    pub allowed: Vec<String>,
    /// Licences of base models and datasets by Hub id.
    pub of: BTreeMap<String, String>,
}

/// Settings of the version gate.
#[derive(Debug, Clone, Default)]
pub struct VersionGate {
    /// A version older than the newest of its channel may be released (patches of old lines).
    pub allow_older: bool,
}

/// Settings of the changelog gate.
#[derive(Debug, Clone, Default)]
pub struct ChangelogGate {
    /// The file, relative to the policy file's folder; `None` for the usual one.
    pub file: Option<String>,
    /// No changelog is an error.
    pub required: bool,
}

/// Settings of the tests gate.
#[derive(Debug, Clone)]
pub struct TestsGate {
    /// No report is an error (the default).
    pub required: bool,
    /// Globs of JUnit XML files, relative to the policy file's folder.
    pub reports: Vec<Pattern>,
    /// What runs the tests; `None` where an earlier step did.
    pub run: Option<TestCommand>,
    /// Where the policy says so, or the policy file.
    pub at: Location,
}

impl Default for TestsGate {
    fn default() -> Self {
        Self { required: true, reports: Vec::new(), run: None, at: Location::release() }
    }
}

/// The command that runs the tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCommand {
    /// Text for `sh -ec`, run in the policy file's folder.
    pub command: String,
    /// Image to run it in; `None` for this machine.
    pub image: Option<String>,
    /// Longest time it may take.
    pub timeout: Duration,
    /// Whether the code of a fork's pull request may be run.
    pub on_forks: bool,
    /// Where the policy has the command.
    pub at: Location,
}

/// Whether to wait for the Hub's own file scan before the version tag is made.
#[derive(Debug, Clone, Default)]
pub struct HubScan {
    /// Wait and judge.
    pub wait: bool,
    /// Longest wait in seconds.
    pub timeout_seconds: u64,
}

/// What the card says beyond what can be read from files.
#[derive(Debug, Clone, Default)]
pub struct Card {
    /// `generated` (default) or a README.md that the repository keeps.
    pub source: CardSource,
    /// Sections that must be there and not empty.
    pub required: Vec<Section>,
    /// Statements by people, by section.
    pub statements: std::collections::BTreeMap<Section, Statement>,
    /// Template that replaces the built-in one, relative to the policy file's folder.
    pub template: Option<String>,
    /// Months after which a statement has to be looked at again.
    pub review_months: Option<u16>,
}

/// Where the card comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CardSource {
    /// Written by weighbridge.
    #[default]
    Generated,
    /// A README.md kept by hand; its front matter is merged, its text kept.
    File(String),
}

/// A section of the card that only a person can fill.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// What the model is meant for.
    IntendedUse,
    /// What it must not be used for.
    OutOfScope,
    /// What it was trained on.
    TrainingData,
    /// Where it fails.
    Limitations,
    /// Whom it may treat unfairly.
    Bias,
    /// How it was trained.
    TrainingProcedure,
    /// Energy and emissions.
    EnvironmentalImpact,
    /// How to cite it.
    Citation,
    /// Whom to ask.
    Contact,
    /// Personal data in training or output: what, on which basis, how it can be removed.
    PersonalData,
    /// How long data and the model are kept.
    Retention,
    /// GDPR, CCPA and the like: roles, rights, transfers, impact assessment.
    Privacy,
    /// HIPAA: protected health information, de-identification, agreements.
    HealthData,
    /// What Annexes XI and XII of the EU AI Act ask for.
    AiAct,
    /// How risks are governed, mapped, measured and managed (NIST AI RMF).
    RiskManagement,
}

impl Section {
    /// Every section, in card order.
    pub const ALL: [Self; 15] = [
        Self::IntendedUse,
        Self::OutOfScope,
        Self::TrainingData,
        Self::TrainingProcedure,
        Self::Limitations,
        Self::Bias,
        Self::EnvironmentalImpact,
        Self::Citation,
        Self::Contact,
        Self::PersonalData,
        Self::Retention,
        Self::Privacy,
        Self::HealthData,
        Self::AiAct,
        Self::RiskManagement,
    ];

    /// Whether it is a statement on law or governance: not every model needs one, and what is said
    /// there is no legal advice.
    pub fn is_of_compliance(self) -> bool {
        self > Self::Contact
    }

    /// Heading on the card.
    pub fn title(self) -> &'static str {
        match self {
            Self::IntendedUse => "Intended use",
            Self::OutOfScope => "Out-of-scope use",
            Self::TrainingData => "Training data",
            Self::TrainingProcedure => "Training procedure",
            Self::Limitations => "Limitations",
            Self::Bias => "Bias and risks",
            Self::EnvironmentalImpact => "Environmental impact",
            Self::Citation => "Citation",
            Self::Contact => "Contact",
            Self::PersonalData => "Personal data",
            Self::Retention => "Data retention",
            Self::Privacy => "Privacy law",
            Self::HealthData => "Health data",
            Self::AiAct => "EU AI Act",
            Self::RiskManagement => "Risk management",
        }
    }

    /// Key in the policy.
    pub fn key(self) -> &'static str {
        match self {
            Self::IntendedUse => "intended-use",
            Self::OutOfScope => "out-of-scope",
            Self::TrainingData => "training-data",
            Self::TrainingProcedure => "training-procedure",
            Self::Limitations => "limitations",
            Self::Bias => "bias",
            Self::EnvironmentalImpact => "environmental-impact",
            Self::Citation => "citation",
            Self::Contact => "contact",
            Self::PersonalData => "personal-data",
            Self::Retention => "retention",
            Self::Privacy => "privacy",
            Self::HealthData => "health-data",
            Self::AiAct => "ai-act",
            Self::RiskManagement => "risk-management",
        }
    }
}

/// What a person says, with name and date.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Markdown.
    pub text: String,
    /// Who says it.
    pub by: String,
    /// When it was said.
    pub date: Date,
    /// Where the policy says so.
    pub at: Location,
}
