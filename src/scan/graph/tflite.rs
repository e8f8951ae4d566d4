//! TFLite: a FlatBuffer; operators that leave TFLite are TensorFlow's ("Flex") or native code.
//! <https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs>

use std::io;

use super::saved_model::reaches;
use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::{Format, Limits, Reader, Scan, Subject, Window};

const UNSAFE: Rule = Rule {
    id: "unsafe-flex-operator",
    level: Level::Error,
    summary: "a TFLite model with TensorFlow operators that read or write files, or run Python",
    reason: "They run with the model.",
    fix: "convert the model without them",
    example: "a FlexReadFile",
};

const INVALID: Rule = Rule {
    id: "invalid-tflite",
    level: Level::Error,
    summary: "a TFLite file whose offsets cannot be right",
    reason: "Readers that trust them read outside of the file.",
    fix: "convert the model again",
    example: "a root table behind the end",
};

/// No converter has more kinds of operators.
const MOST_CODES: u32 = 10_000;

/// TFLite.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("tflite"),
    is: |head| head.bytes.get(4..8) == Some(b"TFL3"),
    scan,
    checked: "the root's offsets; every kind of operator: TensorFlow's that reach outside",
    unchecked: "the numbers; native libraries that bring operators",
    rules: &[&UNSAFE, &INVALID],
};

fn scan(
    _: &mut Stream<'_>,
    subject: &Subject<'_>,
    _: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let Some(window) = subject.window else { return Ok(()) };
    match codes(window) {
        Ok(names) => {
            for name in names {
                if let Some(does) = name.strip_prefix("Flex").and_then(reaches) {
                    scan.say(&UNSAFE, format!("the operator `{name:.80}` {does}"), 0);
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            scan.say(&INVALID, error.to_string(), 0);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Names of custom operators: root → `operator_codes` (field 1) → `custom_code` (field 1).
fn codes(window: Window<'_>) -> io::Result<Vec<String>> {
    let root = number(window, 0)?;
    let Some(vector) = field(window, root, 1)? else { return Ok(Vec::new()) };
    let vector = vector + number(window, vector)?;
    let count = u32::try_from(number(window, vector)?).unwrap_or(u32::MAX);
    if count > MOST_CODES {
        return Err(invalid("it has more kinds of operators than there are"));
    }
    let mut names = Vec::new();
    for index in 0..u64::from(count) {
        let at = vector + 4 + 4 * index;
        let table = at + number(window, at)?;
        let Some(name) = field(window, table, 1)? else { continue };
        let name = name + number(window, name)?;
        let length = usize::try_from(number(window, name)?).unwrap_or(usize::MAX).min(256);
        names.push(String::from_utf8_lossy(&window.read(name + 4, length)?).into_owned());
    }
    Ok(names)
}

/// Where a table's field stands, if it has it.
fn field(window: Window<'_>, table: u64, index: u64) -> io::Result<Option<u64>> {
    let back = i64::from(u32::try_from(number(window, table)?).unwrap_or_default().cast_signed());
    let vtable =
        table.checked_add_signed(-back).ok_or_else(|| invalid("a table lies before the file"))?;
    let size = number(window, vtable)? & 0xFFFF;
    let slot = 4 + 2 * index;
    if slot + 2 > size {
        return Ok(None);
    }
    let offset = number(window, vtable + slot)? & 0xFFFF;
    Ok((offset != 0).then_some(table + offset))
}

fn number(window: Window<'_>, at: u64) -> io::Result<u64> {
    let bytes = window.read(at, 4)?;
    match bytes[..] {
        [a, b, c, d] => Ok(u32::from_le_bytes([a, b, c, d]).into()),
        // The last table of a file may end with a 2-byte entry.
        [a, b] | [a, b, _] => Ok(u16::from_le_bytes([a, b]).into()),
        _ => Err(invalid("an offset leads behind the end of the file")),
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
