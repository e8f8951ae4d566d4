//! HDF5, as Keras and PyTables write it. Its metadata lies anywhere in the file, so it is
//! recognised where it stands: the model's JSON, and links that lead to other files.
//! <https://docs.hdfgroup.org/hdf5/develop/_f_m_t3.html>

use std::io;

use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::text::keras_text;
use crate::scan::{Format, LIMIT, Limits, Reader, Scan, Subject, Window};

const EXTERNAL: Rule = Rule {
    id: "hdf5-external-link",
    level: Level::Error,
    summary: "an HDF5 file that leads to other files",
    reason: "Loading it reads those files, whatever they are (CVE-2026-1669).",
    fix: "write the data into the file itself",
    example: "an external link to /etc/passwd",
};

/// HDF5.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("hdf5"),
    is: |head| {
        // A user block of a power of two may stand before it.
        [0, 512, 1024, 2048]
            .iter()
            .any(|at| head.bytes.get(*at..at + 8) == Some(b"\x89HDF\r\n\x1a\n"))
    },
    scan,
    checked: "the Keras model in its attributes: Lambda layers, functions, classes of other packages; external links; datasets that lie in other files",
    unchecked: "the numbers; links in dense groups",
    rules: &[&EXTERNAL],
};

/// Longest JSON of a model that is held.
const LONGEST_MODEL: usize = 8 << 20;
/// Models in one file; optimizers and layers have JSON too.
const MOST_MODELS: usize = 10_000;
const WINDOW: usize = 256 << 10;
/// Longest link message that is seen.
const LONGEST_LINK: usize = 16 << 10;
/// The type of an external link.
const EXTERNAL_LINK: u8 = 64;

/// Reads the file once from its beginning: global heaps and attributes hold the model's JSON as it
/// is, and a link message its file's name, both recognised by their structure.
fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut models = 0;
    loop {
        let start = stream.offset();
        let window = stream.peek(WINDOW)?;
        // What begins near the end is seen whole in the next round.
        let sure = if window.len() < WINDOW { window.len() } else { window.len() - LONGEST_LINK };
        if sure == 0 {
            return Ok(());
        }
        let model =
            memchr::memmem::find_iter(&window[..sure], b"{\"").find(|at| is_model(&window[*at..]));
        let before = model.unwrap_or(sure);
        let links = memchr::memchr_iter(EXTERNAL_LINK, &window[..before]);
        let links: Vec<_> =
            links.filter_map(|at| Some((at, external(window, at)?))).take(20).collect();
        for (at, file) in links {
            scan.say(&EXTERNAL, format!("a link leads to `{file:.80}`"), start + at as u64);
        }
        let candidates = memchr::memmem::find_iter(&window[..before], VERSION_AND_RESERVED);
        let heaps: Vec<_> =
            candidates.filter_map(|at| Some((at, slots(&window[at..])?))).take(1000).collect();
        for (at, (heap, name)) in heaps {
            if let Some(file) = subject.window.and_then(|window| named(window, heap, name)) {
                let message = format!("a dataset lies in `{file:.80}`");
                scan.say(&EXTERNAL, message, start + at as u64);
            }
        }
        stream.advance(before);
        if model.is_some() {
            let text = json(stream)?;
            models += 1;
            if models > MOST_MODELS {
                scan.say(&LIMIT, format!("more than {MOST_MODELS} models in one file"), start);
                return Ok(());
            }
            scan.detections.extend(keras_text(&text, start + before as u64, limits));
        }
    }
}

/// An external link message around its type byte: version 1, flags that say a type follows, the
/// type, then optional creation order and character set, the link's name, and the value: a zero
/// byte, a file name and a path, each with its NUL (section IV.A.2.g of the format). The file.
fn external(window: &[u8], at: usize) -> Option<String> {
    let &[1, flags] = window.get(at.checked_sub(2)?..at)? else { return None };
    if flags & 0b1110_1000 != 0b1000 {
        return None;
    }
    let mut at = at + 1;
    at += if flags & 0b100 == 0 { 0 } else { 8 };
    at += usize::from(flags & 0b1_0000 != 0);
    let width = 1 << (flags & 0b11);
    let mut length = [0; 8];
    length[..width].copy_from_slice(window.get(at..at + width)?);
    let name_length = usize::try_from(u64::from_le_bytes(length)).ok()?;
    at += width;
    let name = window.get(at..at.checked_add(name_length)?)?;
    at += name_length;
    let value_length = usize::from(u16::from_le_bytes([*window.get(at)?, *window.get(at + 1)?]));
    let value = window.get(at + 2..at + 2 + value_length)?;
    let mut parts = value.strip_prefix(b"\0")?.split(|byte| *byte == 0);
    let (file, path, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let sound = std::str::from_utf8(name).is_ok()
        && !file.is_empty()
        && !path.is_empty()
        && rest.is_empty();
    sound.then(|| String::from_utf8_lossy(file).into_owned())
}

/// How a message of external data files begins (section IV.A.2.h).
const VERSION_AND_RESERVED: &[u8] = b"\x01\0\0\0";
/// A local heap's first bytes (section III.D).
const HEAP: &[u8] = b"HEAP";

/// A message of external data files: slots that there are, slots that are used, the heap with the
/// files' names, then, for each, where its name stands in the heap. The first name's place.
fn slots(message: &[u8]) -> Option<(u64, u64)> {
    let number = |at: usize| -> Option<u64> {
        Some(u64::from_le_bytes(message.get(at..at + 8)?.try_into().ok()?))
    };
    let (there, used) = (number(4)? & 0xFFFF, number(4)? >> 16 & 0xFFFF);
    (used > 0 && used <= there && there < 10_000).then_some((number(8)?, number(16)?))
}

/// The file's name, if there is a heap that holds it.
fn named(window: Window<'_>, heap: u64, name: u64) -> Option<String> {
    if heap.checked_add(32)? > window.length() {
        return None;
    }
    let header = window.read(heap, 32).ok()?;
    if !header.starts_with(HEAP) {
        return None;
    }
    let data = u64::from_le_bytes(header.get(24..32)?.try_into().ok()?);
    let text = window.read(data.checked_add(name)?, 256).ok()?;
    let text = text.split(|byte| *byte == 0).next()?;
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

/// The beginning of a model's JSON: Keras writes these keys first.
fn is_model(rest: &[u8]) -> bool {
    [&b"{\"class_name\""[..], b"{\"module\"", b"{\"config\"", b"{\"name\"", b"{\"keras_version\""]
        .iter()
        .any(|key| rest.starts_with(key) || key.starts_with(rest))
}

/// One JSON object from the stream, by its braces.
fn json(stream: &mut Stream<'_>) -> io::Result<String> {
    let mut text = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0u32, false, false);
    while let Some(byte) = stream.byte()? {
        text.push(byte);
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => depth -= 1,
            0 => break,
            _ => {}
        }
        if depth == 0 || text.len() > LONGEST_MODEL {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
