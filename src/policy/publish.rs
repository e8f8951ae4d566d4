//! How a version is published.

use super::Pattern;

/// How a model is published.
#[derive(Debug, Clone)]
pub struct Publish {
    /// Files on the Hub that this version does not have stay there (matching one of these), instead of being deleted in the same commit.
    pub keep: Vec<Pattern>,
    /// Where the Hub would count no downloads, a small `config.json` is added by which it does.
    pub query_file: bool,
    /// What one commit may hold.
    pub largest_commit: CommitSize,
    /// How large files go to the Hub.
    pub transfer: Transfer,
}

impl Default for Publish {
    fn default() -> Self {
        Self {
            keep: Vec::new(),
            query_file: true,
            largest_commit: CommitSize::default(),
            transfer: Transfer::Auto,
        }
    }
}

/// What one commit may hold: the Hub ends a request after 60 seconds (hub-docs, "Repository limitations
/// and recommendations"); 20,000 files took it two minutes (huggingface/datasets#7605), and its own client
/// sends 100 MB at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitSize {
    /// Files that are added, changed or deleted.
    pub files: usize,
    /// Bytes of the files that go with the commit itself.
    pub bytes: u64,
}

impl Default for CommitSize {
    fn default() -> Self {
        Self { files: 12_000, bytes: 100_000_000 }
    }
}

/// How large files go to the Hub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transfer {
    /// Each as it goes fastest.
    #[default]
    Auto,
    /// By Xet, where the Hub has it.
    Xet,
    /// By LFS.
    Lfs,
}
