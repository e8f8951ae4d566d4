//! `ExecuTorch` programs: FlatBuffers whose segments hold weights and the code of delegates.
//! <https://github.com/pytorch/executorch/blob/main/docs/source/pte-file-format.md>

use crate::finding::{Level, Rule};
use crate::scan::{Format, Reader};

const INVALID: Rule = Rule {
    id: "invalid-executorch",
    level: Level::Error,
    summary: "an ExecuTorch file whose offsets cannot be right",
    reason: "Readers that trust them read outside of the file.",
    fix: "export the program again",
    example: "a program that is longer than the file",
};

/// `ExecuTorch`: the identifier `ET12` and its kin behind the root's offset, then, mostly, an
/// extended header `eh00`.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("executorch"),
    is: |head| matches!(head.bytes.get(4..8), Some([b'E', b'T', tens, ones]) if tens.is_ascii_digit() && ones.is_ascii_digit()),
    scan: |stream, subject, _, scan| {
        let head = stream.peek(40)?.to_vec();
        let number = |at: usize, width: usize| {
            let mut bytes = [0; 8];
            let found = head.get(at..at + width)?;
            bytes[..width].copy_from_slice(found);
            Some(u64::from_le_bytes(bytes))
        };
        let Some(size) = subject.size else { return Ok(()) };
        if number(0, 4).is_none_or(|root| root >= size) {
            scan.say(&INVALID, "its root table lies behind its end", 0);
        }
        if head.get(8..12) == Some(b"eh00") {
            let program = number(16, 8).is_none_or(|program| program > size);
            let segments = number(24, 8).is_none_or(|segments| segments > size);
            if program || segments {
                scan.say(&INVALID, "its header names more bytes than it has", 8);
            }
        }
        Ok(())
    },
    checked: "that the root, the program and the segments lie in the file",
    unchecked: "operators, and what delegates do with their data",
    rules: &[&INVALID],
};
