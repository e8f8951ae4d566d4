//! What became of a run's record: it is in the audit log, or it is kept, and the run says so loudly.

use serde::Serialize;

use crate::audit::{Appended, Record};

/// The record of a run in the audit log; a shape of its own, so that it stays the same.
#[derive(Debug, Clone, Serialize)]
pub struct Audited {
    /// The repository of the log.
    pub repository: String,
    /// Whether the log has the record.
    pub appended: bool,
    /// The file of the log.
    pub file: Option<String>,
    /// The record's number.
    pub sequence: Option<u64>,
    /// SHA-256 of its line, by which it can be proven that the log still has it.
    pub sha256: Option<String>,
    /// Where the record is kept that the log does not have.
    pub kept: Option<String>,
    /// Why the log does not have it.
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
            file: Some(appended.file),
            sequence: Some(appended.sequence),
            sha256: Some(appended.digest.to_string()),
            kept: None,
            why: None,
            record,
        }
    }

    /// A record that the log does not have; `kept` is the file that does, where one could be written.
    pub fn kept_instead(
        repository: String,
        record: Record,
        kept: Option<String>,
        why: String,
    ) -> Self {
        Self {
            repository,
            appended: false,
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

    /// What has to be done, where the log does not have the record.
    pub(super) fn warning(&self) -> Option<String> {
        let why = self.why.as_ref()?;
        let todo = match &self.kept {
            Some(kept) => {
                format!("it is kept in {kept}: add it with `weighbridge audit-log append {kept}`")
            }
            None => "it could not be written to a file either: it is in this run's report".into(),
        };
        Some(format!(
            "the audit log in {} does not have the record of this run, {todo} ({why})",
            self.repository
        ))
    }

    /// SHA-256 of the record's line in the log.
    pub(super) fn head(&self) -> Option<String> {
        self.sha256.clone()
    }

    /// The file that keeps a record which the log does not have.
    pub(super) fn kept(&self) -> Option<String> {
        self.kept.clone()
    }
}
