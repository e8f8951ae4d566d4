//! Protocol buffers, field by field, from a stream: bulk data is skipped, never held.
//! <https://protobuf.dev/programming-guides/encoding/>

use std::io;

use crate::scan::stream::Stream;
use crate::scan::text::keras_text;
use crate::scan::{Detection, LIMIT, Limits};

/// Longest text field that is read; names of operators and files are far shorter.
const LONGEST: u64 = 64 << 10;
/// Longest JSON of a model that is held.
const LONGEST_MODEL: u64 = 8 << 20;
/// Messages in messages.
const DEEPEST: usize = 64;

/// A field: its number, and where it stands.
pub(super) enum Field {
    /// A number.
    Number(u64),
    /// A number of fixed width, which is skipped.
    Fixed,
    /// Bytes of this length: take them with [`Messages::bytes`] or [`Messages::message`], or leave
    /// them to be skipped.
    Bytes(u64),
}

/// A reader of messages that knows where each of them ends.
pub(super) struct Messages<'s, 'a> {
    pub(super) stream: &'s mut Stream<'a>,
    ends: Vec<u64>,
}

impl<'s, 'a> Messages<'s, 'a> {
    /// The message that the whole stream is.
    pub(super) fn new(stream: &'s mut Stream<'a>) -> Self {
        Self { stream, ends: Vec::new() }
    }

    /// The next field of the present message; `None` at its end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Field)>> {
        let end = self.ends.last().copied();
        if end.is_some_and(|end| self.stream.offset() >= end) || self.stream.peek(1)?.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Number(self.varint()?),
            1 => self.fixed(8)?,
            5 => self.fixed(4)?,
            2 => {
                let length = self.varint()?;
                if end.is_some_and(|end| self.stream.offset().saturating_add(length) > end) {
                    return Err(invalid("a field is longer than its message"));
                }
                Field::Bytes(length)
            }
            _ => return Err(invalid("a field of no known wire type")),
        };
        Ok(Some((tag >> 3, field)))
    }

    /// A message in the present one: `each` gets its fields, and must take or skip their bytes.
    pub(super) fn message(
        &mut self,
        length: u64,
        each: &mut dyn FnMut(&mut Self, u64, Field) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.ends.len() >= DEEPEST {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "messages nest deeper than any graph does",
            ));
        }
        let end = self.stream.offset().saturating_add(length);
        self.ends.push(end);
        while let Some((number, field)) = self.next()? {
            let skip = if let Field::Bytes(length) = field {
                Some(self.stream.offset().saturating_add(length))
            } else {
                None
            };
            each(self, number, field)?;
            // What was not taken is skipped.
            if let Some(after) = skip {
                let left = after.saturating_sub(self.stream.offset());
                if self.stream.skip(left)? < left {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        self.ends.pop();
        Ok(())
    }

    /// A text field; an empty text for one that is longer than any name is.
    pub(super) fn text(&mut self, length: u64) -> io::Result<String> {
        self.text_of(length, LONGEST).map(Option::unwrap_or_default)
    }

    /// The findings in a text field that is a Keras model.
    pub(super) fn keras(&mut self, length: u64, limits: Limits<'_>) -> io::Result<Vec<Detection>> {
        let start = self.stream.offset();
        Ok(match self.text_of(length, LONGEST_MODEL)? {
            Some(text) => keras_text(&text, start, limits),
            None => vec![Detection::at(&LIMIT, "a model is longer than 8 MiB of JSON", start)],
        })
    }

    fn text_of(&mut self, length: u64, longest: u64) -> io::Result<Option<String>> {
        if length > longest {
            self.stream.skip(length)?;
            return Ok(None);
        }
        let bytes = self.stream.bytes(usize::try_from(length).unwrap_or_default())?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn fixed(&mut self, width: u64) -> io::Result<Field> {
        if self.stream.skip(width)? < width {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Field::Fixed)
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.stream.byte()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(invalid("a number is longer than numbers are"))
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The fields at the beginning of `head`, as far as it goes: numbers and wire types.
pub(super) fn outline(head: &[u8]) -> Vec<(u64, u64, &[u8])> {
    let mut fields = Vec::new();
    let mut rest = head;
    let varint = |rest: &mut &[u8]| -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, tail) = rest.split_first()?;
            *rest = tail;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    };
    while fields.len() < 16 {
        let Some(tag) = varint(&mut rest) else { break };
        let body = match tag & 7 {
            0 => varint(&mut rest).map(|_| &[][..]),
            2 => varint(&mut rest).map(|length| {
                let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
                let (body, tail) = rest.split_at(length);
                rest = tail;
                body
            }),
            _ => None,
        };
        let Some(body) = body else { break };
        fields.push((tag >> 3, tag & 7, body));
    }
    fields
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    /// Found by fuzzing: the end of such a field is beyond what 64 bits count.
    #[test]
    fn a_field_as_long_as_can_be_written_is_an_end() {
        let longest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let bytes = [&[0x08, 0x08, 0x3a], &longest[..], &[0x0a, 0x01, b'g']].concat();
        let scan = scan_bytes("m.onnx", &bytes);
        let rules: Vec<_> = scan.detections.iter().map(|seen| seen.rule.id).collect();
        assert_eq!(rules, ["invalid-onnx"]);
    }
}
