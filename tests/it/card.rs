//! The card as others read it: PyYAML, js-yaml and `huggingface_hub` must see the same data in it,
//! and the commands it prints must work.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use weighbridge::card::{self, CardInput};
use weighbridge::evidence;
use weighbridge::gates::{self, Gate as _, Load};
use weighbridge::hub::yaml_dialect::{Reading, yaml_1_2};
use weighbridge::hub::{card_rules, front_matter, yaml_tree};
use weighbridge::inventory;
use weighbridge::policy;
use weighbridge::release::{Channel, GitFacts, Release, Target, Versioning};

use crate::support::counterpart::{folder, need};

/// Texts on which YAML readers fall out with each other or with the writer.
const NASTY: [&str; 44] = [
    "no",
    "on",
    "y",
    "Yes",
    "null",
    "~",
    "",
    "true",
    "1e3",
    "123e4",
    "0x1F",
    "0o14",
    "012",
    "1_000",
    "1:30",
    ".5",
    ".inf",
    ".nan",
    "2025-01-15",
    "2025-01-15 10:00:00",
    "=",
    "<<",
    "---",
    "...",
    "- a",
    "? a",
    "a: b",
    "a #b",
    "#",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`a`",
    "\"quoted\"",
    "it's",
    " leading and trailing ",
    "two\nlines\n",
    "😀 \u{202E}שלום\u{FEFF}",
    "back\\slash\ttab\u{7}\u{85}\u{2028}",
    "{{ name }}",
];

/// Writes a card for a policy, a folder of the named files and perhaps a README.
fn write(policy: &str, files: &[&str], readme: Option<&str>) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("model");
    std::fs::create_dir(&model).expect("writable");
    for name in files {
        std::fs::write(model.join(name), name).expect("writable");
    }
    std::fs::write(folder.path().join("m.json"), r#"{"f1": 0.93, "tiny": 1e-9}"#)
        .expect("writable");
    let policy = policy::parse("weighbridge.yml", policy, &[]).expect("a valid policy");
    let model_policy = &policy.models[0];
    let weighed = inventory::take(&model, "model", &[], &[], &|_| {}).expect("files");
    card::write(&CardInput {
        model: model_policy,
        release: Some(&release()),
        target: Some(&target()),
        inventory: &weighed,
        evidence: &evidence::gather(folder.path(), "", model_policy),
        history: &[],
        commit: Some("0123456789abcdef0123456789abcdef01234567"),
        repository: Some("acme/churn"),
        run_url: Some("https://github.com/acme/churn/actions/runs/7"),
        template: None,
        readme,
        kept: &[],
        emergency: None,
    })
    .expect("written")
}

fn release() -> Release {
    Release {
        tag: "v1.2.0".into(),
        model: "churn".into(),
        version: "1.2.0".parse().expect("a version"),
        channel: Channel::Production,
    }
}

fn target() -> Target {
    Target {
        stage: "production".into(),
        repo: "acme/churn".parse().expect("an id"),
        private: true,
        revision: "main".into(),
    }
}

const SMALL: &str = "model: {name: churn, owner: acme}\n";

/// A policy with everything in it that goes into front matter.
fn full_policy() -> String {
    let tags: Vec<_> = NASTY.iter().filter(|text| !text.trim().is_empty()).collect();
    format!(
        "model:\n  name: churn\n  owner: acme\n  library: sklearn\n  task: tabular-classification\n  \
         license: other\n  license-name: acme-1.0\n  license-link: LICENSE.md\n  language: [\"no\", en]\n  \
         base-models: [acme/base, gpt2]\n  datasets: [acme/telco]\n  tags: {}\n  gates:\n    benchmarks:\n      \
         - {{metric: F1, file: m.json, pointer: /f1, min: 0.9, dataset: acme/telco, split: test, \
         config: \"on\", revision: \"123e4\"}}\n      \
         - {{metric: tiny, file: m.json, pointer: /tiny, dataset: acme/telco, split: test}}\n",
        serde_json::to_string(&tags).expect("serialises")
    )
}

