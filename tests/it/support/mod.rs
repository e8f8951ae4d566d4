//! Shared by the behaviour tests.

pub(crate) mod action;
pub(crate) mod azure;
pub(crate) mod bao;
pub(crate) mod counterpart;
pub(crate) mod front;
pub(crate) mod github;
pub(crate) mod hostile;
pub(crate) mod hub_server;
pub(crate) mod identities;
pub(crate) mod issuer;
pub(crate) mod listener;
pub(crate) mod moto;
pub(crate) mod prism;
pub(crate) mod standing_hub;
pub(crate) mod stores;
pub(crate) mod workspace;

/// An HTTP client that takes every answer as it comes.
pub(crate) fn plain_client() -> reqwest::Client {
    weighbridge::http::install_tls();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client")
}

/// Somebody else's commit; whether there was a repository for it.
pub(crate) async fn intrude(hub: &str, token: &str) -> bool {
    let lines = [
        r#"{"key": "header", "value": {"summary": "mine"}}"#,
        r#"{"key": "file", "value": {"path": "note.txt", "content": "hello", "encoding": "utf-8"}}"#,
    ];
    let request = plain_client()
        .post(format!("{hub}/api/models/acme/churn/commit/main"))
        .bearer_auth(token)
        .header("content-type", "application/x-ndjson")
        .body(lines.join("\n"));
    request.send().await.expect("answers").status() == 200
}
