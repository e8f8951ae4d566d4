//! Exit codes, the same for every command.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything passed (exit code 0).
    Pass,
    /// Findings block the release (exit code 1).
    Blocked,
    /// Weighbridge could not do its work: bad input, no network, … (exit code 2).
    CouldNotWork,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Pass => 0,
            Exit::Blocked => 1,
            Exit::CouldNotWork => 2,
        })
    }
}
