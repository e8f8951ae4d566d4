//! What lies in something else: members of archives, unpacked streams, bytes in pickles. Each is
//! recognised and scanned like a file of its own.

use std::io::{self, Read};

use super::stream::Stream;
use super::{Detection, HEAD, Head, LIMIT, Limits, Scan, Subject, pickle, registry, scan_within};

/// Bytes that unpacking may make of one before it counts as a bomb, …
const MOST_RATIO: u64 = 500;
/// … once there are this many of them.
const SMALLEST_BOMB: u64 = 16 << 20;

/// Scans `inner` as `subject` and takes over what it says; drains it. What was unpacked to get it
/// counts; `packed` tells how many bytes that took.
pub(super) fn scan(
    inner: &mut dyn Read,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    outer: &mut Scan,
) -> io::Result<()> {
    if limits.depth == 0 {
        let message = format!("`{:.80}` lies in more archives than are looked into", subject.name);
        outer.say(&LIMIT, message, 0);
        return io::copy(inner, &mut io::sink()).map(drop);
    }
    let within = Limits { depth: limits.depth - 1, ..limits };
    let mut stream = Stream::new(inner);
    let scan = scan_within(&mut stream, subject, within)?;
    stream.drain()?;
    take_over(scan, subject.name, outer);
    Ok(())
}

/// What a member's scan said, said of the archive.
fn take_over(scan: Scan, name: &str, outer: &mut Scan) {
    let name: String = name.chars().take(200).collect();
    for mut seen in scan.detections {
        seen.member = Some(match seen.member {
            Some(deeper) => format!("{name}/{deeper}"),
            None => name.clone(),
        });
        outer.detections.push(seen);
    }
}

/// The bytes that follow, scanned if they are a serialised file; `None` if they are not, and then
/// nothing of them is taken.
pub(super) fn bytes(
    stream: &mut Stream<'_>,
    length: u64,
    limits: Limits<'_>,
) -> io::Result<Option<Scan>> {
    let peeked = stream.peek(HEAD)?;
    let count = usize::try_from(length).unwrap_or(usize::MAX).min(peeked.len());
    let (whole, size) = (count as u64 == length, Some(length));
    let head = Head { bytes: &peeked[..count], whole, size, name: "" };
    let serialised = registry::READERS.iter().find(|reader| (reader.is)(&head));
    if limits.depth == 0 || !serialised.is_some_and(|reader| pickle::is_serialised(reader.format)) {
        return Ok(None);
    }
    let within = Limits { depth: limits.depth - 1, ..limits };
    let subject = Subject { name: "", size: Some(length), window: None };
    let mut inner = Read::take(&mut *stream, length);
    let mut inner = Stream::new(&mut inner);
    let scan = scan_within(&mut inner, &subject, within)?;
    inner.drain()?;
    // Numbers may begin like a pickle; they do not end like one.
    Ok(pickle::is_whole(&scan).then_some(scan))
}

/// Whether bytes in memory are a serialised file in which nothing is found.
pub(super) fn is_clean(bytes: &[u8], limits: Limits<'_>) -> bool {
    let mut reader = bytes;
    let mut stream = Stream::new(&mut reader);
    let scanned = self::bytes(&mut stream, bytes.len() as u64, limits);
    matches!(scanned, Ok(Some(scan)) if scan.detections.is_empty())
}

/// A reader of unpacked bytes that counts them against the budget, and against the packed ones.
pub(super) struct Unpacked<'a, R> {
    inner: R,
    limits: Limits<'a>,
    packed: Option<u64>,
    passed: u64,
    failed: Option<io::Error>,
}

impl<'a, R: Read> Unpacked<'a, R> {
    pub(super) fn new(inner: R, packed: Option<u64>, limits: Limits<'a>) -> Self {
        Self { inner, limits, packed, passed: 0, failed: None }
    }

    /// Bytes that came out.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Why it ended before its end. For its reader it just ended: what was read up to there has
    /// been seen by loaders too.
    pub(super) fn failed(self) -> Option<io::Error> {
        self.failed
    }

    fn next(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(target)?;
        self.passed += count as u64;
        let left = self.limits.unpacked.get().checked_sub(count as u64);
        let bomb = self.passed > SMALLEST_BOMB
            && self.packed.is_some_and(|packed| self.passed / MOST_RATIO > packed);
        match left {
            Some(left) if !bomb => self.limits.unpacked.set(left),
            _ => {
                let message = "it unpacks to far more than it is";
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
        }
        Ok(count)
    }
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.failed.is_some() {
            return Ok(0);
        }
        match self.next(target) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failed = Some(error);
                Ok(0)
            }
            Ok(count) => Ok(count),
        }
    }
}

/// Memory that a decoder may ask for, in KiB: the dictionary of `xz -9`, which is 64 MiB, and what
/// goes with it.
pub(super) const MOST_MEMORY_KIB: u32 = 66 << 10;

/// What an error of unpacking says of the file; errors of reading stay errors.
pub(super) fn failed(
    error: io::Error,
    broken: &'static crate::finding::Rule,
    at: u64,
    scan: &mut Scan,
) -> io::Result<()> {
    use io::ErrorKind::{
        FileTooLarge, InvalidData, InvalidInput, Other, OutOfMemory, UnexpectedEof, Unsupported,
    };
    match error.kind() {
        OutOfMemory => {
            let message =
                format!("unpacking it takes more than {} MiB of memory", MOST_MEMORY_KIB >> 10);
            scan.detections.push(Detection::at(&LIMIT, message, at));
        }
        FileTooLarge => scan.detections.push(Detection::at(&LIMIT, error.to_string(), at)),
        UnexpectedEof | InvalidData | InvalidInput | Other | Unsupported => {
            let message = format!("it cannot be read from here: {error}");
            scan.detections.push(Detection::at(broken, message, at));
        }
        _ => return Err(error),
    }
    Ok(())
}
