//! The directory of a zip and the end records behind it: they must say what the members said.

use std::collections::{BTreeMap, HashSet};
use std::io;

use super::super::DISAGREES;
use super::{ENCRYPTED, Member, cut, extra_field, u16_at, u32_at, u64_at};
use crate::scan::Scan;
use crate::scan::stream::Stream;

/// The directory, compared entry by entry with the members, and the ends behind it.
pub(super) fn directory(
    stream: &mut Stream<'_>,
    members: &BTreeMap<u64, Member>,
    scan: &mut Scan,
) -> io::Result<()> {
    let start = stream.offset();
    let mut listed = HashSet::new();
    while stream.peek(4)? == b"PK\x01\x02" {
        let at = stream.offset();
        let mut fixed = [0; 46];
        stream.read_exact(&mut fixed)?;
        let name = stream.bytes(u16_at(&fixed, 28).into())?;
        let extra = stream.bytes(u16_at(&fixed, 30).into())?;
        stream.skip(u16_at(&fixed, 32).into())?;
        let mut values =
            [u32_at(&fixed, 24), u32_at(&fixed, 20), u32_at(&fixed, 42)].map(u64::from);
        let mut long = extra_field(&extra, 1).unwrap_or_default();
        for value in &mut values {
            if *value == u64::from(u32::MAX) {
                let Some((eight, rest)) = long.split_first_chunk::<8>() else { break };
                (*value, long) = (u64::from_le_bytes(*eight), rest);
            }
        }
        let [unpacked, packed, offset] = values;
        let shown = cut(&String::from_utf8_lossy(&name)).into_owned();
        let why = match members.get(&offset) {
            None => Some("points where no member begins"),
            Some(_) if !listed.insert(offset) => Some("points at a member that is listed already"),
            Some(member) if member.name != name => Some("names a member that has another name"),
            Some(member) if member.method != u16_at(&fixed, 10) => {
                Some("packs a member by another method")
            }
            Some(member) if (member.flags ^ u16_at(&fixed, 8)) & (ENCRYPTED | 8) != 0 => {
                Some("has other flags than the member")
            }
            Some(member)
                if (member.crc, member.packed, member.unpacked)
                    != (u32_at(&fixed, 16), packed, unpacked) =>
            {
                Some("has another length or checksum than the member")
            }
            Some(_) => None,
        };
        if let Some(why) = why {
            scan.say(&DISAGREES, format!("the directory's entry `{shown}` {why}"), at);
        }
    }
    let length = stream.offset() - start;
    if listed.len() != members.len() {
        let message = format!("{} members, but {} in the directory", members.len(), listed.len());
        scan.say(&DISAGREES, message, start);
    }
    ends(stream, start, length, members.len() as u64, scan)
}

/// The end records: they must point at this directory, and nothing may follow.
fn ends(
    stream: &mut Stream<'_>,
    start: u64,
    length: u64,
    count: u64,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut sound = true;
    let at = stream.offset();
    if stream.peek(4)? == b"PK\x06\x06" {
        let record = stream.bytes(56)?;
        let extensible = u64_at(&record, 4).saturating_sub(44);
        stream.skip(extensible)?;
        sound &= u64_at(&record, 24) == count && u64_at(&record, 32) == count;
        sound &= u64_at(&record, 40) == length && u64_at(&record, 48) == start;
        let locator = stream.bytes(20)?;
        sound &= locator.starts_with(b"PK\x06\x07") && u64_at(&locator, 8) == at;
    }
    let end = match stream.bytes(22) {
        Ok(end) if end.starts_with(b"PK\x05\x06") => end,
        _ => {
            scan.say(&DISAGREES, "there is no end where one should be", at);
            return Ok(());
        }
    };
    let fits = |value: u64, most: u64, stated: u64| value == stated || stated == most;
    sound &= fits(count, u16::MAX.into(), u16_at(&end, 8).into())
        && fits(count, u16::MAX.into(), u16_at(&end, 10).into());
    sound &= fits(length, u32::MAX.into(), u32_at(&end, 12).into());
    sound &= fits(start, u32::MAX.into(), u32_at(&end, 16).into());
    let comment = stream.bytes(u16_at(&end, 20).into())?;
    sound &= memchr::memmem::find(&comment, b"PK\x05\x06").is_none();
    if !sound {
        scan.say(&DISAGREES, "the end record does not fit the directory before it", at);
    }
    if !stream.peek(1)?.is_empty() {
        let behind = stream.offset();
        scan.say(&DISAGREES, "there are bytes behind the end of the archive", behind);
    }
    Ok(())
}
