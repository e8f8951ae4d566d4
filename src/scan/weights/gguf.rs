//! GGUF: magic, version, key-values, tensor infos, then aligned data.
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>

use std::collections::{BTreeMap, HashSet};
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
/// The types of texts and arrays among key-values.
const TEXT: u32 = 8;
const ARRAY: u32 = 9;
/// Endings of the keys that describe the model and are kept, beside `general.…`; the keys begin with
/// the architecture's name.
const KEPT: [&str; 6] = [
    ".context_length",
    ".block_count",
    ".embedding_length",
    ".attention.head_count",
    ".expert_count",
    ".vocab_size",
];
/// The vocabulary, of which only the size is kept.
const TOKENS: &str = "tokenizer.ggml.tokens";
/// Most key-values that are kept, and the longest.
const MOST_KEPT: usize = 256;
const LONGEST_KEPT: u64 = 256;

/// Reads the header; tensor data is left to be drained.
fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    _: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let size = subject.size.unwrap_or(u64::MAX);
    let mut header = Header { stream, size, templates: Vec::new(), kept: BTreeMap::new() };
    match header.read() {
        Ok(Ok(tensors)) => {
            let metadata = std::mem::take(&mut header.kept);
            scan.tensors = Some(Tensors { metadata, ..tensors });
        }
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
    /// What describes the model, by key.
    kept: BTreeMap<String, String>,
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
            } else if is_kept(&key) && self.kept.len() < MOST_KEPT {
                let value = sound!(self.short(kind));
                self.kept.extend(value.map(|value| (key.clone(), value)));
            } else {
                sound!(self.value(kind, 0));
            }
            if !keys.insert(key) {
                return Ok(Err("a key stands there twice".into()));
            }
        }
        let mut found = Tensors::default();
        for _ in 0..tensors {
            sound!(self.text(LONGEST_NAME));
            let dimensions = self.u32()?;
            if dimensions > 8 {
                return Ok(Err(format!("a tensor has {dimensions} dimensions")));
            }
            let mut elements = 1u64;
            for _ in 0..dimensions {
                let side = self.u64()?;
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
            let sum = found.parameters.entry(type_name(kind)).or_default();
            *sum = sum.saturating_add(elements);
            found.count += 1;
        }
        Ok(Ok(found))
    }

    fn value(&mut self, kind: u32, depth: u8) -> Parsed<()> {
        let bytes = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            TEXT => return self.text(self.size),
            ARRAY if depth < 4 => {
                sound!(self.array(depth));
                return Ok(Ok(()));
            }
            _ => return Ok(Err(format!("a value has the unknown type {kind}"))),
        };
        self.skip(bytes)
    }

    /// An array's entries, of which it returns the number.
    fn array(&mut self, depth: u8) -> Parsed<u64> {
        let (inner, count) = (self.u32()?, self.u64()?);
        if count > self.size {
            return Ok(Err(format!("an array has {count} entries, more than the file has bytes")));
        }
        for _ in 0..count {
            sound!(self.value(inner, depth + 1));
        }
        Ok(Ok(count))
    }

    /// A value in a few words: a text that is not long, a number, the length of an array.
    fn short(&mut self, kind: u32) -> Parsed<Option<String>> {
        let shown = match kind {
            0 => self.fixed::<1>()?[0].to_string(),
            1 => i8::from_le_bytes(self.fixed()?).to_string(),
            2 => u16::from_le_bytes(self.fixed()?).to_string(),
            3 => i16::from_le_bytes(self.fixed()?).to_string(),
            4 => self.u32()?.to_string(),
            5 => i32::from_le_bytes(self.fixed()?).to_string(),
            10 => self.u64()?.to_string(),
            11 => i64::from_le_bytes(self.fixed()?).to_string(),
            ARRAY => sound!(self.array(0)).to_string(),
            TEXT => {
                let length = self.u64()?;
                if length > self.size {
                    return Ok(Err(format!("a text has {length} bytes, more than can be")));
                }
                if length > LONGEST_KEPT {
                    sound!(self.skip(length));
                    return Ok(Ok(None));
                }
                let bytes = self.stream.bytes(usize::try_from(length).unwrap_or_default())?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            _ => {
                sound!(self.value(kind, 0));
                return Ok(Ok(None));
            }
        };
        Ok(Ok(Some(shown)))
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
        self.fixed().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.fixed().map(u64::from_le_bytes)
    }

    fn fixed<const COUNT: usize>(&mut self) -> io::Result<[u8; COUNT]> {
        let mut bytes = [0; COUNT];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Whether a key describes the model.
fn is_kept(key: &str) -> bool {
    let is_of_model = key.starts_with("general.") || KEPT.iter().any(|end| key.ends_with(end));
    key.len() <= 100 && (is_of_model || key == TOKENS)
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
        assert_eq!(scan.tensors.expect("counted").parameters["BF16"], 12);
    }

    #[test]
    fn shapes_beyond_counting_count_as_the_most() {
        let tensor = |name: u8| {
            let mut tensor = 1u64.to_le_bytes().to_vec();
            tensor.push(name);
            tensor.extend(1u32.to_le_bytes());
            tensor.extend(u64::MAX.to_le_bytes());
            tensor.extend([0; 12]);
            tensor
        };
        let scan = scan_bytes("m.gguf", &file(2, &[tensor(b'a'), tensor(b'b')].concat()));
        assert_eq!(scan.tensors.expect("counted").parameters["F32"], u64::MAX);
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
