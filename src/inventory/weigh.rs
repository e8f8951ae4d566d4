//! The single pass over one file: opened once, read once; hashed, recognised and scanned.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::SystemTime;

use super::documents;
use super::walk::Found;
use super::{Artifact, Asked, INLINE_LIMIT, Place, Unread};
use crate::digest::{BlobHasher, Hasher, Md5Hasher, Sealer};
use crate::scan::{self, Stream, Subject, Window};

/// Bytes of the beginning that the Hub's preupload question carries.
pub const SAMPLE: usize = 512;

/// Files above this size are worth a second core, if one is idle.
const LARGE: u64 = 32 * 1024 * 1024;

/// A reader that hashes what passes.
///
/// SHA-256 takes longer than all the rest and cannot be cut up. Of a large file, a core that has nothing
/// else to do hashes what was read last while this one reads on.
struct Weighing<'a> {
    sha256: Hasher,
    rest: Rest<'a>,
    is_large: bool,
    /// What was read and is still to be hashed.
    behind: Vec<u8>,
    /// Memory for what is read next.
    spare: Vec<u8>,
}

impl Weighing<'_> {
    /// Hashes what was left behind.
    fn catch_up(&mut self) {
        self.sha256.update(&self.behind);
        self.behind.clear();
    }
}

impl Read for Weighing<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        // Where other files wait for this core, they keep the others busy.
        if !self.is_large || rayon_core::current_thread_has_pending_tasks() != Some(false) {
            self.catch_up();
            let count = self.rest.read(target)?;
            self.sha256.update(&target[..count]);
            return Ok(count);
        }
        let Self { sha256, rest, behind, spare, .. } = self;
        let ((), read) = rayon::join(
            || sha256.update(behind),
            || {
                let count = rest.read(target)?;
                spare.extend_from_slice(&target[..count]);
                Ok(count)
            },
        );
        behind.clear();
        std::mem::swap(behind, spare);
        read
    }
}

/// The file, and what is made of its bytes beside their SHA-256.
struct Rest<'a> {
    file: File,
    blob: Option<BlobHasher>,
    md5: Option<Md5Hasher>,
    sealer: Option<Sealer>,
    sample: Vec<u8>,
    /// The whole of a document.
    kept: Option<Vec<u8>>,
    passed: u64,
    watch: &'a (dyn Fn(u64) + Sync),
}

impl Read for Rest<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(target)?;
        let bytes = &target[..count];
        if let Some(blob) = &mut self.blob {
            blob.update(bytes);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(sealer) = &mut self.sealer {
            sealer.update(bytes);
        }
        let wanted = SAMPLE - self.sample.len();
        self.sample.extend_from_slice(&bytes[..count.min(wanted)]);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        self.passed += count as u64;
        (self.watch)(count as u64);
        Ok(count)
    }
}

/// Weighs one file; the error says why it could not be read to its end.
pub(super) fn weigh(
    found: Found,
    asked: &Asked<'_>,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<Artifact, Unread> {
    pass(&found, asked, watch).map_err(|error| Unread {
        why: error.to_string(),
        path: found.path,
        shown: found.shown,
        size: found.size,
    })
}

fn pass(found: &Found, asked: &Asked<'_>, watch: &(dyn Fn(u64) + Sync)) -> io::Result<Artifact> {
    let file = File::open(&found.on_disk)?;
    let before = state(&file)?;
    let rest = Rest {
        file,
        // Large files are never sent inline, so nobody asks for their git id.
        blob: (before.0 <= INLINE_LIMIT).then(|| BlobHasher::new(before.0)),
        md5: (asked.pinned)(found.path.as_str()).then(Md5Hasher::default),
        sealer: asked.sealed.then(Sealer::new).transpose()?,
        sample: Vec::with_capacity(SAMPLE),
        kept: documents::is_one(found.path.as_str(), before.0).then(Vec::new),
        passed: 0,
        watch,
    };
    let beside = rest.file.try_clone()?;
    let (behind, spare) = (Vec::new(), Vec::new());
    let is_large = before.0 > LARGE;
    let mut reader = Weighing { sha256: Hasher::default(), rest, is_large, behind, spare };
    let scan = {
        let mut stream = Stream::new(&mut reader);
        let window = Some(Window::new(&beside, before.0));
        let subject = Subject { name: found.path.as_str(), size: Some(before.0), window };
        let scan = scan::scan(&mut stream, &subject)?;
        stream.drain()?;
        scan
    };
    reader.catch_up();
    let Weighing { sha256, rest, .. } = reader;
    if state(&rest.file)? != before || rest.passed != before.0 || before.0 != found.size {
        return Err(io::Error::other("it changed while it was read"));
    }
    Ok(Artifact {
        path: found.path.clone(),
        place: Place::OnDisk(found.on_disk.clone()),
        shown: found.shown.clone(),
        size: rest.passed,
        sha256: sha256.finish(),
        git_oid: rest.blob.map(BlobHasher::finish).unwrap_or_default(),
        md5: rest.md5.map(Md5Hasher::finish),
        seals: Arc::new(rest.sealer.map(Sealer::finish).unwrap_or_default()),
        sample: rest.sample,
        format: scan.format,
        detections: scan.detections,
        tensors: scan.tensors,
        text: rest.kept.and_then(|bytes| String::from_utf8(bytes).ok()),
    })
}

/// Size and time of the last change.
fn state(file: &File) -> io::Result<(u64, Option<SystemTime>)> {
    let found = file.metadata()?;
    Ok((found.len(), found.modified().ok()))
}

#[cfg(test)]
mod tests {
    use super::super::take_asked;
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn a_large_file_is_hashed_in_order_whoever_hashes() {
        let mut bytes = vec![0; usize::try_from(LARGE).expect("small") + 3_000_007];
        fastrand::Rng::with_seed(5).fill(&mut bytes);
        let digest = Digest::of(&bytes);
        let folder = tempfile::tempdir().expect("a folder");
        let asked = Asked { pinned: &|_| false, sealed: true };
        // Alone, another core helps; of three, some are read while others wait.
        for names in [&["a"][..], &["b", "c"]] {
            for name in names {
                std::fs::write(folder.path().join(name), &bytes).expect("writes");
            }
            let weighed = take_asked(folder.path(), "model", &[], &[], &asked, &|_| {});
            for file in weighed.expect("weighed").files {
                assert_eq!(file.sha256, digest);
                assert!(file.seals.hold(1, &bytes[512 * 1024..1024 * 1024]));
            }
        }
    }
}
