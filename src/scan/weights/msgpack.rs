//! `MessagePack`, as Flax writes its parameters. Nothing in it runs, but lengths can lie, and bytes
//! can hold what runs: msgpack-numpy unpickles arrays of objects.
//! <https://github.com/msgpack/msgpack/blob/master/spec.md>

use std::io;

use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::{Format, LIMIT, Limits, Reader, Scan, Subject, nested};

const BROKEN: Rule = Rule {
    id: "invalid-msgpack",
    level: Level::Error,
    summary: "a MessagePack file whose lengths do not add up",
    reason: "Readers that trust them take memory without end, or read something else.",
    fix: "write the file again (`flax.serialization.msgpack_serialize`)",
    example: "an array of 4 billion items in 10 bytes",
};

/// Flax writes no deeper trees.
const DEEPEST: usize = 500;

/// `MessagePack` that begins with a map whose first key is a text.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("msgpack"),
    is: |head| {
        let (count, key) = match head.bytes {
            [count @ 0x81..=0x8F, key @ ..] => (*count, key),
            [count @ 0xDE, _, _, key @ ..] | [count @ 0xDF, _, _, _, _, key @ ..] => (*count, key),
            _ => return false,
        };
        let text = match key {
            [length @ 0xA1..=0xBF, rest @ ..] => rest.get(..usize::from(length & 0x1F)),
            [0xD9, length, rest @ ..] => rest.get(..usize::from(*length)),
            _ => return false,
        };
        // What is left of the codes are opcodes that a pickle may begin with.
        let no_pickle = matches!(count, 0x81..=0x87 | 0xDE | 0xDF);
        head.name.to_lowercase().ends_with(".msgpack")
            || no_pickle
                && text.is_some_and(|text| text.iter().all(|byte| matches!(byte, b' '..=b'~')))
    },
    scan,
    checked: "that every length is true; pickles and archives in its bytes",
    unchecked: "the numbers",
    rules: &[&BROKEN],
};

fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut found = Scan { detections: Vec::new(), ..scan.clone() };
    let ended = values(stream, limits, &mut found);
    let trailing = ended.is_ok() && !stream.peek(1)?.is_empty();
    // Weights may begin like a map by chance; they do not go on like one.
    if subject.extension() != "msgpack" && (ended.is_err() || trailing) {
        if ended.as_ref().is_err_and(is_of_reading) {
            return ended;
        }
        scan.format = Format::UNKNOWN;
        return Ok(());
    }
    scan.detections.append(&mut found.detections);
    if trailing {
        scan.say(&BROKEN, "there are bytes behind its end", stream.offset());
    }
    let at = stream.offset();
    ended.or_else(|error| nested::failed(error, &BROKEN, at, scan))
}

fn is_of_reading(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

/// One value and everything in it: `open` holds how many values are left at each level.
fn values(stream: &mut Stream<'_>, limits: Limits<'_>, scan: &mut Scan) -> io::Result<()> {
    let mut open: Vec<u64> = vec![1];
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        let code = stream.byte()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let inner = match code {
            0x00..=0x7F | 0xC0 | 0xC2 | 0xC3 | 0xE0..=0xFF => 0,
            0x80..=0x8F => 2 * u64::from(code & 0x0F),
            0x90..=0x9F => u64::from(code & 0x0F),
            0xDC => number(stream, 2)?,
            0xDD => number(stream, 4)?,
            0xDE => 2 * number(stream, 2)?,
            0xDF => 2 * number(stream, 4)?,
            0xC1 => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a code without meaning"));
            }
            _ => {
                let length = length(stream, code)?;
                bytes(stream, length, limits, scan)?;
                0
            }
        };
        if inner > 0 {
            open.push(inner);
        }
        if open.len() > DEEPEST {
            scan.say(&LIMIT, "it nests deeper than is looked into", stream.offset());
            return Ok(());
        }
    }
    Ok(())
}

/// Bytes of a scalar, a text, a binary or an extension. Flax's arrays are extensions that hold
/// `MessagePack` again, with the numbers as bytes.
fn length(stream: &mut Stream<'_>, code: u8) -> io::Result<u64> {
    Ok(match code {
        0xA0..=0xBF => u64::from(code & 0x1F),
        0xC4 | 0xD9 => number(stream, 1)?,
        0xC5 | 0xDA => number(stream, 2)?,
        0xC6 | 0xDB => number(stream, 4)?,
        0xC7 => number(stream, 1)? + 1,
        0xC8 => number(stream, 2)? + 1,
        0xC9 => number(stream, 4)? + 1,
        0xCC | 0xD0 => 1,
        0xCD | 0xD1 => 2,
        0xCA | 0xCE | 0xD2 => 4,
        0xCB | 0xCF | 0xD3 => 8,
        0xD4..=0xD8 => (1 << (code - 0xD4)) + 1,
        _ => 0,
    })
}

fn bytes(
    stream: &mut Stream<'_>,
    length: u64,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let start = stream.offset();
    if length > 16
        && let Some(inner) = nested::bytes(stream, length, limits)?
    {
        scan.detections.extend(inner.detections);
    }
    let left = length - (stream.offset() - start).min(length);
    if stream.skip(left)? < left {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn number(stream: &mut Stream<'_>, width: usize) -> io::Result<u64> {
    let mut bytes = [0; 8];
    stream.read_exact(&mut bytes[8 - width..])?;
    Ok(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    fn rules(name: &str, bytes: &[u8]) -> (&'static str, Vec<&'static str>) {
        let scan = scan_bytes(name, bytes);
        (scan.format.as_str(), scan.detections.iter().map(|seen| seen.rule.id).collect())
    }

    #[test]
    fn lengths_and_what_bytes_hold() {
        let good = b"\x82\xa1a\x93\x01\xcb\0\0\0\0\0\0\0\0\xc0\xa1b\xc4\x03abc";
        assert_eq!(rules("p.msgpack", good), ("msgpack", vec![]));
        assert_eq!(rules("p", good), ("msgpack", vec![]));
        assert_eq!(rules("p.msgpack", &good[..10]), ("msgpack", vec!["invalid-msgpack"]));
        assert_eq!(rules("p.bin", &good[..10]), ("unknown", vec![]));
        let long = b"\x81\xa1a\xdd\xff\xff\xff\xff\x01";
        assert_eq!(rules("p.msgpack", long), ("msgpack", vec!["invalid-msgpack"]));
        let payload = b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.";
        let nested = [&b"\x81\xa4data\xc4"[..], &[23], payload].concat();
        assert_eq!(rules("p.msgpack", &nested), ("msgpack", vec!["unsafe-pickle"]));
    }
}
