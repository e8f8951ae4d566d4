//! Arguments of opcodes, taken from the stream.

use std::io;

use super::super::value::{LONGEST, Node, Value};
use super::{LONGEST_LINE, Machine, Stop};

impl Machine<'_, '_, '_> {
    pub(super) fn number(&mut self, width: usize) -> Result<u64, Stop> {
        let mut bytes = [0; 8];
        self.stream.read_exact(&mut bytes[..width])?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A whole number of `width` bytes; negative ones are told apart by nobody.
    pub(super) fn int(&mut self, width: usize) -> Result<(), Stop> {
        let number = self.number(width)?;
        self.push(Value::int(i64::try_from(number).unwrap_or(-1)));
        Ok(())
    }

    pub(super) fn data(&mut self, length: u64) -> Result<(), Stop> {
        self.skip(length)?;
        self.push(Value::DATA);
        Ok(())
    }

    pub(super) fn text(&mut self, width: usize) -> Result<(), Stop> {
        let length = self.number(width)?;
        let value = match usize::try_from(length) {
            Ok(length) if length <= LONGEST => {
                let bytes = self.stream.peek(length)?;
                if bytes.len() < length {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                let value = self.texts.add(bytes);
                self.stream.advance(length);
                value
            }
            _ => {
                self.skip(length)?;
                Value::DATA
            }
        };
        self.push(value);
        Ok(())
    }

    /// Bytes; where they are a serialised file themselves, that is looked into.
    pub(super) fn bytes(&mut self, width: usize) -> Result<(), Stop> {
        let length = self.number(width)?;
        let start = self.stream.offset();
        let looked = self.calls.packed(self.stream, length)?;
        let taken = self.stream.offset() - start;
        self.skip(length.saturating_sub(taken))?;
        let value = match looked {
            Some(clean) => self.nodes.add(Node::Packed { clean }),
            None => Value::DATA,
        };
        self.push(value);
        Ok(())
    }

    pub(super) fn skip(&mut self, count: u64) -> Result<(), Stop> {
        match self.stream.skip(count)? {
            skipped if skipped == count => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }

    /// A line without its end; `None` where it is too long to be a name or no UTF-8.
    pub(super) fn line(&mut self) -> Result<Option<String>, Stop> {
        let mut line = Vec::new();
        let mut long = false;
        loop {
            let chunk = self.stream.chunk()?;
            if chunk.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let end = memchr::memchr(b'\n', chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            long |= line.len() + part.len() > LONGEST_LINE;
            if !long {
                line.extend_from_slice(part);
            }
            let taken = part.len() + usize::from(end.is_some());
            self.stream.advance(taken);
            if end.is_some() {
                return Ok(if long { None } else { String::from_utf8(line).ok() });
            }
        }
    }
}
