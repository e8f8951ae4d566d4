//! The release record (`weighbridge.json`): what was weighed, by which gates, from which commit.
//!
//! The shape is frozen: fields may be added, never renamed or re-shaped, for records of old
//! versions stay on the Hub for good.

mod control;
mod lineage;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, with_own_digest};
use crate::evidence::{Evidence, Measured, measured};
use crate::finding::{Finding, Outcome, Tally, Verdict, Weighing};
use crate::github::SourceFacts;
use crate::http::blotted;
use crate::inventory::{Artifact, Interface, Inventory};
use crate::machine_path;
use crate::own_files::RECORD;
use crate::policy::{Direction, Model, Place};
use crate::release::{Release, Target};
pub use control::{
    ApprovalRecord, BranchRecord, CheckRecord, ControlRecord, EmergencyRecord, PullRequestRecord,
    TagRecord, VoteRecord, emergency_notes,
};
pub use lineage::{PinRecord, SourceRecord, StageRecord};

/// The shape that this program writes.
const SCHEMA: u32 = 1;
/// Largest record that is read. One file takes about 200 bytes, so this is a hundred thousand.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What a record is made of.
#[derive(Debug, Clone, Copy)]
pub struct RecordInput<'a> {
    /// The model, as the policy has it.
    pub model: &'a Model,
    /// The release, when there is one.
    pub release: Option<&'a Release>,
    /// Where it goes.
    pub target: Option<&'a Target>,
    /// Commit of the source repository.
    pub commit: Option<&'a str>,
    /// `owner/name` of the source repository.
    pub repository: Option<&'a str>,
    /// Address of the CI run.
    pub run_url: Option<&'a str>,
    /// Who started it.
    pub actor: Option<&'a str>,
    /// What the gates said.
    pub verdict: &'a Verdict,
    /// What GitHub knows of where the version comes from, when it was asked.
    pub source: Option<&'a SourceFacts>,
    /// What tests and training left.
    pub evidence: &'a Evidence,
    /// The files.
    pub inventory: &'a Inventory,
    /// What weighbridge itself writes beside them and this record.
    pub documents: &'a [(&'a str, Digest)],
}

/// `weighbridge.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    /// Version of this shape.
    pub schema: u32,
    /// The model's name in its repository.
    pub model: String,
    /// The version, without `v`.
    pub version: Option<String>,
    /// `production`, `staging` or `development`.
    pub channel: Option<String>,
    /// `namespace/name` on the Hub.
    pub repo_id: Option<String>,
    /// The branch that got the commit.
    pub revision: Option<String>,
    /// The tag in git that asked for the release.
    pub tag: Option<String>,
    /// Commit of the source repository.
    pub commit: Option<String>,
    /// `owner/name` of the source repository.
    pub repository: Option<String>,
    /// Address of the CI run.
    pub run_url: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// Whether every gate passed.
    pub passed: bool,
    /// What each gate said.
    pub gates: Vec<GateRecord>,
    /// Findings that the policy allowed, with the reasons it gives.
    pub allowed: Vec<AllowedRecord>,
    /// What blocked, and was passed over in an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<EmergencyRecord>,
    /// Who reviewed and approved, and what protects; only what the policy asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlRecord>,
    /// The metrics that were weighed.
    pub metrics: Vec<MetricRecord>,
    /// What the evidence tells of the runs that made the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceRecord>,
    /// The stages of the pipeline behind the model and its numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageRecord>,
    /// What went into these stages from outside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<PinRecord>,
    /// Every file that was weighed, by path; what weighbridge itself adds (the card, this record, a
    /// `config.json` for the Hub's counter) is written afterwards.
    pub files: Vec<FileRecord>,
    /// Paths of what weighbridge adds, by which the next version knows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<String>,
    /// Those of them that are not this record, with their digests; absent in records of older programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentRecord>,
    /// SHA-256 over `<sha256> <size> <path>\n` of every file, in path order.
    pub manifest_digest: Digest,
    /// What whoever uses the model relies on; absent in records of older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Interface>,
    /// Version of the program that wrote this.
    pub weighbridge: String,
}

/// A file that weighbridge writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DocumentRecord {
    /// Path in the repository.
    pub path: String,
    /// SHA-256 of the content.
    pub sha256: Digest,
}

/// One gate's verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateRecord {
    /// The gate.
    pub name: String,
    /// `passed`, `blocked`, `skipped` or `broken`.
    pub verdict: String,
    /// Its line for the table.
    pub note: String,
    /// Findings by level.
    pub errors: usize,
    /// Findings by level.
    pub warnings: usize,
    /// Findings by level.
    pub notes: usize,
}

/// A finding that was allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllowedRecord {
    /// The rule.
    pub rule: String,
    /// Where it spoke.
    pub at: String,
    /// What it said.
    pub message: String,
    /// Why the policy allows it.
    pub reason: String,
}

/// One metric with its bounds and where it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRecord {
    /// Name.
    pub name: String,
    /// The number; `null` when there was none, or none that is finite.
    pub value: Option<f64>,
    /// Lowest value that passes.
    pub min: Option<f64>,
    /// Highest value that passes.
    pub max: Option<f64>,
    /// Whether the number was there and within its bounds.
    pub passed: bool,
    /// What it was measured on.
    pub dataset: Option<String>,
    /// Split of that.
    pub split: Option<String>,
    /// Configuration of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Revision of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The evidence file and line.
    pub evidence: String,
    /// The task, filter and label that the policy asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// As `task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// As `task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Standard error of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<f64>,
    /// Samples it was computed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// The unit, where the evidence names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether more is better, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub higher_is_better: Option<bool>,
    /// JSON Pointer in that file.
    pub pointer: String,
    /// SHA-256 of the evidence file.
    pub evidence_sha256: Option<Digest>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path in the repository.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: Digest,
    /// What it is, by content.
    pub format: String,
}

