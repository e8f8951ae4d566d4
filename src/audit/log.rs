//! The log on the Hub: where it is, and what stands there.

use std::collections::BTreeMap;
use std::time::Duration;

use super::chain::{Chain, Entry, LINE};
use super::file::FileName;
use super::verify::{self, Broken};
use crate::digest::Digest;
use crate::failure::Advise;
use crate::hub::wire::TreeEntry;
use crate::hub::{Hub, HubError, RepoId};

/// The branch that the log is on.
pub(super) const BRANCH: &str = "main";
/// From this many bytes on a file is full, and the next one of its month begins.
pub(super) const FULL: usize = 1024 * 1024;
/// Most bytes of a file that is read.
pub(super) const READ: usize = 2 * FULL + LINE;
/// Pauses between looks for what must be there and is not yet.
pub(super) const PAUSES: [u64; 4] = [1, 2, 4, 8];

/// A log in a repository of the Hub.
#[derive(Clone)]
pub struct Log {
    pub(super) hub: Hub,
    pub(super) repo: RepoId,
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
    /// A repository that has no file of a log, and as far as was seen never had.
    #[error("there is no log in {repo}: `{folder}` holds no file such as `2026-11.jsonl`")]
    Nothing {
        /// Which.
        repo: RepoId,
        /// Where in it.
        folder: String,
    },
}

impl Advise for LogError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Hub(error) => return error.fix(),
            Self::Missing(repo) => create(repo),
            Self::Broken(_) => "`weighbridge audit-log verify` names the first broken line; restore the files from the repository's history before anything is added".into(),
            Self::Contended => "run it again".into(),
            Self::Nothing { .. } => "if the log is in another folder, name it: `--path PATH`; if no release has left a record yet, there is nothing to check; if one has, the repository was made or written anew: hold it against an `audit-head` that the release told, `--head SHA256`".into(),
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
pub(super) struct End {
    pub(super) commit: String,
    /// The files, in order.
    pub(super) names: Vec<FileName>,
    /// What the last one holds.
    pub(super) last: Vec<u8>,
    pub(super) chain: Chain,
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

    /// That there is none.
    pub(super) fn nothing(&self) -> LogError {
        LogError::Nothing { repo: self.repo.clone(), folder: self.folder.clone() }
    }

    /// The commit that verification reads, with the names of the files in order.
    pub(super) async fn files(&self) -> Result<(String, Vec<FileName>), LogError> {
        let commit = self.head().await?.ok_or_else(|| LogError::Missing(self.repo.clone()))?;
        let names = self.names(&commit).await?;
        Ok((commit, names))
    }

    /// One file.
    pub(super) async fn read(&self, commit: &str, name: FileName) -> Result<Vec<u8>, LogError> {
        self.read_path(commit, &self.path(name)).await
    }

    /// The file at a path.
    pub(super) async fn read_path(&self, commit: &str, path: &str) -> Result<Vec<u8>, LogError> {
        let read = self.hub.small_file(&self.repo, commit, path, READ).await?;
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
        Ok(self.listing(commit).await?.into_keys().collect())
    }

    /// The files at a commit, in order, as its tree names them.
    pub(super) async fn listing(
        &self,
        commit: &str,
    ) -> Result<BTreeMap<FileName, TreeEntry>, HubError> {
        let folder = if self.folder == "." { "" } else { &self.folder };
        let entries = self.hub.folder(&self.repo, commit, folder).await?;
        let named = |entry: TreeEntry| {
            let name = entry.path.rsplit('/').next().unwrap_or(&entry.path).parse().ok()?;
            Some((name, entry))
        };
        Ok(entries.into_iter().filter_map(named).collect())
    }

    /// The end of the log. A Hub is many machines, and one of them may not know yet what another has
    /// just taken in: that is waited for.
    pub(super) async fn end(&self) -> Result<End, LogError> {
        for pause in PAUSES {
            match self.end_now().await {
                Err(LogError::Hub(error)) if error.status() == Some(404) => {
                    self.hub.wait(&format!("{error}; looking again in {pause} s"));
                    self.hub.rest(Duration::from_secs(pause)).await;
                }
                end => return end,
            }
        }
        self.end_now().await
    }

    pub(super) async fn end_now(&self) -> Result<End, LogError> {
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
    pub(super) async fn near(
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
}

/// An error with its causes, in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
