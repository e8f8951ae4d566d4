//! GGUF: magic, version, key-values, tensor infos, then aligned data.
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>

use std::collections::HashSet;
use std::io;

use crate::finding::{Level, Rule};
use crate::scan::code::jinja;
use crate::scan::stream::Stream;
use crate::scan::{Detection, Format, Limits, Reader, Scan, Subject, Tensors};

/// GGUF.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("gguf"),
    is: |head| head.bytes.starts_with(b"GGUF"),
    scan,
    checked: "every count, length, type, shape and offset of the header; chat templates",
    unchecked: "the numbers",
    rules: &[&INVALID, &jinja::UNSAFE, &jinja::UNREADABLE],
};

const INVALID: Rule = Rule {
    id: "invalid-gguf",
    level: Level::Error,
    summary: "a GGUF file whose header cannot be right",
    reason: "Loaders trust these counts and lengths; wrong ones have been memory errors in them (CVE-2024-23496 and its kin).",
    fix: "write the file again with the converter that made it, then upload the new one",
    example: "a string longer than the file",
};

/// No honest file has more key-values or tensors.
const MOST_ENTRIES: u64 = 1 << 20;
/// No honest key or tensor name is longer (the specification says 65,535 and 64).
const LONGEST_NAME: u64 = 65_535;
/// No honest chat template is longer.
const LONGEST_TEMPLATE: u64 = 1 << 20;
/// The type of a text among key-values.
const TEXT: u32 = 8;

/// Reads the header; tensor data is left to be drained.
fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    _: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut header =
        Header { stream, size: subject.size.unwrap_or(u64::MAX), templates: Vec::new() };
    match header.read() {
        Ok(Ok(tensors)) => scan.tensors = Some(tensors),
        Ok(Err(why)) => {
            let at = header.stream.offset();
            scan.detections.push(Detection::at(&INVALID, why, at));
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let at = header.stream.offset();
            scan.detections.push(Detection::at(&INVALID, "the file ends inside its header", at));
        }
        Err(error) => return Err(error),
    }
    for (key, template) in header.templates {
        for mut seen in jinja::scan(&template) {
            let line = seen.line.take().unwrap_or(1);
            seen.message = format!("{} (in `{key:.80}`, line {line})", seen.message);
            scan.detections.push(seen);
        }
    }
    Ok(())
}

struct Header<'s, 'a> {
    stream: &'s mut Stream<'a>,
    size: u64,
    /// Chat templates by key.
    templates: Vec<(String, String)>,
}

type Parsed<T> = io::Result<Result<T, String>>;

/// Unwraps the inner result or returns it.
macro_rules! sound {
    ($value:expr) => {
        match $value? {
            Ok(value) => value,
            Err(why) => return Ok(Err(why)),
        }
    };
}

impl Header<'_, '_> {
    fn read(&mut self) -> Parsed<Tensors> {
        self.stream.skip(4)?;
        let version = self.u32()?;
        if !(2..=3).contains(&version) {
            return Ok(Err(format!("version {version} is not known (2 and 3 are)")));
        }
        let (tensors, pairs) = (self.u64()?, self.u64()?);
        if tensors > MOST_ENTRIES || pairs > MOST_ENTRIES {
            return Ok(Err(format!(
                "{tensors} tensors and {pairs} key-values are more than a file can have"
            )));
        }
        let mut keys = HashSet::new();
        for _ in 0..pairs {
            let key = sound!(self.word(LONGEST_NAME));
            let kind = self.u32()?;
            if kind == TEXT && key.contains("chat_template") {
                let template = sound!(self.word(LONGEST_TEMPLATE));
                self.templates.push((key.clone(), template));
            } else {
                sound!(self.value(kind, 0));
            }
            if !keys.insert(key) {
                return Ok(Err("a key stands there twice".into()));
            }
        }
        let mut found = Tensors::default();
        for _ in 0..tensors {
            let name = sound!(self.word(LONGEST_NAME));
            let dimensions = self.u32()?;
            if dimensions > 8 {
                return Ok(Err(format!("a tensor has {dimensions} dimensions")));
            }
            let (mut elements, mut shape) = (1u64, Vec::new());
            for _ in 0..dimensions {
                let side = self.u64()?;
                shape.push(side);
                let Some(product) = elements.checked_mul(side) else {
                    return Ok(Err("a tensor's shape overflows".into()));
                };
                elements = product;
            }
            let kind = self.u32()?;
            let offset = self.u64()?;
            if offset > self.size {
                return Ok(Err("a tensor begins behind the end of the file".into()));
            }
            found.add(&name, &type_name(kind), &shape, elements);
        }
        Ok(Ok(found))
    }

