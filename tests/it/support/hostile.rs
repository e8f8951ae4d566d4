//! Servers that mean harm or are broken, in the place of a store of secrets: every store has to tell
//! what happened without a word of theirs, and to ask nobody else.

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::stores::{Job, assert_silent};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hostile {
    /// Refuses, and repeats all that it was sent.
    Echoes(u16),
    /// Sends its clients to another server.
    Redirects(u16),
    /// Says yes, in no language that was asked for, with all that it was sent.
    Babbles,
    /// Says yes, and says nothing.
    Shrugs,
    /// Does not end.
    Floods,
}

use Hostile::{Babbles, Echoes, Floods, Redirects, Shrugs};

/// All of them.
pub(crate) const HOSTILE: [Hostile; 9] = [
    Echoes(400),
    Echoes(403),
    Echoes(404),
    Redirects(301),
    Redirects(302),
    Redirects(307),
    Babbles,
    Shrugs,
    Floods,
];

/// More than any store has to say.
const FLOOD: usize = 3 * 1024 * 1024;

/// What one of them answers.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Hostile {
    /// Its answer to what it was sent; `elsewhere` is where it sends its clients.
    pub(crate) fn answer(self, sent: &str, elsewhere: &str) -> Reply {
        let reply = |status, body: Vec<u8>| Reply { status, headers: Vec::new(), body };
        let words = format!("you sent {sent}");
        match self {
            Echoes(status) => Reply {
                headers: ["x-error-message", "x-error-code"]
                    .map(|name| (name, words.clone()))
                    .into(),
                ..reply(status, words.into())
            },
            Redirects(status) => Reply {
                headers: vec![("location", elsewhere.to_owned())],
                ..reply(status, Vec::new())
            },
            Babbles => reply(200, words.into()),
            Shrugs => reply(200, Vec::new()),
            Floods => reply(200, vec![b'['; FLOOD]),
        }
    }
}

/// Asks each of them for a token by a job, which says `said` of it and nothing of the secrets.
pub(crate) async fn withstand(
    secrets: &[&str],
    job: impl Fn(&str) -> Job,
    said: impl Fn(Hostile) -> String,
) {
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&elsewhere).await;
    for hostile in HOSTILE {
        let server = MockServer::start().await;
        let address = elsewhere.uri();
        let answers = move |request: &Request| {
            let headers: Vec<_> =
                request.headers.values().map(|value| format!("{value:?}")).collect();
            let body = String::from_utf8_lossy(&request.body);
            let reply = hostile.answer(&format!("{body} {}", headers.join(" ")), &address);
            let template = ResponseTemplate::new(reply.status).set_body_bytes(reply.body);
            let headers = reply.headers.into_iter();
            headers.fold(template, |template, (name, value)| template.insert_header(name, value))
        };
        Mock::given(any()).respond_with(answers).mount(&server).await;
        let error = job(&server.uri()).fetch().await.expect_err("no token");
        let words = said(hostile);
        assert!(error.contains(&words), "{hostile:?}: {words}: {error}");
        assert_silent(&error, secrets);
        let asked = server.received_requests().await.expect("recorded");
        assert!(!asked.is_empty(), "{hostile:?}");
        for request in asked {
            assert_silent(request.url.as_str(), secrets);
        }
    }
    assert!(elsewhere.received_requests().await.expect("recorded").is_empty());
}
