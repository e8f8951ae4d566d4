//! The log on the Hub: what is added, and what stands there.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::chain::{Chain, Entry, LINE};
use super::file::FileName;
use super::record::Record;
use super::verify::{self, Broken};
use crate::digest::Digest;
use crate::failure::Advise;
use crate::hub::{Hub, HubError, Operation, RepoId};

/// The branch that the log is on.
const BRANCH: &str = "main";
/// From this many bytes on a file is full, and the next one of its month begins.
const FULL: usize = 1024 * 1024;
/// Most bytes of a file that is read.
const READ: usize = 2 * FULL + LINE;
/// How often a record is tried where other runs are faster, and how often where the Hub fails.
const RACES: u32 = 30;
const FAILURES: u32 = 5;
/// Pauses between looks for what must be there and is not yet.
const PAUSES: [u64; 4] = [1, 2, 4, 8];

/// A log in a repository of the Hub.
#[derive(Clone)]
pub struct Log {
    hub: Hub,
    repo: RepoId,
    folder: String,
}

/// A record that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Path of the file in the repository.
    pub file: String,
    /// Its number.
    pub sequence: u64,
    /// SHA-256 of its line: whoever knows it can prove that the log still has it.
    pub digest: Digest,
}

/// Whether a log can be added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It can; so many records are there.
    Ready(u64),
    /// There is no such repository, or the token may not see it.
    Missing,
    /// The token may not write to it.
    ReadOnly,
    /// Its end does not hold, so that nothing can be put behind it.
    Broken(Broken),
    /// The Hub did not answer as it should.
    Unreachable(String),
}

/// A log that could not be read or added to.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The Hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// No repository.
    #[error("there is no repository {0}, or the token may not see it")]
    Missing(RepoId),
    /// The chain does not hold.
    #[error("the log is broken at {0}")]
    Broken(Box<Broken>),
    /// Others were faster, again and again.
    #[error("other runs added to the log all the time")]
    Contended,
    /// A folder that cannot be read.
    #[error("cannot read `{path}`")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A folder that has no file of a log.
    #[error("`{0}` holds no file of an audit log, such as `2026-11.jsonl`")]
    Empty(String),
}

impl Advise for LogError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Hub(error) => return error.fix(),
            Self::Missing(repo) => create(repo),
            Self::Broken(_) => "`weighbridge audit-log verify` names the first broken line; restore the files from the repository's history before anything is added".into(),
            Self::Contended => "run it again".into(),
            Self::Folder { .. } | Self::Empty(_) => "give the folder that holds the files: `--dir DIR`".into(),
        })
    }
}

/// How the repository of a log is made.
fn create(repo: &RepoId) -> String {
    format!(
        "create it once: `hf repos create {}/{} --repo-type dataset --private`, and let the token write to it",
        repo.namespace(),
        repo.name()
    )
}

/// The end of a log at one commit.
struct End {
    commit: String,
    /// The files, in order.
    names: Vec<FileName>,
    /// What the last one holds.
    last: Vec<u8>,
    chain: Chain,
}

impl Log {
    /// The log in a folder of a repository.
    pub fn new(hub: Hub, repo: RepoId, folder: &str) -> Self {
        Self { hub, repo, folder: folder.to_owned() }
    }

    /// Whether a record can be added: asked before a release, which nothing can undo.
    pub async fn reach(&self) -> Reach {
        let end = match self.end().await {
            Ok(end) => end,
            Err(LogError::Missing(_)) => return Reach::Missing,
            Err(LogError::Broken(broken)) => return Reach::Broken(*broken),
            Err(error) => return Reach::Unreachable(with_causes(&error)),
        };
        match self.hub.may_write(&self.repo).await {
            Ok(Some(false)) => Reach::ReadOnly,
            Ok(Some(true) | None) => Reach::Ready(end.chain.records()),
            Err(error) => Reach::Unreachable(with_causes(&error)),
        }
    }

    /// Puts a record behind the last one: one commit, guarded by its parent. Who loses the race for
    /// the head reads again and tries again. After an answer that was lost it is looked for first: it
    /// is never added twice.
    pub async fn append(&self, record: &Record) -> Result<Appended, LogError> {
        let (text, id) = (record.to_text(), record.id());
        let (mut races, mut failures) = (0, 0);
        loop {
            let end = self.end().await?;
            // It was not there before the first try, so it can only be near the end.
            if races + failures > 0
                && let Some(there) = self.near(&end, |entry| entry.id == id).await?
            {
                return Ok(there);
            }
            let error = match self.put(&end, &text).await {
                Ok(appended) => return Ok(appended),
                Err(error) => error,
            };
            let pause = if matches!(error.status(), Some(409 | 412)) {
                races += 1;
                if races == RACES {
                    return Err(LogError::Contended);
                }
                pause(races)
            } else {
                failures += 1;
                if failures == FAILURES || !error.maybe_done() {
                    return Err(error.into());
                }
                error.pause(failures + 1)
            };
            self.hub.wait(&format!("no record was added to the audit log: {error}; looking again"));
            tokio::time::sleep(pause).await;
        }
    }