    fn value(&mut self, kind: u32, depth: u8) -> Parsed<()> {
        let bytes = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            8 => return self.text(self.size),
            9 if depth < 4 => {
                let (inner, count) = (self.u32()?, self.u64()?);
                if count > self.size {
                    return Ok(Err(format!(
                        "an array has {count} entries, more than the file has bytes"
                    )));
                }
                for _ in 0..count {
                    sound!(self.value(inner, depth + 1));
                }
                return Ok(Ok(()));
            }
            _ => return Ok(Err(format!("a value has the unknown type {kind}"))),
        };
        self.skip(bytes)
    }

    /// A text that is kept.
    fn word(&mut self, longest: u64) -> Parsed<String> {
        let length = self.u64()?;
        if length > longest || length > self.size {
            return Ok(Err(format!("a text has {length} bytes, more than can be")));
        }
        let bytes = self.stream.bytes(usize::try_from(length).unwrap_or_default())?;
        Ok(Ok(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn text(&mut self, longest: u64) -> Parsed<()> {
        let length = self.u64()?;
        if length > longest || length > self.size {
            return Ok(Err(format!("a text has {length} bytes, more than can be")));
        }
        self.skip(length)
    }

    fn skip(&mut self, count: u64) -> Parsed<()> {
        if self.stream.skip(count)? < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Ok(()))
    }

    fn u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.stream.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn u64(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.stream.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// Names of `ggml_type`.
fn type_name(kind: u32) -> String {
    const NAMES: [&str; 31] = [
        "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K",
        "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S",
        "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", "BF16",
    ];
    match NAMES.get(kind as usize) {
        Some(name) if !name.is_empty() => (*name).to_owned(),
        _ => format!("type-{kind}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    fn file(tensors: u64, tail: &[u8]) -> Vec<u8> {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        bytes.extend(4u64.to_le_bytes());
        bytes.extend(b"name");
        bytes.extend(8u32.to_le_bytes());
        bytes.extend(2u64.to_le_bytes());
        bytes.extend(b"hi");
        bytes.extend(tail);
        bytes
    }

    #[test]
    fn counts_parameters_by_type() {
        let mut tensor = 1u64.to_le_bytes().to_vec();
        tensor.extend(b"w");
        tensor.extend(2u32.to_le_bytes());
        tensor.extend(3u64.to_le_bytes());
        tensor.extend(4u64.to_le_bytes());
        tensor.extend(30u32.to_le_bytes());
        tensor.extend(0u64.to_le_bytes());
        let scan = scan_bytes("m.gguf", &file(1, &tensor));
        assert!(scan.detections.is_empty(), "{:?}", scan.detections);
        let tensors = scan.tensors.expect("counted");
        assert_eq!((tensors.parameters["BF16"], tensors.each["w"].as_str()), (12, "BF16 [3, 4]"));
    }

    #[test]
    fn lies_and_cuts_are_seen() {
        for bytes in [
            file(1, b""),
            file(u64::MAX, b""),
            file(1, &u64::MAX.to_le_bytes()),
            b"GGUF\x09\0\0\0".to_vec(),
        ] {
            let scan = scan_bytes("m.gguf", &bytes);
            assert_eq!(scan.detections.first().map(|seen| seen.rule.id), Some("invalid-gguf"));
        }
    }
}
