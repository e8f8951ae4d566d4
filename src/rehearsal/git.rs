//! One repository's history, as a real bare git repository.

use std::fs;
use std::path::Path;

use git2::{
    BranchType, Commit, Index, IndexEntry, IndexTime, ObjectType, Oid, Repository, Signature, Tree,
};

use super::answer::{Answer, Refusal};
use super::attributes::{Attributes, DEFAULT_GITATTRIBUTES, GITATTRIBUTES};
use super::pointer::{POINTER_MAX, Pointer};
use crate::rel_path::RelPath;

/// The branch that every repository has.
pub(super) const MAIN: &str = "main";
/// A regular, non-executable file in git's tree.
const FILE_MODE: u32 = 0o100_644;

/// A bare repository, opened for one piece of work.
pub(super) struct Git(Repository);

/// A file or folder of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: String,
    /// Git's id of the blob or tree.
    pub(super) oid: Oid,
    pub(super) kind: EntryKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryKind {
    Folder,
    /// A file whose bytes are in git; its size in bytes.
    Regular(u64),
    /// A file whose bytes are in LFS or Xet storage.
    Large(Pointer, u64),
}

/// One change of a commit, in the order sent.
#[derive(Debug)]
pub(super) enum Change {
    /// Put this blob, already written, at the path.
    Put(RelPath, Oid),
    /// Put a pointer to a large file at the path.
    PutLarge(RelPath, Pointer),
    DeleteFile(RelPath),
    DeleteFolder(RelPath),
}

/// Who commits, and with what words.
pub(super) struct Message<'a> {
    pub(super) user: &'a str,
    pub(super) text: &'a str,
}

