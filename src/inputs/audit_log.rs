//! What `audit-log` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{BadInput, Settings};
use crate::digest::Digest;

/// What `audit-log` takes.
#[derive(Debug, Clone, Args)]
pub struct AuditLog {
    /// What to do with it.
    #[command(subcommand)]
    pub what: AuditLogCommand,
}

/// What can be done with the audit log.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditLogCommand {
    /// Check the whole chain, and on the Hub that the log only ever grew; the first line that does not
    /// hold, or the first commit that rewrote it, is named (exit code 1).
    Verify(Verify),
    /// The newest records, after the whole chain was checked.
    Show(Show),
    /// Add a record that a release had to keep because the log could not be reached. One that is there
    /// already is not added again.
    Append(Append),
}

/// What `audit-log verify` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Verify {
    /// Where the log is.
    #[command(flatten)]
    pub place: LogPlace,
    /// SHA-256 of a record's line, as its release told it: the log must still have it.
    #[arg(long, value_name = "SHA256")]
    pub head: Option<Digest>,
    /// Check the history from this commit on: what stood there was looked at by somebody.
    #[arg(long, value_name = "COMMIT", conflicts_with_all = ["dir", "all"], value_parser = commit)]
    pub since: Option<String>,
    /// Check the whole history, not the newest 200 commits alone: one request to the Hub for each.
    #[arg(long, conflicts_with = "dir")]
    pub all: bool,
}

impl Verify {
    /// What the action verifies: the log of the policy, back to the commit of the input `audit-since`.
    pub(super) fn of_action(since: Option<&str>, settings: Settings) -> Result<Self, BadInput> {
        let place = LogPlace { settings, ..LogPlace::default() };
        let since = since.map(str::trim).filter(|since| !since.is_empty());
        let all = since == Some("all");
        let since = since.filter(|_| !all).map(|since| {
            commit(since).map_err(|_| BadInput {
                name: "audit-since",
                value: since.to_owned(),
                expected: "all, or the id of a commit: 40 hex digits",
            })
        });
        Ok(Self { place, since: since.transpose()?, all, ..Self::default() })
    }
}

/// A commit's id. Whoever rewrites the history can make another commit whose id begins alike, but not one
/// that is the same.
fn commit(text: &str) -> Result<String, String> {
    let is_id = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wanted = "a commit's id is 40 hex digits, and all of them are needed";
    if is_id { Ok(text.to_ascii_lowercase()) } else { Err(wanted.to_owned()) }
}

/// What `audit-log show` takes.
#[derive(Debug, Clone, Args)]
pub struct Show {
    /// Where the log is.
    #[command(flatten)]
    pub place: LogPlace,
    /// How many records.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub last: u16,
}

/// What `audit-log append` takes.
#[derive(Debug, Clone, Args)]
pub struct Append {
    /// The record, as the release kept it.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the log is.
    #[command(flatten)]
    pub place: LogPlace,
}

/// Where the log is: as the policy says, unless one of these says otherwise.
#[derive(Debug, Clone, Default, Args)]
pub struct LogPlace {
    /// The dataset repository on the Hub that holds it [default: that of the policy].
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with = "dir")]
    pub repository: Option<String>,
    /// Folder in the repository [default: that of the policy, else audit].
    #[arg(long, value_name = "PATH", conflicts_with = "dir")]
    pub path: Option<String>,
    /// A folder that holds the log's files, such as a clone of the repository has one.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would print it as the group's help")]
    pub settings: Settings,
}
