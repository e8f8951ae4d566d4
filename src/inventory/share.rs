//! One folder cut into shares, for as many jobs: each job lists the folder and cuts it in the same way,
//! and weighs its own share alone.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::walk::{self, Walk};
use super::{Asked, Inventory, InventoryError, Unweighed, Watch, weigh_all};
use crate::digest::{Digest, Hasher};
use crate::own_files;
use crate::policy::Pattern;
use crate::rel_path::RelPath;

/// Most jobs that GitHub makes of one matrix.
const MOST: u16 = 256;

/// Which share of how many; written as `3/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    number: u16,
    of: u16,
}

/// Text that names no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0:.40}` names no share: expected `NUMBER/OF` as in `3/8`, at most {MOST}")]
pub struct NoShard(String);

impl Shard {
    /// The share `number`, counted from 1, of `of`.
    pub fn new(number: u16, of: u16) -> Option<Self> {
        (1 <= number && number <= of && of <= MOST).then_some(Self { number, of })
    }

    /// Which one, from 1.
    pub fn number(self) -> u16 {
        self.number
    }

    /// How many there are.
    pub fn of(self) -> u16 {
        self.of
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let numbers = text.trim().split_once('/');
        let numbers = numbers.and_then(|(one, of)| Some((one.parse().ok()?, of.parse().ok()?)));
        numbers.and_then(|(one, of)| Self::new(one, of)).ok_or_else(|| NoShard(text.to_owned()))
    }
}

/// What a folder holds, as every job sees it without opening a file.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Sizes by path.
    pub files: BTreeMap<RelPath, u64>,
    /// Names that are not weighed.
    pub names: Vec<Unweighed>,
}

impl Listing {
    fn of(walk: &Walk) -> Self {
        let files = walk.files.iter().map(|found| (found.path.clone(), found.size));
        Self { files: files.collect(), names: walk.unweighed.clone() }
    }

    /// Whether it has nothing to publish, and nothing that would have to be told.
    pub fn is_empty(&self) -> bool {
        self.files.keys().all(|path| own_files::taken(path.as_str()).is_some())
            && self.names.iter().all(|name| matches!(name, Unweighed::Excluded { .. }))
    }

    /// One digest over paths and sizes, and over the names that are not weighed.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        for (path, size) in &self.files {
            hasher.update(format!("{size} {path}\n").as_bytes());
        }
        for name in &self.names {
            hasher.update(format!("{} {}\n", name.kind(), name.shown()).as_bytes());
        }
        hasher.finish()
    }

    /// The number of each file's share: the largest files first, each to the share that has least by
    /// then. Files of one size go in the order of their paths.
    ///
    /// What weighbridge writes itself stays together in the first share: whether one of those files is
    /// objected to depends on the others.
    pub fn cut(&self, of: u16) -> BTreeMap<&RelPath, u16> {
        let mut loads = vec![Load::default(); usize::from(of)];
        let mut shares = BTreeMap::new();
        let mut order = Vec::new();
        for (path, size) in &self.files {
            if own_files::taken(path.as_str()).is_some() {
                loads[0].add(*size);
                shares.insert(path, 1);
            } else {
                order.push((path, *size));
            }
        }
        order.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        for (path, size) in order {
            let least = (1..=of).zip(&mut loads).min_by_key(|(_, load)| **load);
            let Some((number, load)) = least else { break };
            load.add(size);
            shares.insert(path, number);
        }
        shares
    }
}

/// What a share has to weigh; of two with the same bytes the one with fewer files has less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Load {
    bytes: u64,
    files: usize,
}

impl Load {
    fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.files += 1;
    }
}

/// A share, weighed.
#[derive(Debug, Clone)]
pub struct Share {
    /// The whole folder.
    pub listing: Listing,
    /// The share's own files; the names that no share weighs are told with the first.
    pub inventory: Inventory,
    /// Files of the share that could not be read to their end.
    pub unread: Vec<Unread>,
}

/// A file that could not be read to its end.
#[derive(Debug, Clone)]
pub struct Unread {
    /// Path in the repository.
    pub path: RelPath,
    /// As shown.
    pub shown: String,
    /// Bytes, as listed.
    pub size: u64,
    /// The error.
    pub why: String,
}