impl Git {
    /// Makes a bare repository at `path` with the commit the Hub starts every repository with.
    pub(super) fn create(path: &Path, user: &str) -> Answer<Self> {
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).no_reinit(true).initial_head(MAIN).external_template(false);
        let git = Self(Repository::init_opts(path, &options)?);
        let blob = git.0.blob(DEFAULT_GITATTRIBUTES.as_bytes())?;
        let mut index = Index::new()?;
        index.add(&file_entry(GITATTRIBUTES, blob))?;
        let message = Message { user, text: "initial commit" };
        let commit = git.write_commit(index.write_tree_to(&git.0)?, None, &message)?;
        git.0.reference("refs/heads/main", commit, false, "create")?;
        Ok(git)
    }

    pub(super) fn open(path: &Path) -> Answer<Self> {
        Ok(Self(Repository::open_bare(path)?))
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.0
    }

    /// The commit a client means: a branch, a tag, a full ref name or a commit id.
    pub(super) fn resolve(&self, revision: &str) -> Answer<Commit<'_>> {
        let not_found = || Refusal::revision_not_found(revision);
        if let Ok(oid) = Oid::from_str(revision)
            && revision.len() == 40
        {
            return self.0.find_commit(oid).map_err(|_| not_found());
        }
        let revision = if revision == "HEAD" { MAIN } else { revision };
        let names = [
            format!("refs/heads/{revision}"),
            format!("refs/tags/{revision}"),
            revision.to_owned(),
        ];
        let known = |name: &&String| {
            ["refs/heads/", "refs/tags/", "refs/pr/"].iter().any(|start| name.starts_with(start))
                && git2::Reference::is_valid_name(name)
        };
        names
            .iter()
            .filter(known)
            .find_map(|name| self.0.find_reference(name).ok()?.peel_to_commit().ok())
            .ok_or_else(not_found)
    }

    /// The full name of the ref that a commit to `revision` moves.
    pub(super) fn writable_ref(&self, revision: &str) -> Answer<String> {
        if revision.starts_with("refs/pr/") && self.0.find_reference(revision).is_ok() {
            return Ok(revision.to_owned());
        }
        match self.0.find_branch(revision, BranchType::Local) {
            Ok(_) => Ok(format!("refs/heads/{revision}")),
            Err(_) => Err(Refusal::revision_not_found(revision)),
        }
    }

    /// Writes a blob; nothing sees it before a commit names it.
    pub(super) fn write_blob(&self, bytes: &[u8]) -> Answer<Oid> {
        Ok(self.0.blob(bytes)?)
    }

    /// The bytes of a blob.
    pub(super) fn read_blob(&self, oid: Oid) -> Answer<Vec<u8>> {
        Ok(self.0.find_blob(oid)?.content().to_vec())
    }

    /// The bytes of a small text file of a commit, if it is there.
    pub(super) fn read_text(&self, commit: &Commit<'_>, path: &str) -> Option<String> {
        let tree = commit.tree().ok()?;
        let entry = tree.get_path(Path::new(path)).ok()?;
        let blob = self.0.find_blob(entry.id()).ok()?;
        String::from_utf8(blob.content().to_vec()).ok()
    }

    /// Applies the changes to the tree of `parent`, in order, and commits the result. Moves no
    /// ref: what a client sees does not change before [`Git::move_ref`].
    pub(super) fn commit(
        &self,
        parent: &Commit<'_>,
        changes: &[Change],
        message: &Message<'_>,
    ) -> Answer<Oid> {
        let mut index = Index::new()?;
        index.read_tree(&parent.tree()?)?;
        let mut large = Vec::new();
        for change in changes {
            match change {
                Change::Put(path, blob) => index.add(&file_entry(path.as_str(), *blob))?,
                Change::PutLarge(path, pointer) => {
                    let blob = self.0.blob(pointer.to_string().as_bytes())?;
                    index.add(&file_entry(path.as_str(), blob))?;
                    large.push(path);
                }
                Change::DeleteFile(path) => {
                    let path = Path::new(path.as_str());
                    if index.get_path(path, 0).is_none() {
                        return Err(Refusal::entry_not_found(&path.to_string_lossy()));
                    }
                    index.remove_path(path)?;
                }
                Change::DeleteFolder(path) => index.remove_dir(Path::new(path.as_str()), 0)?,
            }
        }
        self.track_large(&mut index, &large)?;
        self.write_commit(index.write_tree_to(&self.0)?, Some(parent), message)
    }

    /// Commits the files of `head` with nothing before them. Moves no ref.
    pub(super) fn squash(&self, head: &Commit<'_>, message: &Message<'_>) -> Answer<Oid> {
        self.write_commit(head.tree_id(), None, message)
    }

    /// Adds a line to `.gitattributes` for each large file that no pattern covers yet.
    fn track_large(&self, index: &mut Index, large: &[&RelPath]) -> Answer<()> {
        let present = match index.get_path(Path::new(GITATTRIBUTES), 0) {
            Some(entry) => String::from_utf8_lossy(&self.read_blob(entry.id)?).into_owned(),
            None => String::new(),
        };
        if let Some(extended) = Attributes::parse(&present).track(&present, large) {
            let blob = self.0.blob(extended.as_bytes())?;
            index.add(&file_entry(GITATTRIBUTES, blob))?;
        }
        Ok(())
    }

    fn write_commit(
        &self,
        tree: Oid,
        parent: Option<&Commit<'_>>,
        message: &Message<'_>,
    ) -> Answer<Oid> {
        let tree = self.0.find_tree(tree)?;
        let who = Signature::now(message.user, &format!("{}@users.noreply.hub", message.user))?;
        let parents: Vec<_> = parent.into_iter().collect();
        Ok(self.0.commit(None, &who, &who, message.text, &tree, &parents)?)
    }

    /// Points a ref at a commit, atomically.
    pub(super) fn move_ref(&self, name: &str, commit: Oid) -> Answer<()> {
        self.0.reference(name, commit, true, "move")?;
        Ok(())
    }

    /// The entry at a path; an empty path is the root folder.
    pub(super) fn entry(&self, commit: &Commit<'_>, path: &str) -> Answer<Entry> {
        let missing = || Refusal::entry_not_found(path);
        let tree = commit.tree()?;
        if path.is_empty() {
            return Ok(Entry { path: String::new(), oid: tree.id(), kind: EntryKind::Folder });
        }
        let entry = tree.get_path(Path::new(path)).map_err(|_| missing())?;
        self.describe(path.to_owned(), entry.id(), entry.kind()).ok_or_else(missing)
    }

    /// What stands in a folder, in git's order; with `recursive` everything below it too.
    pub(super) fn list(&self, folder: &Entry, recursive: bool) -> Answer<Vec<Entry>> {
        let tree = self.0.find_tree(folder.oid)?;
        let mut entries = Vec::new();
        self.collect(&tree, &folder.path, recursive, &mut entries)?;
        Ok(entries)
    }

    fn collect(
        &self,
        tree: &Tree<'_>,
        prefix: &str,
        recursive: bool,
        entries: &mut Vec<Entry>,
    ) -> Answer<()> {
        for item in tree {
            let name = String::from_utf8_lossy(item.name_bytes()).into_owned();
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let Some(entry) = self.describe(path.clone(), item.id(), item.kind()) else { continue };
            let is_folder = entry.kind == EntryKind::Folder;
            entries.push(entry);
            if is_folder && recursive {
                self.collect(&self.0.find_tree(item.id())?, &path, true, entries)?;
            }
        }
        Ok(())
    }

    fn describe(&self, path: String, oid: Oid, kind: Option<ObjectType>) -> Option<Entry> {
        let kind = match kind? {
            ObjectType::Tree => EntryKind::Folder,
            ObjectType::Blob => {
                let (size, _) = self.0.odb().ok()?.read_header(oid).ok()?;
                let pointer = (size <= POINTER_MAX)
                    .then(|| Pointer::parse(self.0.find_blob(oid).ok()?.content()))
                    .flatten();
                match pointer {
                    Some(pointer) => EntryKind::Large(pointer, size as u64),
                    None => EntryKind::Regular(size as u64),
                }
            }
            _ => return None,
        };
        Some(Entry { path, oid, kind })
    }

    /// A commit and its first parents, the newest first.
    pub(super) fn history(&self, from: Oid) -> Answer<impl Iterator<Item = Commit<'_>>> {
        let mut walk = self.0.revwalk()?;
        walk.simplify_first_parent()?;
        walk.push(from)?;
        Ok(walk.filter_map(|oid| self.0.find_commit(oid.ok()?).ok()))
    }
}

