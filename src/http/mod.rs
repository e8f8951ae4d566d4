//! The one HTTP client: time-outs, retries, error context, secrets.

mod address;
mod error;
mod forms;
mod pulse;
mod retry;
mod secret;

use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

pub use address::{is_of_this_machine, keeps_secrets, trusted, unread};
pub use error::{HttpError, Refusal};
pub use retry::pause;
pub use secret::{Blotter, Secret, blotted, wipe};

use pulse::Pulse;

/// Answers that are read whole are never larger; the Hub's largest page of a tree is under 1 MiB.
pub const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// Told of every wait, in one line.
pub type Waits = Arc<dyn Fn(&str) + Send + Sync>;

/// A body that cannot be read, or is not what was weighed; travels inside an I/O error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadBody(pub String);

/// How long the headers of an answer ask to be left alone.
pub fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    retry::asked(headers, jiff::Timestamp::now())
}

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
    /// Longest silence of a server. One that takes bytes in is not silent, however long that takes.
    pub answer_timeout: Duration,
    /// Told of every wait.
    pub waits: Waits,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_hours(2),
            connect_timeout: Duration::from_secs(20),
            // The Hub itself gives a commit 60 seconds.
            answer_timeout: Duration::from_secs(90),
            waits: Arc::new(|_| {}),
        }
    }
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    /// For servers of this machine: through no proxy, which would read what is said.
    direct: reqwest::Client,
    deadline: Instant,
    answer_timeout: Duration,
    waits: Waits,
    /// What the requests are for, where their addresses do not tell.
    about: Option<Arc<str>>,
    /// How it came to be: one that is discreet is made anew.
    connect_timeout: Duration,
    /// Nothing that a server says is repeated.
    discreet: bool,
}

/// Whether a request may be made again when it is not known whether it was acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It changes nothing, or ends the same however often it is made.
    Safe,
    /// Only when it surely was not acted on (refused connection, 429).
    IfNotDone,
    /// Not at all: whoever makes it again has to look at something before.
    Never,
}

impl Client {
    /// Makes a client.
    pub fn new(options: ClientOptions) -> Result<Self, HttpError> {
        // reqwest drops Authorization when a redirect leaves the host.
        let (inner, direct) =
            made(options.connect_timeout, || reqwest::redirect::Policy::limited(5))?;
        Ok(Self {
            inner,
            direct,
            deadline: Instant::now() + options.deadline,
            answer_timeout: options.answer_timeout,
            waits: options.waits,
            about: None,
            connect_timeout: options.connect_timeout,
            discreet: false,
        })
    }

    /// The same client for talk that is secret itself, such as a request for a token: nothing that
    /// a server says comes into an error or a log, and no redirect takes a body elsewhere.
    pub fn discreet(&self) -> Result<Self, HttpError> {
        let (inner, direct) = made(self.connect_timeout, reqwest::redirect::Policy::none)?;
        Ok(Self { inner, direct, discreet: true, ..self.clone() })
    }

    /// As [`Client::discreet`], for a server beside this machine: through no proxy.
    pub fn discreet_and_direct(&self) -> Result<Self, HttpError> {
        let discreet = self.discreet()?;
        Ok(Self { inner: discreet.direct.clone(), ..discreet })
    }

    /// The same client for one thing, such as a part of a file: what is said of its waits names it.
    #[must_use]
    pub fn about(&self, what: impl Into<Arc<str>>) -> Self {
        Self { about: Some(what.into()), ..self.clone() }
    }

