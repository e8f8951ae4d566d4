//! Whether what the Hub has of the large files is any use for the new ones. Weights that were trained
//! anew have the names and often the sizes of those before, and none of their bytes: cutting them into
//! chunks would cost much and save nothing.
//!
//! A few windows of the earlier files are read and looked for where they would be if all that changed
//! lies behind them, and where they would be if it lies before them. One that is found is enough.

use std::cmp::Reverse;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::Remote;
use crate::hub::{Hub, RepoId};
use crate::inventory::{Artifact, Place};
use crate::policy::Transfer;
use crate::release::Target;

/// Less than this, in bytes, is sent either way in no time.
const WORTH: u64 = 64 * 1024 * 1024;
/// Files that are looked into, the largest ones.
const FILES: usize = 8;
/// Windows in all of them together, and the bytes of one.
const WINDOWS: usize = 32;
const WINDOW: usize = 4096;
/// Requests at the same time.
const AT_ONCE: usize = 8;

/// A file that the Hub has an earlier version of.
struct Pair<'f> {
    path: &'f str,
    before: u64,
    now: u64,
    on_disk: &'f PathBuf,
}

/// What a window says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    /// It stands in the new file.
    Found,
    /// It does not, where it would be looked for.
    Other,
    /// The same byte all through, as in a file with gaps: that is found anywhere.
    Blank,
}

/// Looks into the large files that the Hub has in Xet storage under the names of these, which are on
/// disk, where that may decide how they are sent; remembers what it found. Reads alone, and a Hub that
/// does not answer decides nothing.
pub async fn look_into(
    hub: &Hub,
    target: &Target,
    remote: &mut Remote,
    transfer: Transfer,
    files: &[Artifact],
) {
    if transfer == Transfer::Auto && remote.tagged.is_none() {
        remote.trained_anew = trained_anew(hub, &target.repo, remote, files).await;
    }
}

async fn trained_anew(hub: &Hub, repo: &RepoId, remote: &Remote, files: &[Artifact]) -> bool {
    let Some(commit) = remote.head.as_deref().or(remote.start.as_deref()) else { return false };
    let mut pairs: Vec<_> = files.iter().filter_map(|file| Pair::of(file, remote)).collect();
    if pairs.iter().map(|pair| pair.now).sum::<u64>() < WORTH {
        return false;
    }
    pairs.sort_by_key(|pair| Reverse(pair.now));
    pairs.truncate(FILES);
    let each = WINDOWS / pairs.len();
    let all = pairs.iter().flat_map(|pair| (0..each).map(move |number| (pair, number)));
    let asked = all.map(async |(pair, number)| {
        let at = pair.at(number, each);
        let end = at + WINDOW as u64;
        let bytes = hub.part_of_file(repo, commit, pair.path, at..end).await.ok()?;
        pair.look_for(&bytes, at).ok()
    });
    let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
    let mut others = 0;
    while let Some(answer) = answers.next().await {
        match answer {
            Some(Window::Other) => others += 1,
            Some(Window::Blank) => {}
            // As long as nobody knows, what is there is taken to be of use.
            Some(Window::Found) | None => return false,
        }
    }
    others > 0
}

impl<'f> Pair<'f> {
    fn of(file: &'f Artifact, remote: &Remote) -> Option<Self> {
        let Place::OnDisk(on_disk) = &file.place else { return None };
        let path = file.path.as_str();
        let before = remote.files.iter().find(|before| before.path == path)?;
        let same = before.oid == file.sha256.to_string();
        let roomy = before.size.min(file.size) >= (WINDOWS * WINDOW) as u64;
        let is_of_use = remote.in_xet.contains(path) && roomy && !same;
        is_of_use.then(|| Self { path, before: before.size, now: file.size, on_disk })
    }

    /// Where the window of a number begins in the earlier file, of so many: never at its beginning, which
    /// files of one format share.
    fn at(&self, number: usize, of: usize) -> u64 {
        let room = u128::from(self.before - WINDOW as u64);
        let at = room * (2 * number as u128 + 1) / (2 * of as u128);
        u64::try_from(at).unwrap_or(0)
    }

    /// Looks for a window of the earlier file in the new one.
    fn look_for(&self, window: &[u8], at: u64) -> std::io::Result<Window> {
        if window.iter().all(|byte| *byte == window[0]) {
            return Ok(Window::Blank);
        }
        let file = File::open(self.on_disk)?;
        let from_end = self.now.checked_sub(self.before - at);
        for at in [Some(at), from_end].into_iter().flatten() {
            if at + window.len() as u64 > self.now {
                continue;
            }
            let mut bytes = vec![0; window.len()];
            file.read_exact_at(&mut bytes, at)?;
            if bytes == window {
                return Ok(Window::Found);
            }
        }
        Ok(Window::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_found_where_the_change_lies_before_or_behind_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let noise = |seed: u64, length: usize| -> Vec<u8> {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                u8::try_from(state >> 56).unwrap_or(0)
            };
            (0..length).map(|_| next()).collect()
        };
        let before = noise(1, 200_000);
        let on_disk = dir.path().join("w.bin");
        let found = |now: &[u8], number: usize| {
            std::fs::write(&on_disk, now).expect("writable");
            let (before_size, now) = (before.len() as u64, now.len() as u64);
            let pair = Pair { path: "w.bin", before: before_size, now, on_disk: &on_disk };
            let at = pair.at(number, 4);
            let begin = usize::try_from(at).expect("small");
            pair.look_for(&before[begin..begin + WINDOW], at).expect("readable")
        };
        let mut grown = noise(2, 700);
        grown.extend(&before);
        let mut appended = before.clone();
        appended.extend(noise(3, 700));
        for number in 0..4 {
            assert_eq!(found(&grown, number), Window::Found);
            assert_eq!(found(&appended, number), Window::Found);
            assert_eq!(found(&noise(4, 200_000), number), Window::Other);
            assert_eq!(found(&noise(5, 30_000), number), Window::Other);
        }
        // The first half is another, so only windows of the second are there.
        let mut half = noise(6, 100_000);
        half.extend(&before[100_000..]);
        let all: Vec<_> = (0..4).map(|number| found(&half, number)).collect();
        assert_eq!(all, [Window::Other, Window::Other, Window::Found, Window::Found]);
        let pair = Pair { path: "w.bin", before: 9, now: 9, on_disk: &on_disk };
        assert_eq!(pair.look_for(&[0; 9], 0).expect("not read"), Window::Blank);
    }
}
