//! The code on the card: real libraries write a model, the model is released, and the code is cut
//! out of the card that was published and run by the same libraries against the Hub.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use weighbridge::card::{self, CardInput};
use weighbridge::evidence::Evidence;
use weighbridge::hub::tables::PIPELINE_TAGS;
use weighbridge::{inventory, policy};

use crate::support::counterpart::need;
use crate::support::hub_server::HubServer;
use crate::support::plain_client;
use crate::support::workspace::{POLICY, Workspace};

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/snippets/models.py")
}

/// Runs the script with `input`; the JSON in its last line.
async fn ask(command: &mut Command, input: &str) -> Value {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut pipe = child.stdin.take().expect("piped");
    pipe.write_all(input.as_bytes()).await.expect("the script reads");
    drop(pipe);
    let output = child.wait_with_output().await.expect("the script ends");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{input}\n{out}\n{err}");
    serde_json::from_str(out.lines().last().unwrap_or_default()).expect("JSON")
}

/// The first block of a language on a card.
fn block<'a>(card: &'a str, language: &str) -> &'a str {
    let (_, after) = card.split_once("## How to load").expect("the section");
    let (_, code) = after.split_once(&format!("```{language}\n")).expect("a block of code");
    code.split_once("```").expect("its end").0
}

/// Releases a model that `models.py` makes, and runs the code of its card. `counted` is the file by
/// which the Hub counts downloads.
async fn runs(name: &str, library: &str, task: &str, counted: Option<&str>) {
    let Some(python) = need(&format!("snippets::{name}"), "venv/bin/python") else { return };
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    for file in ["config.json", "model.json"] {
        std::fs::remove_file(workspace.path().join("model").join(file)).expect("removed");
    }
    let policy =
        POLICY.replace("  library: xgboost\n", library).replace("tabular-classification", task);
    workspace.write("weighbridge.yml", policy);
    let folder = workspace.path().join("model");
    let mut make = server.client(&python);
    let before = ask(make.arg(script()).args(["make", name]).arg(&folder), "").await;
    workspace.version("v1.0.0");
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let release = || tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);
    let said = release().all();
    assert_eq!(said.contains("downloads-not-counted"), counted.is_none(), "{said}");

    let read = async |file: &str| {
        let url = format!("{}/acme/churn/resolve/v1.0.0/{file}", server.hub.url());
        let request = plain_client().get(url).bearer_auth(server.hub.token().expose());
        request.send().await.expect("answers").text().await.expect("text")
    };
    let card = read("README.md").await;
    let snippet = block(&card, "python");
    let asked = server.hub.requests().len();
    let mut run = server.client(&python);
    let after = ask(run.arg(script()).args(["use", name]), snippet).await;
    assert_eq!(before, after, "{snippet}");
    if let Some(counted) = counted {
        let requests = server.hub.requests().split_off(asked);
        let counts = requests.iter().any(|one| {
            one.path.contains("/resolve/") && one.path.ends_with(&format!("/{counted}"))
        });
        assert!(counts, "running the code counts as a download: {requests:?}");
    }
    release().says("already published, nothing written");
    server.hub.stop().await;
}

macro_rules! snippets {
    ($($name:ident: $library:expr, $task:expr, $counted:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            runs(stringify!($name), $library, $task, $counted).await;
        })*
    };
}

snippets! {
    xgboost: "  library: xgboost\n", "tabular-classification", Some("config.json");
    lightgbm: "  library: lightgbm\n", "tabular-classification", Some("config.json");
    catboost: "  library: catboost\n", "tabular-classification", Some("config.json");
    onnx: "", "tabular-classification", Some("config.json");
    safetensors: "", "other", Some("config.json");
    skops: "  library: sklearn\n", "tabular-classification", None;
    joblib: "  library: sklearn\n", "tabular-classification", Some("sklearn_model.joblib");
    spacy: "  library: spacy\n", "token-classification", None;
    mlx: "  library: mlx\n", "text-generation", Some("config.json");
}

/// The card of a model of a library, for a task, with these files.
fn card(library: &str, task: &str, tags: &str, files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below")).expect("writable");
        std::fs::write(path, content).expect("writable");
    }
    let text = format!(
        "model: {{name: churn, owner: acme, library: {library}, task: {task}, tags: [{tags}]}}"
    );
    let policy = policy::parse("weighbridge.yml", &text, &[]).expect("valid");
    card::write(&CardInput {
        model: &policy.models[0],
        release: None,
        target: None,
        inventory: &inventory::take(folder.path(), "", &[], &[], &|_| {}).expect("files"),
        evidence: &Evidence::default(),
        history: &[],
        commit: None,
        repository: None,
        run_url: None,
        template: None,
        readme: None,
        kept: &[],
        emergency: None,
    })
    .expect("written")
}

