//! The one HTTP client: time-outs, retries, error context, secrets.

mod error;
mod retry;
mod secret;

use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;

pub use error::{HttpError, Refusal};
pub use secret::Secret;

/// Answers that are read whole are never larger; the Hub's largest page of a tree is under 1 MiB.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// Told of every wait, in one line.
pub type Waits = Arc<dyn Fn(&str) + Send + Sync>;

/// A body that cannot be read, or is not what was weighed; travels inside an I/O error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadBody(pub String);

/// Makes rustls use ring, once for the whole process; every TLS client needs it.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that somebody was first, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// A client that reaches one program of this machine, over its socket and by no proxy. It waits as
/// long as that program takes.
pub fn over_socket(socket: &std::path::Path) -> Result<reqwest::Client, HttpError> {
    install_tls();
    let client = reqwest::Client::builder().unix_socket(socket).no_proxy().build();
    client.map_err(|error| HttpError::Client(Box::new(error)))
}

/// How a client behaves.
#[derive(Clone)]
pub struct ClientOptions {
    /// The one deadline of the whole run, from now.
    pub deadline: Duration,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest silence while reading an answer.
    pub read_timeout: Duration,
    /// Told of every wait.
    pub waits: Waits,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_hours(2),
            connect_timeout: Duration::from_secs(20),
            // The Hub itself gives a commit 60 seconds.
            read_timeout: Duration::from_secs(90),
            waits: Arc::new(|_| {}),
        }
    }
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    deadline: Instant,
    waits: Waits,
}

/// Whether a request may be made again when it is not known whether it was acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It changes nothing, or ends the same however often it is made.
    Safe,
    /// Only when it surely was not acted on (refused connection, 429).
    IfNotDone,
}

impl Client {
    /// Makes a client.
    pub fn new(options: ClientOptions) -> Result<Self, HttpError> {
        install_tls();
        let inner = reqwest::Client::builder()
            .user_agent(concat!("weighbridge/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout)
            // reqwest drops Authorization when a redirect leaves the host.
            .redirect(reqwest::redirect::Policy::limited(5))
            .build()
            .map_err(|error| HttpError::Client(Box::new(error)))?;
        Ok(Self { inner, deadline: Instant::now() + options.deadline, waits: options.waits })
    }

    /// The client underneath, for libraries that bring their own requests.
    pub fn reqwest(&self) -> &reqwest::Client {
        &self.inner
    }

    /// Sends what `build` makes, again where the table and `again` allow it, until the deadline.
    /// An answer other than success is an error.
    pub async fn send(
        &self,
        again: Again,
        build: impl Fn(&reqwest::Client) -> RequestBuilder + Send,
    ) -> Result<Response, HttpError> {
        let mut next = 2;
        loop {
            let request = build(&self.inner)
                .build()
                .map_err(|error| HttpError::Client(Box::new(error.without_url())))?;
            let url = request.url().clone();
            let left = self.deadline.saturating_duration_since(Instant::now());
            let answer = tokio::time::timeout(left, self.inner.execute(request)).await;
            let (error, pause) = match answer {
                Err(_) => return Err(HttpError::Deadline { url: error::shown(&url) }),
                Ok(Err(error)) => {
                    let error = HttpError::transport(&url, error);
                    let fine = again == Again::Safe || !error.maybe_done();
                    let retried = fine && !matches!(error, HttpError::Body(_));
                    (error, retried.then(|| retry::pause(None, next)))
                }
                Ok(Ok(response)) if response.status().is_success() => return Ok(response),
                Ok(Ok(response)) => {
                    let (status, headers) =
                        (response.status().as_u16(), response.headers().clone());
                    let body = limited(response, 64 * 1024).await.unwrap_or_default();
                    let fine = again == Again::Safe || status == 429;
                    let pause =
                        (fine && retry::passes(status)).then(|| retry::pause(Some(&headers), next));
                    (HttpError::refusal(&url, status, &headers, &body), pause)
                }
            };
            let left = self.deadline.saturating_duration_since(Instant::now());
            match pause {
                Some(pause) if next <= retry::TRIES && pause < left => {
                    (self.waits)(&format!("{error}; trying again in {:.1} s", pause.as_secs_f64()));
                    tokio::time::sleep(pause).await;
                    next += 1;
                }
                _ => return Err(error),
            }
        }
    }

    /// Sends and reads a JSON answer.
    pub async fn json<T: DeserializeOwned>(
        &self,
        again: Again,
        build: impl Fn(&reqwest::Client) -> RequestBuilder + Send,
    ) -> Result<T, HttpError> {
        read_json(self.send(again, build).await?).await
    }

    /// Time left until the deadline.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// Reads a JSON answer, bounded.
pub async fn read_json<T: DeserializeOwned>(response: Response) -> Result<T, HttpError> {
    let url = response.url().clone();
    let garbage = |why: String| HttpError::Garbage { url: error::shown(&url), why };
    let body = limited(response, BODY_LIMIT).await.map_err(|why| garbage(why.to_string()))?;
    serde_json::from_slice(&body)
        .map_err(|error| garbage(format!("it is not the JSON it should be: {error}")))
}

/// A body that did not come as a whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Beyond the limit.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// The connection ended before it.
    #[error("{0}")]
    Cut(String),
}

/// A body of at most `limit` bytes.
pub async fn limited(mut response: Response, limit: usize) -> Result<Bytes, BodyError> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(BodyError::TooLarge(limit)),
            Ok(None) => return Ok(body.freeze()),
            Err(error) => return Err(BodyError::Cut(error.without_url().to_string())),
        }
    }
}
