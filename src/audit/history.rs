//! Whether the log only ever grew: each commit of its repository, held against the next newer one.
//!
//! A tree names the size and the hash of each file, so that a commit costs one request, and none for
//! content: what stood in a file must be the beginning of what stands in it later. Content is read once
//! a file, one file at a time, and once more for each commit that rewrote something.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::chain::Chain;
use super::file::FileName;
use super::log::{Log, LogError, READ};
use crate::digest::{Digest, git_blob_id};
use crate::hub::HubError;
use crate::hub::wire::{CommitEntry, TreeEntry};

/// Trees that are asked for at the same time.
const AT_ONCE: usize = 4;
/// Commits that are looked at where the one that is asked for is not there.
const SHOWN: usize = 200;
/// Most pages of a history; the Hub's have 50 commits.
const MOST_PAGES: usize = 10_000;

/// How far back the history is walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Depth {
    /// So many of the newest commits.
    Newest(usize),
    /// Down to the commit of this id: what stood there was looked at by somebody.
    Since(String),
    /// All of it.
    All,
}

/// What the history of the log's repository shows.
#[derive(Debug)]
pub struct History {
    /// Commits that were held against what stood before them.
    pub commits: usize,
    /// How far back that is.
    pub extent: Extent,
    /// The first commit that rewrote something, if one did.
    pub first: Option<Rewrite>,
    /// How many did.
    pub rewrites: usize,
}

/// Where the walk back ended.
#[derive(Debug)]
pub enum Extent {
    /// Where no log was yet: all of it was seen.
    Begin,
    /// At this commit, as it was asked for; older ones were not looked at.
    At(Made),
    /// The history begins with this commit, which has so many records already, where that can be read:
    /// it was squashed, or the log was brought from elsewhere.
    Squashed(Made, Option<u64>),
    /// The history does not have the commit that it was asked for: it was squashed or written anew.
    Lost(String),
}

/// A commit, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub commit: String,
    /// First line of its message.
    pub title: String,
    /// By whom, as the Hub names them.
    pub by: String,
    /// When, as it says itself.
    pub date: String,
}

/// A commit that did not only add to the log.
#[derive(Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The commit.
    pub made: Made,
    /// The file.
    pub file: String,
    /// What it did to it.
    pub how: How,
}

/// What became of a file of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is not there any more.
    Removed,
    /// So many of its last lines are not there any more.
    Cut(usize),
    /// It is another from this line on, from 1; none where it is too large for a file of a log.
    Changed(Option<usize>),
}

impl History {
    /// Whether every commit that was looked at only added to the log, and none is missing.
    pub fn passed(&self) -> bool {
        self.first.is_none() && matches!(self.extent, Extent::Begin | Extent::At(_))
    }
}

/// A commit, and the files of the log in it.
struct Seen {
    made: Made,
    files: BTreeMap<FileName, TreeEntry>,
}

/// Walks the history back from a commit.
pub(super) async fn walk(log: &Log, head: &str, depth: &Depth) -> Result<History, LogError> {
    // Fifty commits a request, and not one each: an id may be mistyped, and the history long. Who rewrote it
    // has most likely done so at its end.
    if let Depth::Since(id) = depth
        && !is_listed(log, head, id).await?
    {
        let newest = Box::pin(walk(log, head, &Depth::Newest(SHOWN))).await?;
        return Ok(History { extent: Extent::Lost(id.clone()), ..newest });
    }
    // One more than is judged: each is held against the one before it.
    let most = if let Depth::Newest(most) = depth { most.saturating_add(1) } else { usize::MAX };
    let mut walk = Walk { log, held: None, newer: None, looked: 0, first: None, rewrites: 0 };
    let mut page = None;
    for _ in 0..MOST_PAGES {
        let mut listed = log.hub.commits(&log.repo, head, page.take()).await?;
        let cut = listed.commits.len() > most - walk.looked;
        listed.commits.truncate(most - walk.looked);
        let seen = listed.commits.into_iter().map(|commit| look(log, commit));
        let mut seen = stream::iter(seen).buffered(AT_ONCE);
        while let Some(older) = seen.try_next().await? {
            walk.step(older).await?;
            if let Depth::Since(id) = depth
                && let Some(newest) = &walk.newer
                && newest.made.commit == *id
            {
                let made = newest.made.clone();
                return Ok(walk.ended(Extent::At(made)));
            }
        }
        let more = cut || (walk.looked == most && listed.older.is_some());
        if let Some(oldest) = walk.newer.as_ref().filter(|_| more) {
            let made = oldest.made.clone();
            return Ok(walk.ended(Extent::At(made)));
        }
        page = listed.older;
        if page.is_none() {
            let extent = match depth {
                Depth::Since(id) => Extent::Lost(id.clone()),
                Depth::Newest(_) | Depth::All => walk.begin().await,
            };
            return Ok(walk.ended(extent));
        }
    }
    Err(endless(log))
}

/// Whether the history has the commit of this id.
async fn is_listed(log: &Log, head: &str, id: &str) -> Result<bool, LogError> {
    let mut page = None;
    for _ in 0..MOST_PAGES {
        let listed = log.hub.commits(&log.repo, head, page.take()).await?;
        if listed.commits.iter().any(|commit| commit.id == *id) {
            return Ok(true);
        }
        page = listed.older;
        if page.is_none() {
            return Ok(false);
        }
    }
    Err(endless(log))
}

