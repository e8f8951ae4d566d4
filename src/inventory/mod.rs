//! The artifact folder: every file opened once, read once, and in that one pass hashed,
//! recognised by content and scanned.

mod bases;
mod documents;
mod interface;
mod known;
mod parameters;
mod share;
mod walk;
mod weigh;

pub use bases::{Bases, SaidBy};
pub use known::{Base, Fact, Known, Relation};
pub use parameters::Weights;
pub use share::{Listing, NoShard, Shard, Share, Unread, take_share};
pub use weigh::SAMPLE;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::iter::Either;
use rayon::prelude::*;

pub use interface::{Interface, Named, unsharded};

use crate::failure::Advise;
use crate::own_files;
use crate::policy::Pattern;

use crate::digest::{Digest, Md5, Seals};
use crate::rel_path::RelPath;
use crate::scan::{Detection, Format, Tensors};

/// Files up to this size are kept in memory for sending inline (the Hub takes small files in the
/// commit itself; it decides, this only bounds what is held).
pub const INLINE_LIMIT: u64 = 10 * 1024 * 1024;

/// One file, weighed.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Path in the published repository.
    pub path: RelPath,
    /// Where its bytes are.
    pub place: Place,
    /// Path as findings show it: relative to the workspace, `/` separated.
    pub shown: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the whole content: the LFS oid and the signing digest.
    pub sha256: Digest,
    /// The git blob id, taken in the same pass (40 hex digits); empty above [`INLINE_LIMIT`].
    pub git_oid: String,
    /// By which its bytes are known again while sending; taken in the same pass, where it is asked for.
    pub seals: Arc<Seals>,
    /// The MD5, taken in the same pass where a pipeline pins the file.
    pub md5: Option<Md5>,
    /// The first up to 512 bytes, for the Hub's preupload question.
    pub sample: Vec<u8>,
    /// What it is, by content.
    pub format: Format,
    /// What the scanners saw.
    pub detections: Vec<Detection>,
    /// Parameters, where the format has a header that tells.
    pub tensors: Option<Tensors>,
    /// The whole text of a document that gates and card read: a licence, a notice, a configuration.
    pub text: Option<String>,
}

/// Where the bytes of an artifact are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    OnDisk(PathBuf),
    /// Another job weighed them and brought them to the Hub.
    Staged(Staged),
}

/// A file that came as part of a release, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// Which share it was in.
    pub shard: Shard,
    /// Its content, where it is small and came along for the commit.
    pub kept: Option<PathBuf>,
}

/// A name in the folder that was not weighed, and why. The scan gate turns these into findings;
/// what a policy pattern excluded is only listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unweighed {
    /// A pattern of the policy left it out.
    Excluded {
        /// As shown.
        shown: String,
        /// The pattern.
        pattern: String,
    },
    /// A symbolic link whose target is outside the folder, or that loops or dangles.
    BadLink {
        /// As shown.
        shown: String,
        /// What is wrong with it.
        why: String,
    },
    /// A name the Hub or a log line could not carry.
    BadName {
        /// As shown, made printable.
        shown: String,
        /// What is wrong with it.
        why: String,
    },
    /// A socket, device or pipe.
    NotAFile {
        /// As shown.
        shown: String,
    },
    /// The file could not be read to its end, or changed while it was read.
    Unreadable {
        /// As shown.
        shown: String,
        /// The error.
        why: String,
    },
}

impl Unweighed {
    /// The name, as shown.
    pub fn shown(&self) -> &str {
        match self {
            Self::Excluded { shown, .. }
            | Self::BadLink { shown, .. }
            | Self::BadName { shown, .. }
            | Self::NotAFile { shown }
            | Self::Unreadable { shown, .. } => shown,
        }
    }

    /// What it is, in one word.
    fn kind(&self) -> &'static str {
        match self {
            Self::Excluded { .. } => "excluded",
            Self::BadLink { .. } => "bad-link",
            Self::BadName { .. } => "bad-name",
            Self::NotAFile { .. } => "not-a-file",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

impl From<Unread> for Unweighed {
    fn from(file: Unread) -> Self {
        Self::Unreadable { shown: file.shown, why: file.why }
    }
}

/// The weighed folder, sorted by path.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The folder.
    pub root: PathBuf,
    /// Files that would be published.
    pub files: Vec<Artifact>,
    /// Files at names that weighbridge writes itself ([`own_files`]): weighed, and not published.
    pub replaced: Vec<Artifact>,
    /// Names that would not.
    pub unweighed: Vec<Unweighed>,
}

impl Inventory {
    /// The folder as a single pass would have found it, from what was weighed elsewhere.
    pub fn assemble(
        root: PathBuf,
        mut files: Vec<Artifact>,
        names: Vec<Unweighed>,
        mut unread: Vec<Unread>,
    ) -> Self {
        sort(&mut files, &mut unread);
        let is_replaced = |file: &Artifact| own_files::taken(file.path.as_str()).is_some();
        let (replaced, files) = files.into_iter().partition(is_replaced);
        let unread = unread.into_iter().map(Unweighed::from);
        Self { root, files, replaced, unweighed: names.into_iter().chain(unread).collect() }
    }

