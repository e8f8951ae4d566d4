use jiff::civil::date;

use super::*;
use crate::digest::{Digest, git_blob_id};
use crate::evidence::Evidence;
use crate::inventory::Inventory;
use crate::policy::{self, Policy};
use crate::rel_path::RelPath;
use crate::release::{GitFacts, GitTag, Published, read_tag};
use crate::scan::Format;

const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";

/// A release of `v1.1.0` from its own commit, with 1.0.0 on the Hub.
struct Case {
    policy: Policy,
    tag: Option<&'static str>,
    git: GitFacts,
    files: Vec<(&'static str, &'static str)>,
    published: Option<Published>,
    rehearsal: bool,
}

fn case(more: &str) -> Case {
    let text = format!("model: {{name: churn, owner: acme}}\n{more}");
    let tag = GitTag { name: "v1.1.0".into(), commit: HEAD.into(), time: 0 };
    let published =
        Published { versions: vec![semver::Version::new(1, 0, 0)], ..Published::default() };
    Case {
        policy: policy::parse("weighbridge.yml", &text, &[]).expect("valid"),
        tag: Some("v1.1.0"),
        git: GitFacts { head: Some(HEAD.into()), tags: vec![tag], ..GitFacts::default() },
        files: vec![("model.json", "weights"), ("README.md", "a card")],
        published: Some(published),
        rehearsal: false,
    }
}

fn artifact(path: &str, text: &str) -> Artifact {
    Artifact {
        path: RelPath::parse(path).expect("a path"),
        place: crate::inventory::Place::OnDisk(path.into()),
        shown: path.into(),
        size: text.len() as u64,
        sha256: Digest::of(text.as_bytes()),
        git_oid: git_blob_id(text.as_bytes()),
        md5: None,
        seals: std::sync::Arc::default(),
        sample: Vec::new(),
        format: Format::TEXT,
        detections: Vec::new(),
        tensors: None,
        text: None,
    }
}

fn remote(path: &str, text: &str, lfs: bool) -> RemoteFile {
    let oid =
        if lfs { Digest::of(text.as_bytes()).to_string() } else { git_blob_id(text.as_bytes()) };
    RemoteFile { path: path.into(), size: text.len() as u64, oid }
}

impl Case {
    /// `level rule: message` of each finding, and the note.
    fn weigh(&self) -> (Vec<String>, String) {
        let versioning = self.tag.map_or(Versioning::Untagged, |tag| read_tag(tag, &self.policy));
        let files = self.files.iter().map(|(path, text)| artifact(path, text)).collect();
        let inventory = Inventory { files, ..Inventory::default() };
        let load = Load {
            policy: &self.policy,
            model: &self.policy.models[0],
            versioning: &versioning,
            target: None,
            git: &self.git,
            changes: &crate::release::Changes::default(),
            inventory: &inventory,
            evidence: &Evidence::default(),
            test_run: None,
            audit_log: None,
            published: self.published.as_ref(),
            source: None,
            card: "",
            readme: None,
            leaks: None,
            holder: None,
            rehearsal: self.rehearsal,
            today: date(2026, 1, 31),
            checkout: None,
        };
        let judgement = Version.weigh(&load).expect("pure");
        let show = |finding: &Finding| {
            assert!(Version.rules().contains(&finding.rule), "{} is declared", finding.rule.id);
            assert!(!finding.fix.is_empty() && !finding.fix.contains('$'), "{}", finding.fix);
            format!("{} {}: {}", finding.level.as_str(), finding.rule.id, finding.message)
        };
        (judgement.findings.iter().map(show).collect(), judgement.note)
    }

    #[track_caller]
    fn one(&self, expected: &str) {
        let (findings, _) = self.weigh();
        assert!(findings.len() == 1 && findings[0].contains(expected), "{expected}: {findings:?}");
    }

    #[track_caller]
    fn none(&self) -> String {
        let (findings, note) = self.weigh();
        assert!(findings.is_empty(), "{findings:?}");
        note
    }

    fn this_version(&mut self, files: Vec<RemoteFile>) {
        self.published.get_or_insert_default().this_version = Some(files);
    }
}

#[test]
fn a_new_version_from_its_own_commit_passes() {
    assert_eq!(case("").none(), "1.1.0 for the channel production");
    let mut unasked = case("");
    unasked.published = None;
    unasked.none();
}

