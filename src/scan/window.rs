//! Looking something up in a file whose bytes lie somewhere as they are: a directory at the end, a
//! header anywhere. Bulk data is never read this way.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

/// Something that can be read at any place, and that many may read at once.
pub trait ReadAt: Sync {
    /// Reads at `offset`; fewer bytes than asked for only at the end.
    fn read_at(&self, offset: u64, target: &mut [u8]) -> io::Result<usize>;
}

impl ReadAt for std::fs::File {
    fn read_at(&self, offset: u64, target: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < target.len() {
            let at = offset + filled as u64;
            #[cfg(unix)]
            let got = std::os::unix::fs::FileExt::read_at(self, &mut target[filled..], at);
            #[cfg(windows)]
            let got = std::os::windows::fs::FileExt::seek_read(self, &mut target[filled..], at);
            match got {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

impl ReadAt for &[u8] {
    fn read_at(&self, offset: u64, target: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(target.len());
        target[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// A part of something readable: a file, or a member that is stored in it as it is.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    length: u64,
}

impl fmt::Debug for Window<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}..{}", self.start, self.start + self.length)
    }
}

impl<'a> Window<'a> {
    /// The whole of a source.
    pub fn new(source: &'a dyn ReadAt, length: u64) -> Self {
        Self { source, start: 0, length }
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// A part of it, cut at its end.
    #[must_use]
    pub fn part(&self, start: u64, length: u64) -> Self {
        let start = start.min(self.length);
        Self {
            source: self.source,
            start: self.start + start,
            length: length.min(self.length - start),
        }
    }

    /// Up to `count` bytes at `offset`; fewer only at the end.
    pub fn read(&self, offset: u64, count: usize) -> io::Result<Vec<u8>> {
        let left = self.length.saturating_sub(offset);
        let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut bytes = vec![0; count];
        let got = self.source.read_at(self.start + offset.min(self.length), &mut bytes)?;
        bytes.truncate(got);
        Ok(bytes)
    }
}

/// A window as a seekable reader.
pub(super) struct WindowReader<'a> {
    window: Window<'a>,
    at: u64,
}

impl<'a> WindowReader<'a> {
    /// From its beginning.
    pub(super) fn new(window: Window<'a>) -> Self {
        Self { window, at: 0 }
    }
}

impl Read for WindowReader<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let bytes = self.window.read(self.at, target.len().min(1 << 20))?;
        target[..bytes.len()].copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for WindowReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.window.length().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_in_their_bounds() {
        let bytes: &[u8] = b"0123456789";
        let whole = Window::new(&bytes, 10);
        assert_eq!(whole.read(8, 9).expect("memory"), b"89");
        let part = whole.part(2, 5);
        assert_eq!(part.length(), 5);
        assert_eq!(part.read(0, 100).expect("memory"), b"23456");
        assert_eq!(part.part(4, 100).read(0, 100).expect("memory"), b"6");
        assert_eq!(part.read(99, 1).expect("memory"), b"");
    }
}
