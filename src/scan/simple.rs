//! Formats that a look at the beginning settles: LFS pointers, executables, packed files, arrays
//! of objects.

use std::io;

use super::stream::Stream;
use super::{Detection, Scan};
use crate::finding::{Level, Rule};

pub(super) const LFS_POINTER: Rule = Rule {
    id: "lfs-pointer",
    level: Level::Error,
    summary: "a Git LFS pointer where the file itself should be",
    reason: "The checkout did not fetch the content: the Hub would get a hundred bytes of text in place of the weights.",
    fix: "fetch the content first: `with: {lfs: true}` on actions/checkout, or `git lfs pull`",
    example: "version https://git-lfs.github.com/spec/v1",
};

pub(super) const EXECUTABLE: Rule = Rule {
    id: "executable-file",
    level: Level::Error,
    summary: "a program for an operating system among the model's files",
    reason: "Nobody expects to run a program that comes with weights.",
    fix: "leave it out with `exclude:`, or publish it where programs are published",
    example: "a file that begins with ELF",
};

pub(super) const PACKED: Rule = Rule {
    id: "not-looked-into",
    level: Level::Warning,
    summary: "a compressed or packed file that is not looked into",
    reason: "What is inside is not known to be harmless.",
    fix: "publish the files unpacked, or leave the archive out with `exclude:`",
    example: "weights.tar.gz",
};

/// One finding for the whole file.
pub(super) fn settled(rule: &'static Rule, message: &str, scan: &mut Scan) {
    scan.detections.push(Detection::at(rule, message, 0));
}

/// The header of a NumPy file says what its elements are; objects are a pickle.
/// <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
pub(super) fn numpy(stream: &mut Stream<'_>, scan: &mut Scan) -> io::Result<()> {
    let head = stream.peek(12)?;
    let (width, length) = match head {
        [_, _, _, _, _, _, 1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [_, _, _, _, _, _, 2 | 3, _, a, b, c, d, ..] => {
            (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => {
            settled(
                &super::pickle::BROKEN,
                "the NumPy header is cut or of an unknown version",
                scan,
            );
            return Ok(());
        }
    };
    stream.skip(width)?;
    // The header is a Python dictionary of a hundred bytes; numpy itself refuses more than 10,000.
    let header = String::from_utf8_lossy(stream.peek(length.min(64 * 1024))?).into_owned();
    stream.skip(length as u64)?;
    if header.contains("'O'") || header.contains("|O") || header.contains("\"O\"") {
        super::pickle::scan(stream, scan)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    #[test]
    fn an_object_array_is_a_pickle() {
        let file = |descr: &str, data: &[u8]| {
            let header =
                format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}\n");
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend(u16::try_from(header.len()).expect("short").to_le_bytes());
            bytes.extend(header.as_bytes());
            bytes.extend(data);
            bytes
        };
        let payload = b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.";
        assert_eq!(
            scan_bytes("a.npy", &file("|O", payload)).detections[0].rule.id,
            "unsafe-pickle"
        );
        assert!(scan_bytes("a.npy", &file("<f8", &[0; 8])).detections.is_empty());
        assert_eq!(scan_bytes("a.npy", b"\x93NUMPY\x09").detections.len(), 1);
    }

    #[test]
    fn settled_by_the_beginning() {
        for (bytes, rule) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"[..],
                "lfs-pointer",
            ),
            (b"\x7fELF\x02\x01", "executable-file"),
            (b"\x1f\x8b\x08\0\0", "not-looked-into"),
        ] {
            assert_eq!(scan_bytes("x", bytes).detections[0].rule.id, rule);
        }
    }
}
