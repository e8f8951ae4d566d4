//! Evidence files on disk: found inside the workspace, regular, of bounded size, read once.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use crate::digest::Digest;
use crate::rel_path::RelPath;

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
    /// Nothing there.
    #[error("no such file")]
    Missing,
    /// A folder, a pipe, a device.
    #[error("not a regular file")]
    NotAFile,
    /// Through `..` or a link.
    #[error("the path leads outside the workspace")]
    Outside,
    /// Larger than [`MAX_BYTES`].
    #[error("larger than the 64 MiB that are read of an evidence file")]
    TooLarge,
    /// Binary, or in another encoding.
    #[error("not UTF-8 text (byte {0}); write it with encoding utf-8")]
    NotUtf8(usize),
    /// The system's own reason.
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
}

impl Base {
    /// `shown` is `folder` relative to the workspace, `/` separated; empty or `.` for itself.
    pub fn new(folder: &Path, shown: &str) -> Self {
        let shown = normalise(shown);
        let depth = shown.split('/').filter(|part| !part.is_empty() && *part != "..").count();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let workspace = folder.ancestors().nth(depth).unwrap_or(&folder).to_owned();
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
        let on_disk = self.folder.join(relative).canonicalize().map_err(FileError::of)?;
        if !on_disk.starts_with(&self.workspace) {
            return Err(FileError::Outside);
        }
        // Asked before it is opened: opening a pipe would wait for its writer.
        if !on_disk.metadata().map_err(FileError::of)?.is_file() {
            return Err(FileError::NotAFile);
        }
        let file = File::open(&on_disk).map_err(FileError::of)?;
        let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(FileError::of)?;
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

impl FileError {
    fn of(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }
}

/// Takes `.` and resolvable `..` out of a `/` separated path.
pub(super) fn normalise(path: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            Component::ParentDir => parts.push("..".into()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
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
        assert!(matches!(base.read("link.json"), Err(FileError::Outside)));
        assert!(matches!(base.read("../.."), Err(FileError::Outside)));
        assert!(matches!(base.read("."), Err(FileError::NotAFile)));
        assert!(matches!(base.read("none"), Err(FileError::Missing)));
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
