//! The file of a run of Weights & Biases (`run-ID.wandb`), which offline runs leave and no account
//! is needed for: LevelDB's log format (<https://github.com/google/leveldb/blob/main/doc/log_format.md>,
//! with zlib's CRC of type and data) around protocol buffers (`wandb_internal.proto`). The summary
//! is what all its updates add up to.

use std::collections::BTreeMap;

use super::document::Document;
use super::wandb::numbers;
use super::{Lineage, Reader, Results, Spot};
use crate::json::{Key, Value};

pub(super) const READER: Reader = Reader {
    format: "wandb-run",
    written_by: "Weights & Biases, offline too (`run-….wandb`)",
    claims: |document| document.bytes.starts_with(MAGIC),
    read,
};

/// Identity, number and version at the head of the file.
const MAGIC: &[u8] = b":W&B\xe1\xbe\x00";
/// Records do not cross blocks; longer ones are cut into pieces.
const BLOCK: usize = 32 * 1024;
/// CRC, length and type of a piece.
const PIECE_HEAD: usize = 7;

fn read(document: &Document<'_>) -> Result<Results, String> {
    let mut run = Run::default();
    for_each_record(document.bytes, |record, at| run.take(record, at))?;
    let mut found = Vec::new();
    for (path, (json, at)) in &run.summary {
        let Ok(value) = Value::parse(json) else { continue };
        // As a document of its own, so that maps in it are read as in `wandb-summary.json`.
        let key = path.join(".");
        let value = Value::Map(vec![(Key { name: key.clone(), at: 0 }, value)]);
        let Some(spot) = Spot::root(&value).get(&key) else { continue };
        found.extend(numbers(&key, &spot).into_iter().map(|mut number| {
            number.at = *at;
            number.pointer.clear();
            number
        }));
    }
    let partial = match run.exit {
        None => Some("the run has no end: it was cut off, or still goes on".into()),
        Some(0) => None,
        Some(code) => Some(format!("the run ended with exit code {code}")),
    };
    Ok(Results { numbers: found, lineage: run.lineage, partial, ..Results::default() })
}

#[derive(Default)]
struct Run {
    /// The last JSON of each key, and the byte of its record.
    summary: BTreeMap<Vec<String>, (String, usize)>,
    exit: Option<u64>,
    lineage: Lineage,
}

impl Run {
    fn take(&mut self, record: &[u8], at: usize) {
        for (number, field) in fields(record) {
            match (number, field) {
                (3, Field::Bytes(summary)) => {
                    for (number, field) in fields(summary) {
                        let Field::Bytes(item) = field else { continue };
                        let (path, json) = item_of(item);
                        match number {
                            1 => _ = self.summary.insert(path, (json, at)),
                            2 => _ = self.summary.remove(&path),
                            _ => {}
                        }
                    }
                }
                (17, Field::Bytes(run)) => {
                    self.lineage.run = text(run, 1);
                    self.lineage.commit = bytes(run, 21).and_then(|git| text(git, 2));
                }
                (18, Field::Bytes(exit)) => {
                    let code = fields(exit).find_map(|(number, field)| match (number, field) {
                        (1, Field::Number(code)) => Some(code),
                        _ => None,
                    });
                    self.exit = Some(code.unwrap_or_default());
                }
                (21, Field::Bytes(header)) => {
                    let producer = bytes(header, 1).and_then(|version| text(version, 1));
                    let version = producer.as_deref().and_then(|text| text.split('+').next());
                    self.lineage.tool = version.map(|version| format!("wandb {version}"));
                }
                _ => {}
            }
        }
    }
}

/// The keys of a summary item, and its JSON.
fn item_of(item: &[u8]) -> (Vec<String>, String) {
    let (mut path, mut json) = (Vec::new(), String::new());
    for (number, field) in fields(item) {
        if let Field::Bytes(bytes) = field {
            let text = String::from_utf8_lossy(bytes).into_owned();
            match number {
                1 | 2 => path.push(text),
                16 => json = text,
                _ => {}
            }
        }
    }
    (path, json)
}

/// Puts records together from their pieces. A file that was cut off ends with what is whole.
fn for_each_record(file: &[u8], mut each: impl FnMut(&[u8], usize)) -> Result<(), String> {
    let mut at = MAGIC.len();
    let (mut record, mut start) = (Vec::new(), at);
    loop {
        let left = BLOCK - at % BLOCK;
        if left < PIECE_HEAD {
            at += left;
        }
        let Some(head) = file.get(at..at + PIECE_HEAD) else { return Ok(()) };
        let crc = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let length = usize::from(u16::from_le_bytes([head[4], head[5]]));
        let kind = head[6];
        let body = at + PIECE_HEAD;
        let Some(piece) = file.get(body..body + length) else { return Ok(()) };
        if kind == 0 && length == 0 {
            // Space that was set aside and never written.
            return Ok(());
        }
        let mut sum = flate2::Crc::new();
        sum.update(&[kind]);
        sum.update(piece);
        if sum.sum() != crc {
            return Err(format!("the record at byte {at} is damaged: its checksum is wrong"));
        }
        if matches!(kind, 1 | 2) {
            record.clear();
            start = at;
        }
        record.extend_from_slice(piece);
        if matches!(kind, 1 | 4) {
            each(&record, start);
        }
        at = body + length;
    }
}

enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

fn bytes(message: &[u8], wanted: u64) -> Option<&[u8]> {
    fields(message).find_map(|(number, field)| match field {
        Field::Bytes(bytes) if number == wanted => Some(bytes),
        _ => None,
    })
}

fn text(message: &[u8], wanted: u64) -> Option<String> {
    let text = String::from_utf8_lossy(bytes(message, wanted)?).into_owned();
    (!text.is_empty()).then_some(text)
}

/// The fields of a message, up to the first that is none.
/// <https://protobuf.dev/programming-guides/encoding/>
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        loop {
            let tag = varint(&mut message)?;
            let field = match tag & 7 {
                0 => Field::Number(varint(&mut message)?),
                2 => {
                    let length = usize::try_from(varint(&mut message)?).ok()?;
                    let (bytes, rest) = message.split_at_checked(length)?;
                    message = rest;
                    Field::Bytes(bytes)
                }
                width @ (1 | 5) => {
                    message = message.get(if width == 1 { 8 } else { 4 }..)?;
                    continue;
                }
                _ => return None,
            };
            return Some((tag >> 3, field));
        }
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