fn file_entry(path: &str, blob: Oid) -> IndexEntry {
    IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: FILE_MODE,
        uid: 0,
        gid: 0,
        file_size: 0,
        id: blob,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}

/// Removes the lock files that a killed process left behind, so that refs can move again. The
/// caller holds the data folder's own lock, so no living process can own them.
pub(super) fn clear_locks(folder: &Path) {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    for file in files.filter(|file| file.path().extension().is_some_and(|ext| ext == "lock")) {
        let _ = fs::remove_file(file.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).expect(text)
    }

    fn repository() -> (tempfile::TempDir, Git) {
        let folder = tempfile::tempdir().expect("a folder");
        let git = Git::create(folder.path(), "ann").expect("creates");
        (folder, git)
    }

    fn paths(git: &Git, revision: &str) -> Vec<String> {
        let commit = git.resolve(revision).expect(revision);
        let root = git.entry(&commit, "").expect("root");
        git.list(&root, true).expect("lists").into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn changes_apply_in_order_and_large_files_are_tracked() {
        let (_folder, git) = repository();
        let first = git.resolve(MAIN).expect("main");
        let blob = git.write_blob(b"hello\n").expect("writes");
        let pointer = Pointer { oid: Digest::of(b"weights"), size: 7 };
        let changes = [
            Change::Put(path("a/b.txt"), blob),
            Change::PutLarge(path("weights.odd"), pointer.clone()),
            Change::Put(path("gone/x"), blob),
            Change::DeleteFolder(path("gone")),
        ];
        let message = Message { user: "ann", text: "add" };
        let commit = git.commit(&first, &changes, &message).expect("commits");
        assert_eq!(paths(&git, MAIN), [".gitattributes"], "no ref has moved yet");
        git.move_ref("refs/heads/main", commit).expect("moves");
        assert_eq!(paths(&git, MAIN), [".gitattributes", "a", "a/b.txt", "weights.odd"]);
        let head = git.resolve(MAIN).expect("main");
        let large = git.entry(&head, "weights.odd").expect("there");
        assert!(matches!(large.kind, EntryKind::Large(found, _) if found == pointer));
        let attributes = git.read_text(&head, GITATTRIBUTES).expect("text");
        assert!(attributes.ends_with("weights.odd filter=lfs diff=lfs merge=lfs -text\n"));
        assert_eq!(git.history(commit).expect("walks").count(), 2);
    }

    #[test]
    fn a_file_that_is_not_there_cannot_be_deleted() {
        let (_folder, git) = repository();
        let first = git.resolve(MAIN).expect("main");
        let message = Message { user: "ann", text: "delete" };
        let refusal = git.commit(&first, &[Change::DeleteFile(path("nope"))], &message);
        assert_eq!(refusal.expect_err("refused").status, axum::http::StatusCode::NOT_FOUND);
    }

    #[test]
    fn revisions_are_branches_tags_refs_and_full_ids() {
        let (_folder, git) = repository();
        let id = git.resolve(MAIN).expect("main").id().to_string();
        assert!(
            git.resolve(&id).is_ok()
                && git.resolve("refs/heads/main").is_ok()
                && git.resolve("HEAD").is_ok()
        );
        for bad in ["nope", &id[..10], "", "../main", "refs/heads/\n", "refs/other/x"] {
            assert!(git.resolve(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_lock_left_behind_does_not_block_for_ever() {
        let (folder, git) = repository();
        let head = git.resolve(MAIN).expect("main").id();
        fs::write(folder.path().join("refs/heads/main.lock"), "").expect("writes");
        assert!(git.move_ref("refs/heads/main", head).is_err());
        clear_locks(folder.path());
        assert!(git.move_ref("refs/heads/main", head).is_ok());
    }
}
