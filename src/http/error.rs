//! What went wrong with a request: captured once, with everything that helps and no secret.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::{blotted, retry};

/// Longest text of a server that is kept.
const WORDS: usize = 600;

/// A request that did not yield what it was made for.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No answer: refused, reset, timed out, no such host, bad certificate.
    #[error("no answer from {url}")]
    Unreachable {
        /// Address without query.
        url: String,
        /// Whether the request may have been acted on all the same.
        maybe_done: bool,
        /// The transport's error, without its address.
        source: Box<reqwest::Error>,
    },
    /// An answer that says no.
    #[error("{0}")]
    Status(Box<Refusal>),
    /// The server was silent for too long.
    #[error("{url} was silent for {seconds} seconds")]
    Silent {
        /// Address without query.
        url: String,
        /// How long it was waited for.
        seconds: f64,
    },
    /// An answer whose body did not come to its end.
    #[error("the answer of {url} was cut short")]
    Cut {
        /// Address without query.
        url: String,
        /// The transport's error, without its address.
        source: Box<reqwest::Error>,
    },
    /// An answer beyond what is read of it.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// Address without query.
        url: String,
        /// Bytes.
        limit: usize,
    },
    /// An answer that is not what the protocol says.
    #[error("the answer of {url} cannot be read: {why}")]
    Garbage {
        /// Address without query.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The run's time is over.
    #[error("the run's time is over while waiting for {url}")]
    Deadline {
        /// Address without query.
        url: String,
    },
    /// What was to be sent could not be read, or is not what was weighed.
    #[error("{0}")]
    Body(String),
    /// The client could not be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] Box<reqwest::Error>),
}

/// An answer that says no.
#[derive(Debug)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Address without query.
    pub url: String,
    /// `X-Error-Code`: RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo.
    pub code: Option<String>,
    /// The server's own words, cut.
    pub words: String,
    /// `X-Request-Id`, for the server's people.
    pub request_id: Option<String>,
    /// When the server wants to be asked again.
    pub after: Option<Duration>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answered {}", self.url, self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if !self.words.is_empty() {
            write!(f, ": {}", self.words)?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl HttpError {
    /// The status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// Whether the server may have done what it was asked, though no answer says so.
    pub fn maybe_done(&self) -> bool {
        match self {
            Self::Unreachable { maybe_done, .. } => *maybe_done,
            Self::Status(refusal) => refusal.status >= 500 || refusal.status == 408,
            Self::Silent { .. }
            | Self::Cut { .. }
            | Self::TooLarge { .. }
            | Self::Garbage { .. }
            | Self::Deadline { .. } => true,
            Self::Body(_) | Self::Client(_) => false,
        }
    }

    /// How long to wait before try number `next` of what ended so (the second is 2).
    pub fn pause(&self, next: u32) -> Duration {
        let asked = match self {
            Self::Status(refusal) => refusal.after,
            _ => None,
        };
        asked.unwrap_or_else(|| retry::pause(next))
    }

    /// Whether no whole answer came, for the network's sake: another try may get one.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Silent { .. } | Self::Cut { .. })
    }

    /// Whether it was tried again, for it is of those that pass, and did not pass.
    pub fn passes(&self) -> bool {
        self.is_lost() || self.status().is_some_and(retry::passes)
    }

    pub(super) fn transport(url: &reqwest::Url, error: reqwest::Error) -> Self {
        // A body that failed is our own file, not the network.
        let mut source: Option<&(dyn std::error::Error + 'static)> =
            std::error::Error::source(&error);
        while let Some(cause) = source {
            if let Some(io) = cause.downcast_ref::<std::io::Error>()
                && io.get_ref().and_then(|inner| inner.downcast_ref::<super::BadBody>()).is_some()
            {
                return Self::Body(io.to_string());
            }
            source = cause.source();
        }
        Self::Unreachable {
            url: shown(url),
            maybe_done: !error.is_connect(),
            source: Box::new(error.without_url()),
        }
    }

    /// A refusal without a word of the server's.
    pub(super) fn bare_refusal(url: &reqwest::Url, status: u16, headers: &HeaderMap) -> Self {
        let after = retry::asked(headers, Timestamp::now());
        let (url, words) = (shown(url), String::new());
        Self::Status(Box::new(Refusal { status, url, code: None, words, request_id: None, after }))
    }

    pub(super) fn refusal(
        url: &reqwest::Url,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(cut);
        let words = header("x-error-message").unwrap_or_else(|| words(body));
        let (code, request_id) = (header("x-error-code"), header("x-request-id"));
        let after = retry::asked(headers, Timestamp::now());
        Self::Status(Box::new(Refusal { status, url: shown(url), code, words, request_id, after }))
    }
}

/// The `error` or `message` of a JSON body, else its text.
fn words(body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let said = json.as_ref().and_then(|json| json.get("error").or_else(|| json.get("message")));
    match said {
        Some(serde_json::Value::String(text)) => cut(text),
        Some(other) => cut(&other.to_string()),
        // A proxy's HTML page helps nobody.
        None if body.trim_ascii_start().starts_with(b"<") => String::new(),
        None => cut(&String::from_utf8_lossy(body)),
    }
}

/// At most [`WORDS`] printable characters, without any secret that the server repeats: blotted out
/// before anything is cut, for half a secret is not known as one, and before it can get anywhere.
fn cut(text: &str) -> String {
    let text = blotted(text);
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(WORDS).collect::<String>().trim().to_owned()
}

/// An address for people: no user, no query (signatures live there), no fragment.
pub(super) fn shown(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only addresses without a host refuse these, and they have no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}
