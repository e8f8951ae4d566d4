//! How each large file is sent, and why.
//!
//! Xet cuts a file into chunks and sends those that the Hub does not have; what that costs the
//! processor is won back where most of a file is there already, and lost where nothing is. Whether
//! it is there is read off what the Hub has: an earlier version of the file, in Xet storage, of which
//! something is found in this one.

use std::collections::{BTreeMap, BTreeSet};

use super::Remote;
use crate::hub::Way;
use crate::policy::Transfer;

/// Names that a line of the log holds.
const NAMED: usize = 3;

/// How a file is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) way: Way,
    why: Why,
}

/// Why it is sent so.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// The policy has it so.
    Policy,
    /// The Hub has an earlier version of it.
    Known,
    /// The Hub has an earlier version of it under this name, which this version has no more.
    Follows(String),
    /// The Hub has an earlier version of it, outside Xet storage: nothing of it can be used.
    Elsewhere,
    /// The Hub has an earlier version of it, of which little was found in it.
    Anew,
    /// The Hub has nothing like it.
    New,
}

impl Choice {
    /// As a plan says it.
    pub(super) fn told(&self) -> String {
        match (&self.why, self.way) {
            (Why::Policy, Way::Xet) => "by Xet, as the policy says".into(),
            (Why::Policy, Way::Lfs) => "by LFS, as the policy says".into(),
            (Why::Known, _) => "by Xet: what changed in it".into(),
            (Why::Follows(before), _) => format!("by Xet: what changed since {before}"),
            (Why::Elsewhere, _) => "by LFS: its last version is not in Xet storage".into(),
            (Why::Anew, _) => "by LFS: little was found of its last version".into(),
            (Why::New, _) => "by LFS: nothing like it is there".into(),
        }
    }
}

/// What a repository's head has that new files may be versions of.
pub(super) struct Chooser<'r> {
    policy: Transfer,
    remote: &'r Remote,
    /// Large files of the head.
    there: BTreeSet<&'r str>,
    /// Those that this version has no more, by their names without digits.
    gone: BTreeMap<String, Vec<&'r str>>,
}

impl<'r> Chooser<'r> {
    /// For a version of the files `here`.
    pub(super) fn new(policy: Transfer, remote: &'r Remote, here: &BTreeSet<&str>) -> Self {
        let large = remote.files.iter().filter(|file| is_large(&file.oid));
        let there: BTreeSet<_> = large.map(|file| file.path.as_str()).collect();
        let mut gone = BTreeMap::<_, Vec<_>>::new();
        for path in there.iter().copied().filter(|path| !here.contains(path)) {
            gone.entry(without_digits(path)).or_default().push(path);
        }
        Self { policy, remote, there, gone }
    }

    /// How the file at `path` is sent, if it is a large one.
    pub(super) fn choose(&self, path: &str) -> Choice {
        let fixed = match self.policy {
            Transfer::Auto => None,
            Transfer::Xet => Some(Way::Xet),
            Transfer::Lfs => Some(Way::Lfs),
        };
        if let Some(way) = fixed {
            return Choice { way, why: Why::Policy };
        }
        let in_xet = |path: &&str| self.remote.in_xet.contains(*path);
        let gone = self.gone.get(&without_digits(path)).map_or(&[][..], Vec::as_slice);
        let (way, why) = if self.there.contains(path) {
            match (in_xet(&path), self.remote.trained_anew.contains(path)) {
                (true, false) => (Way::Xet, Why::Known),
                (true, true) => (Way::Lfs, Why::Anew),
                (false, _) => (Way::Lfs, Why::Elsewhere),
            }
        } else if let Some(before) = gone.iter().copied().find(in_xet) {
            (Way::Xet, Why::Follows(before.to_owned()))
        } else if gone.is_empty() {
            (Way::Lfs, Why::New)
        } else {
            (Way::Lfs, Why::Elsewhere)
        };
        Choice { way, why }
    }
}

/// The lines that say how large files are sent: one for each reason.
pub(super) fn lines<'a>(chosen: impl Iterator<Item = (&'a str, &'a Choice)>) -> Vec<String> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (path, choice) in chosen {
        let how = match &choice.why {
            Why::Follows(_) => "by Xet: what changed since files of other numbers".to_owned(),
            Why::Known => "by Xet: what changed in them".to_owned(),
            Why::Elsewhere => "by LFS: their last versions are not in Xet storage".to_owned(),
            Why::Anew => "by LFS: little was found of their last versions".to_owned(),
            Why::New => "by LFS: nothing like them is there".to_owned(),
            Why::Policy => choice.told(),
        };
        groups.entry(how).or_default().push(path);
    }
    let line = |(how, paths): (String, Vec<&str>)| {
        let more = paths.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = paths[..paths.len().min(NAMED)].join(", ");
        let files = if paths.len() == 1 { "file" } else { "files" };
        format!("sending {} large {files} {how} ({named}{more})", paths.len())
    };
    groups.into_iter().map(line).collect()
}

