//! Where numbers and files come from: pins of DVC, and nobody's paths in what is published.

use std::path::Path;

use weighbridge::card::{self, CardInput};
use weighbridge::digest::Digest;
use weighbridge::evidence::{self, Evidence};
use weighbridge::finding::{Finding, Level, Location, Outcome, Overrides, Rule, Verdict, Weighing};
use weighbridge::provenance::{self, RecordInput};
use weighbridge::{inventory, policy};

use crate::support::workspace::{POLICY, Workspace};

/// Who trained, on which machine: in no text that is published.
const PLANTED: [&str; 4] = ["ada", "home", "Users", "fileserver"];

/// A file of each format that can hold a path, the metric in it, and what may be told of the path.
const FILES: &[(&str, &str, &str, &str)] = &[
    (
        "lm.json",
        r#"{"results": {"t": {"acc,none": 0.5}}, "configs": {"t": {"dataset_path": "C:\\Users\\ada\\gsm8k"}},
            "model_name": "/home/ada/models/llama", "lm_eval_version": "0.4.13"}"#,
        "acc",
        "llama",
    ),
    (
        "lighteval.json",
        r#"{"config_general": {"model_name": "/Users/ada/zephyr"}, "results": {"t:0": {"acc": 0.5}},
            "config_tasks": {"t": {"hf_repo": "file:///home/ada/arc"}}}"#,
        "acc",
        "zephyr",
    ),
    (
        "inspect.json",
        r#"{"version": 2, "status": "success", "eval": {"task": "t", "model": "hf//home/ada/phi", "run_id": "/home/ada/run9",
            "dataset": {"name": "\\\\fileserver\\ada\\squad"}, "revision": {"commit": "/home/ada"}},
            "results": {"scores": [{"name": "s", "metrics": {"accuracy": {"value": 0.5}}}]}}"#,
        "accuracy",
        "squad",
    ),
    (
        "evaluate.json",
        r#"{"accuracy": 0.5, "_evaluate_version": "/home/ada/evaluate-0.4", "_interpreter_path": "/home/ada/bin/python"}"#,
        "accuracy",
        "evaluate",
    ),
    (
        "bench.json",
        r#"{"machine_info": {"node": "ada"}, "version": "/home/ada/v5", "commit_info": {"id": "/home/ada/x"},
            "benchmarks": [{"fullname": "/home/ada/t.py::b", "stats": {"mean": 0.5}}]}"#,
        "mean",
        "v5",
    ),
    (
        "mlflow.json",
        r#"{"info": {"run_id": "/home/ada/run7", "artifact_uri": "file:///home/ada/mlruns", "user_id": "ada"},
            "data": {"metrics": {"auc": 0.5}, "tags": {"mlflow.user": "ada", "mlflow.source.git.commit": "/home/ada"}},
            "inputs": {"dataset_inputs": [{"dataset": {"name": "/home/ada/telco.csv"}}]}}"#,
        "auc",
        "telco.csv",
    ),
    (
        "MLmodel",
        "flavors: {}\nmlflow_version: /home/ada/3.17\nrun_id: /home/ada/r\nmodel_id: file:///home/ada/m-1\nmodel_size_bytes: 5\n",
        "model_size_bytes",
        "m-1",
    ),
    ("rows.csv", "metric,value,dataset\nrmse,0.5,/home/ada/rows.parquet\n", "rmse", "rows.parquet"),
    (
        "show.json",
        r#"{"": {"data": {"/home/ada/metrics.json": {"data": {"loss": 0.5}}}}}"#,
        "loss",
        "loss",
    ),
];

const RULE: Rule = Rule {
    id: "metric-missing",
    level: Level::Error,
    summary: "",
    reason: "",
    fix: "",
    example: "",
};

/// The card and the record of a model with these benchmarks.
fn published(folder: &Path, benchmarks: &str) -> String {
    let (head, tail) = POLICY.split_once("  benchmarks:\n").expect("benchmarks");
    let (_, tail) = tail.split_once('\n').expect("one line");
    let text = format!("{head}  benchmarks:\n{benchmarks}\n{tail}");
    let policy = policy::parse("weighbridge.yml", &text, &["metric-missing"]).expect("valid");
    let model = &policy.models[0];
    let evidence: Evidence = evidence::gather(folder, "", model);
    let pins = evidence.pipeline.pinned();
    let asked = inventory::Asked { pinned: &|path| pins.holds(path), sealed: false };
    let root = folder.join("model");
    let inventory = inventory::take_asked(&root, "model", &[], &[], &asked, &|_| {});
    let inventory = inventory.expect("files");
    let card = card::write(&CardInput {
        model,
        release: None,
        target: None,
        inventory: &inventory,
        evidence: &evidence,
        history: &[],
        commit: None,
        repository: None,
        run_url: None,
        template: None,
        readme: None,
        kept: &[],
        emergency: None,
    });
    let message = "read from /home/ada/x.json and C:\\Users\\ada\\y.json";
    let findings = vec![Finding::new(&RULE, message, Location::file("m.json"))];
    let note = "of /home/ada/reports".to_owned();
    let weighing = Weighing { gate: "tests", outcome: Outcome::Judged(note), findings };
    let allowance = weighbridge::finding::Allowance {
        rule: "metric-missing".into(),
        path: None,
        callable: None,
        sha256: None,
        reason: "known".into(),
        expires: jiff::civil::date(2026, 12, 31),
        at: Location::release(),
    };
    let overrides = Overrides { allowances: vec![allowance], ..Overrides::default() };
    let verdict = Verdict::judge(vec![weighing], &overrides, jiff::civil::date(2026, 1, 1));
    assert_eq!(verdict.allowed().len(), 1);
    let record = provenance::record(&RecordInput {
        model,
        release: None,
        target: None,
        commit: None,
        repository: None,
        run_url: None,
        actor: None,
        verdict: &verdict,
        source: None,
        evidence: &evidence,
        inventory: &inventory,
        documents: &[],
    });
    assert_eq!(
        record.sources.iter().map(|source| source.sha256).collect::<Vec<_>>(),
        evidence.sources().iter().map(|source| source.sha256).collect::<Vec<Option<Digest>>>()
    );
    let record = String::from_utf8(record.to_bytes()).expect("UTF-8");
    format!("{}\n{record}", card.expect("a card"))
}