/// A README whose metadata holds every nasty text as value and as key, and every kind of number.
fn nasty_readme() -> String {
    let texts = serde_json::to_string(&NASTY[..]).expect("serialises");
    let mut yaml = format!("---\nlicense: mit\nlanguage: \"no\"\nx_texts: {texts}\nx_keys:\n");
    for text in NASTY.iter().filter(|text| !text.is_empty()) {
        yaml.push_str("  ");
        yaml.push_str(&serde_json::to_string(text).expect("serialises"));
        yaml.push_str(": 1\n");
    }
    yaml.push_str(
        "x_plain: [no, 012, 1e3, 1_000, 0o14, 0x1F, 2025-01-15, 1:30, .inf, -1.5, 1e300, 12345678901234567890]\n\
         x_empty: [[], {}, null, ~]\nx_merge: {<<: {a: 1}, b: 2}\nx_block: |\n  two\n  lines\n---\n# By hand\n",
    );
    yaml
}

/// Every card the readers are asked about, by name.
fn cards() -> Vec<(&'static str, String)> {
    let sample = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/cards").join(name);
        std::fs::read_to_string(path).expect("a sample")
    };
    let library = |library: &str, file: &str| {
        write(&format!("model: {{name: churn, owner: acme, library: {library}}}"), &[file], None)
    };
    let kept = |name: &str| {
        let policy = "model: {name: churn, owner: acme, license: mit, base-models: [acme/base]}";
        write(policy, &["config.json"], Some(&sample(name)))
    };
    vec![
        ("full", write(&full_policy(), &["m.skops", "it's \"a\" 'b'.txt"], None)),
        ("nasty README", write(SMALL, &["a"], Some(&nasty_readme()))),
        ("nasty README and policy", write(&full_policy(), &["a"], Some(&nasty_readme()))),
        ("trainer", kept("transformers-trainer.README.md")),
        ("peft", kept("peft-lora-local-base.README.md")),
        ("sentence-transformers", kept("sentence-transformers.README.md")),
        ("skops", kept("skops.README.md")),
        ("xgboost", library("xgboost", "m.ubj")),
        ("transformers", library("transformers", "config.json")),
        ("peft library", library("peft", "adapter_config.json")),
        ("timm", library("timm", "model.safetensors")),
        ("keras", library("keras", "m.keras")),
        ("onnx", library("onnx", "m.onnx")),
        ("gguf", library("gguf", "m.gguf")),
        ("safetensors", library("none-of-these", "m.safetensors")),
    ]
}

/// Runs a reader with the cards on its standard input; its output is JSON, one item a card.
fn read(program: &Path, arguments: &[&Path], cards: &[(&str, String)]) -> Vec<Value> {
    let texts: Vec<_> = cards.iter().map(|(_, text)| text).collect();
    let mut child = Command::new(program)
        .args(arguments)
        .env("HF_HUB_OFFLINE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the reader starts");
    let input = serde_json::to_vec(&texts).expect("serialises");
    child.stdin.take().expect("piped").write_all(&input).expect("the reader reads");
    let output = child.wait_with_output().expect("the reader ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the reader prints JSON")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/cards").join(name)
}

/// Front matter as our own reader has it, every scalar with its kind.
fn ours(node: &yaml_tree::Node) -> Value {
    match &node.value {
        yaml_tree::Value::List(items) => {
            json!({"list": items.iter().map(ours).collect::<Vec<_>>()})
        }
        yaml_tree::Value::Map(entries) => {
            let key = |node: &yaml_tree::Node| match &node.value {
                yaml_tree::Value::Scalar { text, .. } => text.clone(),
                _ => panic!("a key is a text"),
            };
            let map: serde_json::Map<_, _> =
                entries.iter().map(|(name, value)| (key(name), ours(value))).collect();
            json!({ "map": map })
        }
        yaml_tree::Value::Scalar { text, plain: false } => json!({ "text": text }),
        yaml_tree::Value::Scalar { text, plain: true } => match yaml_1_2(text) {
            Reading::Null => json!({"null": true}),
            Reading::Bool(value) => json!({ "bool": value }),
            Reading::Int(_) | Reading::Float => json!({ "number": text }),
            _ => json!({ "text": text }),
        },
    }
}

