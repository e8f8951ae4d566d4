//! The code on the card: real libraries write a model, the model is released, and the code is cut
//! out of the card that was published and run by the same libraries against the Hub.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::counterpart::need;
use crate::support::hub_server::{HubServer, succeed};
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
    let policy = POLICY
        .replace("  library: xgboost\n", library)
        .replace("tabular-classification", task);
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
