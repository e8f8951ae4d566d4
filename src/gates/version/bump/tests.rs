use jiff::civil::date;

use super::*;
use crate::evidence::Evidence;
use crate::inventory::{self, Inventory};
use crate::policy::{self, Policy};
use crate::release::{Changes, GitFacts, Versioning, read_tag};
use crate::scan::testing::{safetensors, zip};

type Files = Vec<(&'static str, Vec<u8>)>;

fn weighed(files: &Files) -> Inventory {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        std::fs::write(folder.path().join(path), content).expect("written");
    }
    inventory::take(folder.path(), "", &[], &[], &|_| {}).expect("weighed")
}

/// The record of a version, with or without what older programs did not keep.
fn record(files: &Files, policy: &Policy, interface: bool) -> Vec<u8> {
    let inventory = weighed(files);
    let list = inventory.files.iter().map(|file| {
        serde_json::json!({
            "path": file.path.to_string(), "size": file.size, "sha256": file.sha256,
            "format": file.format.as_str(),
        })
    });
    let mut record = serde_json::json!({"files": list.collect::<Vec<_>>()});
    if interface {
        let interface = Interface::of(&inventory, &policy.models[0]);
        record["interface"] = serde_json::to_value(interface).expect("data");
    }
    record.to_string().into_bytes()
}

/// What is said of `tag` with `now`, after `last` with `before`: the note, and
/// `rule: message → fix`.
fn judged(
    (last, before): (&str, &Files),
    (tag, now): (&str, &Files),
    interface: bool,
) -> Option<(String, Option<String>)> {
    let text = "model: {name: churn, owner: acme, library: sklearn}\n";
    let policy = policy::parse("weighbridge.yml", text, &[]).expect("valid");
    let last: Version = last.parse().expect("a version");
    let published = Published {
        versions: vec![last.clone()],
        records: [(last, record(before, &policy, interface))].into(),
        ..Published::default()
    };
    judge_with(&policy, tag, &weighed(now), &published)
}

fn judge_with(
    policy: &Policy,
    tag: &str,
    inventory: &Inventory,
    published: &Published,
) -> Option<(String, Option<String>)> {
    let versioning = read_tag(tag, policy);
    let Versioning::Release(release) = &versioning else { panic!("{tag}") };
    let load = Load {
        policy,
        model: &policy.models[0],
        versioning: &versioning,
        target: None,
        git: &GitFacts::default(),
        changes: &Changes::default(),
        inventory,
        evidence: &Evidence::default(),
        test_run: None,
        audit_log: None,
        published: Some(published),
        source: None,
        card: "",
        readme: None,
        leaks: None,
        holder: None,
        rehearsal: false,
        today: date(2026, 1, 31),
        checkout: None,
    };
    let (note, finding) = judge(&load, release, published)?;
    let show =
        |finding: Finding| format!("{}: {} → {}", finding.rule.id, finding.message, finding.fix);
    Some((note, finding.map(show)))
}

fn model(shape: &[u64], fill: u8) -> (&'static str, Vec<u8>) {
    ("model.safetensors", safetensors(&[("head", shape)], fill))
}

fn config(labels: &str) -> (&'static str, Vec<u8>) {
    ("config.json", format!("{{\"id2label\": {{{labels}}}}}").into_bytes())
}

