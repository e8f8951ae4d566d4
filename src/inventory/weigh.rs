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

/// A reader that hashes what passes.
struct Weighing<'a> {
    file: File,
    sha256: Hasher,
    blob: Option<BlobHasher>,
    md5: Option<Md5Hasher>,
    sealer: Option<Sealer>,
    sample: Vec<u8>,
    tokens: scan::Passing,
    /// The whole of a document.
    kept: Option<Vec<u8>>,
    passed: u64,
    watch: &'a (dyn Fn(u64) + Sync),
}

impl Read for Weighing<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(target)?;
        let bytes = &target[..count];
        self.sha256.update(bytes);
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
        self.tokens.pass(bytes);
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
    let mut reader = Weighing {
        file,
        sha256: Hasher::default(),
        // Large files are never sent inline, so nobody asks for their git id.
        blob: (before.0 <= INLINE_LIMIT).then(|| BlobHasher::new(before.0)),
        md5: (asked.pinned)(found.path.as_str()).then(Md5Hasher::default),
        sealer: asked.sealed.then(Sealer::new).transpose()?,
        sample: Vec::with_capacity(SAMPLE),
        tokens: scan::Passing::default(),
        kept: documents::is_one(found.path.as_str(), before.0).then(Vec::new),
        passed: 0,
        watch,
    };
    let beside = reader.file.try_clone()?;
    let mut scan = {
        let mut stream = Stream::new(&mut reader);
        let window = Some(Window::new(&beside, before.0));
        let subject = Subject { name: found.path.as_str(), size: Some(before.0), window };
        let scan = scan::scan(&mut stream, &subject)?;
        stream.drain()?;
        scan
    };
    if state(&reader.file)? != before || reader.passed != before.0 || before.0 != found.size {
        return Err(io::Error::other("it changed while it was read"));
    }
    reader.tokens.tell(&mut scan);
    Ok(Artifact {
        path: found.path.clone(),
        place: Place::OnDisk(found.on_disk.clone()),
        shown: found.shown.clone(),
        size: reader.passed,
        sha256: reader.sha256.finish(),
        git_oid: reader.blob.map(BlobHasher::finish).unwrap_or_default(),
        md5: reader.md5.map(Md5Hasher::finish),
        seals: Arc::new(reader.sealer.map(Sealer::finish).unwrap_or_default()),
        sample: reader.sample,
        format: scan.format,
        detections: scan.detections,
        tensors: scan.tensors,
        text: reader.kept.and_then(|bytes| String::from_utf8(bytes).ok()),
    })
}

/// Size and time of the last change.
fn state(file: &File) -> io::Result<(u64, Option<SystemTime>)> {
    let found = file.metadata()?;
    Ok((found.len(), found.modified().ok()))
}