    /// Total bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The file at a path in the repository.
    pub fn get(&self, path: &str) -> Option<&Artifact> {
        self.files.iter().find(|file| file.path.as_str() == path)
    }

    /// Every file of the folder that was weighed, whether it would be published or is replaced.
    pub fn weighed(&self) -> impl Iterator<Item = &Artifact> {
        self.files.iter().chain(&self.replaced)
    }

    /// One digest over all files: SHA-256 over `<sha256> <size> <path>\n` lines in path order.
    pub fn manifest_digest(&self) -> Digest {
        let mut hasher = crate::digest::Hasher::default();
        for file in &self.files {
            hasher.update(format!("{} {} {}\n", file.sha256, file.size, file.path).as_bytes());
        }
        hasher.finish()
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// A file of the folder `root` as findings show it.
pub fn shown(root: &str, path: &RelPath) -> String {
    walk::shown(root, Path::new(path.as_str()))
}

/// A name as findings show it: what could forge a line or hide something is replaced.
pub fn printable(name: &str) -> String {
    walk::printable(name)
}

/// A folder that cannot be weighed.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It is not there, or cannot be listed.
    #[error("the folder `{shown}`")]
    Folder {
        /// As shown.
        shown: String,
        /// The error.
        source: std::io::Error,
    },
    /// It holds no file to publish.
    #[error("there is no file to publish in `{shown}`")]
    Empty {
        /// As shown.
        shown: String,
    },
}

impl Advise for InventoryError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Folder { shown, .. } => {
                format!(
                    "train the model into `{shown}`, or set `path:` in weighbridge.yml to the folder that has it"
                )
            }
            Self::Empty { shown } => {
                format!(
                    "put the model's files into `{shown}`, or look at `include:` and `exclude:` in weighbridge.yml"
                )
            }
        })
    }
}

/// Told of every file's bytes as they pass.
pub type Watch<'a> = &'a (dyn Fn(u64) + Sync);

/// What else is taken of the files in the one pass.
pub struct Asked<'a> {
    /// Whether a pipeline pins the file at a path in the repository by its MD5.
    pub pinned: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whether the files may be sent afterwards, so that their bytes must be known again.
    pub sealed: bool,
}

/// Weighs every file below `root`, shown to people as `shown_root`, on all cores.
pub fn take(
    root: &Path,
    shown_root: &str,
    include: &[Pattern],
    exclude: &[Pattern],
    watch: Watch<'_>,
) -> Result<Inventory, InventoryError> {
    let asked = Asked { pinned: &|_| false, sealed: false };
    take_asked(root, shown_root, include, exclude, &asked, watch)
}

/// As [`take`], with what is asked for.
pub fn take_asked(
    root: &Path,
    shown_root: &str,
    include: &[Pattern],
    exclude: &[Pattern],
    asked: &Asked<'_>,
    watch: Watch<'_>,
) -> Result<Inventory, InventoryError> {
    let walk = walk::walk(root, shown_root, include, exclude)?;
    let (files, unread) = weigh_all(walk.files, asked, watch);
    let inventory = Inventory::assemble(root.to_owned(), files, walk.unweighed, unread);
    if inventory.files.is_empty()
        && inventory.unweighed.iter().all(|name| matches!(name, Unweighed::Excluded { .. }))
    {
        return Err(InventoryError::Empty { shown: shown_root.to_owned() });
    }
    Ok(inventory)
}

/// Weighs files and folders as they were named, with no policy; paths are shown as named.
pub fn take_paths(paths: &[PathBuf], watch: Watch<'_>) -> Result<Inventory, InventoryError> {
    let mut all = walk::Walk::default();
    for path in paths {
        let shown = path.to_string_lossy();
        if !path.is_dir() {
            match walk::one_file(path, &shown)? {
                Some(file) => all.files.push(file),
                None => all.unweighed.push(Unweighed::NotAFile { shown: shown.into_owned() }),
            }
            continue;
        }
        let part = walk::walk(path, &shown, &[], &[])?;
        all.files.extend(part.files);
        all.unweighed.extend(part.unweighed);
    }
    let asked = Asked { pinned: &|_| false, sealed: false };
    let (mut files, mut unread) = weigh_all(all.files, &asked, watch);
    sort(&mut files, &mut unread);
    all.unweighed.extend(unread.into_iter().map(Unweighed::from));
    Ok(Inventory { root: PathBuf::new(), files, replaced: Vec::new(), unweighed: all.unweighed })
}

