//! The Hub's official clients do their round trips against the embedded Hub, unchanged.

use std::path::{Path, PathBuf};

use serde_json::Value;
use weighbridge::rehearsal::Transfers;

use crate::support::counterpart::need;
use crate::support::hub_server::{HubServer, model_folder, succeed};

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
    assert_eq!(seen["commits"], serde_json::json!(["Upload the model", "initial commit"]));
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
