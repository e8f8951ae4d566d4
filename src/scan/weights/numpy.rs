//! NumPy arrays: the header says what the elements are, and objects are a pickle.
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::io;

use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::{Format, Limits, Reader, Scan, Subject, pickle};

const INVALID: Rule = Rule {
    id: "invalid-numpy",
    level: Level::Error,
    summary: "a NumPy file whose header cannot be right",
    reason: "Readers that trust it take other bytes for the array, or for a pickle, than it says.",
    fix: "write the file again with `numpy.save`",
    example: "a header that describes no array",
};

/// numpy itself refuses longer headers (`max_header_size`).
const LONGEST_HEADER: usize = 64 * 1024;

/// `.npy`, alone or in a `.npz`.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("numpy"),
    is: |head| head.bytes.starts_with(b"\x93NUMPY"),
    scan,
    checked: "the header; arrays of objects are followed as the pickles they are",
    unchecked: "the numbers",
    rules: &[&INVALID],
};

fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let head = stream.peek(12)?;
    let (width, length) = match head {
        [_, _, _, _, _, _, 1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [_, _, _, _, _, _, 2 | 3, _, a, b, c, d, ..] => {
            (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => {
            scan.say(&INVALID, "the header is cut or of an unknown version", 0);
            return Ok(());
        }
    };
    stream.skip(width)?;
    let header = String::from_utf8_lossy(stream.peek(length.min(LONGEST_HEADER))?).into_owned();
    stream.skip(length as u64)?;
    let described = header.trim();
    if length > LONGEST_HEADER || !described.starts_with('{') || !described.ends_with('}') {
        scan.say(&INVALID, "the header describes no array", width);
        return Ok(());
    }
    // The header is a Python literal, read by `ast.literal_eval`. Only a dtype has an `O` beside a
    // quote or a byte order; field names could hold anything, which errs on the careful side.
    let objects = ["'O'", "\"O\"", "'|O", "\"|O", "'<O", "'>O", "'=O", "O8", "O4", "object"];
    if objects.iter().any(|mark| header.contains(mark)) {
        pickle::scan_array(stream, subject, limits, scan)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    fn file(descr: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).expect("short").to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn arrays_of_objects_are_pickles() {
        let payload = b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.";
        let rules = |bytes: &[u8]| -> Vec<&str> {
            scan_bytes("a.npy", bytes).detections.iter().map(|seen| seen.rule.id).collect()
        };
        assert_eq!(rules(&file("|O", payload)), ["unsafe-pickle"]);
        assert_eq!(rules(&file("|O", b"\x80\x02")), ["broken-pickle"]);
        assert_eq!(rules(&file("<f8", &[0; 8])), Vec::<&str>::new());
        assert_eq!(rules(b"\x93NUMPY\x09"), ["invalid-numpy"]);
    }
}
