//! A file as scanners see it: read once, front to back, with a look ahead.

use std::io::{self, BufRead, ErrorKind, Read};
use std::time::Instant;

/// Bytes held at most; also the size of one read, in a file that has so many.
pub(super) const BUFFER: usize = 1024 * 1024;
/// Bytes held at first: most files are small.
const FIRST: usize = 64 * 1024;

/// A buffered reader that can peek, skip, and tell where it is. Scanners pull what they want;
/// whoever made the stream drains the rest.
pub struct Stream<'a> {
    inner: &'a mut dyn Read,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    finished: bool,
    deadline: Option<Instant>,
}

impl<'a> Stream<'a> {
    /// Wraps a reader.
    pub fn new(inner: &'a mut dyn Read) -> Self {
        let (start, end, offset, finished) = (0, 0, 0, false);
        Self { inner, buffer: vec![0; FIRST], start, end, offset, finished, deadline: None }
    }

    /// Fills its buffer no longer than until then: a `TimedOut` error afterwards.
    pub(super) fn until(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Bytes taken so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Up to `count` bytes (at most [`BUFFER`]) without taking them; fewer only at the end.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        self.fill(count.min(BUFFER))?;
        let available = (self.end - self.start).min(count);
        Ok(&self.buffer[self.start..self.start + available])
    }

    /// The next byte, taken; `None` at the end.
    #[inline]
    pub fn byte(&mut self) -> io::Result<Option<u8>> {
        self.fill(1)?;
        if self.start == self.end {
            return Ok(None);
        }
        let byte = self.buffer[self.start];
        self.advance(1);
        Ok(Some(byte))
    }

    /// Fills `target`; an `UnexpectedEof` error when the file ends before.
    pub fn read_exact(&mut self, target: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while filled < target.len() {
            let got = self.chunk()?;
            if got.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let count = got.len().min(target.len() - filled);
            target[filled..filled + count].copy_from_slice(&got[..count]);
            self.advance(count);
            filled += count;
        }
        Ok(())
    }

    /// The next `count` bytes as a vector; the caller has bounded `count`.
    pub fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Takes `count` bytes without looking; how many there were.
    pub fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let got = self.chunk()?.len();
            if got == 0 {
                break;
            }
            let taken = got.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.advance(taken);
            left -= taken as u64;
        }
        Ok(count - left)
    }

    /// Takes everything that is left; how many bytes.
    pub fn drain(&mut self) -> io::Result<u64> {
        self.skip(u64::MAX)
    }

    /// What is in the buffer, at least one byte unless the file has ended.
    pub fn chunk(&mut self) -> io::Result<&[u8]> {
        self.fill(1)?;
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes `count` bytes of what [`Self::chunk`] or [`Self::peek`] showed.
    pub fn advance(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.end - self.start >= wanted || self.finished {
            return Ok(());
        }
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(ErrorKind::TimedOut.into());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < wanted {
            if self.buffer.len() < BUFFER && self.offset + self.end as u64 >= FIRST as u64 {
                self.buffer.resize(BUFFER, 0);
            }
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.finished = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let got = self.chunk()?;
        let count = got.len().min(target.len());
        target[..count].copy_from_slice(&got[..count]);
        self.advance(count);
        Ok(count)
    }
}

impl BufRead for Stream<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.chunk()
    }

    fn consume(&mut self, count: usize) {
        self.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives bytes in small pieces and counts them.
    struct Dribble<'a>(&'a [u8], usize, usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(target.len());
            target[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            self.2 += count;
            Ok(count)
        }
    }

    proptest! {
        #[test]
        fn every_byte_passes_once_and_in_order(data in prop::collection::vec(any::<u8>(), 0..3000), piece in 1usize..700, steps in prop::collection::vec((0u8..4, 0usize..900), 0..20)) {
            let mut inner = Dribble(&data, piece, 0);
            let mut seen = Vec::new();
            {
                let mut stream = Stream::new(&mut inner);
                for (kind, count) in steps {
                    let at = usize::try_from(stream.offset()).expect("small");
                    match kind {
                        0 => prop_assert_eq!(stream.peek(count).expect("reads"), &data[at..(at + count).min(data.len())]),
                        1 => {
                            let skipped = usize::try_from(stream.skip(count as u64).expect("reads")).expect("small");
                            seen.extend_from_slice(&data[at..at + skipped]);
                        }
                        2 => seen.extend(stream.byte().expect("reads")),
                        _ => {
                            let mut target = vec![0; count];
                            let got = stream.read(&mut target).expect("reads");
                            seen.extend_from_slice(&target[..got]);
                        }
                    }
                }
                stream.read_to_end(&mut seen).expect("reads");
            }
            prop_assert_eq!(inner.2, data.len());
            prop_assert_eq!(seen, data);
        }
    }
}
