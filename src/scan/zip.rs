//! Zip archives, front to back: every member is recognised by content and scanned; the names
//! before the members must be those in the directory behind them.
//! PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.9 (descriptor), 4.3.12 (directory).

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::bufread::DeflateDecoder;

use super::stream::{BUFFER, Stream};
use super::{Detection, Format, Limits, Scan, Subject};
use crate::finding::{Level, Rule};

pub(super) const DISAGREES: Rule = Rule {
    id: "zip-disagreement",
    level: Level::Error,
    summary: "a zip whose headers do not agree, or that cannot be read to its end",
    reason: "One reader sees other members than another: that is how a payload passes a scanner and reaches a loader.",
    fix: "write the archive again (`torch.save`, `zip`) and upload the new one",
    example: "two members named archive/data.pkl",
};

pub(super) const UNREADABLE: Rule = Rule {
    id: "zip-not-looked-into",
    level: Level::Error,
    summary: "a zip member that cannot be looked into",
    reason: "What is encrypted or packed in an unusual way is not known to be harmless.",
    fix: "store or deflate the member without a password, or leave the archive out with `exclude:`",
    example: "an encrypted member",
};

/// No honest model archive has more members.
const MOST_MEMBERS: usize = 100_000;
/// Inflated bytes of one archive.
const MOST_INFLATED: u64 = 16 << 30;

struct Local {
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    name: String,
}

/// Scans every member.
pub(super) fn scan(stream: &mut Stream<'_>, limits: Limits, scan: &mut Scan) -> io::Result<()> {
    let mut members: BTreeMap<String, u32> = BTreeMap::new();
    let mut listed = 0;
    let mut budget = MOST_INFLATED;
    loop {
        let at = stream.offset();
        let signature = stream.peek(4)?;
        match signature {
            b"PK\x03\x04" => {
                let local = match local(stream) {
                    Ok(local) => local,
                    Err(error) => return broken(scan, at, &error),
                };
                let twice = members.insert(local.name.clone(), local.crc).is_some();
                if twice || members.len() > MOST_MEMBERS {
                    let message = format!(
                        "the member `{:.80}` comes twice, or there are too many",
                        local.name
                    );
                    scan.detections.push(Detection::at(&DISAGREES, message, at));
                    return Ok(());
                }
                if local.name.ends_with("/data.pkl") || local.name == "data.pkl" {
                    scan.format = Format::TorchZip;
                }
                if let Err(error) = member(stream, &local, limits, &mut budget, scan) {
                    return broken(scan, at, &error);
                }
            }
            b"PK\x01\x02" => {
                let name = match directory_entry(stream) {
                    Ok(name) => name,
                    Err(error) => return broken(scan, at, &error),
                };
                listed += 1;
                if !members.contains_key(&name) {
                    let message =
                        format!("the directory lists `{name:.80}`, which no member is named");
                    scan.detections.push(Detection::at(&DISAGREES, message, at));
                }
            }
            _ => break,
        }
    }
    let ended = matches!(stream.peek(4)?, b"PK\x05\x06" | b"PK\x06\x06");
    if !ended || listed != members.len() {
        let message = format!(
            "{} members, {listed} in the directory, {}",
            members.len(),
            if ended { "with an end" } else { "no end where it should be" }
        );
        let at = stream.offset();
        scan.detections.push(Detection::at(&DISAGREES, message, at));
    }
    Ok(())
}

fn broken(scan: &mut Scan, at: u64, error: &io::Error) -> io::Result<()> {
    if matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    ) {
        scan.detections.push(Detection::at(
            &DISAGREES,
            format!("the archive cannot be read on from here: {error}"),
            at,
        ));
        return Ok(());
    }
    Err(io::Error::new(error.kind(), error.to_string()))
}

fn local(stream: &mut Stream<'_>) -> io::Result<Local> {
    let mut fixed = [0; 30];
    stream.read_exact(&mut fixed)?;
    let u16_at = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let u32_at =
        |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let name = stream.bytes(u16_at(26).into())?;
    let extra = stream.bytes(u16_at(28).into())?;
    let (mut packed, unpacked) = (u64::from(u32_at(18)), u32_at(22));
    if packed == u64::from(u32::MAX) {
        packed = zip64_packed(&extra, unpacked == u32::MAX).ok_or(io::ErrorKind::InvalidData)?;
    }
    let name = String::from_utf8_lossy(&name).into_owned();
    Ok(Local { flags: u16_at(6), method: u16_at(8), crc: u32_at(14), packed, name })
}

