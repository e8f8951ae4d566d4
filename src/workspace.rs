//! Files of the workspace that are read for what they say: inside of it, regular, never git's own.

use std::fs::File;
use std::path::{Component, Path, PathBuf};

/// Why a file is not opened.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Nothing there.
    #[error("no such file")]
    Missing,
    /// A folder, a pipe, a device.
    #[error("not a regular file")]
    NotAFile,
    /// Through `..` or a link.
    #[error("the path leads outside the workspace")]
    Outside,
    /// Settings of a checkout, with the token that CI systems leave there.
    #[error("the path leads into .git")]
    GitsOwn,
    /// The system's own reason.
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }
}

/// The workspace around a folder that people see as `shown`: both as the system names them.
pub fn around(folder: &Path, shown: &str) -> (PathBuf, PathBuf) {
    let shown = normalise(shown);
    let depth = shown.split('/').filter(|part| !part.is_empty() && *part != "..").count();
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let workspace = folder.ancestors().nth(depth).unwrap_or(&folder).to_owned();
    (folder, workspace)
}

/// Opens a regular file that lies in one of the folders, wherever links lead.
///
/// # Errors
///
/// It is none, or not there.
pub fn open(path: &Path, within: &[&Path]) -> Result<File, Refused> {
    let on_disk = path.canonicalize()?;
    let inside = within.iter().find_map(|folder| on_disk.strip_prefix(folder).ok());
    let inside = inside.ok_or(Refused::Outside)?;
    if inside.components().any(|part| part.as_os_str() == ".git") {
        return Err(Refused::GitsOwn);
    }
    // Asked before it is opened: opening a pipe would wait for its writer.
    if !on_disk.metadata()?.is_file() {
        return Err(Refused::NotAFile);
    }
    Ok(File::open(&on_disk)?)
}

/// Takes `.` and resolvable `..` out of a `/` separated path.
pub fn normalise(path: &str) -> String {
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
