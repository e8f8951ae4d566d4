//! Where runs that write leave a record.

use super::Check;
use crate::hub::{RepoId, Shelf};
use crate::policy::{AuditLog, FOLDER, raw};

impl Check<'_> {
    pub(super) fn audit_log(&mut self, file: &raw::File) -> Option<AuditLog> {
        let log = file.audit_log.as_ref()?;
        let path = log.path.as_deref().unwrap_or(FOLDER);
        let path = self.relative("audit-log/path", path);
        match log.repository.parse::<RepoId>() {
            Ok(repository) => {
                let (repository, at) = (repository.on(Shelf::Datasets), self.at("audit-log"));
                Some(AuditLog { repository, path, at })
            }
            Err(error) => {
                let help = "write `organisation/name` of a dataset repository, without `datasets/`";
                self.wrong("audit-log/repository", error.to_string(), help);
                None
            }
        }
    }
}
