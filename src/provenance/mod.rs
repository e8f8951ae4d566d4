//! The release record (`weighbridge.json`): what was released, from what, and what the gates said.
//! It lies beside the model on the Hub, and is how a later run recognises its own commit.

use serde::Serialize;

use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::finding::{Outcome, Verdict};
use crate::inventory::Inventory;
use crate::policy::Model;
use crate::release::{Release, Target};

/// What a record is made from.
#[derive(Debug, Clone, Copy)]
pub struct RecordInput<'a> {
    /// The model.
    pub model: &'a Model,
    /// The release.
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
    /// What tests and training left.
    pub evidence: &'a Evidence,
    /// The files.
    pub inventory: &'a Inventory,
}

/// The record; a frozen shape, version 1.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseRecord {
    schema: &'static str,
    model: String,
    version: Option<String>,
    channel: Option<&'static str>,
    repo_id: Option<String>,
    manifest_digest: Digest,
    source: Source,
    gates: Vec<GateVerdict>,
    allowed: Vec<Allowed>,
    metrics: Vec<Metric>,
    files: Vec<File>,
    made_by: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Source {
    repository: Option<String>,
    tag: Option<String>,
    commit: Option<String>,
    run: Option<String>,
    actor: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct GateVerdict {
    gate: &'static str,
    note: String,
    findings: usize,
}

#[derive(Debug, Clone, Serialize)]
struct Allowed {
    rule: &'static str,
    at: String,
    reason: String,
}

#[derive(Debug, Clone, Serialize)]
struct Metric {
    name: String,
    value: String,
    bound: String,
    source: String,
    evidence_sha256: Option<Digest>,
}

#[derive(Debug, Clone, Serialize)]
struct File {
    path: String,
    size: u64,
    sha256: Digest,
    format: &'static str,
}

/// Makes the record. The same input makes the same bytes: it holds no time of day.
pub fn record(input: &RecordInput<'_>) -> ReleaseRecord {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let measured = crate::evidence::measured(input.model, input.evidence);
    ReleaseRecord {
        schema: "weighbridge-release/1",
        model: input.model.name.clone(),
        version: input.release.map(|release| release.version.to_string()),
        channel: input.release.map(|release| release.channel.as_str()),
        repo_id: input.target.map(|target| target.repo.to_string()),
        manifest_digest: input.inventory.manifest_digest(),
        source: Source {
            repository: owned(input.repository),
            tag: input.release.map(|release| release.tag.clone()),
            commit: owned(input.commit),
            run: owned(input.run_url),
            actor: owned(input.actor),
        },
        gates: input.verdict.weighings().iter().map(gate).collect(),
        allowed: input.verdict.allowed().iter().map(allowed).collect(),
        metrics: measured
            .iter()
            .map(|measured| Metric {
                name: measured.benchmark.metric.clone(),
                value: measured.value(),
                bound: measured.bound(),
                source: measured.source(),
                evidence_sha256: measured.metric.and_then(|metric| metric.sha256),
            })
            .collect(),
        files: input
            .inventory
            .files
            .iter()
            .map(|file| File {
                path: file.path.to_string(),
                size: file.size,
                sha256: file.sha256,
                format: file.format.as_str(),
            })
            .collect(),
        made_by: concat!("weighbridge ", env!("CARGO_PKG_VERSION")),
    }
}

fn gate(weighing: &crate::finding::Weighing) -> GateVerdict {
    let note = match &weighing.outcome {
        Outcome::Judged(note) | Outcome::Skipped(note) => note.clone(),
        Outcome::Broken(failure) => failure.to_string(),
    };
    GateVerdict { gate: weighing.gate, note, findings: weighing.findings.len() }
}

fn allowed((finding, reason): &(crate::finding::Finding, String)) -> Allowed {
    Allowed { rule: finding.rule.id, at: finding.at.to_string(), reason: reason.clone() }
}

impl ReleaseRecord {
    /// Pretty JSON with a line break at its end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}
