//! How the embedded Hub says no, and how it reads what clients send.
//!
//! Errors carry what the clients of the Hub read: a JSON body `{"error": …}` and the headers
//! `X-Error-Code` and `X-Error-Message` (`huggingface_hub` 2.4, `utils/_http.py`).

use std::io;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::DeserializeOwned;

/// The most bytes of a JSON body that are read: 32 MiB holds a preupload of 1,000 files with
/// their samples many times over.
const JSON_MAX: usize = 32 * 1024 * 1024;

/// A request that cannot be granted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    code: Option<&'static str>,
    message: String,
    body: Option<serde_json::Value>,
}

pub(super) type Answer<T = Response> = Result<T, Refusal>;

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: None, message: message.into(), body: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found")
    }

    /// The Hub does not tell a stranger whether a repository is missing or private.
    pub(super) fn repo_not_found(signed_in: bool) -> Self {
        let (status, message) = if signed_in {
            (StatusCode::NOT_FOUND, "Repository not found")
        } else {
            (StatusCode::UNAUTHORIZED, "Invalid username or password.")
        };
        Self::new(status, message).code("RepoNotFound")
    }

    pub(super) fn revision_not_found(revision: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("Invalid rev id: {revision}"))
            .code("RevisionNotFound")
    }

    pub(super) fn entry_not_found(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{path} does not exist")).code("EntryNotFound")
    }

    /// Sets `X-Error-Code`.
    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Answers this JSON instead of `{"error": message}`.
    pub(super) fn body(mut self, body: serde_json::Value) -> Self {
        self.body = Some(body);
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = self.body.unwrap_or_else(|| serde_json::json!({ "error": self.message }));
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(code) = self.code {
            headers.insert("x-error-code", HeaderValue::from_static(code));
        }
        headers.insert("x-error-message", header_text(&self.message));
        response
    }
}

impl From<git2::Error> for Refusal {
    fn from(error: git2::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("git storage: {}", error.message()))
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("file storage: {error}"))
    }
}

/// A text as a header's value: what a header cannot hold becomes a space.
pub(super) fn header_text(text: &str) -> HeaderValue {
    let plain: String =
        text.chars().map(|c| if matches!(c, ' '..='~') { c } else { ' ' }).collect();
    HeaderValue::from_str(&plain).unwrap_or(HeaderValue::from_static(""))
}

/// Sets a header to a text.
pub(super) fn set(headers: &mut HeaderMap, name: &'static str, text: &str) {
    headers.insert(HeaderName::from_static(name), header_text(text));
}

/// Reads a JSON body of at most [`JSON_MAX`] bytes.
pub(super) async fn read_json<T: DeserializeOwned>(body: Body) -> Answer<T> {
    let bytes = read_all(body).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::bad_request(format!("the body is not as expected: {error}")))
}

/// Reads a body of at most [`JSON_MAX`] bytes.
pub(super) async fn read_all(body: Body) -> Answer<Bytes> {
    to_bytes(body, JSON_MAX).await.map_err(|error| {
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body cannot be read: {error}"))
    })
}

/// Runs file and git work off the threads that serve connections.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("work broke off: {error}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_cannot_forge_a_header() {
        let response = Refusal::entry_not_found("a\r\nset-cookie: x=1").into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(response.headers().get("set-cookie").is_none());
        assert_eq!(response.headers()["x-error-code"], "EntryNotFound");
        assert_eq!(response.headers()["x-error-message"], "a  set-cookie: x=1 does not exist",);
    }

    #[tokio::test]
    async fn a_broken_body_is_a_bad_request() {
        let refusal = read_json::<Vec<u8>>(Body::from("[1,")).await.expect_err("half a list");
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
    }
}
