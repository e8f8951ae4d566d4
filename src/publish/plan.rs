//! The plan: every request that publishing will make, as a value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;
use serde::Serialize;

use super::transfer::{Choice, Chooser};
use super::{CARD, Document, RECORD, Remote};
use crate::digest::{Digest, Seals, git_blob_id};
use crate::inventory::{INLINE_LIMIT, Inventory};
use crate::policy::Publish;
use crate::release::{Release, Target};

/// What publishing will do. Made without a request, printed by `--dry-run`, executed by
/// [`super::execute`].
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) target: Target,
    pub(super) tag: String,
    pub(super) source_tag: String,
    pub(super) version: Version,
    /// What changed, as Markdown.
    pub(super) notes: Option<String>,
    pub(super) manifest: Digest,
    pub(super) record_digest: Digest,
    pub(super) remote: Remote,
    pub(super) files: Vec<Planned>,
    pub(super) deletes: Vec<String>,
    pub(super) already: bool,
}

/// One file of the version.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) sha256: Digest,
    pub(super) git_oid: String,
    pub(super) sample: Vec<u8>,
    pub(super) content: Content,
    /// How it is sent, if it is a large one.
    pub(super) transfer: Choice,
    /// The Hub has exactly this at this path already.
    pub(super) there: bool,
}

/// Where a file's bytes are.
#[derive(Debug, Clone)]
pub(super) enum Content {
    OnDisk(PathBuf, Arc<Seals>),
    Written(Vec<u8>),
}

/// One step, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done: `create-repo`, `send`, `keep`, `delete`, `commit`, `verify`, `tag`, …
    pub action: &'static str,
    /// To what.
    pub what: String,
    /// Bytes, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How it is sent and why, where that is known before the Hub is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// The plan as printed; a shape of its own, so that it stays the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// Repository.
    pub repo_id: String,
    /// Branch that gets the one commit.
    pub revision: String,
    /// Tag that is made last.
    pub tag: String,
    /// Whether the version is published already, so that nothing is done.
    pub already_published: bool,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// Compares what is to be published with what is there. `notes` say what changed.
pub fn plan(
    inventory: &Inventory,
    documents: &[Document],
    target: &Target,
    release: &Release,
    remote: &Remote,
    policy: &Publish,
    notes: Option<String>,
) -> Plan {
    let paths = inventory.files.iter().map(|file| file.path.as_str());
    let paths = paths.chain(documents.iter().map(|document| document.path.as_str()));
    let paths: BTreeSet<_> = paths.collect();
    let chooser = Chooser::new(policy.transfer, remote, &paths);
    let there: BTreeMap<_, _> =
        remote.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut files: BTreeMap<String, Planned> = BTreeMap::new();
    for file in &inventory.files {
        let planned = Planned {
            path: file.path.to_string(),
            size: file.size,
            sha256: file.sha256,
            git_oid: file.git_oid.clone(),
            sample: file.sample.clone(),
            content: Content::OnDisk(file.on_disk.clone(), file.seals.clone()),
            transfer: chooser.choose(file.path.as_str()),
            there: false,
        };
        files.insert(planned.path.clone(), planned);
    }
    let mut record_digest = Digest::of(b"");
    for document in documents {
        let sha256 = Digest::of(&document.bytes);
        if document.path.as_str() == RECORD {
            record_digest = sha256;
        }
        let planned = Planned {
            path: document.path.to_string(),
            size: document.bytes.len() as u64,
            sha256,
            git_oid: git_blob_id(&document.bytes),
            sample: document.bytes.iter().take(512).copied().collect(),
            content: Content::Written(document.bytes.clone()),
            transfer: chooser.choose(document.path.as_str()),
            there: false,
        };
        files.insert(planned.path.clone(), planned);
    }
    for planned in files.values_mut() {
        planned.there = there.get(planned.path.as_str()).is_some_and(|there| {
            there.size == planned.size
                && (there.oid == planned.git_oid || there.oid == planned.sha256.to_string())
        });
    }
    let kept = remote.kept(policy);
    let deletes = remote.files.iter().map(|file| file.path.clone());
    Plan {
        target: target.clone(),
        tag: release.hub_tag(),
        source_tag: release.tag.clone(),
        version: release.version.clone(),
        notes,
        manifest: inventory.manifest_digest(),
        record_digest,
        deletes: deletes.filter(|path| !files.contains_key(path) && !kept.contains(path)).collect(),
        files: files.into_values().collect(),
        // The version gate has compared the bytes: a verdict that passed means they are the same.
        already: remote.tagged.is_some(),
        remote: remote.clone(),
    }
}

impl Plan {
    /// The plan as steps.
    pub fn view(&self) -> PlanView {
        let mut steps = Vec::new();
        let mut step =
            |action, what: String, bytes, how| steps.push(Step { action, what, bytes, how });
        if !self.already {
            let repo = &self.target.repo;
            if !self.remote.exists {
                let visibility = if self.target.private { "private" } else { "public" };
                step("create-repo", format!("{repo} ({visibility})"), None, None);
            }
            if self.remote.exists && self.remote.head.is_none() {
                step("create-branch", self.target.revision.clone(), None, None);
            }
            let kept = |file: &Planned| if file.there { "keep" } else { "send" };
            for file in &self.files {
                // Below this size the Hub says whether it is a large one.
                let is_sent = !file.there && file.size > INLINE_LIMIT;
                let how = is_sent.then(|| file.transfer.told());
                step(kept(file), file.path.clone(), Some(file.size), how);
            }
            for path in &self.deletes {
                step("delete", path.clone(), None, None);
            }
            let parent = self
                .remote
                .head
                .as_deref()
                .map_or_else(String::new, |head| format!(" on {head:.12}"));
            step("commit", format!("one commit to {}{parent}", self.target.revision), None, None);
            step("verify", "read the tree back, compare every digest".into(), None, None);
            step("tag", self.tag.clone(), None, None);
        }
        PlanView {
            repo_id: self.target.repo.to_string(),
            revision: self.target.revision.clone(),
            tag: self.tag.clone(),
            already_published: self.already,
            steps,
        }
    }

    /// The commit's description: what changed, and where it comes from.
    pub(super) fn description(&self) -> String {
        let origin = format!("Published by weighbridge from the tag `{}`.", self.source_tag);
        match &self.notes {
            Some(notes) => format!("{notes}\n\n{origin}"),
            None => origin,
        }
    }

    /// The tag's message: what changed.
    pub(super) fn tag_message(&self) -> String {
        let summary = format!("Release {}", self.version);
        match &self.notes {
            Some(notes) => format!("{summary}\n\n{notes}"),
            None => summary,
        }
    }

    /// The card among the files.
    pub(super) fn is_card(file: &Planned) -> bool {
        file.path == CARD
    }
}