/// Numbers by value: each reader spells them in its own way.
fn by_value(value: &Value) -> Value {
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("number") => {
            let spelled = map["number"].to_string();
            let spelled = spelled.trim_matches('"').replace(".inf", "inf").replace(".nan", "nan");
            let number: f64 = spelled.parse().expect("a number");
            json!({ "number": format!("{number:e}") })
        }
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), by_value(value))).collect()
        }
        Value::Array(items) => items.iter().map(by_value).collect(),
        other => other.clone(),
    }
}

#[test]
fn python_javascript_and_we_read_every_scalar_the_same() {
    let test = "python_javascript_and_we_read_every_scalar_the_same";
    let Some(python) = need(test, "venv/bin/python") else { return };
    if need(test, "node/node_modules/js-yaml/package.json").is_none() {
        return;
    }
    let cards = cards();
    let python = read(&python, &[&script("read.py")], &cards);
    let node = read(Path::new("node"), &[&script("read.mjs"), &folder().join("node")], &cards);
    for (((name, card), python), node) in cards.iter().zip(&python).zip(&node) {
        let yaml = front_matter::split(card).expect("front matter").yaml;
        let tree = yaml_tree::parse(yaml).expect("valid").expect("a document");
        let python = by_value(&python["yaml"]);
        assert_eq!(python, by_value(node), "PyYAML and js-yaml on {name}");
        assert_eq!(python, by_value(&ours(&tree)), "PyYAML and our own reader on {name}");
        assert_eq!(card_rules::check(card).errors, [], "{name}");
    }
    let texts = &python[1]["yaml"]["map"]["x_texts"]["list"];
    let expected: Vec<_> = NASTY.iter().map(|text| json!({ "text": text })).collect();
    assert_eq!(texts, &Value::Array(expected), "every text survives");
    let tags = &python[0]["yaml"]["map"]["tags"]["list"];
    assert_eq!(tags.as_array().expect("a list").len(), NASTY.len() - 1);
}

#[test]
fn huggingface_hub_reads_the_card_to_equal_data() {
    let test = "huggingface_hub_reads_the_card_to_equal_data";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let cards = cards();
    for ((name, card), seen) in cards.iter().zip(read(&python, &[&script("read.py")], &cards)) {
        assert_eq!(seen["again"], seen["card"], "{name} after a round trip");
        let body = front_matter::split(card).expect("front matter").body;
        assert_eq!(seen["text"].as_str().expect("text").trim(), body.trim(), "{name}");
        // The client drops keys whose value is nothing; all else must be there, and nothing more.
        let (yaml, data) = (&seen["yaml"]["map"], &seen["card"]["map"]);
        assert_eq!(data, yaml, "{name}");
    }
}

/// The `.eval_results` file of a policy whose only benchmark has these keys more.
fn eval_results(more: &str, date: Option<&str>, source: Option<&str>) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("m.json"), r#"{"em": 61.5, "none": null}"#)
        .expect("writable");
    let text = format!(
        "model:\n  name: churn\n  owner: acme\n  gates:\n    benchmarks:\n      \
         - {{metric: em, file: m.json, {more}}}\n"
    );
    let policy = policy::parse("weighbridge.yml", &text, &[]).expect("a valid policy");
    card::eval_results(&card::EvalInput {
        model: &policy.models[0],
        release: Some(&release()),
        evidence: &evidence::gather(folder.path(), "", &policy.models[0]),
        source,
        date,
    })
}

