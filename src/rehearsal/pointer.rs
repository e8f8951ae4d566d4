//! The text that stands in git for a large file
//! (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).

use std::fmt;

use crate::digest::Digest;

/// The most bytes a pointer may have, by the specification.
pub(super) const POINTER_MAX: usize = 1024;
const VERSION: &str = "version https://git-lfs.github.com/spec/v1";

/// What a pointer tells of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    /// SHA-256 of the bytes.
    pub(super) oid: Digest,
    /// Size in bytes.
    pub(super) size: u64,
}

impl Pointer {
    /// Reads a pointer; `None` for any other text.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > POINTER_MAX {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        if lines.next()? != VERSION {
            return None;
        }
        let (mut oid, mut size) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) => oid = value.strip_prefix("sha256:")?.parse().ok(),
                ("size", value) => size = value.parse().ok(),
                _ => {}
            }
        }
        Some(Self { oid: oid?, size: size? })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}\noid sha256:{}\nsize {}\n", self.oid, self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let pointer = Pointer { oid: Digest::of(b"x"), size: 1 };
        let text = pointer.to_string();
        assert_eq!(Pointer::parse(text.as_bytes()), Some(pointer));
        assert_eq!(Pointer::parse(b""), None);
        assert_eq!(Pointer::parse(text.replace("size 1", "size -1").as_bytes()), None);
        assert_eq!(Pointer::parse(format!("{text}{}", "x y\n".repeat(400)).as_bytes()), None);
    }
}
