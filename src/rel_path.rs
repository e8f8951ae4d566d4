//! A path inside the published folder, in the form the Hub stores it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

/// Relative, `/` separated, UTF-8, with no empty, `.`, `..` or `.git` segment and no control
/// character: it can neither leave its folder nor forge a line of output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RelPath(String);

/// Why a name cannot be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Not valid UTF-8.
    #[error("the name is not valid UTF-8")]
    NotUtf8,
    /// Newlines, escapes, bidirectional overrides and their like.
    #[error("the name holds the control character U+{0:04X}")]
    Control(u32),
    /// Empty, absolute, or with a `.`, `..`, `.git` or `.cache` segment.
    #[error("the name has the segment `{0}`, which cannot be published")]
    Segment(String),
    /// Longer than the Hub takes (1,000 characters a path) or a segment over 255 bytes.
    #[error("the name is too long ({0} characters; the Hub takes 1,000)")]
    TooLong(usize),
}

impl RelPath {
    /// Checks a `/` separated text.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if let Some(bad) = text.chars().find(|c| c.is_control() || is_invisible(*c)) {
            return Err(BadPath::Control(bad as u32));
        }
        for segment in text.split('/') {
            if matches!(segment, "" | "." | ".." | ".git") || segment.contains('\\') {
                return Err(BadPath::Segment(segment.to_owned()));
            }
        }
        if text.split('/').next() == Some(".cache") {
            return Err(BadPath::Segment(".cache".to_owned()));
        }
        match text.chars().count() {
            length @ 1001.. => Err(BadPath::TooLong(length)),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// Checks a path already relative to its root, as a walk yields it.
    pub fn from_path(path: &Path) -> Result<Self, BadPath> {
        let mut segments = Vec::new();
        for part in path.components() {
            segments.push(part.as_os_str().to_str().ok_or(BadPath::NotUtf8)?);
        }
        Self::parse(&segments.join("/"))
    }

    /// The `/` separated text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Where this path stands under `root`.
    pub fn under(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }
}

/// Format characters that reorder or hide text (Unicode bidirectional controls, zero widths,
/// line separators, byte-order mark).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_leaves_or_forges() {
        for bad in
            ["", "/a", "a//b", "../a", "a/..", "a/./b", ".git/config", "a\nb", "a\u{202E}b", "a\\b"]
        {
            assert!(RelPath::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "a/b.bin", ".gitattributes", "::error::x", "%0A", "наука/é"] {
            assert_eq!(RelPath::parse(good).expect(good).as_str(), good);
        }
    }
}