fn endless(log: &Log) -> LogError {
    HubError::Protocol(format!("the history of {} has no end", log.repo)).into()
}

async fn look(log: &Log, commit: CommitEntry) -> Result<Seen, LogError> {
    let files = log.listing(&commit.id).await?;
    let by: Vec<_> = commit.authors.into_iter().map(|author| author.user).collect();
    let by = by.join(", ");
    let made = Made { commit: commit.id, title: commit.title, by, date: commit.date };
    Ok(Seen { made, files })
}

struct Walk<'a> {
    log: &'a Log,
    /// A file of a newer commit.
    held: Option<(FileName, Vec<u8>)>,
    newer: Option<Seen>,
    looked: usize,
    first: Option<Rewrite>,
    rewrites: usize,
}

impl Walk<'_> {
    /// Takes the next older commit.
    async fn step(&mut self, older: Seen) -> Result<(), LogError> {
        self.looked += 1;
        if let Some(newer) = self.newer.take() {
            let mut rewrote = None;
            for (name, before) in &older.files {
                let how = match newer.files.get(name) {
                    None => Some(How::Removed),
                    Some(after) if after.oid == before.oid => None,
                    Some(after) => self.became(*name, (&older, before), (&newer, after)).await?,
                };
                rewrote = rewrote.or(how.map(|how| (self.log.path(*name), how)));
            }
            if let Some((file, how)) = rewrote {
                self.rewrites += 1;
                self.first = Some(Rewrite { made: newer.made, file, how });
            }
        }
        self.newer = Some(older);
        Ok(())
    }

    /// What a file became in the newer of two commits, if that is more than that it grew.
    async fn became(
        &mut self,
        name: FileName,
        (older, before): (&Seen, &TreeEntry),
        (newer, after): (&Seen, &TreeEntry),
    ) -> Result<Option<How>, LogError> {
        let Some(now) = self.content(name, newer, after).await? else {
            return Ok(Some(How::Changed(None)));
        };
        if before.size < after.size && begins_with(&now, before) {
            self.held = Some((name, now));
            return Ok(None);
        }
        let Some(then) = self.content(name, older, before).await? else {
            return Ok(Some(How::Changed(None)));
        };
        let now = beginning(&now, after).unwrap_or_default();
        let same = then.iter().zip(now).take_while(|(then, now)| then == now).count();
        let how = if same == now.len() {
            How::Cut(lines(&then[same..]))
        } else {
            How::Changed(Some(lines(&then[..same]) + 1))
        };
        self.held = Some((name, then));
        Ok(Some(how))
    }

    /// Bytes that begin with what a file holds in a commit; none where that is too large to be read.
    async fn content(
        &mut self,
        name: FileName,
        at: &Seen,
        file: &TreeEntry,
    ) -> Result<Option<Vec<u8>>, LogError> {
        if file.size > READ as u64 {
            return Ok(None);
        }
        let held =
            self.held.take().filter(|(held, bytes)| *held == name && begins_with(bytes, file));
        if let Some((_, bytes)) = held {
            return Ok(Some(bytes));
        }
        let bytes = self.log.read(&at.made.commit, name).await?;
        if bytes.len() as u64 == file.size && begins_with(&bytes, file) {
            return Ok(Some(bytes));
        }
        let (path, commit) = (self.log.path(name), &at.made.commit);
        let why = format!("{path} at {commit} has other bytes than its tree names");
        Err(HubError::Protocol(why).into())
    }

    /// What stands at the first commit of all.
    async fn begin(&mut self) -> Extent {
        let Some(first) = self.newer.take() else { return Extent::Begin };
        let Some((name, _)) = first.files.last_key_value() else { return Extent::Begin };
        // How many there are is told where it can be; that they are there is enough.
        let last = self.log.read(&first.made.commit, *name).await.unwrap_or_default();
        let mut each = last.split(|byte| *byte == b'\n');
        let records = each.rfind(|line| !line.is_empty()).and_then(|line| {
            let mut chain = Chain::before(line).ok()?;
            chain.take(line).ok()?;
            Some(chain.records())
        });
        Extent::Squashed(first.made, records)
    }

    fn ended(self, extent: Extent) -> History {
        // What came before the oldest is known only where nothing did.
        let unjudged = usize::from(!matches!(extent, Extent::Begin));
        let commits = self.looked.saturating_sub(unjudged);
        History { commits, extent, first: self.first, rewrites: self.rewrites }
    }
}

/// So many of the first bytes as a file of a tree has.
fn beginning<'a>(bytes: &'a [u8], file: &TreeEntry) -> Option<&'a [u8]> {
    bytes.get(..usize::try_from(file.size).ok()?)
}

/// Whether bytes begin with the content that a file of a tree names.
fn begins_with(bytes: &[u8], file: &TreeEntry) -> bool {
    let Some(bytes) = beginning(bytes, file) else { return false };
    match &file.lfs {
        Some(large) => Digest::of(bytes).to_string() == large.oid,
        None => git_blob_id(bytes) == file.oid,
    }
}

fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}
