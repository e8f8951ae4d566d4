//! OpenBao's real server, in memory: every part of it that Vault has too.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::counterpart::need;

const ROOT: &str = "root-token-of-a-test";

/// A running server; stopped when dropped.
pub(crate) struct Bao {
    _process: Child,
    /// Its address.
    pub(crate) url: String,
}

impl Bao {
    /// Starts it and waits until it answers. `None` where this machine cannot.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        let program = need(test, "venv/bin/bao")?;
        // It takes no port 0; a port that was free a moment ago is free still, or the wait below
        // ends the test.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port");
        let process = Command::new(program)
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("bao starts");
        let bao = Self { _process: process, url: format!("http://{address}") };
        for _ in 0..600 {
            // Writing works only once the key-value engine has been set up.
            let probe = bao.ask(Method::POST, None, "secret/data/probe", json!({"data": {}})).await;
            if probe.is_some_and(|(status, _)| status == 200) {
                return Some(bao);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("bao does not answer at {}", bao.url);
    }

    /// A request of root's, in a namespace.
    pub(crate) async fn root(
        &self,
        method: Method,
        namespace: Option<&str>,
        path: &str,
        body: Value,
    ) -> Value {
        let (status, json) = self.ask(method, namespace, path, body).await.expect("answers");
        assert!(status < 300, "{path}: {status} {json}");
        json
    }

    async fn ask(
        &self,
        method: Method,
        namespace: Option<&str>,
        path: &str,
        body: Value,
    ) -> Option<(u16, Value)> {
        let mut request = super::plain_client()
            .request(method, format!("{}/v1/{path}", self.url))
            .header("x-vault-token", ROOT)
            .json(&body);
        if let Some(namespace) = namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.unwrap_or_default()))
    }
}
