//! The audit log: one line for each run that wrote something, in a repository of the organisation.
//!
//! Each line names the SHA-256 of the line before it and of its own record, so that whatever is
//! changed, removed, doubled or moved later breaks the chain at a line that can be named. What a
//! chain cannot show is that its end was cut off or all of it written anew: the history of the
//! repository does, as long as nobody squashes it (`docs/audit-log.md`).

mod append;
mod attempt;
mod chain;
mod file;
mod history;
mod log;
mod record;
mod verify;

pub use attempt::{Attempt, Known};
pub use chain::{Chain, Entry, Flaw};
pub use history::{Depth, Extent, History, How, Made, Rewrite};
pub use log::{Appended, Log, LogError, Reach};
pub use record::{Allowed, Approval, Emergency, Gate, NotARecord, Outcome, Record, Run};
pub use verify::{Broken, Verification, verify_folder, verify_hub};

#[cfg(test)]
mod tests;
