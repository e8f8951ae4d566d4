//! safetensors: an 8-byte little-endian length, a JSON header, then the tensors' bytes.
//! <https://github.com/huggingface/safetensors#format>

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;

use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::text::secrets;
use crate::scan::{Detection, Format, Limits, Reader, Scan, Subject, Tensor, Tensors};

/// The largest header the Hub's own reader takes.
const LONGEST_HEADER: u64 = 25_000_000;
/// Bytes of tensor names that are kept of one file.
const LONGEST_NAMES: usize = 4 << 20;

/// safetensors.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format::SAFETENSORS,
    is: |head| is_safetensors(head.bytes),
    scan,
    checked: "every structural rule: header length, names, types, shapes, ranges, overlaps, holes, bytes behind; secrets in the metadata",
    unchecked: "the numbers",
    rules: &[&INVALID, &secrets::SECRET],
};

/// Eight bytes of length, then the opening brace of the header.
fn is_safetensors(head: &[u8]) -> bool {
    let Some((length, rest)) = head.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    rest.first() == Some(&b'{') && (2..1 << 40).contains(&length)
}

const INVALID: Rule = Rule {
    id: "invalid-safetensors",
    level: Level::Error,
    summary: "a safetensors file whose header and bytes do not agree",
    reason: "Loaders disagree on such files: some crash, some read other bytes than the header says, some hide data.",
    fix: "write the file again with the safetensors library: `safetensors.torch.save_file(tensors, path)`",
    example: "a tensor whose data_offsets end behind the file",
};

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// Reads the header; the tensors' bytes are left to be drained.
fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    _: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let size = subject.size;
    let mut length = [0; 8];
    stream.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        let message =
            format!("the header is {length} bytes; the Hub reads at most {LONGEST_HEADER}");
        scan.detections.push(Detection::at(&INVALID, message, 0));
        return Ok(());
    }
    let header = match stream.bytes(usize::try_from(length).unwrap_or(0)) {
        Ok(header) => header,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let message =
                format!("the header says it has {length} bytes, but the file ends before");
            scan.detections.push(Detection::at(&INVALID, message, 0));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    secrets::scan(&mut &header[..], scan)?;
    match check(&header, size.map(|size| size.saturating_sub(8 + length))) {
        Ok(tensors) => scan.tensors = Some(tensors),
        Err(why) => scan.detections.push(Detection::at(&INVALID, why, 8)),
    }
    Ok(())
}

fn check(header: &[u8], data: Option<u64>) -> Result<Tensors, String> {
    // Duplicate names are an error of the map type below, as in the reference reader.
    let entries: Header = serde_json::from_slice(header)
        .map_err(|error| format!("the header is no valid JSON map of tensors: {error}"))?;
    let mut tensors = Tensors::default();
    tensors.metadata.extend(entries.total.map(|total| ("total_parameters".into(), total)));
    let mut unsettled = Vec::new();
    let mut names = 0;
    let mut ranges = Vec::new();
    for (name, entry) in &entries.tensors {
        let shown: String = name.chars().take(80).collect();
        let (start, end) = entry.data_offsets;
        let elements =
            entry.shape.iter().try_fold(1u64, |product, side| product.checked_mul(*side));
        let elements = elements.ok_or_else(|| format!("the shape of `{shown}` overflows"))?;
        let bits = bits(&entry.dtype)
            .ok_or_else(|| format!("`{shown}` has the unknown type `{:.20}`", entry.dtype))?;
        let bytes = elements.checked_mul(bits).map(|bits| bits.div_ceil(8));
        if start > end || bytes != Some(end - start) {
            return Err(format!(
                "`{shown}` has shape and type for another number of bytes than its range {start}..{end}"
            ));
        }
        ranges.push((start, end));
        tensors.count += 1;
        if entry.shape.is_empty() || entry.dtype == "F8_E8M0" {
            continue;
        }
        let sum = tensors.parameters.entry(entry.dtype.clone()).or_default();
        *sum = sum.saturating_add(elements);
        if !is_settled(name, &entry.dtype) {
            names += name.len();
            if names <= LONGEST_NAMES {
                let (name, dtype) = (name.clone(), entry.dtype.clone());
                unsettled.push(Tensor { name, dtype, elements });
            }
        }
    }
    tensors.unsettled = (names <= LONGEST_NAMES).then_some(unsettled);
    ranges.sort_unstable();
    let mut expected = 0;
    for (start, end) in ranges {
        if start != expected {
            return Err(format!("byte {expected} of the data belongs to no tensor, or to two"));
        }
        expected = end;
    }
    match data {
        Some(data) if data != expected => {
            Err(format!("the tensors end at byte {expected} of the data, the file at {data}"))
        }
        _ => Ok(tensors),
    }
}

