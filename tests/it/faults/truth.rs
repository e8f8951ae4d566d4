//! What the Hub really holds, read from its folder past everything that can lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Repository, TreeWalkMode};
use weighbridge::digest::Digest;

use super::setting::Template;
use crate::support::hub_server::HubServer;

/// A commit on `main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) title: String,
    /// SHA-256 of every file, by path; of a large one as its pointer has it.
    pub(super) files: BTreeMap<String, String>,
}

/// A repository at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Truth {
    /// The newest first.
    pub(super) main: Vec<Commit>,
    /// Commits of tags.
    pub(super) tags: BTreeMap<String, String>,
    pub(super) branches: Vec<String>,
}

/// Where the Hub keeps the repository of the tests.
pub(super) fn place(server: &HubServer) -> PathBuf {
    server.data().join("models/acme/churn/git")
}

/// The head of `main`, if there is one.
pub(super) fn head(place: &Path) -> Option<String> {
    let repository = Repository::open_bare(place).ok()?;
    Some(repository.refname_to_id("refs/heads/main").ok()?.to_string())
}

pub(super) fn truth(place: &Path) -> Truth {
    let Ok(repository) = Repository::open_bare(place) else { return Truth::default() };
    let mut truth = Truth::default();
    for reference in repository.references().expect("readable") {
        let reference = reference.expect("readable");
        let name = reference.name().expect("UTF-8").to_owned();
        let commit = reference.peel_to_commit().expect("a commit").id().to_string();
        if let Some(tag) = name.strip_prefix("refs/tags/") {
            truth.tags.insert(tag.to_owned(), commit);
        } else if let Some(branch) = name.strip_prefix("refs/heads/") {
            truth.branches.push(branch.to_owned());
        }
    }
    let mut next = repository
        .refname_to_id("refs/heads/main")
        .ok()
        .and_then(|head| repository.find_commit(head).ok());
    while let Some(commit) = next {
        truth.main.push(read(&repository, &commit));
        next = commit.parent(0).ok();
    }
    truth
}

fn read(repository: &Repository, commit: &git2::Commit<'_>) -> Commit {
    let mut files = BTreeMap::new();
    let tree = commit.tree().expect("a tree");
    tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if entry.kind() == Some(ObjectType::Blob) {
            let blob = repository.find_blob(entry.id()).expect("a blob");
            let text = String::from_utf8_lossy(blob.content());
            let pointed = text.lines().find_map(|line| line.strip_prefix("oid sha256:"));
            let digest =
                pointed.map_or_else(|| Digest::of(blob.content()).to_string(), str::to_owned);
            files.insert(format!("{folder}{}", entry.name().expect("UTF-8")), digest);
        }
        git2::TreeWalkResult::Ok
    })
    .expect("walked");
    let title = commit.summary().expect("UTF-8").unwrap_or_default().to_owned();
    Commit { id: commit.id().to_string(), title, files }
}

impl Commit {
    /// Whether these are exactly the version's files and weighbridge's own.
    pub(super) fn is_whole(&self, template: &Template) -> bool {
        template.is(&self.files)
    }

    /// Whether it is a part of a version that was built up out of sight.
    pub(super) fn is_piece(&self) -> bool {
        self.title.contains(" (part ")
    }

    /// Whether it says that it is the version, or is it: a title that was changed on its way is no
    /// other version.
    pub(super) fn is_release(&self, template: &Template) -> bool {
        self.title == format!("Release {}", template.setting.version()) || self.is_whole(template)
    }
}

/// Asserts that what the Hub gives out for a tag has the digests that it should have.
pub(super) async fn assert_given_out(server: &HubServer, template: &Template, case: &str) {
    let tag = format!("v{}", template.setting.version());
    for (path, digest) in template.digests() {
        let url = format!("{}/acme/churn/resolve/{tag}/{path}", server.hub.url());
        let client = reqwest::Client::new();
        let answer = client.get(url).bearer_auth(server.hub.token().expose()).send().await;
        let bytes = answer.expect("answers").bytes().await.expect("whole");
        assert_eq!(Digest::of(&bytes).to_string(), digest, "{path}: {case}");
    }
}