#[test]
fn huggingface_hub_reads_the_results_of_its_benchmarks() {
    let test = "huggingface_hub_reads_the_results_of_its_benchmarks";
    let Some(python) = need(test, "venv/bin/python") else { return };
    if need(test, "node/node_modules/js-yaml/package.json").is_none() {
        return;
    }
    let run = Some("https://github.com/acme/churn/actions/runs/7");
    let revision = "123e4567890123e4567890123e4567890123e456";
    let full =
        format!("hub-benchmark: {{dataset: openai/gsm8k, task: \"1e3\", revision: {revision}}}");
    let least = "hub-benchmark: {dataset: squad, task: \"no\"}";
    let files = [
        eval_results(&full, Some("2026-01-31T10:00:00Z"), run).expect("mapped"),
        eval_results(least, None, None).expect("mapped"),
    ];
    let files = files.map(|text| ("eval results", text));
    let expected = [
        json!([{
            "dataset": {"id": "openai/gsm8k", "task_id": "1e3", "revision": revision},
            "value": 61.5,
            "date": "2026-01-31T10:00:00Z",
            "source": {"url": run},
            "notes": "version 1.2.0, em",
        }]),
        json!([{
            "dataset": {"id": "squad", "task_id": "no"}, "value": 61.5, "notes": "version 1.2.0, em",
        }]),
    ];
    for (seen, expected) in
        read(&python, &[&script("eval_results.py")], &files).iter().zip(&expected)
    {
        assert_eq!((&seen["yaml"], &seen["again"]), (expected, expected));
    }
    let fenced = files.map(|(name, text)| (name, format!("---\n{text}---\n")));
    let node = read(Path::new("node"), &[&script("read.mjs"), &folder().join("node")], &fenced);
    let entry = &node[0]["list"][0]["map"];
    assert_eq!(entry["date"], json!({"text": "2026-01-31T10:00:00Z"}));
    assert_eq!(entry["dataset"]["map"]["task_id"], json!({"text": "1e3"}));
    assert_eq!(entry["dataset"]["map"]["revision"], json!({ "text": revision }));
    assert_eq!(node[1]["list"][0]["map"]["value"], json!({"number": 61.5}));
}

#[test]
fn only_what_is_mapped_is_there_and_passes_is_a_result_for_the_hub() {
    let mapped = "hub-benchmark: {dataset: openai/gsm8k, task: gsm8k}";
    assert!(eval_results(mapped, None, None).is_some());
    for left_out in ["max: 90", &format!("{mapped}, min: 70"), &format!("{mapped}, key: none")] {
        assert_eq!(eval_results(left_out, None, None), None, "{left_out}");
    }
}

#[test]
fn the_gate_finds_unsaid_what_the_card_calls_unsaid() {
    let policy = policy::parse("weighbridge.yml", SMALL, &[]).expect("a valid policy");
    let card = write(SMALL, &["a"], None);
    let load = Load {
        policy: &policy,
        model: &policy.models[0],
        versioning: &Versioning::Untagged,
        target: None,
        git: &GitFacts::default(),
        changes: &weighbridge::release::Changes::default(),
        inventory: &inventory::Inventory::default(),
        evidence: &evidence::Evidence::default(),
        test_run: None,
        audit_log: None,
        published: None,
        source: None,
        card: &card,
        readme: None,
        leaks: None,
        holder: None,
        rehearsal: false,
        today: jiff::civil::date(2026, 1, 2),
        checkout: None,
    };
    let judgement = gates::card::Card.weigh(&load).expect("judges");
    assert_eq!(judgement.note, "0 of 9 sections stated");
    let missing = judgement.findings.iter().filter(|found| found.rule.id == "card-section-missing");
    assert_eq!(missing.count(), 4, "{:?}", judgement.findings);
}

#[test]
fn the_commands_to_verify_a_version_work() {
    let test = "the_commands_to_verify_a_version_work";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let card = write(SMALL, &["model.bin", "it's \"a\" 'b'.txt", "naïve 模型.txt"], None);
    let command = card.lines().find(|line| line.starts_with("python3 -c")).expect("a command");
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for name in ["model.bin", "it's \"a\" 'b'.txt", "naïve 模型.txt"] {
        std::fs::write(folder.path().join(name), name).expect("writable");
        let digest = weighbridge::digest::Digest::of(name.as_bytes());
        files.push(json!({"path": name, "sha256": digest}));
    }
    let record = json!({ "files": files }).to_string();
    std::fs::write(folder.path().join("weighbridge.json"), record).expect("writable");
    let venv = python.parent().expect("in a folder").display().to_string();
    let run = || {
        let path = format!("{venv}:{}", std::env::var("PATH").unwrap_or_default());
        let mut bash = Command::new("bash");
        bash.args(["-o", "pipefail", "-c", command]).current_dir(folder.path()).env("PATH", path);
        bash.output().expect("bash runs")
    };
    let intact = run();
    assert!(intact.status.success(), "{}", String::from_utf8_lossy(&intact.stderr));
    assert_eq!(String::from_utf8_lossy(&intact.stdout).lines().count(), 3);
    std::fs::write(folder.path().join("model.bin"), "tampered").expect("writable");
    assert!(!run().status.success(), "a changed file is found");
}
