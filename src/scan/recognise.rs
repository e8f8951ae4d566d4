//! What a file is, by its first bytes; names never decide.

use super::Format;

/// Bytes of the beginning that recognition looks at.
pub(super) const HEAD: usize = 4096;

/// The largest header the Hub's own safetensors reader takes.
pub(super) const SAFETENSORS_HEADER: u64 = 25_000_000;

/// Recognises a file by its beginning; `whole` says that `head` is all of it.
pub(super) fn recognise(head: &[u8], whole: bool) -> Format {
    match head {
        [] => return Format::Empty,
        [b'G', b'G', b'U', b'F', ..] => return Format::Gguf,
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => return Format::Numpy,
        [0x89, b'H', b'D', b'F', 0x0D, 0x0A, 0x1A, 0x0A, ..] => return Format::Hdf5,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Format::Zip,
        _ => {}
    }
    if is_executable(head) {
        return Format::Executable;
    }
    if head.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Format::LfsPointer;
    }
    if is_archive(head) {
        return Format::Archive;
    }
    if is_safetensors(head) {
        return Format::Safetensors;
    }
    if is_pickle(head) {
        return Format::Pickle;
    }
    match (is_text(head, whole), head.iter().find(|byte| !byte.is_ascii_whitespace())) {
        (true, Some(b'{' | b'[')) => Format::Json,
        (true, _) => Format::Text,
        (false, _) => Format::Unknown,
    }
}

/// ELF, Mach-O, or a PE with its header where the DOS stub says.
fn is_executable(head: &[u8]) -> bool {
    let magic = |bytes: &[u8]| head.starts_with(bytes);
    if magic(b"\x7fELF") || magic(b"\xcf\xfa\xed\xfe") || magic(b"\xce\xfa\xed\xfe") {
        return true;
    }
    // "MZ" alone occurs in weights: the pointer at 0x3C must lead to "PE".
    let pointer = head
        .get(0x3C..0x40)
        .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let pe = pointer.and_then(|at| head.get(at as usize..at as usize + 4));
    magic(b"MZ") && pe == Some(b"PE\0\0")
}

fn is_archive(head: &[u8]) -> bool {
    const MAGICS: [&[u8]; 6] = [
        b"\x1f\x8b\x08",
        b"BZh",
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
        b"7z\xbc\xaf\x27\x1c",
        b"\x04\x22\x4d\x18",
    ];
    let zlib = matches!(head, [0x78, 0x01 | 0x5E | 0x9C | 0xDA, ..]) && !is_text(head, false);
    zlib || MAGICS.iter().any(|magic| head.starts_with(magic))
        || head.get(257..262) == Some(b"ustar")
}

/// Eight bytes of length, then the opening brace of the header.
fn is_safetensors(head: &[u8]) -> bool {
    let Some((length, rest)) = head.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    rest.first() == Some(&b'{') && (2..1 << 40).contains(&length)
}

/// A protocol header (2 to 5) followed by an opcode, or a text pickle that begins by importing.
fn is_pickle(head: &[u8]) -> bool {
    match head {
        [0x80, 2..=5, opcode, ..] => super::pickle::is_opcode(*opcode),
        [b'c' | b'i', rest @ ..] => is_import(rest),
        // A text pickle may push something before its first import.
        [b'(' | b']' | b'}' | b')', rest @ ..] if head.contains(&b'.') => {
            let starts = rest.iter().enumerate().filter(|(_, byte)| matches!(byte, b'c' | b'i'));
            starts.take(64).any(|(at, _)| is_import(&rest[at + 1..]))
        }
        _ => false,
    }
}

/// The rest of `cmodule\nname\n`: two dotted names, each on a line, and an opcode.
fn is_import(rest: &[u8]) -> bool {
    let mut lines = rest.split(|byte| *byte == b'\n');
    let name = |line: Option<&[u8]>| {
        let letters = |line: &[u8]| {
            line.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        };
        line.is_some_and(|line| !line.is_empty() && line.len() < 200 && letters(line))
    };
    let (module, attribute) = (lines.next(), lines.next());
    let next = lines.next().and_then(<[u8]>::first);
    name(module) && name(attribute) && next.is_some_and(|byte| super::pickle::is_opcode(*byte))
}

/// UTF-8 without NUL; a character cut by the end of `head` is forgiven unless it is the whole.
fn is_text(head: &[u8], whole: bool) -> bool {
    if head.contains(&0) {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => !whole && error.error_len().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_content() {
        for (head, format) in [
            (&b""[..], Format::Empty),
            (b"GGUF\x03\0\0\0", Format::Gguf),
            (b"\x93NUMPY\x01\0", Format::Numpy),
            (b"PK\x03\x04rest", Format::Zip),
            (b"\x7fELF\x02", Format::Executable),
            (b"MZ weights that only begin so", Format::Text),
            (b"version https://git-lfs.github.com/spec/v1\n", Format::LfsPointer),
            (b"\x1f\x8b\x08\0", Format::Archive),
            (b"\x10\0\0\0\0\0\0\0{\"a\":{}}", Format::Safetensors),
            (b"\x80\x04\x95\0", Format::Pickle),
            (b"cos\nsystem\n(S'id'\ntR.", Format::Pickle),
            (b"columns\nare\nwords\n", Format::Text),
            (b"  {\"a\": 1}", Format::Json),
            (b"hello \xc3\xa9", Format::Text),
            (b"\xff\xfe\x00\x01", Format::Unknown),
        ] {
            assert_eq!(recognise(head, true), format, "{head:?}");
        }
    }
}