/// Bytes that are no release record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Beyond the limit.
    #[error("{0} bytes; a release record of at most 32 MiB is read")]
    TooLarge(usize),
    /// Not JSON, or of another shape.
    #[error("not a release record: {0}")]
    Shape(#[from] serde_json::Error),
    /// Written by a newer program.
    #[error("a release record of shape {0}; this program reads up to {SCHEMA}")]
    Newer(u32),
}

/// Writes down a release. The same input gives the same record: nothing is taken from a clock.
pub fn record(input: &RecordInput<'_>) -> ReleaseRecord {
    let own = |text: &str| text.to_owned();
    let verdict = input.verdict;
    let (stages, inputs) = input.evidence.pipeline_behind();
    ReleaseRecord {
        schema: SCHEMA,
        model: input.model.name.clone(),
        version: input.release.map(|release| release.version.to_string()),
        channel: input.release.map(|release| own(release.channel.as_str())),
        repo_id: input.target.map(|target| target.repo.to_string()),
        revision: input.target.map(|target| target.revision.clone()),
        tag: input.release.map(|release| release.tag.clone()),
        commit: input.commit.map(own),
        repository: input.repository.map(own),
        run_url: input.run_url.map(own),
        actor: input.actor.map(own),
        passed: verdict.passed(),
        gates: verdict.weighings().iter().map(GateRecord::of).collect(),
        allowed: verdict
            .allowed()
            .iter()
            .map(|(finding, reason)| AllowedRecord::of(finding, reason))
            .collect(),
        emergency: EmergencyRecord::of(verdict),
        control: input.source.and_then(ControlRecord::of),
        metrics: measured(input.model, input.evidence).iter().map(MetricRecord::of).collect(),
        sources: input.evidence.sources().iter().map(SourceRecord::of).collect(),
        stages: stages.into_iter().map(StageRecord::of).collect(),
        inputs: inputs.into_iter().map(PinRecord::of).collect(),
        files: input.inventory.files.iter().map(FileRecord::of).collect(),
        written: [RECORD]
            .iter()
            .chain(input.documents.iter().map(|(path, _)| path))
            .map(|path| own(path))
            .collect(),
        documents: input
            .documents
            .iter()
            .map(|(path, sha256)| DocumentRecord { path: own(path), sha256: *sha256 })
            .collect(),
        manifest_digest: input.inventory.manifest_digest(),
        interface: Some(Interface::of(input.inventory, input.model)),
        weighbridge: env!("CARGO_PKG_VERSION").into(),
    }
}

impl ReleaseRecord {
    /// The file as it is published: indented JSON that ends with its own digest, and holds no secret of
    /// this run, whoever may have used one as a name.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Every field is plain data with text keys, and numbers are finite: this cannot fail.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        with_own_digest(&blotted(&text)).into_bytes()
    }

    /// Reads a record back; fields that this program does not know are passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > MAX_BYTES {
            return Err(RecordError::TooLarge(bytes.len()));
        }
        let record: Self = serde_json::from_slice(bytes)?;
        if record.schema > SCHEMA {
            return Err(RecordError::Newer(record.schema));
        }
        Ok(record)
    }
}

impl GateRecord {
    fn of(weighing: &Weighing) -> Self {
        let tally = Tally::of(&weighing.findings);
        let note = match &weighing.outcome {
            Outcome::Judged(note) | Outcome::Skipped(note) => note,
            Outcome::Broken(failure) => failure.what(),
        };
        Self {
            name: weighing.gate.to_owned(),
            verdict: weighing.word().to_owned(),
            note: machine_path::scrub(note),
            errors: tally.errors,
            warnings: tally.warnings,
            notes: tally.notes,
        }
    }
}

impl AllowedRecord {
    pub(super) fn of(finding: &Finding, reason: &str) -> Self {
        Self {
            rule: finding.rule.id.to_owned(),
            at: machine_path::scrub(&finding.at.to_string()),
            message: machine_path::scrub(&finding.message),
            reason: reason.to_owned(),
        }
    }
}

impl MetricRecord {
    fn of(row: &Measured<'_>) -> Self {
        let benchmark = row.benchmark;
        // JSON has no infinities; a bound that is one bounds nothing.
        let finite = |bound: Option<f64>| bound.filter(|bound| bound.is_finite());
        let (task, filter, label) = match &benchmark.place {
            Place::Named(named) => (named.task.clone(), named.filter.clone(), named.label.clone()),
            Place::Pointer(_) => (None, None, None),
        };
        let number = row.metric.and_then(|metric| metric.number.as_ref());
        Self {
            name: benchmark.metric.clone(),
            task,
            filter,
            label,
            stderr: finite(number.and_then(|number| number.stderr)),
            samples: number.and_then(|number| number.samples),
            unit: number.and_then(|number| number.unit.clone()),
            higher_is_better: row.direction().map(|direction| direction == Direction::Higher),
            value: row.number(),
            min: finite(benchmark.min),
            max: finite(benchmark.max),
            passed: row.passed(),
            dataset: benchmark.dataset.clone(),
            split: benchmark.split.clone(),
            config: benchmark.config.clone(),
            revision: benchmark.revision.clone(),
            evidence: row.source(),
            pointer: row.metric.map(|metric| lineage::pointer(&metric.pointer)).unwrap_or_default(),
            evidence_sha256: row.metric.and_then(|metric| metric.sha256),
        }
    }
}

impl FileRecord {
    fn of(file: &Artifact) -> Self {
        Self {
            path: file.path.to_string(),
            size: file.size,
            sha256: file.sha256,
            format: file.format.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
