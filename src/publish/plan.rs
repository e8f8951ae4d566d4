//! The plan: every request that publishing will make, as a value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;
use serde::Serialize;

use super::transfer::{Choice, Chooser};
use super::{CARD, Document, RECORD, Remote, pieces};
use crate::digest::{Digest, Seals, git_blob_id};
use crate::inventory::{INLINE_LIMIT, Inventory, Place, Staged};
use crate::policy::{CommitSize, Publish};
use crate::release::{Release, RemoteFile, Target};

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
    /// What stays, though this version has none of its own at these paths.
    pub(super) kept: Vec<String>,
    pub(super) already: bool,
    pub(super) largest_commit: CommitSize,
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
    /// An earlier job brought it to the Hub.
    Staged(Staged),
    Written(Vec<u8>),
}

/// One step, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done: `create-repo`, `send`, `staged`, `keep`, `delete`, `commit`, `build`, `verify`, `move`,
    /// `tag`, …
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
            content: match &file.place {
                Place::OnDisk(path) => Content::OnDisk(path.clone(), file.seals.clone()),
                Place::Staged(staged) => Content::Staged(staged.clone()),
            },
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
        let there = there.get(planned.path.as_str());
        planned.there = there.is_some_and(|there| planned.is_content_of(there));
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
        kept,
        // The version gate has compared the bytes: a verdict that passed means they are the same.
        already: remote.tagged.is_some(),
        remote: remote.clone(),
        largest_commit: policy.largest_commit,
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
            for file in &self.files {
                // Below this size the Hub says whether it is a large one.
                let is_sent = action(file) == "send" && file.size > INLINE_LIMIT;
                let how = is_sent.then(|| file.transfer.told());
                step(action(file), file.path.clone(), Some(file.size), how);
            }
            for path in &self.deletes {
                step("delete", path.clone(), None, None);
            }
            let parent = self
                .remote
                .head
                .as_deref()
                .map_or_else(String::new, |head| format!(" on {head:.12}"));
            let branch = &self.target.revision;
            let read_back = "read the tree back, compare every digest";
            if self.takes_pieces() {
                let built = format!("several commits{parent} on {}…", pieces::prefix(&self.tag));
                step("build", built, None, None);
                step("verify", read_back.into(), None, None);
                step("move", format!("{branch} to the last of them, at once"), None, None);
            } else {
                step("commit", format!("one commit to {branch}{parent}"), None, None);
                step("verify", read_back.into(), None, None);
            }
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

    /// Whether it will take more than one commit, as far as can be told before the Hub has said which
    /// files go with the commit itself.
    fn takes_pieces(&self) -> bool {
        let sent: Vec<_> = self.files.iter().filter(|file| !file.there).collect();
        let small = sent.iter().map(|file| file.size).filter(|size| *size <= INLINE_LIMIT);
        let most = self.largest_commit;
        sent.len() + self.deletes.len() > most.files || small.sum::<u64>() > most.bytes
    }

    /// The commit's first line.
    pub(super) fn summary(&self) -> String {
        format!("Release {}", self.version)
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
        let summary = self.summary();
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

impl Planned {
    /// Whether a file on the Hub has exactly these bytes.
    pub(super) fn is_content_of(&self, there: &RemoteFile) -> bool {
        // A file that is too large to be a small one has no git id.
        let as_small = !self.git_oid.is_empty() && there.oid == self.git_oid;
        there.size == self.size && (as_small || there.oid == self.sha256.to_string())
    }
}

/// What is done with a file.
fn action(file: &Planned) -> &'static str {
    match &file.content {
        _ if file.there => "keep",
        Content::Staged(_) => "staged",
        Content::OnDisk(..) | Content::Written(_) => "send",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Artifact;
    use crate::rel_path::RelPath;
    use crate::scan::Format;

    /// 2,000 shards of 1 GB each, whose bytes are nowhere.
    fn two_terabytes() -> Inventory {
        let shard = |number: u32| Artifact {
            path: RelPath::parse(&format!("model-{number:05}-of-02000.safetensors"))
                .expect("a path"),
            place: Place::OnDisk(PathBuf::from("/nowhere")),
            shown: String::new(),
            size: 1_000_000_000,
            sha256: Digest::of(&number.to_le_bytes()),
            git_oid: String::new(),
            md5: None,
            seals: Arc::default(),
            sample: vec![0; 512],
            format: Format::SAFETENSORS,
            detections: Vec::new(),
            tensors: None,
            text: None,
        };
        Inventory { files: (1..=2000).map(shard).collect(), ..Inventory::default() }
    }

    #[test]
    fn two_terabytes_are_one_commit_and_only_what_changed_is_sent() {
        let inventory = two_terabytes();
        let policy = crate::policy::parse("weighbridge.yml", "model: {name: m, owner: acme}", &[]);
        let policy = policy.expect("a small policy is sound");
        let versioning = crate::release::read_tag("v1.0.0", &policy);
        let crate::release::Versioning::Release(release) = versioning else { panic!("a version") };
        let model = &policy.models[0];
        let target = crate::release::target(model, &release).expect("a target");
        let plan = |remote: &Remote| {
            super::plan(&inventory, &[], &target, &release, remote, &model.publish, None).view()
        };
        let of = |view: &PlanView, action: &str| {
            view.steps.iter().filter(|step| step.action == action).count()
        };

        let first = plan(&Remote::default());
        assert_eq!((of(&first, "send"), of(&first, "commit"), of(&first, "tag")), (2000, 1, 1));
        assert_eq!(
            first.steps.iter().filter_map(|step| step.bytes).sum::<u64>(),
            2_000_000_000_000
        );

        let there = inventory.files.iter().skip(1).map(|file| crate::release::RemoteFile {
            path: file.path.to_string(),
            size: file.size,
            oid: file.sha256.to_string(),
        });
        let remote = Remote { exists: true, files: there.collect(), ..Remote::default() };
        let second = plan(&remote);
        assert_eq!((of(&second, "send"), of(&second, "keep"), of(&second, "delete")), (1, 1999, 0));
    }
}
