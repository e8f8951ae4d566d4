//! tar, front to back.

use std::io;

use super::{DISAGREES, ESCAPES, escapes};
use crate::scan::stream::Stream;
use crate::scan::{Format, LIMIT, Limits, Reader, Scan, Subject, nested};

/// No honest model archive has more members.
const MOST_MEMBERS: usize = 100_000;

/// tar of every kind, PyTorch's first format and NeMo's among them.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("tar"),
    is: |head| is_tar(head.bytes),
    scan,
    checked: "every member; names and links that leave the folder; devices",
    unchecked: "owners and modes",
    rules: &[&DISAGREES, &ESCAPES],
};

/// The magic of POSIX and GNU, or, before both, a header whose checksum is right.
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else { return false };
    let stated = std::str::from_utf8(&header[148..156]).unwrap_or_default();
    let stated = u32::from_str_radix(stated.trim_matches([' ', '\0']), 8);
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let field: u32 = header[148..156].iter().map(|byte| u32::from(*byte)).sum();
    header[0] != 0 && stated == Ok(sum - field + 8 * u32::from(b' '))
}

fn scan(
    stream: &mut Stream<'_>,
    _: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    if let Err(error) = members(stream, limits, scan) {
        let at = stream.offset();
        nested::failed(error, &DISAGREES, at, scan)?;
    }
    Ok(())
}

fn members(stream: &mut Stream<'_>, limits: Limits<'_>, scan: &mut Scan) -> io::Result<()> {
    let mut archive = tar::Archive::new(stream);
    // A single block of zeros ends it for some readers, two for others.
    archive.set_ignore_zeros(true);
    for (index, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        if index >= MOST_MEMBERS {
            scan.say(
                &LIMIT,
                format!("more than {MOST_MEMBERS} members"),
                entry.raw_header_position(),
            );
            return Ok(());
        }
        let at = entry.raw_header_position();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown: String = name.chars().take(80).collect();
        if let Some(why) = escapes(&name) {
            scan.say(&ESCAPES, format!("the member `{shown}` {why}"), at);
        }
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default();
            let target = String::from_utf8_lossy(&target).into_owned();
            if leaves(&name, &target) {
                scan.say(&ESCAPES, format!("the member `{shown}` is a link to `{target:.80}`"), at);
            }
        } else if kind.is_block_special() || kind.is_character_special() || kind.is_fifo() {
            scan.say(&ESCAPES, format!("the member `{shown}` is a device"), at);
        } else if !kind.is_dir() {
            let subject = Subject { name: &name, size: Some(entry.size()), window: None };
            nested::scan(&mut entry, &subject, limits, scan)?;
        }
    }
    Ok(())
}

/// Whether a link at `name` to `target` leads out of the archive's folder.
fn leaves(name: &str, target: &str) -> bool {
    if target.starts_with('/') {
        return true;
    }
    let mut depth =
        name.split('/').filter(|part| !part.is_empty() && *part != ".").count().saturating_sub(1);
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    fn archive(members: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, data) in members {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.as_gnu_mut().expect("GNU").name[..name.len()].copy_from_slice(name.as_bytes());
            if kind.is_symlink() {
                header.set_link_name_literal(data).expect("short");
                header.set_size(0);
            } else {
                header.set_size(data.len() as u64);
            }
            header.set_cksum();
            let data: &[u8] = if kind.is_symlink() { b"" } else { data };
            builder.append(&header, data).expect("memory");
        }
        builder.into_inner().expect("memory")
    }

    fn rules(bytes: &[u8]) -> Vec<&'static str> {
        scan_bytes("m.tar", bytes).detections.iter().map(|seen| seen.rule.id).collect()
    }

    #[test]
    fn members_links_and_names() {
        use tar::EntryType as Kind;
        let payload = b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.";
        assert_eq!(rules(&archive(&[("a/x.pkl", Kind::Regular, payload)])), ["unsafe-pickle"]);
        assert_eq!(rules(&archive(&[("../x", Kind::Regular, b"text")])), ["archive-escape"]);
        assert_eq!(rules(&archive(&[("x", Kind::Symlink, b"/etc/passwd")])), ["archive-escape"]);
        assert_eq!(rules(&archive(&[("a/x", Kind::Symlink, b"../../y")])), ["archive-escape"]);
        assert_eq!(rules(&archive(&[("a/x", Kind::Symlink, b"../y")])), Vec::<&str>::new());
        let whole = archive(&[("a", Kind::Regular, b"text"), ("b.pkl", Kind::Regular, payload)]);
        assert_eq!(rules(&whole[..1400]), ["archive-disagreement"]);
    }
}