/// Whether an object id of a tree is a large file's SHA-256.
fn is_large(oid: &str) -> bool {
    oid.len() == 64
}

/// A path with one `#` for each run of digits: files that follow each other differ in numbers.
pub(super) fn without_digits(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        match (c.is_ascii_digit(), out.ends_with('#')) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::RemoteFile;

    /// A head with large files in Xet storage, large files elsewhere, and a small one.
    fn remote(xet: &[&str], lfs: &[&str], small: &[&str]) -> Remote {
        let large = |path: &&str| RemoteFile { path: (*path).into(), size: 9, oid: "a".repeat(64) };
        let inline =
            |path: &&str| RemoteFile { path: (*path).into(), size: 9, oid: "b".repeat(40) };
        let files = xet.iter().chain(lfs).map(large).chain(small.iter().map(inline)).collect();
        let in_xet = xet.iter().map(|path| (*path).to_owned()).collect();
        Remote { exists: true, files, in_xet, ..Remote::default() }
    }

    #[test]
    fn new_versions_go_by_xet_and_new_files_by_lfs() {
        let head = remote(
            &["model.bin", "shard-1-of-2.bin", "shard-2-of-2.bin", "run-9/w.pt"],
            &["old.bin", "step-10.pt"],
            &["small.bin"],
        );
        let here = BTreeSet::from([
            "model.bin",
            "shard-1-of-3.bin",
            "old.bin",
            "small.bin",
            "other.bin",
            "step-20.pt",
            "run-10/w.pt",
            "run-9/w.pt",
            "run-10/v.pt",
        ]);
        let auto = Chooser::new(Transfer::Auto, &head, &here);
        for (path, way, why) in [
            ("model.bin", Way::Xet, Why::Known),
            ("shard-1-of-3.bin", Way::Xet, Why::Follows("shard-1-of-2.bin".into())),
            ("old.bin", Way::Lfs, Why::Elsewhere),
            ("step-20.pt", Way::Lfs, Why::Elsewhere),
            // A regular file is not in Xet storage, whatever its name.
            ("small.bin", Way::Lfs, Why::New),
            ("other.bin", Way::Lfs, Why::New),
            // `run-9/w.pt` stays, so nothing takes its place.
            ("run-10/w.pt", Way::Lfs, Why::New),
            ("run-10/v.pt", Way::Lfs, Why::New),
        ] {
            assert_eq!(auto.choose(path), Choice { way, why }, "{path}");
        }
        let other = Remote { trained_anew: ["model.bin".to_owned()].into(), ..head.clone() };
        let anew = Chooser::new(Transfer::Auto, &other, &here);
        assert_eq!(anew.choose("model.bin"), Choice { way: Way::Lfs, why: Why::Anew });
        assert_eq!(anew.choose("shard-1-of-3.bin"), auto.choose("shard-1-of-3.bin"));
        let nothing = Remote::default();
        let first = Chooser::new(Transfer::Auto, &nothing, &here).choose("model.bin");
        assert_eq!(first, Choice { way: Way::Lfs, why: Why::New });
        for (policy, way) in [(Transfer::Xet, Way::Xet), (Transfer::Lfs, Way::Lfs)] {
            for path in &here {
                let fixed = Chooser::new(policy, &head, &here).choose(path);
                assert_eq!(fixed, Choice { way, why: Why::Policy });
            }
        }
    }

    #[test]
    fn a_line_tells_each_reason_once() {
        let head = remote(&["a-1.bin", "b.bin"], &[], &[]);
        let here = BTreeSet::from(["a-2.bin", "b.bin", "c.bin", "d.bin", "e.bin", "f.bin"]);
        let chooser = Chooser::new(Transfer::Auto, &head, &here);
        let chosen: Vec<_> = here.iter().map(|path| (*path, chooser.choose(path))).collect();
        let told = lines(chosen.iter().map(|(path, choice)| (*path, choice)));
        assert_eq!(
            told,
            [
                "sending 4 large files by LFS: nothing like them is there (c.bin, d.bin, e.bin and 1 more)",
                "sending 1 large file by Xet: what changed in them (b.bin)",
                "sending 1 large file by Xet: what changed since files of other numbers (a-2.bin)",
            ]
        );
        assert_eq!(chosen[0].1.told(), "by Xet: what changed since a-1.bin");
    }
}
