//! What an ONNX graph takes or gives: one `ValueInfoProto`, as `ids: INT64 [?, 8]`.

use std::io;

use super::protobuf::{Field, Messages};

/// Names of `TensorProto.DataType`.
const TYPES: [&str; 17] = [
    "UNDEFINED",
    "FLOAT",
    "UINT8",
    "INT8",
    "UINT16",
    "INT16",
    "INT32",
    "INT64",
    "STRING",
    "BOOL",
    "FLOAT16",
    "DOUBLE",
    "UINT32",
    "UINT64",
    "COMPLEX64",
    "COMPLEX128",
    "BFLOAT16",
];
/// No tensor has more dimensions.
const MOST_DIMENSIONS: usize = 64;

/// Reads one; a dimension without a number, whatever it is called, is `?`.
pub(super) fn read(messages: &mut Messages<'_, '_>, length: u64) -> io::Result<String> {
    let (mut name, mut kind) = (String::new(), String::new());
    messages.message(length, &mut |messages, number, field| {
        match (number, field) {
            (1, Field::Bytes(length)) => name = messages.text(length)?,
            (2, Field::Bytes(length)) => kind = type_of(messages, length)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(format!("{name:.200}: {kind}"))
}

/// A `TypeProto`.
fn type_of(messages: &mut Messages<'_, '_>, length: u64) -> io::Result<String> {
    let mut kind = "something".to_owned();
    messages.message(length, &mut |messages, number, field| {
        match (number, field) {
            (1, Field::Bytes(length)) => kind = tensor(messages, length)?,
            (4, _) => "a sequence".clone_into(&mut kind),
            (5, _) => "a map".clone_into(&mut kind),
            _ => {}
        }
        Ok(())
    })?;
    Ok(kind)
}

fn tensor(messages: &mut Messages<'_, '_>, length: u64) -> io::Result<String> {
    let (mut kind, mut shape) = (0, Vec::new());
    messages.message(length, &mut |messages, number, field| match (number, field) {
        (1, Field::Number(number)) => {
            kind = number;
            Ok(())
        }
        (2, Field::Bytes(length)) => messages.message(length, &mut |messages, number, field| {
            if let (1, Field::Bytes(length)) = (number, field)
                && shape.len() < MOST_DIMENSIONS
            {
                shape.push(dimension(messages, length)?);
            }
            Ok(())
        }),
        _ => Ok(()),
    })?;
    let name = usize::try_from(kind).ok().and_then(|kind| TYPES.get(kind)).copied();
    Ok(format!("{} [{}]", name.unwrap_or("UNDEFINED"), shape.join(", ")))
}

fn dimension(messages: &mut Messages<'_, '_>, length: u64) -> io::Result<String> {
    let mut side = "?".to_owned();
    messages.message(length, &mut |_, number, field| {
        if let (1, Field::Number(number)) = (number, field) {
            side = number.to_string();
        }
        Ok(())
    })?;
    Ok(side)
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    /// A field of bytes.
    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        [&[number << 3 | 2, length], content].concat()
    }

    fn number(number: u8, value: u8) -> Vec<u8> {
        vec![number << 3, value]
    }

    #[test]
    fn what_a_graph_takes_and_gives() {
        let shape = [bytes(1, &bytes(2, b"batch")), bytes(1, &number(1, 8))].concat();
        let tensor = bytes(1, &[number(1, 7), bytes(2, &shape)].concat());
        let input = bytes(11, &[bytes(1, b"ids"), bytes(2, &tensor)].concat());
        let output = bytes(12, &[bytes(1, b"map"), bytes(2, &bytes(5, b""))].concat());
        let model = [number(1, 8), bytes(7, &[input, output].concat()), bytes(8, b"")].concat();
        let scan = scan_bytes("m.onnx", &model);
        assert!(scan.detections.is_empty(), "{:?}", scan.detections);
        let signature = scan.tensors.expect("read").signature;
        assert_eq!(Vec::from_iter(signature), ["input ids: INT64 [?, 8]", "output map: a map"]);
    }
}