/// Whether a tensor has as many parameters as elements however the model was quantised: weights and
/// biases that are no integers.
fn is_settled(name: &str, dtype: &str) -> bool {
    let is_float = dtype.starts_with('F') || dtype == "BF16";
    let last = name.rsplit_once('.').map(|(_, last)| last);
    is_float && matches!(last, Some("weight" | "bias"))
}

/// Bits of an element.
fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ"
        | "F8_E5M2FNUZ" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

/// A name that comes twice is an error.
struct Header {
    tensors: BTreeMap<String, Entry>,
    /// `total_parameters` of `__metadata__`, where it is a number's length.
    total: Option<String>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Header;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of tensors")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Header, A::Error> {
                let mut entries = BTreeMap::new();
                let (mut metadata, mut total) = (false, None);
                while let Some(name) = map.next_key::<String>()? {
                    let twice = if name == "__metadata__" {
                        total = map
                            .next_value::<BTreeMap<String, String>>()?
                            .remove("total_parameters");
                        std::mem::replace(&mut metadata, true)
                    } else {
                        entries.insert(name, map.next_value()?).is_some()
                    };
                    if twice {
                        return Err(serde::de::Error::custom("a name comes twice"));
                    }
                }
                Ok(Header { tensors: entries, total: total.filter(|total| total.len() <= 20) })
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    }

    #[test]
    fn counts_parameters_of_a_sound_file() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}"#;
        let scan = scan_bytes("m.safetensors", &file(header, 32));
        assert!(scan.detections.is_empty(), "{:?}", scan.detections);
        let tensors = scan.tensors.expect("counted");
        assert_eq!(
            (tensors.count, tensors.parameters["F32"], tensors.parameters["BF16"]),
            (2, 6, 4)
        );
    }

    #[test]
    fn every_disagreement_is_seen() {
        let a = |dtype: &str, shape: &str, range: &str| {
            format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{range}}}}}"#)
        };
        let twice = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
        let hole = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#;
        let overlap = r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#;
        let huge = (0..9).map(|name| {
            format!(r#""{name}":{{"dtype":"U8","shape":[{0}],"data_offsets":[0,{0}]}}"#, 1u64 << 61)
        });
        let huge = format!("{{{}}}", huge.collect::<Vec<_>>().join(","));
        for (header, data) in [
            (huge, 4),
            (a("F32", "[2]", "[0,4]"), 4),
            (a("F32", "[1]", "[4,0]"), 4),
            (a("F99", "[1]", "[0,4]"), 4),
            (a("F32", "[4294967296,4294967296]", "[0,4]"), 4),
            (a("F32", "[1]", "[0,4]"), 3),
            (a("F32", "[1]", "[0,4]"), 9),
            (twice.into(), 1),
            (hole.into(), 3),
            (overlap.into(), 3),
            ("{\"a\": 5}".into(), 0),
        ] {
            let scan = scan_bytes("m.safetensors", &file(&header, data));
            assert_eq!(
                scan.detections.first().map(|seen| seen.rule.id),
                Some("invalid-safetensors"),
                "{header}"
            );
        }
        let scan = scan_bytes("m.safetensors", b"\xff\xff\0\0\0\0\0\0{");
        assert_eq!(scan.detections[0].rule.id, "invalid-safetensors");
    }
}
