use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::date;

use super::super::sample::Sample;
use super::*;
use crate::inventory;
use crate::policy;
use crate::release::Versioning;

/// The project that DVC made, changed by a test, as `rule at place: message | fix`.
fn said(change: impl Fn(&Path), policy: &str) -> Vec<String> {
    let from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/dvc-project"));
    let folder = tempfile::tempdir().expect("a folder");
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("readable");
        let to = folder.path().join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(to).expect("writable");
        } else {
            std::fs::copy(entry.path(), to).expect("writable");
        }
    }
    change(folder.path());
    let text = format!("model:\n  name: churn\n  owner: acme\n  path: model\n{policy}");
    let policy = policy::parse("weighbridge.yml", &text, &[]).expect("valid");
    let model = &policy.models[0];
    let evidence = crate::evidence::gather(folder.path(), "", model);
    let pins = evidence.pipeline.pinned();
    let asked = inventory::Asked { pinned: &|path| pins.holds(path), sealed: false };
    let root = folder.path().join("model");
    let inventory =
        inventory::take_asked(&root, "model", &model.include, &model.exclude, &asked, &|_| {});
    let inventory = inventory.expect("files");
    let md5s: BTreeSet<_> = inventory.files.iter().map(|file| file.md5.is_some()).collect();
    assert!(md5s.contains(&true), "what is pinned has its MD5");
    let sample = Sample::new();
    let load = Load {
        policy: &policy,
        model,
        versioning: &Versioning::Untagged,
        target: None,
        git: &sample.git,
        changes: &crate::release::Changes::default(),
        inventory: &inventory,
        evidence: &evidence,
        test_run: None,
        audit_log: None,
        published: None,
        source: None,
        card: "",
        readme: None,
        leaks: None,
        holder: None,
        rehearsal: false,
        today: date(2026, 1, 2),
        checkout: None,
    };
    let judgement = Lineage.weigh(&load).expect("pure");
    let mut said = vec![judgement.note];
    said.extend(judgement.findings.iter().map(|finding| {
        assert!(Lineage.rules().contains(&finding.rule));
        format!("{} at {}: {} | {}", finding.rule.id, finding.at, finding.message, finding.fix)
    }));
    said
}

fn write(path: &'static str, text: &'static str) -> impl Fn(&Path) {
    move |folder| std::fs::write(folder.join(path), text).expect("writable")
}

const ASKED: &str = "gates: {benchmarks: [{metric: accuracy, min: 0.9}]}";

#[test]
fn what_dvc_recorded_passes() {
    assert_eq!(said(|_| {}, ""), ["2 pinned files or folders as recorded"]);
    assert_eq!(said(|_| {}, ASKED), ["3 pinned files or folders as recorded"], "with the metrics");
    let more = write("model/LICENSE", "MIT");
    assert_eq!(said(more, "").len(), 1, "beside what is pinned there may be more");
}

#[test]
fn what_is_not_what_was_recorded_blocks_at_its_pin() {
    let changed = said(write("model/config.json", "{}\n"), "");
    assert_eq!(
        changed[1..],
        ["dvc-pin-differs at dvc.lock:26:7: `model/config.json` has the md5 \
          8a80554c91d9fca8acb82f023de02f11, and the stage `train` wrote one of \
          63c05ec7a0874006959d3b2d56c25cb6 | bring back what was recorded with `dvc checkout`; or \
          record what is there with `dvc repro train` (or `dvc commit train`), and commit `dvc.lock`"]
    );
    for (path, text) in
        [("model/weights/a.json", "{}"), ("model/weights/new.json", "{}"), ("model/weights/z", "")]
    {
        let changed = said(write(path, text), "");
        assert!(
            changed[1].starts_with("dvc-pin-differs at dvc.lock:30:7: `model/weights` has the md5")
                && changed[1].contains("59294ea61b21f56090f25db3599a9f72.dir")
                && changed.len() == 2,
            "a folder, said once though a stage wrote it and another read it: {changed:?}"
        );
    }
    let edited = said(write("eval/metrics.json", "{\"accuracy\": 0.99}\n"), ASKED);
    assert!(
        edited[1].starts_with("dvc-pin-differs at dvc.lock:48:7: `eval/metrics.json` has the md5"),
        "{edited:?}"
    );
    let alone = "outs: [{path: config.json, hash: md5, md5: ffffffffffffffffffffffffffffffff}]\n";
    let pinned = said(write("model/config.json.dvc", alone), "");
    assert!(
        pinned[1].starts_with("dvc-pin-differs at model/config.json.dvc:1:")
            && pinned[1].contains("ffffffffffffffffffffffffffffffff is pinned")
            && pinned[1].contains("`dvc add model/config.json`"),
        "{pinned:?}"
    );
}

