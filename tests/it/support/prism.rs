//! GitHub's API as its official OpenAPI description has it: prism refuses with 422 whatever does
//! not fit, and answers the rest with the description's own examples.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::counterpart::{folder, need};

/// A running prism; stopped when dropped.
pub(crate) struct Prism {
    _process: Child,
    /// Its address.
    pub(crate) url: String,
}

impl Prism {
    /// Answers with the description's examples. `None` where this machine cannot.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        Self::launch(test, "mock", &[]).await
    }

    /// Hands requests on to a server, and answers 422 or 500 where a request, or the server's answer, does
    /// not fit the description. `None` where this machine cannot.
    pub(crate) async fn before(test: &str, server: &str) -> Option<Self> {
        Self::launch(test, "proxy", &[server]).await
    }

    /// Starts it and waits until it answers.
    async fn launch(test: &str, mode: &str, behind: &[&str]) -> Option<Self> {
        let program = need(test, "node/node_modules/@stoplight/prism-cli/dist/index.js")?;
        let description =
            folder().join("node/node_modules/@octokit/openapi/generated/api.github.com.json");
        // Prism takes no port 0; a port that was free a moment ago is free still, or the wait below
        // ends the test.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let process = Command::new("node")
            .arg(program)
            .args([mode, "--errors", "--host", "127.0.0.1", "--port", &port.to_string()])
            .arg(description)
            .args(behind)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let url = format!("http://127.0.0.1:{port}");
        let client = super::plain_client();
        for _ in 0..600 {
            if client.get(format!("{url}/zen")).send().await.is_ok() {
                return Some(Self { _process: process, url });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("prism does not answer at {url}");
    }
}
