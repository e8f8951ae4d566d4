//! Evidence files on disk: found inside the workspace, regular, of bounded size, read once.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::digest::Digest;
use crate::rel_path::RelPath;
pub(super) use crate::workspace::normalise;
use crate::workspace::{self, Refused};

/// Largest evidence file that is read.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The folder that evidence paths are relative to, and the workspace around it.
#[derive(Debug, Clone)]
pub struct Base {
    /// The folder of the policy file.
    pub folder: PathBuf,
    /// That folder as people see it, relative to the workspace; empty when it is the workspace.
    shown: String,
    /// The workspace: evidence outside of it is refused.
    workspace: PathBuf,
}

/// One evidence file in memory.
#[derive(Debug, Clone)]
pub struct EvidenceFile {
    /// Path relative to the workspace.
    pub shown: String,
    /// As it is on disk.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// When it was last written.
    pub modified: Option<SystemTime>,
}

/// Why a file is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Not there, not in the workspace, or no regular file.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Larger than [`MAX_BYTES`].
    #[error("larger than the 64 MiB that are read of an evidence file")]
    TooLarge,
    /// Binary, or in another encoding.
    #[error("not UTF-8 text (byte {0}); write it with encoding utf-8")]
    NotUtf8(usize),
}

impl Base {
    /// `shown` is `folder` relative to the workspace, `/` separated; empty or `.` for itself.
    pub fn new(folder: &Path, shown: &str) -> Self {
        let (folder, workspace) = workspace::around(folder, shown);
        let shown = normalise(shown);
        Self { folder, shown, workspace }
    }

    /// A path relative to the base as people see it: relative to the workspace.
    pub fn shown(&self, relative: &str) -> String {
        normalise(&format!("{}/{relative}", self.shown))
    }

    /// A path that a report names for one of its sources, as people see it: tried against the base,
    /// then against the workspace. `None` when it could not be a file of this repository.
    pub fn source(&self, named: &str) -> Option<String> {
        let unix = named.replace('\\', "/");
        let path = Path::new(&unix);
        let relative = path
            .strip_prefix(&self.folder)
            .map(|inside| self.shown(&inside.to_string_lossy()))
            .or_else(|_| path.strip_prefix(&self.workspace).map(|p| p.to_string_lossy().into()));
        if let Ok(shown) = relative {
            return RelPath::parse(&shown).ok().map(|path| path.to_string());
        }
        let relative = RelPath::parse(unix.strip_prefix("./").unwrap_or(&unix)).ok()?;
        let from_workspace =
            !relative.under(&self.folder).exists() && relative.under(&self.workspace).is_file();
        Some(if from_workspace { relative.to_string() } else { self.shown(relative.as_str()) })
    }

    /// Whether a regular file of the workspace stands at a path relative to the base.
    pub fn holds(&self, relative: &str) -> bool {
        RelPath::parse(relative).is_ok_and(|path| path.under(&self.folder).is_file())
    }

    /// Reads a file named relative to the base.
    pub fn read(&self, relative: &str) -> Result<EvidenceFile, FileError> {
        let file = workspace::open(&self.folder.join(relative), &[&self.workspace])?;
        let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(FileError::TooLarge);
        }
        let sha256 = Digest::of(&bytes);
        Ok(EvidenceFile { shown: self.shown(relative), bytes, sha256, modified })
    }
}

impl EvidenceFile {
    /// The whole text.
    ///
    /// # Errors
    ///
    /// It is none, or in another encoding than UTF-8.
    pub fn text(&self) -> Result<&str, FileError> {
        str::from_utf8(&self.bytes).map_err(|error| FileError::NotUtf8(error.valid_up_to()))
    }
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn paths_are_shown_from_the_workspace() {
        let workspace = tempfile::tempdir().expect("a folder");
        let folder = workspace.path().join("models/churn");
        std::fs::create_dir_all(folder.join("tests")).expect("writable");
        std::fs::write(folder.join("tests/a.py"), "").expect("writable");
        std::fs::write(workspace.path().join("top.py"), "").expect("writable");
        let base = Base::new(&folder, "models/churn");
        assert_eq!(base.shown("./reports/../m.json"), "models/churn/m.json");
        assert_eq!(base.source("tests/a.py").as_deref(), Some("models/churn/tests/a.py"));
        assert_eq!(base.source("top.py").as_deref(), Some("top.py"));
        let absolute = base.folder.join("tests/a.py");
        let absolute = absolute.to_str().expect("UTF-8");
        assert_eq!(base.source(absolute).as_deref(), Some("models/churn/tests/a.py"));
        for bad in ["/usr/lib/python3/x.py", "../../x.py", "a\n::error::x", ""] {
            assert_eq!(base.source(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_files_of_the_workspace_are_read() {
        let workspace = tempfile::tempdir().expect("a folder");
        let outside = tempfile::NamedTempFile::new().expect("a file");
        let folder = workspace.path().join("m");
        std::fs::create_dir(&folder).expect("writable");
        std::fs::write(workspace.path().join("up.json"), "{}").expect("writable");
        std::fs::write(folder.join("latin1.json"), b"{\"a\xE9\"}").expect("writable");
        std::os::unix::fs::symlink(outside.path(), folder.join("link.json")).expect("writable");
        let base = Base::new(&folder, "m");
        assert_eq!(base.read("../up.json").expect("inside the workspace").shown, "up.json");
        assert!(matches!(base.read("link.json"), Err(FileError::Refused(Refused::Outside))));
        assert!(matches!(base.read("../.."), Err(FileError::Refused(Refused::Outside))));
        assert!(matches!(base.read("."), Err(FileError::Refused(Refused::NotAFile))));
        assert!(matches!(base.read("none"), Err(FileError::Refused(Refused::Missing))));
        std::fs::create_dir(folder.join(".git")).expect("writable");
        std::fs::write(folder.join(".git/config"), "token").expect("writable");
        assert!(matches!(base.read(".git/config"), Err(FileError::Refused(Refused::GitsOwn))));
        let latin = base.read("latin1.json").expect("bytes");
        assert!(matches!(latin.text(), Err(FileError::NotUtf8(3))));
    }

    #[test]
    fn a_sparse_giant_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::create(folder.path().join("big")).expect("writable");
        file.set_len(MAX_BYTES + 1).expect("sparse");
        assert!(matches!(Base::new(folder.path(), "").read("big"), Err(FileError::TooLarge)));
    }
}
