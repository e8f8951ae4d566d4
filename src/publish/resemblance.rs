//! Whether what the Hub has of the large files is any use for the new ones. Weights that were trained
//! anew have the names and often the sizes of those before, and none of their bytes: cutting them into
//! chunks would cost much and save nothing.
//!
//! A few windows of the earlier files are read off the Hub and looked for in the new ones, near where they
//! stood, counted from either end. Shards of one model are looked at together, as the one file they make.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use memchr::memmem;

use super::Remote;
use super::transfer::without_digits;
use crate::hub::query_files::Queries;
use crate::hub::{Hub, RepoId};
use crate::inventory::{Artifact, Place};
use crate::policy::{Model, Transfer};
use crate::release::RemoteFile;

/// Less than this, in bytes, is sent either way in no time.
const WORTH: u64 = 64 * 1024 * 1024;
/// Sets of shards that are looked into, the largest ones.
const SETS: usize = 8;
/// Windows of all of them together, at most, and the bytes of one.
const WINDOWS: usize = 32;
const WINDOW: usize = 4096;
/// How far from where it stood a window is looked for: tables of contents grow at the beginning.
const REACH: u64 = 256 * 1024;
/// Requests at the same time, and how long all of them together may take: it can be done without.
const AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(20);
/// One window of so many has to be found: what Xet saves then is worth the cutting.
const FOUND: usize = 4;

/// A file that the Hub has an earlier version of.
#[derive(Debug, Clone)]
struct Pair {
    path: String,
    before: u64,
    now: u64,
    on_disk: PathBuf,
}

/// What a window says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    /// It stands in the new file.
    Found,
    /// It does not, where it would be looked for.
    Other,
    /// A few bytes repeated, as in gaps and masks: that is found anywhere.
    Blank,
}

/// What the windows of one set said.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    found: usize,
    other: usize,
    blank: usize,
}

/// Looks into the large files that the Hub has in Xet storage under the names of these, which are on
/// disk, where that may decide how they are sent; remembers of which little was found. Reads alone.
pub async fn look_into(
    hub: &Hub,
    repo: &RepoId,
    remote: &mut Remote,
    model: &Model,
    files: &[Artifact],
) {
    let base = remote.head.clone().or_else(|| remote.start.clone());
    let Some(commit) = base.filter(|_| remote.tagged.is_none()) else { return };
    if model.publish.transfer != Transfer::Auto {
        return;
    }
    // A request of one of these is counted as a download, which it is not.
    let queries = Queries::of(model.library.as_deref());
    let there = remote.files.iter().filter(|file| remote.in_xet.contains(&file.path));
    let there: BTreeMap<_, _> = there.map(|file| (file.path.as_str(), file)).collect();
    let pairs = files.iter().filter_map(|file| Pair::of(file, there.get(file.path.as_str())?));
    let sets = sets(pairs.filter(|pair| !queries.count(&pair.path)));
    let each = WINDOWS / sets.len().max(1);
    let asked = sets.iter().enumerate().flat_map(|(number, set)| {
        windows(set, each).into_iter().map(move |(pair, at)| (number, pair, at))
    });
    let asked = asked.map(async |(number, pair, at)| {
        let bytes = hub.part_of_file(repo, &commit, &pair.path, at, WINDOW).await.ok()?;
        let pair = pair.clone();
        let looked = tokio::task::spawn_blocking(move || pair.look_for(&bytes, at)).await;
        Some((number, looked.ok()?.ok()?))
    });
    let mut tallies = vec![Tally::default(); sets.len()];
    let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
    let all = async {
        while let Some(answer) = answers.next().await {
            if let Some((number, window)) = answer {
                tallies[number].count(window);
            }
            // Whatever the others say.
            if tallies.iter().all(|tally| tally.found * FOUND >= each) {
                break;
            }
        }
    };
    // What was answered until then counts.
    let _ = tokio::time::timeout(PATIENCE, all).await;
    drop(answers);
    for (set, tally) in sets.iter().zip(tallies) {
        match tally.anew(each) {
            Some(true) => remote.trained_anew.extend(set.iter().map(|pair| pair.path.clone())),
            Some(false) => {}
            None => hub.wait(&format!(
                "the last version of {} could not be looked into: what changed since is not known",
                set[0].path
            )),
        }
    }
}

