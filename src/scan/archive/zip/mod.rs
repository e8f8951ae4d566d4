//! Zip archives, front to back: every member is recognised by content and scanned. The directory
//! behind the members must say of each exactly what stands before it: where readers could disagree
//! there is a finding, whichever of them is right.
//! PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.9 (descriptor), 4.3.12 (directory),
//! 4.3.14 to 4.3.16 (ends).

mod directory;

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};

use flate2::bufread::DeflateDecoder;

use super::{DISAGREES, ESCAPES, UNREADABLE, escapes};
use crate::scan::nested::{self, Unpacked};
use crate::scan::stream::{BUFFER, Stream};
use crate::scan::{Format, LIMIT, Limits, Reader, Scan, Subject, Window};

/// No honest model archive has more members.
const MOST_MEMBERS: usize = 100_000;

/// Zip, and what is a zip: PyTorch, Keras, npz, NeMo, TorchServe, Office files.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("zip"),
    is: |head| matches!(head.bytes, [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..]),
    scan,
    checked: "every member; both headers of each, names, lengths, CRC, encryption; nothing before, between or behind",
    unchecked: "raw storages of PyTorch, which are only hashed",
    rules: &[&DISAGREES, &ESCAPES, &UNREADABLE],
};

/// What a local header says of a member, and what reading it told.
struct Local {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    /// CRC and sizes are in a descriptor behind the data.
    descriptor: bool,
    extra: Vec<u8>,
}

/// A member as it was read.
struct Member {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
}

/// Encryption, and the directory encrypted too.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    match archive(stream, subject, limits, scan) {
        Ok(()) => Ok(()),
        Err(error) => {
            let at = stream.offset();
            nested::failed(error, &DISAGREES, at, scan)
        }
    }
}

fn archive(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut members: BTreeMap<u64, Member> = BTreeMap::new();
    let mut names = HashSet::new();
    while stream.peek(4)? == b"PK\x03\x04" {
        let at = stream.offset();
        let local = local(stream)?;
        let name = String::from_utf8_lossy(&local.name).into_owned();
        if members.len() >= MOST_MEMBERS {
            scan.say(&LIMIT, format!("more than {MOST_MEMBERS} members"), at);
            return Ok(());
        }
        // File systems that fold case, and loaders that do, see one file where there are two.
        if !names.insert(name.to_lowercase()) {
            scan.say(&DISAGREES, format!("two members are named `{}`", cut(&name)), at);
        }
        if let Some(why) = escapes(&name) {
            scan.say(&ESCAPES, format!("the member `{}` {why}", cut(&name)), at);
        }
        if renamed(&local) {
            scan.say(
                &DISAGREES,
                format!("the member `{}` has another name for some readers", cut(&name)),
                at,
            );
        }
        if is_torch(&name) {
            scan.format = Format::TORCH_ZIP;
        }
        let member = member(stream, subject, local, &name, limits, scan)?;
        members.insert(at, member);
    }
    directory::directory(stream, &members, scan)
}

/// Whether the end of something is that of a zip: an end record whose comment ends with the file
/// and whose directory is where it says.
pub(in crate::scan) fn ends_like_one(window: Window<'_>) -> io::Result<bool> {
    let length = window.length();
    let tail_length = length.min(22 + u64::from(u16::MAX));
    let tail =
        window.read(length - tail_length, usize::try_from(tail_length).unwrap_or_default())?;
    for at in memchr::memmem::rfind_iter(&tail, b"PK\x05\x06") {
        let Some(end) = tail.get(at..at + 22) else { continue };
        if at + 22 + usize::from(u16_at(end, 20)) != tail.len() {
            continue;
        }
        let before = length - tail_length + at as u64;
        let directory = before.checked_sub(u32_at(end, 12).into());
        let Some(directory) = directory else { continue };
        let entry = window.read(directory, 4)?;
        return Ok(entry == b"PK\x01\x02" || u16_at(end, 10) == 0);
    }
    Ok(false)
}

/// Members that only PyTorch writes.
fn is_torch(name: &str) -> bool {
    name == "data.pkl" || name.ends_with("/data.pkl")
}

