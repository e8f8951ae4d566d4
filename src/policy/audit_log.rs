//! Where runs that write leave a record.

use crate::finding::Location;
use crate::hub::RepoId;

/// The folder of a log, unless the policy names another.
pub const FOLDER: &str = "audit";

/// The audit log of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLog {
    /// The dataset that holds it.
    pub repository: RepoId,
    /// Folder in it; `.` is the top.
    pub path: String,
    /// Where the policy says so.
    pub at: Location,
}