#[test]
fn a_stage_that_read_another_one_is_told() {
    let change = |folder: &Path| {
        let lock = std::fs::read_to_string(folder.join("dvc.lock")).expect("readable");
        let (head, tail) = lock.split_once("  evaluate:").expect("a stage");
        let tail =
            tail.replace("59294ea61b21f56090f25db3599a9f72", "ffffffffffffffffffffffffffffffff");
        std::fs::write(folder.join("dvc.lock"), format!("{head}  evaluate:{tail}"))
            .expect("writable");
    };
    let said = said(change, "");
    assert!(
        said[1].starts_with("dvc-pin-differs at dvc.lock:38:7")
            && said[1].contains("the stage `evaluate` read one of ffffff"),
        "{said:?}"
    );
}

#[test]
fn what_is_missing_left_out_or_old_is_no_difference() {
    let gone = |folder: &Path| {
        std::fs::remove_file(folder.join("model/config.json")).expect("there");
    };
    let missing = said(gone, "");
    assert!(missing[1].starts_with("dvc-pin-missing at dvc.lock:26:7"), "{missing:?}");
    let excluded = said(|_| {}, "  exclude: [config.json]");
    assert_eq!(excluded, ["1 pinned file or folder as recorded"], "nobody wants it published");
    let in_folder = said(|_| {}, "  exclude: [weights/a.json]");
    assert!(in_folder[1].starts_with("dvc-pin-unverified at dvc.lock:30:7"), "{in_folder:?}");
    let old = "outs: [{path: config.json, md5: ffffffffffffffffffffffffffffffff}]\n";
    let old = said(write("model/config.json.dvc", old), "");
    assert!(old[1].starts_with("dvc-pin-unverified at model/config.json.dvc:1:"), "{old:?}");
    let conflict = said(write("data/train.csv.dvc", "<<<<<<< HEAD\nouts:\n=======\n"), "");
    assert!(conflict[1].starts_with("dvc-unreadable at data/train.csv.dvc: "), "{conflict:?}");
}

#[test]
fn machine_paths_in_settings_are_told_where_they_stand() {
    for (name, text, at, told) in [
        (
            "config.json",
            "{\n \"_name_or_path\": \"/home/ada/out\"}",
            ":2:2",
            "`_name_or_path` is a path of the machine that made it (`…/out`)",
        ),
        (
            "adapter_config.json",
            "{\"base_model_name_or_path\": \"/ceph/llama\"}",
            ":1:2",
            "`base_model_name_or_path`",
        ),
        (
            "trainer_state.json",
            "{\"best_model_checkpoint\": \"C:\\\\Users\\\\ada\\\\c-5\"}",
            ":1:2",
            "(`…/c-5`)",
        ),
        (
            "training_args.json",
            "{\"a\": {\"dirs\": [\"x\", \"/home/ada\"]}}",
            ":1:8",
            "`dirs` is a path of the machine that made it (`…`)",
        ),
        ("hyperparams.yaml", "a: 1\ndata: /home/ada/d.csv\n", ":2:7", "`data`"),
        ("MLmodel", "artifact_path: file:///home/ada/x\n", ":1:16", "`artifact_path`"),
    ] {
        let said = said(
            |folder| std::fs::write(folder.join("model").join(name), text).expect("writable"),
            "  exclude: [\"*.dvc\"]",
        );
        let found: Vec<_> = said.iter().filter(|one| one.starts_with("machine-path")).collect();
        assert_eq!(found.len(), 1, "{said:?}");
        assert!(found[0].starts_with(&format!("machine-path at model/{name}{at}: ")), "{found:?}");
        let mut words = found[0].split(|c: char| !c.is_alphanumeric());
        assert!(found[0].contains(told) && !words.any(|word| word == "ada"), "{found:?}");
    }
    let benign = "{\"_name_or_path\": \"google/bert\", \"a\": \"/v1/chat\", \"chat_template\": \"{{ x }}\\n/home/a\"}";
    assert_eq!(said(write("model/tokenizer_config.json", benign), "").len(), 1);
}
