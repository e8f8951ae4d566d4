//! Small files for the tests of the scanners.

use super::{Scan, Stream, Subject, Window, scan};

/// Scans bytes as a file.
pub(crate) fn scan_bytes(name: &str, bytes: &[u8]) -> Scan {
    let mut reader = bytes;
    let mut stream = Stream::new(&mut reader);
    scan(
        &mut stream,
        &Subject {
            name,
            size: Some(bytes.len() as u64),
            window: Some(Window::new(&bytes, bytes.len() as u64)),
        },
    )
    .expect("memory does not fail")
}

/// A zip of stored members, with sizes in their headers or, as torch does it, behind them.
pub(crate) fn zip(members: &[(&str, &[u8])], descriptor: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    let count = u16::try_from(members.len()).expect("few");
    for (name, data) in members {
        let offset = u32::try_from(bytes.len()).expect("small");
        let (size, length) =
            (u32::try_from(data.len()).expect("small"), u16::try_from(name.len()).expect("short"));
        let flags: u16 = if descriptor { 8 } else { 0 };
        let shown = if descriptor { 0 } else { size };
        let crc = crc32fast::hash(data);
        let header = |crc: u32, size: u32| {
            let mut header = Vec::new();
            header.extend(20u16.to_le_bytes());
            header.extend(flags.to_le_bytes());
            header.extend([0; 6]);
            header.extend(crc.to_le_bytes());
            header.extend(size.to_le_bytes());
            header.extend(size.to_le_bytes());
            header.extend(length.to_le_bytes());
            header.extend(0u16.to_le_bytes());
            header
        };
        bytes.extend(b"PK\x03\x04");
        bytes.extend(header(if descriptor { 0 } else { crc }, shown));
        bytes.extend(name.as_bytes());
        bytes.extend(*data);
        if descriptor {
            bytes.extend(b"PK\x07\x08");
            bytes.extend(crc.to_le_bytes());
            bytes.extend(size.to_le_bytes());
            bytes.extend(size.to_le_bytes());
        }
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(header(crc, size));
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, length) = (
        u32::try_from(bytes.len()).expect("small"),
        u32::try_from(directory.len()).expect("small"),
    );
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend(0u16.to_le_bytes());
    bytes
}

/// A safetensors file of `F32` tensors, in order, all bytes `fill`.
pub(crate) fn safetensors(tensors: &[(&str, &[u64])], fill: u8) -> Vec<u8> {
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for (name, shape) in tensors {
        let start = end;
        end += 4 * shape.iter().product::<u64>();
        let entry =
            serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
        header.insert((*name).to_owned(), entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + usize::try_from(end).expect("small"), fill);
    bytes
}
