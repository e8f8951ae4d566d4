//! 7z: its directory is at the end, so it is looked up, and its members are unpacked from there.

use std::io::{self, Read, Seek};

use super::{DISAGREES, ESCAPES, UNREADABLE, escapes};
use crate::scan::nested::{self, Unpacked};
use crate::scan::stream::Stream;
use crate::scan::window::WindowReader;
use crate::scan::{Format, LIMIT, Limits, Reader, Scan, Subject};

/// Bytes of an archive inside another that are held to be looked up.
const MOST_HELD: u64 = 32 << 20;

/// 7z.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("7z"),
    is: |head| head.bytes.starts_with(b"7z\xbc\xaf\x27\x1c"),
    scan,
    checked: "every member; names that leave the folder; what is encrypted or cannot be unpacked is a finding",
    unchecked: "times and attributes",
    rules: &[&DISAGREES, &ESCAPES, &UNREADABLE],
};

fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    if let Some(window) = subject.window {
        return members(WindowReader::new(window), window.length(), limits, scan);
    }
    let mut held = Vec::new();
    Read::take(&mut *stream, MOST_HELD + 1).read_to_end(&mut held)?;
    if held.len() as u64 > MOST_HELD {
        scan.say(&LIMIT, "a 7z inside another archive is larger than 32 MiB", 0);
        return Ok(());
    }
    let length = held.len() as u64;
    members(io::Cursor::new(held), length, limits, scan)
}

fn members(
    source: impl Read + Seek,
    packed: u64,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut archive = match sevenz_rust2::ArchiveReader::new_with_memory_limit(
        source,
        sevenz_rust2::Password::empty(),
        nested::MOST_MEMORY_KIB as usize,
    ) {
        Ok(archive) => archive,
        Err(error) => {
            scan.say(&UNREADABLE, format!("the archive cannot be opened: {error}"), 0);
            return Ok(());
        }
    };
    let mut failed = None;
    let ended = archive.for_each_entries(|entry, inner| {
        if let Some(why) = escapes(entry.name()) {
            scan.say(&ESCAPES, format!("the member `{:.80}` {why}", entry.name()), 0);
        }
        if entry.is_directory() {
            return Ok(true);
        }
        let subject = Subject { name: entry.name(), size: Some(entry.size()), window: None };
        let mut unpacked = Unpacked::new(inner, Some(packed), limits);
        if let Err(error) = nested::scan(&mut unpacked, &subject, limits, scan) {
            failed = Some(error);
            return Ok(false);
        }
        failed = unpacked.failed();
        Ok(failed.is_none())
    });
    if let Some(error) = failed {
        return nested::failed(error, &DISAGREES, 0, scan);
    }
    if let Err(error) = ended {
        scan.say(&UNREADABLE, format!("the archive cannot be unpacked: {error}"), 0);
    }
    Ok(())
}
