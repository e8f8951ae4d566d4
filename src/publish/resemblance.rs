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
/// One part of so many of the new bytes has to be there: what Xet saves then is worth the cutting.
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
}

/// What the windows of one set said.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    found: usize,
    other: usize,
}

/// Bytes of a set as it was and as it is.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    before: u128,
    now: u128,
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
    let sizes: Vec<_> = sets.iter().map(|set| Sizes::of(set)).collect();
    let mut asked: Vec<_> = sets
        .iter()
        .enumerate()
        .flat_map(|(set, pairs)| {
            windows(pairs, each).into_iter().zip(0_u8..).map(move |(at, number)| (number, set, at))
        })
        .collect();
    // Those that are asked for first are spread as evenly as all of them.
    asked.sort_by_key(|(number, set, _)| (number.reverse_bits(), *set));
    let asked = asked.into_iter().map(async |(_, set, (pair, at))| {
        let bytes = hub.part_of_file(repo, &commit, &pair.path, at, WINDOW).await.ok()?;
        let pair = pair.clone();
        let looked = tokio::task::spawn_blocking(move || pair.look_for(&bytes, at)).await;
        Some((set, looked.ok()?.ok()?))
    });
    let mut tallies = vec![Tally::default(); sets.len()];
    let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
    let all = async {
        while let Some(answer) = answers.next().await {
            if let Some((set, window)) = answer {
                tallies[set].count(window);
            }
            if tallies.iter().zip(&sizes).all(|(tally, sizes)| tally.is_clear(each, *sizes)) {
                break;
            }
        }
    };
    // What was answered until then counts.
    let _ = tokio::time::timeout(PATIENCE, all).await;
    drop(answers);
    for ((set, sizes), tally) in sets.iter().zip(sizes).zip(tallies) {
        match tally.anew(each, sizes) {
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
        // Gaps and masks are found anywhere, and save something where they are the same.
        let reach = if is_blank(window) { 0 } else { REACH };
        // Asked before it is opened: opening a pipe would wait for its writer.
        let found = std::fs::metadata(&self.on_disk)?;
        if !found.is_file() || found.len() != self.now {
            return Err(std::io::Error::other("it changed after it was weighed"));
        }
        let file = File::open(&self.on_disk)?;
        let from_end = self.now.checked_sub(self.before - at).filter(|end| *end != at);
        for at in [Some(at), from_end].into_iter().flatten() {
            let begin = at.saturating_sub(reach).min(self.now);
            let end = at.saturating_add(window.len() as u64 + reach).min(self.now);
            let mut near = vec![0; usize::try_from(end - begin).unwrap_or(0)];
            file.read_exact_at(&mut near, begin)?;
            if memmem::find(&near, window).is_some() {
                return Ok(Window::Found);
            }
        }
        Ok(Window::Other)
    }
}

impl Sizes {
    fn of(set: &[Pair]) -> Self {
        let all = |size: fn(&Pair) -> u64| set.iter().map(|pair| u128::from(size(pair))).sum();
        Self { before: all(|pair| pair.before), now: all(|pair| pair.now) }
    }

    /// Whether these windows of so many, which lie in the earlier bytes, stand for enough of the new ones.
    fn is_worth_it(self, found: usize, looked: usize) -> bool {
        (found * FOUND) as u128 * self.before >= looked as u128 * self.now
    }
}

impl Tally {
    fn count(&mut self, window: Window) {
        match window {
            Window::Found => self.found += 1,
            Window::Other => self.other += 1,
        }
    }

    /// Whether the windows that are still to come are not worth waiting for.
    fn is_clear(self, asked: usize, sizes: Sizes) -> bool {
        let half_came = 2 * self.other >= asked;
        sizes.is_worth_it(self.found, asked) || (self.found == 0 && half_came)
    }

    /// Whether so little was found that the files were trained anew; `None` where too few windows came.
    fn anew(self, asked: usize, sizes: Sizes) -> Option<bool> {
        if sizes.is_worth_it(self.found, asked) {
            return Some(false);
        }
        let looked = self.found + self.other;
        (2 * looked >= asked).then_some(!sizes.is_worth_it(self.found, looked))
    }
}

/// Whether a window repeats one number of 1, 2, 4 or 8 bytes.
fn is_blank(window: &[u8]) -> bool {
    [1, 2, 4, 8]
        .into_iter()
        .any(|width| window.iter().skip(width).eq(&window[..window.len().saturating_sub(width)]))
}

#[cfg(test)]
mod tests;