#[test]
fn no_path_of_a_machine_is_published_from_any_format() {
    for (name, text, metric, told) in FILES {
        let workspace = Workspace::healthy();
        workspace.write(name, text);
        let out = published(workspace.path(), &format!("    - {{metric: {metric}, file: {name}}}"));
        assert!(out.contains("\"value\": 0.5") || out.contains("\"value\": 5"), "{name}: {out}");
        assert!(out.contains(told), "{name}: {told} is told\n{out}");
        for planted in PLANTED {
            let word =
                |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == planted);
            let line = out.lines().find(|line| word(line));
            assert_eq!(line, None, "{name}: {planted}");
        }
    }
}

#[test]
fn pipeline_and_runs_stand_on_card_and_in_the_record() {
    let workspace = Workspace::healthy();
    let md5 = "63f4f1e9b725370f459720575cd5f953";
    workspace.write(
        "dvc.lock",
        format!(
            "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py --token hf_secret\n    deps:\n    \
             - {{path: data.csv, hash: md5, md5: {md5}, size: 7}}\n    \
             - {{path: /home/ada/more.csv, hash: md5, md5: {md5}}}\n    params:\n      params.yaml:\n        \
             depth: 4\n        data: /home/ada/d.csv\n        api_token: abc\n    outs:\n    \
             - {{path: model/config.json, hash: md5, md5: {md5}}}\n"
        ),
    );
    workspace.write(
        "data.csv.dvc",
        format!(
            "deps:\n- {{path: d.csv, repo: {{url: 'https://ada:pw@git.acme.example/data?x=1'}}}}\nouts:\n\
             - {{path: data.csv, hash: md5, md5: {md5}, size: 7}}\n"
        ),
    );
    workspace.write("r.json", FILES[5].1.replace("/home/ada/run7", "run7"));
    let out = published(workspace.path(), "    - {metric: auc, file: r.json}");
    let (card, record) = out.split_once("\n{\n").expect("a record");
    for line in [
        "- Measured with `mlflow`, run `run7`, on `telco.csv`: `r.json` says so",
        "- Pipeline of DVC: `train` (`dvc.lock`)",
        &format!("- Went in: `data.csv`, md5 `{md5}` (`data.csv.dvc`)"),
        &format!("- Went in: `more.csv`, md5 `{md5}` (`dvc.lock`)"),
    ] {
        assert!(card.contains(line), "{line}\n{card}");
    }
    let record: serde_json::Value = serde_json::from_str(&format!("{{\n{record}")).expect("JSON");
    assert_eq!(record["sources"][0]["run"], "run7");
    assert_eq!(record["sources"][0]["datasets"][0], "telco.csv");
    let stage = &record["stages"][0];
    assert_eq!((&stage["name"], &stage["recorded"]), (&"train".into(), &"dvc.lock:3".into()));
    // A path says nothing to others, and a token must not be said.
    assert_eq!(stage["params"], serde_json::json!({"params.yaml:depth": "4"}));
    assert_eq!(stage["outs"][0]["path"], "model/config.json");
    assert_eq!(record["inputs"][0]["from"], "https://git.acme.example/data: d.csv");
    for secret in ["hf_secret", "abc", "ada", "pw@"] {
        let word = |text: &str| {
            text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@'))
                .any(|word| word == secret)
        };
        assert!(!word(&out), "{secret}: {out}");
    }
}

#[test]
fn a_file_that_is_not_what_dvc_recorded_blocks_a_release() {
    let workspace = Workspace::healthy();
    let lock = |md5: &str| {
        workspace.write(
            "dvc.lock",
            format!(
                "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    outs:\n    \
                 - path: model/config.json\n      hash: md5\n      md5: {md5}\n      size: 26\n"
            ),
        );
        workspace.version("v1.0.0");
    };
    // `md5sum` of what Workspace::healthy writes.
    lock("63c05ec7a0874006959d3b2d56c25cb6");
    workspace.run(&["check"]).expect(0).says("1 pinned file or folder as recorded");
    lock("63c05ec7a0874006959d3b2d56c25cb7");
    workspace.run(&["check"]).expect(1).says("dvc-pin-differs").says("dvc.lock:8");
    workspace.write("model/config.json", "{\"_name_or_path\": \"/home/ada/checkpoint-5\"}\n");
    lock("63c05ec7a0874006959d3b2d56c25cb6");
    workspace.run(&["check"]).expect(1).says("machine-path").says("model/config.json:1");
}