/// The packed size in the Zip64 extra field (id 1): behind the unpacked size where that is there.
fn zip64_packed(extra: &[u8], unpacked_too: bool) -> Option<u64> {
    let mut rest = extra;
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let (id, length) = (
            u16::from_le_bytes([head[0], head[1]]),
            u16::from_le_bytes([head[2], head[3]]) as usize,
        );
        let body = tail.get(..length)?;
        if id == 1 {
            let at = if unpacked_too { 8 } else { 0 };
            return Some(u64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?));
        }
        rest = &tail[length..];
    }
    None
}

fn member(
    stream: &mut Stream<'_>,
    local: &Local,
    limits: Limits,
    budget: &mut u64,
    scan: &mut Scan,
) -> io::Result<()> {
    let descriptor = local.flags & 8 != 0 && local.packed == 0;
    let start = stream.offset();
    if local.flags & 1 != 0 || !matches!(local.method, 0 | 8) {
        let message =
            format!("`{:.80}` is encrypted or packed by method {}", local.name, local.method);
        scan.detections.push(Detection::at(&UNREADABLE, message, start));
        if descriptor {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its length is not known"));
        }
        return stream.skip(local.packed).map(drop);
    }
    let inner = Subject {
        name: &local.name,
        size: (local.method == 0 && !descriptor).then_some(local.packed),
    };
    match (local.method, descriptor) {
        (0, true) => {
            let mut stored = UntilDescriptor { stream, start, ended: false };
            nested(&mut stored, &inner, limits, scan)?;
        }
        (0, false) => {
            let mut stored = Read::take(&mut *stream, local.packed);
            nested(&mut stored, &inner, limits, scan)?;
        }
        _ => {
            let mut inflated = Budgeted { inner: DeflateDecoder::new(&mut *stream), left: budget };
            nested(&mut inflated, &inner, limits, scan)?;
            let used = stream.offset() - start;
            if !descriptor && used != local.packed {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a member has another length than its header says",
                ));
            }
        }
    }
    if local.flags & 8 != 0 { skip_descriptor(stream) } else { Ok(()) }
}

/// Scans a member and reads it to its end; what is seen gets the member's name.
fn nested(
    reader: &mut dyn Read,
    subject: &Subject<'_>,
    limits: Limits,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut stream = Stream::new(reader);
    let inner = super::scan_within(&mut stream, subject, limits.deeper())?;
    stream.drain()?;
    for mut seen in inner.detections {
        seen.member = Some(match seen.member {
            Some(deeper) => format!("{}!{deeper}", subject.name),
            None => subject.name.to_owned(),
        });
        scan.detections.push(seen);
    }
    Ok(())
}

/// Signature or not, then CRC and two sizes of 4 or 8 bytes: told apart by what follows.
fn skip_descriptor(stream: &mut Stream<'_>) -> io::Result<()> {
    let head = stream.peek(28)?;
    for length in [16, 24, 12, 20] {
        if matches!(head.get(length..length + 4), Some(b"PK\x03\x04" | b"PK\x01\x02")) {
            return stream.skip(length as u64).map(drop);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "no data descriptor where one should be"))
}

fn directory_entry(stream: &mut Stream<'_>) -> io::Result<String> {
    let mut fixed = [0; 46];
    stream.read_exact(&mut fixed)?;
    let u16_at = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let name = stream.bytes(u16_at(28).into())?;
    stream.skip(u64::from(u16_at(30)) + u64::from(u16_at(32)))?;
    Ok(String::from_utf8_lossy(&name).into_owned())
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
        while let Some(found) = find(&window[from..], *b"PK\x07\x08") {
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

fn find(haystack: &[u8], needle: [u8; 4]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|byte| *byte == needle[0]) {
        if haystack[from + at..].starts_with(&needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// Inflated bytes against a budget: a bomb ends as a finding, not as a long night.
struct Budgeted<'b, R> {
    inner: R,
    left: &'b mut u64,
}

impl<R: Read> Read for Budgeted<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(target)?;
        *self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it inflates to more than {} GiB", MOST_INFLATED >> 30),
            )
        })?;
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
            assert_eq!(scan.format, Format::TorchZip);
            assert_eq!(scan.detections.len(), 1, "{:?}", scan.detections);
            assert_eq!(scan.detections[0].rule.id, "unsafe-pickle");
            assert_eq!(scan.detections[0].member.as_deref(), Some("archive/data.pkl"));
        }
    }

    #[test]
    fn a_zip_in_a_zip_is_looked_into() {
        let inner = zip(&[("x", PAYLOAD)], false);
        let scan = scan_bytes("m.zip", &zip(&[("inner.bin", &inner)], false));
        assert_eq!(scan.detections[0].member.as_deref(), Some("inner.bin!x"));
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
            assert_eq!(scan.detections.first().map(|seen| seen.rule.id), Some("zip-disagreement"));
        }
        assert!(scan_bytes("m.zip", &zip(&[("a", b"1")], true)).detections.is_empty());
    }
}
