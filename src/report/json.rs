//! The JSON report: a frozen shape of its own, version 1.

use serde_json::{Value, json};

use super::Report;
use crate::failure::Failure;
use crate::finding::{Finding, Outcome};
use crate::inventory::Inventory;
use crate::release::Versioning;

/// The whole report.
pub(super) fn render(report: &Report) -> Value {
    let (tag, version) = match &report.versioning {
        Versioning::Release(release) => {
            (Some(release.tag.clone()), Some(release.version.to_string()))
        }
        Versioning::Unreadable { tag, .. } => (Some(tag.clone()), None),
        Versioning::Untagged => (None, None),
    };
    let gates = report.verdict.weighings().iter().map(|weighing| {
        let (outcome, note) = match &weighing.outcome {
            Outcome::Judged(note) => ("judged", note.clone()),
            Outcome::Skipped(note) => ("skipped", note.clone()),
            Outcome::Broken(failure) => ("broken", failure.to_string()),
        };
        json!({"gate": weighing.gate, "outcome": outcome, "note": note, "findings": weighing.findings.len()})
    });
    let allowed = report
        .verdict
        .allowed()
        .iter()
        .map(|(allowed, reason)| json!({"finding": finding(allowed), "reason": reason}));
    json!({
        "schema": "weighbridge-report/1",
        "mode": report.mode,
        "verdict": report.end().as_str(),
        "model": report.model,
        "tag": tag,
        "version": version,
        "repo_id": report.target.as_ref().map(|target| target.repo.to_string()),
        "commit": report.commit,
        "manifest_digest": report.inventory.manifest_digest(),
        "gates": gates.collect::<Vec<_>>(),
        "findings": report.verdict.findings().into_iter().map(finding).collect::<Vec<_>>(),
        "emergency": emergency(report),
        "allowed": allowed.collect::<Vec<_>>(),
        "metrics": report.metrics,
        "files": files(&report.inventory),
        "plan": report.plan,
        "publication": report.publication,
        "shard": report.shard,
        "staged": report.staged,
        "audit": report.audit,
        "failure": report.failure.as_ref().map(failure),
        "notes": report.notes,
    })
}

fn emergency(report: &Report) -> Option<Value> {
    let emergency = report.verdict.emergency()?;
    let passed_over = report.verdict.passed_over();
    Some(json!({
        "reason": emergency.reason(),
        "by": emergency.by(),
        "gates": emergency.gates(),
        "passed_over": passed_over.into_iter().map(finding).collect::<Vec<_>>(),
    }))
}

fn failure(failure: &Failure) -> Value {
    let standing =
        failure.stands().map(|(published, text)| json!({"published": published, "text": text}));
    json!({
        "what": failure.what(),
        "causes": failure.causes(),
        "standing": standing,
        "fix": failure.advice(),
    })
}

/// A finding.
pub(super) fn finding(finding: &Finding) -> Value {
    json!({
        "path": finding.at.path,
        "rule": finding.rule.id,
        "level": finding.level.as_str(),
        "passed_over": finding.passed_over,
        "message": finding.message,
        "location": finding.at,
        "fix": finding.fix,
    })
}

/// The files of an inventory.
pub(super) fn files(inventory: &Inventory) -> Vec<Value> {
    let files = inventory.files.iter();
    files
        .map(|file| json!({"path": file.shown, "format": file.format.as_str(), "sha256": file.sha256, "size": file.size}))
        .collect()
}