#[test]
fn without_a_tag_there_is_nothing_to_judge() {
    let mut check = case("");
    check.tag = None;
    check.git.dirty = vec!["a".into()];
    assert!(check.none().contains("no tag"));
}

#[test]
fn tag_unreadable() {
    let mut case = case("");
    case.tag = Some("v1.1.0rc1");
    case.one("error tag-unreadable: the tag `v1.1.0rc1` does not name a release");
    case.one("write `v1.1.0-rc.1`");
}

#[test]
fn tag_not_on_commit() {
    let mut case = case("");
    case.git.head = Some("f".repeat(40));
    case.one("error tag-not-on-commit: `v1.1.0` points at 0123456789ab, but ffffffffffff");
    case.rehearsal = true;
    case.one("note tag-not-on-commit");
    case.rehearsal = false;
    case.git.tags.clear();
    case.one("there is no tag `v1.1.0` in this repository");
    case.git.shallow = true;
    case.one("cut-off history");
    case.git = GitFacts::default();
    case.one("no commit here");
    case.rehearsal = true;
    case.none();
}

#[test]
fn dirty_tree() {
    let mut case = case("");
    case.git.dirty = (1..=7).map(|number| format!("f{number}")).collect();
    case.one(
        "error dirty-tree: tracked files differ from the commit: f1, f2, f3, f4, f5 and 2 more",
    );
    case.rehearsal = true;
    case.one("note dirty-tree");
    case.git.dirty = vec!["$(id)".into()];
    case.one("differ from the commit: $(id)");
}

#[test]
fn the_same_bytes_again_are_already_published() {
    let mut case = case("publish: {keep: ['assets/**']}\n");
    for lfs in [true, false] {
        case.this_version(vec![
            remote("model.json", "weights", lfs),
            remote("README.md", "another card", false),
            remote("weighbridge.json", "{}", false),
            remote(".gitattributes", "x", false),
            remote("assets/plot.png", "kept", true),
        ]);
        // Newer versions are out by now; that is no reason to refuse.
        case.published.get_or_insert_default().versions = vec![semver::Version::new(2, 0, 0)];
        assert_eq!(case.none(), "1.1.0 is already published with the same bytes");
    }
}

#[test]
fn a_file_that_weighbridge_added_is_no_part_of_the_model() {
    let mut case = case("");
    let files = ["model.json", "config.json"];
    case.this_version(vec![
        remote("model.json", "weights", true),
        remote("config.json", "{}", false),
    ]);
    let record = |case: &mut Case, weighed: &[&str]| {
        let files: Vec<_> = weighed.iter().map(|path| serde_json::json!({"path": path})).collect();
        let record = serde_json::json!({"schema": 1, "files": files}).to_string();
        let records = &mut case.published.get_or_insert_default().records;
        records.insert(semver::Version::new(1, 1, 0), record.into_bytes());
    };
    // Without the record nobody knows whose it is.
    case.one("config.json (gone)");
    record(&mut case, &files);
    case.one("config.json (gone)");
    record(&mut case, &files[..1]);
    assert_eq!(case.none(), "1.1.0 is already published with the same bytes");
    // One that is in the folder now is the model's own.
    case.files.push(("config.json", "other"));
    case.one("config.json (changed)");
}

#[test]
fn version_already_published() {
    let mut case = case("");
    case.this_version(vec![remote("model.json", "Weights", true)]);
    case.one("error version-already-published: the Hub has 1.1.0 already, with other files: model.json (changed)");
    case.this_version(vec![remote("model.json", "weights", true), remote("old.bin", "gone", true)]);
    case.one("old.bin (gone)");
    case.this_version(Vec::new());
    case.one("model.json (new)");
    case.this_version(vec![RemoteFile { path: "model.json".into(), size: 7, oid: String::new() }]);
    case.one("model.json (changed)");
}

#[test]
fn version_older_than_published() {
    let mut case = case("");
    let newest = |case: &mut Case, version: &str| {
        case.published.get_or_insert_default().versions =
            vec![version.parse().expect("SemVer"), semver::Version::new(0, 9, 0)];
    };
    newest(&mut case, "1.10.0");
    case.one("error version-older-than-published: 1.1.0 is older than 1.10.0, the newest of the channel production");
    newest(&mut case, "2.0.0-rc.1");
    case.none();
    newest(&mut case, "1.1.0+rebuilt");
    case.none();
    let mut allowed = super::tests::case("gates: {version: {allow-older: true}}\n");
    newest(&mut allowed, "1.10.0");
    allowed.none();
}
