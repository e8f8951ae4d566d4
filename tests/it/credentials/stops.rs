//! Whoever waits for a token that nobody gives can be stopped, and says what happened.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{hub, on_runner, publisher};
use crate::support::front::{Fate, Front};
use crate::support::hub_server::HubServer;
use crate::support::issuer::{Issuer, REQUEST_TOKEN, jwt, on_tag};
use crate::support::workspace::{POLICY, Run, Workspace};

/// The address of a server that takes every connection and never says a word, and when it took one.
async fn silent() -> (String, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let asked = Arc::new(Notify::new());
    let took = asked.clone();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = listener.accept().await {
            held.push(connection);
            took.notify_one();
        }
    });
    (address, asked)
}

/// What a run says that is asked to stop as soon as it waits.
async fn stopped(
    workspace: &Workspace,
    arguments: &[&str],
    waits: impl Future<Output = ()>,
) -> Run {
    let mut command = tokio::process::Command::from(workspace.command(arguments));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().expect("the binary starts");
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("it runs");
    tokio::time::timeout(Duration::from_mins(1), waits).await.expect("it asks for a token");
    kill_process(id, Signal::TERM).expect("it runs");
    let begun = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await;
    let run = Run::new(ended.expect("it ends").expect("it ran"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}\n{}", begun.elapsed(), run.all());
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_credentials_that_is_silent_holds_no_stop_up() {
    let server = HubServer::start().await;
    let stage = ["stage", "--shard", "1/1"];
    for (source, arguments, says) in [
        ("trusted-publishing", &["release"][..], "was stopped before it began to publish"),
        ("trusted-publishing", &stage, "the share was not brought"),
        ("vault", &["release"], "was stopped before it began to publish"),
        ("vault", &stage, "the share was not brought"),
    ] {
        let (address, asked) = silent().await;
        let mut workspace = Workspace::healthy();
        workspace.set("HF_ENDPOINT", server.hub.url());
        if source == "vault" {
            let vault = format!(
                "{{address: \"{address}\", login: {{jwt: {{role: release, audience: https://vault.acme.example}}}}, key: hf_token, secret: secret/ml/hub}}"
            );
            workspace
                .write("weighbridge.yml", format!("{POLICY}credentials:\n  - vault: {vault}\n"));
            let token = jwt(json!({"aud": "https://vault.acme.example", "sub": "x"}));
            workspace.set("WEIGHBRIDGE_ID_TOKEN", token);
        } else {
            workspace.set("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{address}/id?a=1"));
            workspace.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN);
        }
        workspace.version("v1.0.0");
        let run = stopped(&workspace, arguments, asked.notified()).await;
        run.expect(2).says(says).says("somebody").says("run it again when it may go on");
    }
    assert_eq!(server.count("POST", ""), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_the_log_that_is_waited_for_holds_no_stop_up() {
    let server = hub(&["acme/churn"], vec![publisher("acme/churn", Duration::from_hours(1))]).await;
    let waiting = Arc::new(Notify::new());
    let waits = waiting.clone();
    let front = Front::before(&server.hub.url(), move |asked| {
        let of_log = asked.path == "/oauth/token" && asked.json["resource"] == "datasets/acme/log";
        if !of_log {
            return Fate::Pass;
        }
        waits.notify_one();
        Fate::Hold(Duration::from_mins(1))
    })
    .await;
    let issuer = Issuer::of(on_tag()).await;
    let mut workspace = on_runner(&issuer, &server);
    workspace.write("weighbridge.yml", format!("{POLICY}audit-log: {{repository: acme/log}}\n"));
    workspace.version("v1.0.0");
    workspace.set("HF_ENDPOINT", front.url());
    let run = stopped(&workspace, &["release"], waiting.notified()).await;
    let run = run.expect(2).says("the Hub token for acme/churn is from: trusted-publishing");
    run.says("was stopped before it began to publish").says("nothing was sent");
    assert_eq!(server.count("POST", "/commit/"), 0);
}
