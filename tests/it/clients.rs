//! The Hub's official clients do their round trips against the embedded Hub, unchanged.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use weighbridge::rehearsal::Transfers;

use crate::support::counterpart::need;
use crate::support::hub_server::{HubProcess, HubServer, client, model_folder, succeed};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/clients").join(name)
}

async fn python_round_trip(server: &HubServer, python: &Path, disable_xet: bool) -> Value {
    let folder = server.scratch("model");
    model_folder(&folder);
    let mut command = server.client(python);
    command.arg(script("round_trip.py")).arg(folder).arg("acme/churn");
    if disable_xet {
        command.env("HF_HUB_DISABLE_XET", "1");
    }
    serde_json::from_str(&succeed(&mut command).await).expect("the script prints JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn python_with_xet() {
    let Some(python) = need("python_with_xet", "venv/bin/python") else { return };
    let server = HubServer::start().await;
    let seen = python_round_trip(&server, &python, false).await;
    assert_eq!(seen["xet"], true);
    assert_eq!(server.count("POST", "/lfs/objects/batch"), 0, "this client asks for no batch");
    assert_eq!(server.count("PUT", "/storage/"), 0);
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_without_xet() {
    let Some(python) = need("python_without_xet", "venv/bin/python") else { return };
    let server = HubServer::start().await;
    let seen = python_round_trip(&server, &python, true).await;
    assert_eq!(seen["xet"], false);
    assert_eq!(seen["commits"], json!(["Upload the model", "initial commit"]));
    assert_eq!(server.count("PUT", "/storage/basic/"), 2, "two large files, each sent once");
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_in_parts() {
    let Some(python) = need("python_in_parts", "venv/bin/python") else { return };
    let server =
        HubServer::transferring(Transfers::ForceMultipart { chunk: 5 * 1024 * 1024 }).await;
    let seen = python_round_trip(&server, &python, true).await;
    assert_eq!(seen["xet"], false);
    assert_eq!(server.count("PUT", "/storage/part/"), 6, "21 MiB in parts of 5, and a small one");
    assert_eq!(server.count("POST", "/storage/complete/"), 2);
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_understands_the_refusals() {
    let Some(python) = need("python_understands_the_refusals", "venv/bin/python") else { return };
    let server = HubServer::start().await;
    succeed(server.client(&python).arg(script("guards.py")).arg("acme/guarded")).await;
    server.hub.stop().await;
}

const JAVASCRIPT_CLIENT: &str = "node/node_modules/@huggingface/hub/dist/index.mjs";

async fn javascript_round_trip(server: &HubServer, client: &Path, mode: &str) -> Value {
    let folder = server.scratch("model");
    model_folder(&folder);
    let mut command = server.client(Path::new("node"));
    command.arg(script("round_trip.mjs")).arg(client).arg(folder).args(["acme/churn", mode]);
    serde_json::from_str(&succeed(&mut command).await).expect("the script prints JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_with_xet() {
    let Some(client) = need("javascript_with_xet", JAVASCRIPT_CLIENT) else { return };
    let server = HubServer::start().await;
    let seen = javascript_round_trip(&server, &client, "xet").await;
    assert_eq!(seen["xet"], true);
    assert_eq!(server.count("PUT", "/storage/"), 0);
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_without_xet() {
    let Some(client) = need("javascript_without_xet", JAVASCRIPT_CLIENT) else { return };
    let server = HubServer::start().await;
    let seen = javascript_round_trip(&server, &client, "lfs").await;
    assert_eq!(seen["xet"], false);
    assert_eq!(server.count("PUT", "/storage/basic/"), 2);
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn command_line() {
    let Some(hf) = need("command_line", "venv/bin/hf") else { return };
    let server = HubServer::start().await;
    let (sent, received) = (server.scratch("model"), server.scratch("received"));
    model_folder(&sent);
    let upload = ["upload", "acme/churn"];
    succeed(server.client(&hf).args(upload).arg(&sent).args(["--private"])).await;
    succeed(server.client(&hf).args(["download", "acme/churn", "--local-dir"]).arg(&received))
        .await;
    for path in ["weights.safetensors", "small.bin", "README.md", "notes/zero.txt"] {
        let [was, is] =
            [&sent, &received].map(|folder| std::fs::read(folder.join(path)).expect(path));
        assert!(was == is, "{path} differs");
    }
    let shown = succeed(server.client(&hf).args(["auth", "whoami"])).await;
    assert!(shown.contains("rehearsal"), "{shown}");
    server.hub.stop().await;
}

/// What was committed, by LFS and by Xet, is there after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_everything() {
    let Some(hf) = need("a_restart_keeps_everything", "venv/bin/hf") else { return };
    let server = HubServer::start().await;
    let sent = server.scratch("model");
    model_folder(&sent);
    let token = server.hub.token().expose().to_owned();
    for (repo, disable_xet) in [("acme/by-xet", "0"), ("acme/by-lfs", "1")] {
        let mut upload = server.client(&hf);
        upload.args(["upload", repo]).arg(&sent).env("HF_HUB_DISABLE_XET", disable_xet);
        succeed(&mut upload).await;
    }
    let server = server.restart().await;
    assert_eq!(server.hub.token().expose(), token);
    for (repo, disable_xet) in [("acme/by-xet", "1"), ("acme/by-xet", "0"), ("acme/by-lfs", "0")] {
        let received = server.scratch(&format!("{}-{disable_xet}", repo.replace('/', "-")));
        let mut download = server.client(&hf);
        download.args(["download", repo, "--local-dir"]).arg(&received);
        succeed(download.env("HF_HUB_DISABLE_XET", disable_xet)).await;
        let path = "weights.safetensors";
        let [was, is] =
            [&sent, &received].map(|folder| std::fs::read(folder.join(path)).expect(path));
        assert!(was == is, "{repo} differs after the restart");
    }
    server.hub.stop().await;
}

/// Killed in the middle of an upload and of a commit, the Hub starts again with all that was
/// committed before and nothing of what was not, and takes the same upload.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_hub_starts_again_sound() {
    let Some(hf) = need("a_killed_hub_starts_again_sound", "venv/bin/hf") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(&path).expect("makes a folder");
        path
    };
    let (data, sent) = (place("data"), place("model"));
    model_folder(&sent);

    let hub = HubProcess::start(&data).await;
    let url = format!("http://{}", hub.address);
    let home = place("client");
    succeed(client(&hf, &home, &url, &hub.token).args(["upload", "acme/churn"]).arg(&sent)).await;
    let header = json!({ "key": "header", "value": { "summary": "half" } });
    let line = json!({ "key": "file", "value": { "path": "half.txt", "content": "" } });
    let commit = "POST /api/models/acme/churn/commit/main";
    let weights = vec![0; 4 * 1024 * 1024];
    let _open = [
        hub.half_a_request(commit, format!("{header}\n{line}\n").as_bytes()).await,
        hub.half_a_request(&format!("PUT {}", upload_path(&hub).await), &weights).await,
    ];
    hub.kill().await;

    let hub = HubProcess::start(&data).await;
    let url = format!("http://{}", hub.address);
    let left: Vec<_> = std::fs::read_dir(data.join("tmp")).expect("reads").collect();
    assert!(left.is_empty(), "unfinished work is cleared: {left:?}");
    let received = place("received");
    let mut download = client(&hf, &home, &url, &hub.token);
    succeed(download.args(["download", "acme/churn", "--local-dir"]).arg(&received)).await;
    assert!(!received.join("half.txt").exists());
    let path = "weights.safetensors";
    let [was, is] = [&sent, &received].map(|folder| std::fs::read(folder.join(path)).expect(path));
    assert!(was == is, "{path} differs after the kill");
    std::fs::write(sent.join("half.txt"), "whole now").expect("writes");
    succeed(client(&hf, &home, &url, &hub.token).args(["upload", "acme/churn"]).arg(&sent)).await;
    hub.kill().await;
}

/// The pre-signed path for a large file of 8 MiB.
async fn upload_path(hub: &HubProcess) -> String {
    let body = json!({
        "operation": "upload",
        "transfers": ["basic"],
        "objects": [{ "oid": "0".repeat(64), "size": 8 * 1024 * 1024 }],
    });
    let url = format!("http://{}/acme/churn.git/info/lfs/objects/batch", hub.address);
    weighbridge::http::install_tls();
    let request = reqwest::Client::new().post(url).bearer_auth(&hub.token).body(body.to_string());
    let answer: Value = request.send().await.expect("answers").json().await.expect("JSON");
    let href = answer["objects"][0]["actions"]["upload"]["href"].as_str().expect("an href");
    href.split_once(&hub.address).expect("this Hub's own URL").1.to_owned()
}
