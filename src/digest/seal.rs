//! Seals: a tag for every block of a file, taken while it is weighed, by which each block is known
//! again when it is sent.
//!
//! A second SHA-256 of every byte would tell the same, at the end of the file and for most of what
//! sending costs. The tags are HighwayHash under a key made for the one file, which never leaves
//! the memory of this run: whoever changes the file cannot know what would match.

use std::fmt;
use std::io;

use highway::{HighwayHash as _, HighwayHasher, Key};

/// Bytes of a block. Larger ones cost memory where many are sent at once, smaller ones where a file
/// is very large: a terabyte has 16 MB of tags.
pub const BLOCK: u64 = 512 * 1024;

/// The tags of one file's blocks. Those of a file that was not sealed match nothing.
#[derive(Clone, Default)]
pub struct Seals {
    key: [u64; 4],
    tags: Vec<u64>,
}

impl Seals {
    /// The seals of bytes already in memory.
    pub fn of(bytes: &[u8]) -> io::Result<Self> {
        let mut sealer = Sealer::new()?;
        sealer.update(bytes);
        Ok(sealer.finish())
    }

    /// Whether the block number `index`, from 0, is what was sealed.
    pub fn hold(&self, index: u64, block: &[u8]) -> bool {
        let tag = usize::try_from(index).ok().and_then(|index| self.tags.get(index));
        tag.is_some_and(|tag| *tag == HighwayHasher::new(Key(self.key)).hash64(block))
    }
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seals({} blocks)", self.tags.len())
    }
}

/// Takes seals of what passes.
pub struct Sealer {
    seals: Seals,
    block: HighwayHasher,
    filled: u64,
}

impl Sealer {
    /// With a key of its own.
    pub fn new() -> io::Result<Self> {
        let mut key = [0; 4];
        for word in &mut key {
            *word = getrandom::u64().map_err(io::Error::other)?;
        }
        let seals = Seals { key, tags: Vec::new() };
        Ok(Self { seals, block: HighwayHasher::new(Key(key)), filled: 0 })
    }

    /// Adds bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(BLOCK - self.filled).unwrap_or(usize::MAX);
            let (now, rest) = bytes.split_at(bytes.len().min(room));
            self.block.append(now);
            self.filled += now.len() as u64;
            if self.filled == BLOCK {
                self.end_block();
            }
            bytes = rest;
        }
    }

    fn end_block(&mut self) {
        let next = HighwayHasher::new(Key(self.seals.key));
        let block = std::mem::replace(&mut self.block, next);
        self.seals.tags.push(block.finalize64());
        self.filled = 0;
    }

    /// The seals of everything added.
    pub fn finish(mut self) -> Seals {
        if self.filled > 0 {
            self.end_block();
        }
        self.seals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_known_by_its_bytes_and_its_place() {
        let block = usize::try_from(BLOCK).expect("small");
        let bytes: Vec<u8> = (0..=250).cycle().take(2 * block + 5).collect();
        let seals = Seals::of(&bytes).expect("a key");
        // However it comes, it is the same file.
        let mut sealer = Sealer {
            seals: Seals { key: seals.key, tags: Vec::new() },
            block: HighwayHasher::new(Key(seals.key)),
            filled: 0,
        };
        bytes.chunks(1000).for_each(|piece| sealer.update(piece));
        assert_eq!(sealer.finish().tags, seals.tags);

        let blocks: Vec<&[u8]> = bytes.chunks(block).collect();
        for (index, block) in (0..).zip(&blocks) {
            assert!(seals.hold(index, block));
            assert!(!seals.hold(index + 1, block), "another place");
            let mut other = block.to_vec();
            other[block.len() / 2] ^= 1;
            assert!(!seals.hold(index, &other), "another bit");
            assert!(!seals.hold(index, &block[1..]), "a byte less");
        }
        assert!(!Seals::default().hold(0, blocks[0]), "never sealed");
        let again = Seals::of(&bytes).expect("a key");
        assert_ne!(again.tags, seals.tags, "every file has its own key");
        assert_eq!(format!("{seals:?}"), "Seals(3 blocks)", "no key is ever printed");
    }
}
