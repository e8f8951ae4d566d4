//! Where a finding stands.

use serde::Serialize;

use crate::source::Position;

/// A place: nothing (the release as a whole), a file, a line in it, or a member or byte in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// Path relative to the workspace, `/` separated; `None` for the release as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in characters, from 1; only with a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Member inside an archive, as named there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Byte offset in the file, or in the member where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl Location {
    /// The release as a whole.
    pub fn release() -> Self {
        Self::default()
    }

    /// A whole file.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// A position in a text file.
    pub fn at(path: impl Into<String>, position: Position) -> Self {
        Self { line: Some(position.line), column: Some(position.column), ..Self::file(path) }
    }

    /// A line in a text file; 0 is no line.
    pub fn line(path: impl Into<String>, line: u32) -> Self {
        Self { line: (line > 0).then_some(line), ..Self::file(path) }
    }

    /// Names the member of the archive that the file is.
    #[must_use]
    pub fn member(mut self, member: impl Into<String>) -> Self {
        self.member = Some(member.into());
        self
    }

    /// Names the byte.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }
}

/// `path:line:column`, `path (member, byte 12)`, or `the release`.
impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(path) = &self.path else { return f.write_str("the release") };
        f.write_str(path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        match (&self.member, self.offset) {
            (Some(member), Some(offset)) => write!(f, " ({member}, byte {offset})"),
            (Some(member), None) => write!(f, " ({member})"),
            (None, Some(offset)) => write!(f, " (byte {offset})"),
            (None, None) => Ok(()),
        }
    }
}