/// `archive/data/0`: bytes of tensors, which may look like anything.
fn is_storage(name: &str) -> bool {
    let mut parts = name.rsplit('/');
    let number = parts.next().unwrap_or_default();
    parts.next() == Some("data")
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn local(stream: &mut Stream<'_>) -> io::Result<Local> {
    let mut fixed = [0; 30];
    stream.read_exact(&mut fixed)?;
    let name = stream.bytes(u16_at(&fixed, 26).into())?;
    let extra = stream.bytes(u16_at(&fixed, 28).into())?;
    let (mut packed, mut unpacked) = (u64::from(u32_at(&fixed, 18)), u64::from(u32_at(&fixed, 22)));
    let mut long = extra_field(&extra, 1).unwrap_or_default();
    let mut next = || {
        long.split_first_chunk::<8>().map(|(value, rest)| {
            long = rest;
            u64::from_le_bytes(*value)
        })
    };
    for size in [&mut unpacked, &mut packed] {
        if *size == u64::from(u32::MAX) {
            *size = next().ok_or(io::ErrorKind::InvalidData)?;
        }
    }
    let flags = u16_at(&fixed, 6);
    let crc = u32_at(&fixed, 14);
    let descriptor = flags & 8 != 0 && packed == 0 && crc == 0;
    Ok(Local { name, flags, method: u16_at(&fixed, 8), crc, packed, unpacked, descriptor, extra })
}

/// The field's data in an extra block.
fn extra_field(extra: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = extra;
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let body = tail.get(..u16_at(head, 2).into())?;
        if u16_at(head, 0) == wanted {
            return Some(body);
        }
        rest = &tail[body.len()..];
    }
    None
}

/// Whether the Unicode path field (0x7075) gives a member another name than its header does.
fn renamed(local: &Local) -> bool {
    extra_field(&local.extra, 0x7075).is_some_and(|field| field.get(5..) != Some(&local.name[..]))
}

fn member(
    stream: &mut Stream<'_>,
    archive: &Subject<'_>,
    local: Local,
    name: &str,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<Member> {
    let start = stream.offset();
    let unreadable = if local.flags & ENCRYPTED != 0 {
        Some("is encrypted".to_owned())
    } else if !matches!(local.method, 0 | 8 | 12) {
        Some(format!("is packed by method {}", local.method))
    } else {
        None
    };
    if let Some(why) = unreadable {
        scan.say(&UNREADABLE, format!("the member `{}` {why}", cut(name)), start);
        if local.descriptor {
            return Err(invalid("the length of a member that cannot be read is not known"));
        }
        if stream.skip(local.packed)? < local.packed {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Local { name, flags, method, crc, packed, unpacked, .. } = local;
        return Ok(Member { name, flags, method, crc, packed, unpacked });
    }

    let stored = local.method == 0;
    let size = (!local.descriptor).then_some(local.unpacked);
    let window = archive.window.filter(|_| stored && !local.descriptor);
    let inner =
        Subject { name, size, window: window.map(|window| window.part(start, local.packed)) };
    let mut failed = None;
    let (crc, unpacked) = {
        let limit = if local.descriptor { u64::MAX } else { local.packed };
        let raw: Box<dyn Read + '_> = match (stored, local.descriptor) {
            (true, true) => Box::new(UntilDescriptor { stream: &mut *stream, start, ended: false }),
            (true, false) => Box::new(Read::take(&mut *stream, limit)),
            (false, _) => {
                let packed = Read::take(&mut *stream, limit);
                let decoder: Box<dyn Read + '_> = match local.method {
                    8 => Box::new(DeflateDecoder::new(packed)),
                    _ => Box::new(bzip2::bufread::BzDecoder::new(packed)),
                };
                Box::new(decoder)
            }
        };
        let mut unpacked = Unpacked::new(raw, (!stored).then_some(archive.size).flatten(), limits);
        let mut checked =
            Checked { inner: &mut unpacked, crc: crc32fast::Hasher::new(), passed: 0 };
        if is_storage(name) {
            io::copy(&mut checked, &mut io::sink())?;
        } else {
            nested::scan(&mut checked, &inner, limits, scan)?;
        }
        let told = (checked.crc.finalize(), checked.passed);
        failed = unpacked.failed().or(failed);
        told
    };
    if let Some(error) = failed {
        return Err(error);
    }
    let packed = stream.offset() - start;
    let mut stated = (local.crc, local.packed, local.unpacked);
    if local.flags & 8 != 0 {
        let behind = descriptor(stream)?;
        if local.descriptor {
            stated = behind;
        }
    } else if stream.offset() - start < local.packed {
        return Err(invalid("a member is shorter than its header says"));
    }
    if stated != (crc, packed, unpacked) {
        let message = format!(
            "the member `{}` has another length or checksum than its header says",
            cut(name)
        );
        scan.say(&DISAGREES, message, start);
    }
    let Local { name, flags, method, .. } = local;
    Ok(Member { name, flags, method, crc, packed, unpacked })
}

