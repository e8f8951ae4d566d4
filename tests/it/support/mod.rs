//! Shared by the behaviour tests.

pub(crate) mod action;
pub(crate) mod counterpart;
pub(crate) mod front;
pub(crate) mod hub_server;
pub(crate) mod prism;
pub(crate) mod standing_hub;
pub(crate) mod workspace;

/// An HTTP client that takes every answer as it comes.
pub(crate) fn plain_client() -> reqwest::Client {
    weighbridge::http::install_tls();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client")
}