/// The files as sets of shards, whose names differ in numbers; the largest that are worth a look.
fn sets(pairs: impl Iterator<Item = Pair>) -> Vec<Vec<Pair>> {
    let mut sets = BTreeMap::<_, Vec<_>>::new();
    for pair in pairs {
        sets.entry(without_digits(&pair.path)).or_default().push(pair);
    }
    let size = |set: &Vec<Pair>| set.iter().map(|pair| pair.now).fold(0, u64::saturating_add);
    let mut sets: Vec<_> = sets.into_values().filter(|set| size(set) >= WORTH).collect();
    sets.sort_by_key(|set| Reverse(size(set)));
    sets.truncate(SETS);
    sets
}

/// Where the windows of a set begin in its earlier files, spread evenly over all their bytes.
fn windows(set: &[Pair], each: usize) -> Vec<(&Pair, u64)> {
    let room = |pair: &Pair| u128::from(pair.before - WINDOW as u64);
    let all: u128 = set.iter().map(room).sum();
    let place = |number: usize| {
        let mut at = all * (2 * number as u128 + 1) / (2 * each as u128);
        let pair = set.iter().find(|pair| {
            let here = at < room(pair);
            at = if here { at } else { at - room(pair) };
            here
        });
        Some((pair?, u64::try_from(at).ok()?))
    };
    (0..each).filter_map(place).collect()
}

impl Pair {
    fn of(file: &Artifact, before: &RemoteFile) -> Option<Self> {
        let Place::OnDisk(on_disk) = &file.place else { return None };
        let same = before.oid == file.sha256.to_string();
        let roomy = before.size.min(file.size) > WINDOW as u64;
        let (path, on_disk) = (file.path.to_string(), on_disk.clone());
        (roomy && !same).then_some(Self { path, before: before.size, now: file.size, on_disk })
    }

    /// Looks for a window of the earlier file in the new one.
    fn look_for(&self, window: &Bytes, at: u64) -> std::io::Result<Window> {
        if is_blank(window) {
            return Ok(Window::Blank);
        }
        // Asked before it is opened: opening a pipe would wait for its writer.
        let found = std::fs::metadata(&self.on_disk)?;
        if !found.is_file() || found.len() != self.now {
            return Err(std::io::Error::other("it changed after it was weighed"));
        }
        let file = File::open(&self.on_disk)?;
        let from_end = self.now.checked_sub(self.before - at);
        for at in [Some(at), from_end].into_iter().flatten() {
            let begin = at.saturating_sub(REACH).min(self.now);
            let end = at.saturating_add(window.len() as u64 + REACH).min(self.now);
            let mut near = vec![0; usize::try_from(end - begin).unwrap_or(0)];
            file.read_exact_at(&mut near, begin)?;
            if memmem::find(&near, window).is_some() {
                return Ok(Window::Found);
            }
        }
        Ok(Window::Other)
    }
}

impl Tally {
    fn count(&mut self, window: Window) {
        match window {
            Window::Found => self.found += 1,
            Window::Other => self.other += 1,
            Window::Blank => self.blank += 1,
        }
    }

    /// Whether so little was found that the files were trained anew; `None` where too few windows came.
    fn anew(self, asked: usize) -> Option<bool> {
        let looked = self.found + self.other;
        let came = 2 * (looked + self.blank) >= asked;
        came.then_some(looked > 0 && self.found * FOUND < looked)
    }
}

/// Whether a window repeats one number of any width.
fn is_blank(window: &[u8]) -> bool {
    [1, 2, 4, 8]
        .into_iter()
        .any(|width| window.iter().skip(width).eq(&window[..window.len().saturating_sub(width)]))
}

#[cfg(test)]
mod tests;