#[test]
fn what_each_change_deserves() {
    let base = || vec![model(&[2, 8], 0), config("\"0\": \"stays\", \"1\": \"leaves\"")];
    let plus = |name: &'static str, text: &str| [base(), vec![(name, text.into())]].concat();
    let changed = |model: (&'static str, Vec<u8>)| vec![model, base().remove(1)];
    let xgboost = r#"{"learner": {"gradient_booster": {}}}"#;
    let torch = zip(&[("archive/data.pkl", b"\x80\x02N.")], true);
    let before = [base(), vec![("old.pt", torch.clone())]].concat();
    let cases: Vec<(Files, Files, &str)> = vec![
        (base(), base(), "patch since 1.0.0: the files are the same"),
        (base(), plus("NOTICE", "Built with"), "patch since 1.0.0: NOTICE is new"),
        (
            plus("README.md", "a"),
            plus("README.md", "b"),
            "patch since 1.0.0: the files are the same",
        ),
        (base(), changed(model(&[2, 8], 1)), "minor since 1.0.0: model.safetensors changed"),
        (plus("vocab.txt", "a"), plus("vocab.txt", "b"), "minor since 1.0.0: vocab.txt changed"),
        (
            base(),
            changed(model(&[3, 8], 0)),
            "major since 1.0.0: tensors of model.safetensors: `head` was F32 [2, 8], is F32 [3, 8]",
        ),
        (
            base(),
            changed(("model.safetensors", safetensors(&[("body", &[2, 8])], 0))),
            "major since 1.0.0: tensors of model.safetensors: `head` (F32 [2, 8]) is gone, `body` (F32 [2, 8]) is new",
        ),
        (
            base(),
            vec![model(&[2, 8], 0), config("\"0\": \"leaves\", \"1\": \"stays\", \"2\": \"?\"")],
            "major since 1.0.0: labels of config.json: `0` was stays, is leaves, `1` was leaves, is stays, `2` (?) is new",
        ),
        (
            base(),
            vec![model(&[2, 8], 0)],
            "major since 1.0.0: the labels are gone from config.json",
        ),
        (base(), vec![base().remove(1)], "major since 1.0.0: model.safetensors is gone"),
        (before.clone(), base(), "major since 1.0.0: old.pt is gone"),
        (
            before.clone(),
            [base(), vec![("old.pt", b"\x80\x04K\x01.".to_vec())]].concat(),
            "major since 1.0.0: old.pt was torch-zip and is pickle",
        ),
        (base(), before, "minor since 1.0.0: old.pt is new"),
        (
            plus("LICENSE-MIT", "a"),
            plus("LICENSE-MIT", "b"),
            "patch since 1.0.0: LICENSE-MIT changed",
        ),
        (
            plus("license_plate.bin", "a"),
            plus("license_plate.bin", "b"),
            "minor since 1.0.0: license_plate.bin changed",
        ),
        (
            [base(), vec![("readme", b"\x80\x04K\x01.".to_vec())]].concat(),
            [base(), vec![("readme", b"\x80\x04K\x02.".to_vec())]].concat(),
            "minor since 1.0.0: readme changed",
        ),
        (
            plus("model.json", xgboost),
            plus("other.json", xgboost),
            "major since 1.0.0: model.json is gone",
        ),
        (
            plus("churn.json", xgboost),
            plus("other.json", xgboost),
            "major since 1.0.0: churn.json is gone",
        ),
        (
            plus("a.json", "{}"),
            plus("b.json", "{}"),
            "minor since 1.0.0: a.json is gone, b.json is new",
        ),
    ];
    for (before, now, expected) in cases {
        let (note, _) = judged(("1.0.0", &before), ("v2.0.0", &now), true).expect("judged");
        assert_eq!(note, expected);
    }
}

#[test]
fn a_version_steps_as_far_as_it_should() {
    let weights = |fill| vec![model(&[2], fill)];
    let (same, retrained, other) = (weights(0), weights(1), vec![model(&[3], 0)]);
    for (last, tag, now, expected) in [
        ("1.0.0", "v1.0.1", &same, None),
        (
            "1.0.0",
            "v1.1.0",
            &same,
            Some(("large", "patch version at most, and 1.1.0 is a minor", "v1.0.1")),
        ),
        (
            "1.0.0",
            "v1.0.1",
            &retrained,
            Some(("small", "minor version at least, and 1.0.1 is a patch", "v1.1.0")),
        ),
        ("1.0.0", "v1.1.0", &retrained, None),
        ("1.0.0", "v2.0.0", &retrained, Some(("large", "minor version at most", "v1.1.0"))),
        (
            "1.2.3",
            "churn@v1.3.0",
            &other,
            Some(("small", "major version at least", "churn@v2.0.0")),
        ),
        ("1.2.3", "v2.0.0", &other, None),
        // Before 1.0.0 everything is one place further right.
        ("0.1.0", "v0.1.1", &retrained, None),
        ("0.1.0", "v0.1.1", &other, Some(("small", "minor version at least", "v0.2.0"))),
        ("0.1.0", "v0.2.0", &other, None),
        ("0.1.0", "v1.0.0", &same, None),
        // Candidates of one version are on their way to it.
        ("1.1.0-rc.1", "v1.1.0-rc.2", &other, None),
        (
            "1.0.0-rc.1",
            "v1.0.1-rc.1",
            &other,
            Some(("small", "major version at least", "v2.0.0-rc.1")),
        ),
    ] {
        let said = judged((last, &same), (tag, now), true).and_then(|(_, finding)| finding);
        match (said, expected) {
            (None, None) => {}
            (Some(said), Some((rule, message, fix))) => {
                assert!(
                    said.starts_with(&format!("version-bump-too-{rule}: since {last} ")),
                    "{said}"
                );
                assert!(said.contains(message), "{said}");
                assert!(
                    said.contains(&format!("`git tag {fix} && git push origin {fix}`")),
                    "{said}"
                );
            }
            (said, expected) => panic!("{last} {tag}: {said:?} for {expected:?}"),
        }
    }
}

#[test]
fn what_nobody_saw_is_not_called_too_much() {
    // Of a pickle, and of a record without an interface, only the bytes are known.
    let pickle = |fill: u8| vec![("model.pkl", vec![0x80, 0x04, b'K', fill, b'.'])];
    let (note, finding) =
        judged(("1.0.0", &pickle(1)), ("v2.0.0", &pickle(2)), true).expect("judged");
    assert_eq!((note.as_str(), finding), ("minor since 1.0.0: model.pkl changed", None));
    let (old, new) = (vec![model(&[2], 0)], vec![model(&[3], 0)]);
    let (note, finding) = judged(("1.0.0", &old), ("v2.0.0", &new), false).expect("judged");
    assert_eq!((note.as_str(), finding), ("minor since 1.0.0: model.safetensors changed", None));
    assert!(judged(("1.0.0", &old), ("v1.0.1", &new), false).expect("judged").1.is_some());
}

#[test]
fn nothing_is_said_where_nothing_is_known() {
    let text = "model: {name: churn, owner: acme}\n";
    let policy = policy::parse("weighbridge.yml", text, &[]).expect("valid");
    let (version, inventory) = (Version::new(1, 0, 0), weighed(&vec![model(&[2], 0)]));
    let of = |records: &[&[u8]]| Published {
        versions: vec![version.clone()],
        records: records.iter().map(|record| (version.clone(), record.to_vec())).collect(),
        ..Published::default()
    };
    for published in [Published::default(), of(&[]), of(&[b"{}"]), of(&[b"\xFF"])] {
        assert_eq!(judge_with(&policy, "v1.0.1", &inventory, &published), None);
    }
}

#[test]
fn the_next_version_is_one_that_nobody_has() {
    let version = |text: &str| text.parse::<Version>().expect("a version");
    let taken: Vec<_> = ["1.0.1", "1.1.0", "1.2.0"].map(version).into();
    let next = |step: Step, before: &str| step.next(&version(before), &version("1.0.1"), &taken);
    assert_eq!(next(Step::Minor, "1.0.1").to_string(), "1.3.0");
    assert_eq!(next(Step::Patch, "1.0.0").to_string(), "1.0.2");
    let end = version("18446744073709551615.0.0");
    assert_eq!(Step::Major.next(&end, &end, std::slice::from_ref(&end)), end, "it ends");
}
