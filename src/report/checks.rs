//! The report as a check run.

use super::{End, Report, emergency, summary};
use crate::finding::{Finding, Level};
use crate::github::{Annotation, AnnotationLevel, CheckRun};
use crate::http::blotted;

/// GitHub's limit for a check run's summary, in bytes.
const SUMMARY: usize = 65_000;

/// The check run of a report.
pub fn check_run(report: &Report) -> CheckRun {
    let tally = report.verdict.tally();
    let title = match (tally.errors, tally.warnings) {
        _ if report.end() == End::Failed => "could not do its work".to_owned(),
        (0, 0) => "passed".to_owned(),
        (errors, warnings) => format!("{errors} errors, {warnings} warnings"),
    };
    let title = match report.verdict.emergency() {
        Some(_) => format!("{}: {title}", emergency::HEADING),
        None => title,
    };
    let findings = report.verdict.findings();
    CheckRun {
        title,
        summary: blotted(&summary::render(report, SUMMARY)).into_owned(),
        passed: report.end() == End::Pass,
        annotations: findings
            .into_iter()
            .map(|finding| annotation(finding, &report.policy))
            .collect(),
    }
}

fn annotation(finding: &Finding, policy: &str) -> Annotation {
    Annotation {
        path: finding.at.path.clone().unwrap_or_else(|| policy.to_owned()),
        line: finding.at.line.unwrap_or(1),
        level: match finding.level {
            Level::Error => AnnotationLevel::Failure,
            Level::Warning => AnnotationLevel::Warning,
            Level::Note => AnnotationLevel::Notice,
        },
        title: if finding.passed_over {
            format!("{} {}", emergency::HEADING, finding.rule.id)
        } else {
            finding.rule.id.to_owned()
        },
        message: blotted(&format!(
            "{}
Fix: {}",
            finding.message, finding.fix
        ))
        .into_owned(),
    }
}