/// Weighs a share of what [`super::take_asked`] would.
pub fn take_share(
    root: &Path,
    shown_root: &str,
    include: &[Pattern],
    exclude: &[Pattern],
    shard: Shard,
    asked: &Asked<'_>,
    watch: Watch<'_>,
) -> Result<Share, InventoryError> {
    let mut walk = walk::walk(root, shown_root, include, exclude)?;
    let listing = Listing::of(&walk);
    if listing.is_empty() {
        return Err(InventoryError::Empty { shown: shown_root.to_owned() });
    }
    let shares = listing.cut(shard.of);
    walk.files.retain(|found| shares.get(&found.path) == Some(&shard.number));
    if shard.number != 1 {
        walk.unweighed.clear();
    }
    let (files, unread) = weigh_all(walk.files, asked, watch);
    let inventory = Inventory::assemble(root.to_owned(), files, walk.unweighed, unread.clone());
    Ok(Share { listing, inventory, unread })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn listing(files: &[(&str, u64)]) -> Listing {
        let files = files.iter().map(|(path, size)| (RelPath::parse(path).expect("good"), *size));
        Listing { files: files.collect(), names: Vec::new() }
    }

    #[test]
    fn shards_are_numbers_of_a_matrix() {
        for (text, shard) in [
            ("3/8", Some("3/8")),
            (" 1/1\n", Some("1/1")),
            ("256/256", Some("256/256")),
            ("0/8", None),
            ("9/8", None),
            ("1/257", None),
            ("1/0", None),
            ("-1/8", None),
            ("3", None),
            ("3/8/1", None),
            ("", None),
        ] {
            let read = text.parse::<Shard>().ok().map(|shard| shard.to_string());
            assert_eq!(read.as_deref(), shard, "{text:?}");
        }
    }

    #[test]
    fn the_largest_go_first_and_ties_by_path() {
        let listing = listing(&[
            ("README.md", 1),
            ("a", 5),
            ("b", 5),
            ("c", 4),
            ("d", 3),
            ("e", 3),
            ("x", 0),
            ("y", 0),
        ]);
        let cut = listing.cut(2);
        let numbers: Vec<_> = cut.iter().map(|(path, number)| (path.as_str(), *number)).collect();
        // README.md → 1 (1 byte); a → 2; b → 1; c → 2; d → 1; e → 1 (9 each: two files against three).
        assert_eq!(
            numbers,
            [
                ("README.md", 1),
                ("a", 2),
                ("b", 1),
                ("c", 2),
                ("d", 1),
                ("e", 2),
                ("x", 1),
                ("y", 1)
            ]
        );
    }

    #[test]
    fn the_digest_tells_every_change_of_the_listing() {
        let one = listing(&[("a", 1), ("b", 2)]);
        for other in [&[("a", 1)][..], &[("a", 1), ("b", 3)], &[("a", 1), ("c", 2)]] {
            assert_ne!(one.digest(), listing(other).digest());
        }
        let name = |shown: &str| Unweighed::NotAFile { shown: shown.into() };
        let with = |name| Listing { names: vec![name], ..one.clone() }.digest();
        assert_ne!(one.digest(), with(name("c")));
        assert_ne!(with(name("d")), with(name("c")));
    }

    proptest! {
        #[test]
        fn every_file_is_in_one_share_and_shares_are_even(
            sizes in prop::collection::vec(prop_oneof![0..20_u64, 0..1_000_000_u64], 1..200),
            of in 1..20_u16,
        ) {
            let names: Vec<_> = (0..sizes.len()).map(|number| format!("f{number}")).collect();
            let files: Vec<_> =
                names.iter().map(String::as_str).zip(sizes.iter().copied()).collect();
            let listing = listing(&files);
            let cut = listing.cut(of);
            prop_assert_eq!(cut.len(), sizes.len());
            let again = listing.clone();
            prop_assert_eq!(&cut, &again.cut(of), "the same for everyone");
            let mut loads = vec![Load::default(); usize::from(of)];
            for (path, number) in &cut {
                prop_assert!((1..=of).contains(number));
                loads[usize::from(*number) - 1].add(listing.files[*path]);
            }
            // What the last file of the fullest share found there was no more than any other has.
            let largest = sizes.iter().max().copied().unwrap_or_default();
            let most = loads.iter().map(|load| load.bytes).max().unwrap_or_default();
            let least = loads.iter().map(|load| load.bytes).min().unwrap_or_default();
            prop_assert!(most - least <= largest, "{:?}", loads);
            // Files without a byte are spread too.
            if sizes.iter().all(|size| *size == 0) {
                let files: Vec<_> = loads.iter().map(|load| load.files).collect();
                let spread = files.iter().max().zip(files.iter().min());
                prop_assert!(spread.is_some_and(|(most, least)| most - least <= 1));
            }
        }
    }
}