/// The files that could be weighed, and those that could not.
fn weigh_all(
    mut files: Vec<walk::Found>,
    asked: &Asked<'_>,
    watch: Watch<'_>,
) -> (Vec<Artifact>, Vec<Unread>) {
    // The largest first, so that no core is left with a large file at the end.
    files.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.path.cmp(&b.path)));
    files
        .into_par_iter()
        .with_max_len(1)
        .map(|found| weigh::weigh(found, asked, watch))
        .partition_map(|weighed| match weighed {
            Ok(artifact) => Either::Left(artifact),
            Err(unread) => Either::Right(unread),
        })
}

/// By path; files of two folders may have the same.
fn sort(files: &mut [Artifact], unread: &mut [Unread]) {
    files.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.shown.cmp(&b.shown)));
    unread.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.shown.cmp(&b.shown)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, content) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("below")).expect("made");
            std::fs::write(path, content).expect("written");
        }
        folder
    }

    #[test]
    fn every_byte_is_read_once_and_every_file_is_named_by_it() {
        let folder = folder(&[
            ("b/two.bin", &[1; 3_000_000]),
            ("a.txt", b"hello\n"),
            ("empty", b""),
            (".git/config", b"x"),
        ]);
        let read = std::sync::atomic::AtomicU64::new(0);
        let count = |bytes| {
            read.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
        };
        let asked = Asked { pinned: &|path| path == "b/two.bin", sealed: true };
        let inventory = take_asked(folder.path(), "model", &[], &[], &asked, &count);
        let inventory = inventory.expect("weighed");
        let shown: Vec<_> = inventory.files.iter().map(|file| file.shown.as_str()).collect();
        assert_eq!(shown, ["model/a.txt", "model/b/two.bin", "model/empty"]);
        assert_eq!(inventory.files[0].git_oid, "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(inventory.files[1].sha256, Digest::of(&[1; 3_000_000]));
        assert_eq!(inventory.files[1].md5, Some(Md5::of(&[1; 3_000_000])));
        assert_eq!(inventory.files[0].md5, None, "nobody asked");
        assert_eq!(inventory.files[0].sample, b"hello\n");
        assert!(inventory.files[0].seals.hold(0, b"hello\n"));
        assert_eq!(read.into_inner(), inventory.bytes());
    }

    #[test]
    fn what_weighbridge_writes_itself_is_weighed_and_not_published() {
        let folder = folder(&[
            ("README.md", b"# By hand"),
            ("sub/README.md", b"# Published"),
            (".eval_results/weighbridge.yaml", b"[]"),
            ("w.bin", b"1"),
        ]);
        let inventory = take(folder.path(), "", &[], &[], &|_| {}).expect("weighed");
        let paths =
            |files: &[Artifact]| files.iter().map(|file| file.path.to_string()).collect::<Vec<_>>();
        assert_eq!(paths(&inventory.files), ["sub/README.md", "w.bin"]);
        assert_eq!(paths(&inventory.replaced), [".eval_results/weighbridge.yaml", "README.md"]);
        assert!(inventory.get("README.md").is_none());
        let named = take_paths(&[folder.path().to_owned()], &|_| {}).expect("weighed");
        assert_eq!(named.files.len(), 4, "a scan is of what lies there");
    }

    #[test]
    fn a_zip_is_read_once_too() {
        let zip = crate::scan::testing::zip(
            &[("archive/data.pkl", b"\x80\x02N."), ("x", &[0; 100_000])],
            true,
        );
        let folder = folder(&[("m.pt", &zip)]);
        let inventory = take(folder.path(), "", &[], &[], &|_| {}).expect("weighed");
        assert_eq!(
            (inventory.files[0].sha256, inventory.files[0].format),
            (Digest::of(&zip), Format::TORCH_ZIP)
        );
    }

    #[test]
    fn nothing_to_publish_is_an_error_with_a_fix() {
        let empty = folder(&[]);
        assert!(matches!(
            take(empty.path(), "m", &[], &[], &|_| {}),
            Err(InventoryError::Empty { .. })
        ));
        let error =
            take(&empty.path().join("gone"), "m/gone", &[], &[], &|_| {}).expect_err("missing");
        assert!(error.fix().expect("a fix").contains("m/gone"));
    }
}