    /// The same client with a deadline of its own, from now: for what has to be asked when the run's is
    /// over.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        Self { deadline: Instant::now() + time, ..self.clone() }
    }

    /// The client underneath, for libraries that bring their own requests, to a server at `address`.
    pub fn reqwest(&self, address: &str) -> &reqwest::Client {
        let here = reqwest::Url::parse(address).is_ok_and(|url| is_of_this_machine(&url));
        if here { &self.direct } else { &self.inner }
    }

    /// Sends what `build` makes, again where the table and `again` allow it, until the deadline.
    /// An answer other than success is an error.
    pub async fn send(
        &self,
        again: Again,
        build: impl Fn(&reqwest::Client) -> RequestBuilder + Send,
    ) -> Result<Response, HttpError> {
        Ok(self.until_done(again, build, is_yes, None).await?.0)
    }

    /// Sends and reads the whole answer, of at most `limit` bytes. One that is cut short counts as
    /// none.
    pub async fn whole(
        &self,
        again: Again,
        limit: usize,
        build: impl Fn(&reqwest::Client) -> RequestBuilder + Send,
    ) -> Result<Whole, HttpError> {
        let (answer, body) = self.until_done(again, build, is_yes, Some(limit)).await?;
        Ok(self.read(answer, body))
    }

    /// Sends and reads the whole answer, be it yes or no: for protocols in which a refusal says more
    /// than that it is one. What passes is waited for all the same.
    pub async fn reply(
        &self,
        again: Again,
        limit: usize,
        build: impl Fn(&reqwest::Client) -> RequestBuilder + Send,
    ) -> Result<Whole, HttpError> {
        let lasts = |status: StatusCode| !retry::passes(status.as_u16());
        let (answer, body) = self.until_done(again, build, lasts, Some(limit)).await?;
        Ok(self.read(answer, body))
    }

    fn read(&self, mut answer: Response, body: Bytes) -> Whole {
        let (url, status) = (answer.url().clone(), answer.status());
        let headers = std::mem::take(answer.headers_mut());
        Whole { url, status, headers, body, discreet: self.discreet }
    }

    /// Sends and reads a JSON answer.
    pub async fn json<T: DeserializeOwned>(
        &self,
        again: Again,
        build: impl Fn(&reqwest::Client) -> RequestBuilder + Send,
    ) -> Result<T, HttpError> {
        self.whole(again, BODY_LIMIT, build).await?.json()
    }

    /// The answer, with its body where that is read here: to at most `limit` bytes.
    async fn until_done(
        &self,
        again: Again,
        build: impl Fn(&reqwest::Client) -> RequestBuilder + Send,
        accepts: fn(StatusCode) -> bool,
        limit: Option<usize>,
    ) -> Result<(Response, Bytes), HttpError> {
        let mut next = 2;
        loop {
            let request = build(&self.inner)
                .build()
                .map_err(|error| HttpError::Client(Box::new(error.without_url())))?;
            let url = request.url().clone();
            let once = async {
                let mut response = self.answer(request).await?;
                if accepts(response.status()) {
                    let body = match limit {
                        Some(limit) => self.limited(&mut response, limit).await?,
                        None => Bytes::new(),
                    };
                    return Ok((response, body));
                }
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                if self.discreet {
                    return Err(HttpError::bare_refusal(&url, status, &headers));
                }
                let body = self.limited(&mut response, 64 * 1024).await.unwrap_or_default();
                Err(HttpError::refusal(&url, status, &headers, &body))
            };
            let error = match tokio::time::timeout(self.left(), once).await {
                Err(_) => return Err(HttpError::Deadline { url: error::shown(&url) }),
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) => error,
            };
            let passes = match error.status() {
                _ if again == Again::Never => false,
                Some(429) => true,
                Some(status) => again == Again::Safe && retry::passes(status),
                None => error.is_lost() && (again == Again::Safe || !error.maybe_done()),
            };
            let pause = passes.then(|| error.pause(next));
            match pause {
                Some(pause) if next <= retry::TRIES && pause < self.left() => {
                    let about = self.about.as_ref().map(|about| format!("{about}: "));
                    let about = about.unwrap_or_default();
                    let pause_shown = pause.as_secs_f64();
                    (self.waits)(&format!("{about}{error}; trying again in {pause_shown:.1} s"));
                    tokio::time::sleep(pause).await;
                    next += 1;
                }
                _ => return Err(error),
            }
        }
    }

    /// The head of an answer, unless the server stays silent.
    async fn answer(&self, mut request: reqwest::Request) -> Result<Response, HttpError> {
        let url = request.url().clone();
        let pulse = Pulse::of(&mut request);
        tokio::select! {
            answer = self.reqwest(url.as_str()).execute(request) => {
                answer.map_err(|error| HttpError::transport(&url, error))
            }
            () = pulse.silence(self.answer_timeout) => Err(self.silent(&url)),
        }
    }

    /// A body of at most `limit` bytes.
    async fn limited(&self, response: &mut Response, limit: usize) -> Result<Bytes, HttpError> {
        let url = response.url().clone();
        let mut body = BytesMut::new();
        loop {
            let chunk = tokio::time::timeout(self.answer_timeout, response.chunk()).await;
            match chunk.map_err(|_| self.silent(&url))? {
                Ok(Some(chunk)) if body.len() + chunk.len() <= limit => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => return Err(HttpError::TooLarge { url: error::shown(&url), limit }),
                Ok(None) => return Ok(body.freeze()),
                Err(error) => {
                    let source = Box::new(error.without_url());
                    return Err(HttpError::Cut { url: error::shown(&url), source });
                }
            }
        }
    }

    fn silent(&self, url: &reqwest::Url) -> HttpError {
        HttpError::Silent { url: error::shown(url), seconds: self.answer_timeout.as_secs_f64() }
    }

    /// Longest silence of a server that is waited through.
    pub fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    /// Says a line of a wait.
    pub fn wait(&self, line: &str) {
        (self.waits)(line);
    }

    /// Time left until the deadline.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// An answer that came whole.
#[derive(Debug)]
pub struct Whole {
    url: reqwest::Url,
    /// Status: of success, but for a [`Client::reply`].
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    discreet: bool,
}

impl Whole {
    /// An answer that is not what the protocol says.
    pub fn garbage(&self, why: &str) -> HttpError {
        HttpError::Garbage { url: error::shown(&self.url), why: why.into() }
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|error| HttpError::Garbage {
            url: error::shown(&self.url),
            // Its words may hold a value that stands where another was expected.
            why: if self.discreet {
                "it is not the JSON it should be".into()
            } else {
                format!("it is not the JSON it should be: {error}")
            },
        })
    }
}

/// What only success is.
fn is_yes(status: StatusCode) -> bool {
    status.is_success()
}

/// A client that goes through the proxy that the environment names, and one that goes through none.
fn made(
    connect_timeout: Duration,
    redirects: fn() -> reqwest::redirect::Policy,
) -> Result<(reqwest::Client, reqwest::Client), HttpError> {
    install_tls();
    let builder = || {
        reqwest::Client::builder()
            .user_agent(concat!("weighbridge/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect_timeout)
            .redirect(redirects())
    };
    let made = |builder: reqwest::ClientBuilder| {
        builder.build().map_err(|error| HttpError::Client(Box::new(error)))
    };
    Ok((made(builder())?, made(builder().no_proxy())?))
}