/// Signature or not, then CRC and two sizes of 4 or 8 bytes: told apart by what follows.
fn descriptor(stream: &mut Stream<'_>) -> io::Result<(u32, u64, u64)> {
    let head = stream.peek(28)?;
    for length in [16, 24, 12, 20] {
        if !matches!(head.get(length..length + 4), Some(b"PK\x03\x04" | b"PK\x01\x02")) {
            continue;
        }
        let body = if length % 8 == 0 { &head[4..length] } else { &head[..length] };
        let long = body.len() == 20;
        let size = |at: usize| {
            if long { u64_at(body, 4 + 8 * at) } else { u32_at(body, 4 + 4 * at).into() }
        };
        let told = (u32_at(body, 0), size(0), size(1));
        stream.skip(length as u64)?;
        return Ok(told);
    }
    Err(invalid("no data descriptor where one should be"))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn cut(name: &str) -> std::borrow::Cow<'_, str> {
    match name.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &name[..end]).into(),
        None => name.into(),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// A member's bytes with their checksum.
struct Checked<R> {
    inner: R,
    crc: crc32fast::Hasher,
    passed: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(target)?;
        self.crc.update(&target[..count]);
        self.passed += count as u64;
        Ok(count)
    }
}

/// A stored member of unknown length (as torch writes them): it ends at a data descriptor whose
/// size is the number of bytes before it.
struct UntilDescriptor<'s, 'a> {
    stream: &'s mut Stream<'a>,
    start: u64,
    ended: bool,
}

impl Read for UntilDescriptor<'_, '_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.ended || target.is_empty() {
            return Ok(0);
        }
        let passed = self.stream.offset() - self.start;
        let window = self.stream.peek(BUFFER)?;
        let mut safe = window.len();
        let mut from = 0;
        while let Some(found) = memchr::memmem::find(&window[from..], b"PK\x07\x08") {
            let at = from + found;
            let Some(sizes) = window.get(at + 8..at + 24) else {
                // Cut by the window: what is before it is certain.
                safe = at;
                break;
            };
            let expected = passed + at as u64;
            let short = u64::from(u32::from_le_bytes([sizes[0], sizes[1], sizes[2], sizes[3]]));
            let long = u64::from_le_bytes([
                sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6], sizes[7],
            ]);
            if short == expected || long == expected {
                safe = at;
                self.ended = at == 0;
                break;
            }
            from = at + 4;
        }
        if safe == window.len() {
            // A signature may begin in the last three bytes.
            safe = if window.len() < BUFFER { window.len() } else { window.len() - 3 };
        }
        if safe == 0 && !self.ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = safe.min(target.len());
        target[..count].copy_from_slice(&window[..count]);
        self.stream.advance(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::Format;
    use crate::scan::testing::{scan_bytes, zip};

    const PAYLOAD: &[u8] = b"cos\nsystem\n(S'id'\ntR.";

    #[test]
    fn a_payload_in_a_member_is_named_with_it() {
        for descriptor in [false, true] {
            let bytes =
                zip(&[("archive/data.pkl", PAYLOAD), ("archive/data/0", &[7; 5000])], descriptor);
            let scan = scan_bytes("model.pt", &bytes);
            assert_eq!(scan.format, Format::TORCH_ZIP);
            assert_eq!(scan.detections.len(), 1, "{:?}", scan.detections);
            assert_eq!(scan.detections[0].rule.id, "unsafe-pickle");
            assert_eq!(scan.detections[0].member.as_deref(), Some("archive/data.pkl"));
        }
    }

    #[test]
    fn a_zip_in_a_zip_is_looked_into() {
        let inner = zip(&[("x", PAYLOAD)], false);
        let scan = scan_bytes("m.zip", &zip(&[("inner.bin", &inner)], false));
        assert_eq!(scan.detections[0].member.as_deref(), Some("inner.bin/x"));
    }

    #[test]
    fn disagreement_is_said() {
        let twice = zip(&[("a", b"1"), ("a", b"2")], false);
        let mut renamed = zip(&[("abc", b"1")], false);
        let at = renamed.len() - 22 - 3;
        renamed[at] = b'x';
        let mut cut = zip(&[("a", b"1")], false);
        cut.truncate(33);
        for bytes in [twice, renamed, cut] {
            let scan = scan_bytes("m.zip", &bytes);
            assert_eq!(
                scan.detections.first().map(|seen| seen.rule.id),
                Some("archive-disagreement")
            );
        }
        assert!(scan_bytes("m.zip", &zip(&[("a", b"1")], true)).detections.is_empty());
    }
}