    /// The newest record of which `is_it` is true; all of the log is looked through.
    pub async fn find(&self, is_it: impl Fn(&Entry) -> bool) -> Result<Option<Appended>, LogError> {
        let Some(commit) = self.head().await? else {
            return Err(LogError::Missing(self.repo.clone()));
        };
        for name in self.names(&commit).await?.into_iter().rev() {
            let bytes = self.read(&commit, name).await?;
            if let Some(found) = self.last_in(name, &bytes, &is_it) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The commit that verification reads, with the names of the files in order.
    pub(super) async fn files(&self) -> Result<(String, Vec<FileName>), LogError> {
        let commit = self.head().await?.ok_or_else(|| LogError::Missing(self.repo.clone()))?;
        let names = self.names(&commit).await?;
        Ok((commit, names))
    }

    /// One file.
    pub(super) async fn read(&self, commit: &str, name: FileName) -> Result<Vec<u8>, LogError> {
        let path = self.path(name);
        let read = self.hub.small_file(&self.repo, commit, &path, READ).await?;
        read.ok_or_else(|| HubError::Protocol(format!("{path} is listed and not there")).into())
    }

    /// A file's path in the repository.
    pub(super) fn path(&self, name: FileName) -> String {
        if self.folder == "." { name.to_string() } else { format!("{}/{name}", self.folder) }
    }

    async fn head(&self) -> Result<Option<String>, HubError> {
        let Some(refs) = self.hub.refs(&self.repo).await? else { return Ok(None) };
        let main = refs.branches.into_iter().find(|branch| branch.name == BRANCH);
        let missing = || HubError::Protocol(format!("{} has no branch `{BRANCH}`", self.repo));
        Ok(Some(main.ok_or_else(missing)?.target_commit))
    }

    async fn names(&self, commit: &str) -> Result<Vec<FileName>, HubError> {
        let folder = if self.folder == "." { "" } else { &self.folder };
        let entries = self.hub.folder(&self.repo, commit, folder).await?;
        let file = |path: &str| path.rsplit('/').next().unwrap_or(path).parse().ok();
        let mut names: Vec<FileName> =
            entries.iter().filter_map(|entry| file(&entry.path)).collect();
        names.sort();
        Ok(names)
    }

    /// The end of the log. A Hub is many machines, and one of them may not know yet what another has
    /// just taken in: that is waited for.
    async fn end(&self) -> Result<End, LogError> {
        for pause in PAUSES {
            match self.end_now().await {
                Err(LogError::Hub(error)) if error.status() == Some(404) => {
                    self.hub.wait(&format!("{error}; looking again in {pause} s"));
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
                end => return end,
            }
        }
        self.end_now().await
    }

    async fn end_now(&self) -> Result<End, LogError> {
        let (commit, names) = self.files().await?;
        let Some(&name) = names.last() else {
            return Ok(End { commit, names, last: Vec::new(), chain: Chain::default() });
        };
        let last = self.read(&commit, name).await?;
        // Nothing is put behind what does not hold.
        let chain = verify::tail(&self.path(name), &last).map_err(Box::new);
        Ok(End { commit, names, last, chain: chain.map_err(LogError::Broken)? })
    }

    /// A record in the last file or the one before it.
    async fn near(
        &self,
        end: &End,
        is_it: impl Fn(&Entry) -> bool,
    ) -> Result<Option<Appended>, LogError> {
        let [before @ .., last] = end.names.as_slice() else { return Ok(None) };
        if let Some(found) = self.last_in(*last, &end.last, &is_it) {
            return Ok(Some(found));
        }
        let Some(before) = before.last() else { return Ok(None) };
        let bytes = self.read(&end.commit, *before).await?;
        Ok(self.last_in(*before, &bytes, &is_it))
    }

    fn last_in(
        &self,
        name: FileName,
        bytes: &[u8],
        is_it: &impl Fn(&Entry) -> bool,
    ) -> Option<Appended> {
        let lines = bytes.split(|byte| *byte == b'\n').rev().filter(|line| !line.is_empty());
        let mut entries = lines.filter_map(|line| Chain::before(line).ok()?.take(line).ok());
        let entry = entries.find(|entry| is_it(entry))?;
        Some(Appended { file: self.path(name), sequence: entry.sequence, digest: entry.digest })
    }

    async fn put(&self, end: &End, record: &str) -> Result<Appended, HubError> {
        let line = end.chain.line(record);
        let month = FileName::of(Timestamp::now());
        // A clock that lags must not put a record before those that are there.
        let name = match end.names.last() {
            Some(last) if end.last.len() + line.len() > FULL && *last >= month => last.next(),
            Some(last) => month.max(*last),
            None => month,
        };
        let mut bytes = if end.names.last() == Some(&name) { end.last.clone() } else { Vec::new() };
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        let (path, sequence) = (self.path(name), end.chain.records() + 1);
        let operation = Operation::Inline { path: path.clone(), bytes: bytes.clone().into() };
        let summary = format!("Record {sequence}");
        let digest = Digest::of(line.as_bytes());
        let commit = self
            .hub
            .commit(
                &self.repo,
                BRANCH,
                Some(&end.commit),
                &summary,
                &format!("sha256:{digest}"),
                &Arc::from([operation]),
            )
            .await?;
        self.read_back(&commit, &path, &bytes).await?;
        Ok(Appended { file: path, sequence, digest })
    }

    /// Reads what was committed; a Hub that does not show it yet is waited for.
    async fn read_back(&self, commit: &str, path: &str, sent: &[u8]) -> Result<(), HubError> {
        for pause in PAUSES.into_iter().map(Some).chain([None]) {
            let read = self.hub.small_file(&self.repo, commit, path, READ).await?;
            match (read, pause) {
                (Some(read), _) if read == sent => return Ok(()),
                (Some(_), _) => break,
                (None, Some(pause)) => tokio::time::sleep(Duration::from_secs(pause)).await,
                (None, None) => {}
            }
        }
        Err(HubError::Protocol(format!("{path} does not hold what was sent")))
    }
}

/// Half to all of a time that grows with every race that was lost, up to two seconds: runs that race
/// come apart.
fn pause(races: u32) -> Duration {
    let whole = Duration::from_millis(100 * u64::from(races.min(20)));
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