/// Cards of every library whose code is not run above.
fn not_run() -> Vec<String> {
    let adapter = r#"{"task_type": "CAUSAL_LM", "base_model_name_or_path": "acme/base"}"#;
    let code = r#"{"auto_map": {"AutoModel": "code.Net"}}"#;
    [
        ("diffusers", "text-to-image", "", &[("model_index.json", "{}")][..]),
        ("diffusers", "image-to-image", "controlnet", &[("config.json", "{}")]),
        ("fastai", "image-classification", "", &[("model.pkl", "x")]),
        (
            "gguf",
            "text-generation",
            "conversational",
            &[("a-00001-of-00002.gguf", ""), ("a-00002-of-00002.gguf", "")],
        ),
        ("llama-cpp-python", "text-generation", "", &[("a.gguf", "")]),
        ("keras", "image-classification", "", &[("m.keras", "x")]),
        ("tf-keras", "image-classification", "", &[("saved_model.pb", "x")]),
        ("mlx", "image-text-to-text", "", &[("config.json", "{}")]),
        ("mlx", "text-generation", "conversational", &[("config.json", "{}")]),
        ("nemo", "automatic-speech-recognition", "", &[("m.nemo", "x")]),
        ("nemo", "text-generation", "", &[("m.nemo", "x")]),
        ("onnx", "other", "", &[("m.onnx", "x"), ("m.onnx_data", "x")]),
        ("open_clip", "zero-shot-image-classification", "", &[("model.safetensors", "x")]),
        ("peft", "text-generation", "", &[("adapter_config.json", adapter)]),
        ("sentence-transformers", "sentence-similarity", "", &[("config.json", code)]),
        ("sentence-transformers", "text-ranking", "", &[("config.json", "{}")]),
        ("setfit", "text-classification", "", &[("config.json", "{}")]),
        ("spacy", "token-classification", "", &[("en_x-1.0-py3-none-any.whl", "x")]),
        ("stable-baselines3", "reinforcement-learning", "", &[("ppo-Walker.zip", "x")]),
        ("stable-baselines3", "reinforcement-learning", "", &[("policy.zip", "x")]),
        ("timm", "image-classification", "", &[("model.safetensors", "x")]),
        ("transformers", "text-generation", "custom_code", &[("config.json", code)]),
        ("ultralytics", "object-detection", "", &[("yolo.pt", "x")]),
    ]
    .map(|(library, task, tags, files)| card(library, task, tags, files))
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_not_run_is_python_all_the_same() {
    let test = "snippets::code_that_is_not_run_is_python_all_the_same";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let cards = not_run();
    let snippets: Vec<_> = cards.iter().map(|card| block(card, "python")).collect();
    let command = &mut Command::new(python);
    let parsed = ask(command.arg(script()).arg("parse"), &json!(snippets).to_string()).await;
    assert_eq!(parsed, json!(vec![true; cards.len()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn transformers_has_every_task_and_class_that_cards_name() {
    let test = "snippets::transformers_has_every_task_and_class_that_cards_name";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let files = ["config.json", "tokenizer_config.json"].map(|name| (name, "{}"));
    let (mut tasks, mut names) = (Vec::new(), Vec::new());
    for task in PIPELINE_TAGS.ids() {
        let card = card("transformers", task, "", &files);
        let code = block(&card, "python");
        if let Some((_, after)) = code.split_once("pipeline(\"") {
            tasks.push(after.split_once('"').expect("a literal").0.to_owned());
        }
        let imports =
            code.lines().filter_map(|line| line.strip_prefix("from transformers import "));
        names.extend(imports.flat_map(|list| list.split(", ").map(str::to_owned)));
    }
    let command = &mut Command::new(&python);
    let known = ask(command.arg(script()).arg("pipelines"), "").await;
    let known = known.as_array().expect("a list");
    assert!(tasks.len() > 20 && tasks.iter().all(|task| known.contains(&json!(task))), "{tasks:?}");
    assert!(names.contains(&"AutoModelForSeq2SeqLM".to_owned()), "translation has no pipeline");
    let command = &mut Command::new(&python);
    let missing = ask(command.arg(script()).arg("names"), &json!(names).to_string()).await;
    assert_eq!(missing, json!([]));
}

#[tokio::test]
async fn code_for_transformers_js_is_javascript() {
    let test = "snippets::code_for_transformers_js_is_javascript";
    if need(test, "node/node_modules").is_none() {
        return;
    }
    let card = card("transformers.js", "text-classification", "", &[("onnx/model.onnx", "x")]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("card.mjs");
    std::fs::write(&file, block(&card, "js")).expect("writable");
    let check = Command::new("node").arg("--check").arg(file).output().await.expect("node runs");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}
