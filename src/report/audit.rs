//! What became of a run's record: it is in the audit log, or it is kept, and the run says so loudly,
//! with exactly what is known.

use serde::Serialize;

use crate::audit::{Appended, Known, Record};

/// The record of a run in the audit log; a shape of its own, so that it stays the same.
#[derive(Debug, Clone, Serialize)]
pub struct Audited {
    /// The repository of the log.
    pub repository: String,
    /// Whether the log is known to have the record.
    pub appended: bool,
    /// What is known of a record that it is not known to have: `absent`, `unknown` or `unseen`.
    pub known: Option<&'static str>,
    /// The file of the log.
    pub file: Option<String>,
    /// The record's number.
    pub sequence: Option<u64>,
    /// SHA-256 of its line, by which it can be proven that the log still has it.
    pub sha256: Option<String>,
    /// Where the record is kept that the log is not known to have.
    pub kept: Option<String>,
    /// Why it is not.
    pub why: Option<String>,
    /// The record itself.
    pub record: Record,
}

impl Audited {
    /// A record that is in the log.
    pub fn appended(repository: String, record: Record, appended: Appended) -> Self {
        Self {
            repository,
            appended: true,
            known: None,
            file: Some(appended.file),
            sequence: Some(appended.sequence),
            sha256: Some(appended.digest.to_string()),
            kept: None,
            why: None,
            record,
        }
    }

    /// A record that the log is not known to have; `kept` is the file that has it, where one could be
    /// written.
    pub fn kept_instead(
        repository: String,
        record: Record,
        known: &Known,
        kept: Option<String>,
        why: String,
    ) -> Self {
        Self {
            repository,
            appended: false,
            known: Some(known.as_str()),
            file: None,
            sequence: None,
            sha256: None,
            kept,
            why: Some(why),
            record,
        }
    }

    /// In one line.
    pub(super) fn told(&self) -> String {
        match (&self.file, self.sequence, &self.sha256) {
            (Some(file), Some(sequence), Some(sha256)) => format!(
                "audit log: record {sequence} in {}/{file}, sha256 {sha256}",
                self.repository
            ),
            _ => self.warning().unwrap_or_default(),
        }
    }

    /// What has to be done, where the log is not known to have the record.
    pub(super) fn warning(&self) -> Option<String> {
        let why = self.why.as_ref()?;
        let is_absent = self.known == Some(Known::Absent.as_str());
        let has = if is_absent { "does not have" } else { "is not known to have" };
        let todo = match &self.kept {
            Some(kept) => {
                let looks = if is_absent { "" } else { ", which looks first" };
                format!(
                    "it is kept in {kept}: add it with `weighbridge audit-log append {kept}`{looks}"
                )
            }
            None => "it could not be written to a file either: it is in this run's report".into(),
        };
        Some(format!(
            "the audit log in {} {has} the record of this run, {todo} ({why})",
            self.repository
        ))
    }

    /// SHA-256 of the record's line in the log.
    pub(super) fn head(&self) -> Option<String> {
        self.sha256.clone()
    }

    /// The file that keeps a record which the log is not known to have.
    pub(super) fn kept(&self) -> Option<String> {
        self.kept.clone()
    }
}
