//! The data folder: repositories with their settings, and a place for unfinished work.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Refusal};
use super::git::{Git, clear_locks};
use super::options::HubError;
use crate::hub::{RepoId, Shelf};

/// The shelves, each a folder of its own.
const SHELVES: [Shelf; 2] = [Shelf::Models, Shelf::Datasets];

/// What git does not know of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) private: bool,
    /// `false`, `"auto"` or `"manual"`, as the Hub has it.
    pub(super) gated: Value,
    pub(super) discussions_disabled: bool,
    pub(super) created_at: Timestamp,
}

/// The data folder of a running Hub; it holds the folder's lock as long as it lives.
pub(super) struct Store {
    root: PathBuf,
    /// One writer at a time moves refs, and makes, moves or deletes repositories.
    writing: Mutex<()>,
    _lock: File,
}

impl Store {
    pub(super) fn open(root: &Path) -> Result<Self, HubError> {
        let failed = |source| HubError::Data { data: root.to_owned(), source };
        fs::create_dir_all(root).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(root.join("hub.lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(HubError::InUse { data: root.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let store = Self { root: root.to_owned(), writing: Mutex::new(()), _lock: lock };
        store.prepare().map_err(failed)?;
        Ok(store)
    }

    /// Clears what a killed run left unfinished.
    fn prepare(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.tmp()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(self.tmp())?;
        for shelf in SHELVES {
            let folder = self.root.join(shelf.as_str());
            fs::create_dir_all(&folder)?;
            clear_locks(&folder);
        }
        Ok(())
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where unfinished work stands: on the same file system, so that it can be renamed.
    pub(super) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Waits for the turn to write.
    pub(super) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn namespace(&self, repo: &RepoId) -> PathBuf {
        self.root.join(repo.shelf().as_str()).join(repo.namespace())
    }

    fn folder(&self, repo: &RepoId) -> PathBuf {
        self.namespace(repo).join(repo.name())
    }

    pub(super) fn git_folder(&self, repo: &RepoId) -> PathBuf {
        self.folder(repo).join("git")
    }

    pub(super) fn git(&self, repo: &RepoId) -> Answer<Git> {
        Git::open(&self.git_folder(repo))
    }

    /// The settings; `None` where there is no such repository.
    pub(super) fn settings(&self, repo: &RepoId) -> Answer<Option<Settings>> {
        match fs::read(self.folder(repo).join("settings.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error).into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the settings of a repository that is there.
    pub(super) fn set_settings(&self, repo: &RepoId, settings: &Settings) -> Answer<()> {
        let _turn = self.writing();
        let mut file = tempfile::NamedTempFile::new_in(self.tmp())?;
        file.write_all(&as_json(settings)?)?;
        file.persist(self.folder(repo).join("settings.json")).map_err(|error| error.error)?;
        Ok(())
    }

    /// Makes a repository; `false` if there is one already.
    pub(super) fn create(&self, repo: &RepoId, settings: &Settings, user: &str) -> Answer<bool> {
        let unfinished = tempfile::tempdir_in(self.tmp())?;
        Git::create(&unfinished.path().join("git"), user)?;
        fs::write(unfinished.path().join("settings.json"), as_json(settings)?)?;
        let _turn = self.writing();
        let folder = self.folder(repo);
        if folder.exists() {
            return Ok(false);
        }
        fs::create_dir_all(self.namespace(repo))?;
        fs::rename(unfinished.keep(), folder)?;
        Ok(true)
    }

    /// Deletes a repository; its large files stay, as other repositories may share them.
    pub(super) fn delete(&self, repo: &RepoId) -> Answer<()> {
        let grave = tempfile::tempdir_in(self.tmp())?;
        let _turn = self.writing();
        fs::rename(self.folder(repo), grave.path().join("repo"))?;
        Ok(())
    }

    /// Gives a repository another id.
    pub(super) fn rename(&self, from: &RepoId, to: &RepoId) -> Answer<()> {
        let _turn = self.writing();
        if self.folder(to).exists() {
            return Err(Refusal::conflict(format!("{to} exists already")));
        }
        fs::create_dir_all(self.namespace(to))?;
        fs::rename(self.folder(from), self.folder(to))?;
        Ok(())
    }

    /// Every repository, by id.
    pub(super) fn list(&self) -> Answer<Vec<RepoId>> {
        let mut repos = Vec::new();
        for shelf in SHELVES {
            let folder = self.root.join(shelf.as_str());
            for namespace in names(&folder)? {
                for name in names(&folder.join(&namespace))? {
                    repos.extend(RepoId::new(&namespace, &name).map(|repo| repo.on(shelf)));
                }
            }
        }
        repos.sort();
        Ok(repos)
    }
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

fn as_json(settings: &Settings) -> io::Result<Vec<u8>> {
    serde_json::to_vec_pretty(settings).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            private: true,
            gated: Value::Bool(false),
            discussions_disabled: false,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn repositories_come_move_and_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let [one, two] = ["acme/one", "beta/two"].map(|id| id.parse::<RepoId>().expect(id));
        assert!(store.create(&one, &settings(), "ann").expect("creates"));
        assert!(!store.create(&one, &settings(), "ann").expect("is told"));
        store.rename(&one, &two).expect("moves");
        assert_eq!(store.list().expect("lists"), std::slice::from_ref(&two));
        assert!(store.settings(&one).expect("reads").is_none());
        assert!(store.settings(&two).expect("reads").expect("there").private);
        store.delete(&two).expect("deletes");
        assert_eq!(store.list().expect("lists"), []);
    }

    #[test]
    fn one_hub_per_folder_and_unfinished_work_is_cleared() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        fs::write(store.tmp().join("half"), "x").expect("writes");
        assert!(matches!(Store::open(folder.path()), Err(HubError::InUse { .. })));
        drop(store);
        let again = Store::open(folder.path()).expect("opens");
        assert!(!again.tmp().join("half").exists());
    }
}
