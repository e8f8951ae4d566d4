//! What stands before a server and spoils single answers: everything else passes through
//! unchanged, so that a test says only what goes wrong.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// What becomes of one request.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// The Hub's own answer.
    Pass,
    /// This answer; the Hub never hears of the request.
    Answer(Reply),
    /// The Hub does what it is asked, and then this is answered.
    After(Reply),
    /// The connection ends with no answer; the Hub never hears of the request.
    Reset,
    /// The Hub does what it is asked, and the connection ends with no answer.
    ResetAfter,
    /// The Hub's answer, whose connection ends in the middle of the body.
    Cut,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// A status with the Hub's kind of JSON.
    pub(crate) fn status(status: u16) -> Self {
        let body = format!("{{\"error\":\"the front says {status}\"}}");
        Self { status, headers: vec![("content-type", "application/json".into())], body }
    }

    /// A success with any text.
    pub(crate) fn text(body: &str) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into() }
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A request as it came to the front.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// The body, where it is JSON; null otherwise.
    pub(crate) json: Value,
    /// HTTP status that the client got; none where it got no answer.
    pub(crate) status: Option<u16>,
}

type Script = dyn Fn(&Asked) -> Fate + Send + Sync;

/// A front before one Hub. It stops with the runtime of its test.
pub(crate) struct Front {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Front {
    /// Starts before `hub`; `script` says what becomes of each request.
    pub(crate) async fn before(
        hub: &str,
        script: impl Fn(&Asked) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let behind = Arc::new(Behind {
            hub: hub.to_owned(),
            script: Box::new(script),
            asked: asked.clone(),
            client: super::plain_client(),
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let behind = behind.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| behind.serve(request));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // A connection that ends badly is what some scripts are for.
                    let _ = connection.await;
                });
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests had this method and a path that holds `part`.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        self.asked().iter().filter(|one| one.method == method && one.path.contains(part)).count()
    }
}

struct Behind {
    hub: String,
    script: Box<Script>,
    asked: Arc<Mutex<Vec<Asked>>>,
    client: reqwest::Client,
}

type Question = Request<UnsyncBoxBody<Bytes, Broken>>;
type Answer = Response<UnsyncBoxBody<Bytes, Broken>>;

/// Ends a connection.
#[derive(Debug, thiserror::Error)]
#[error("the front ends the connection")]
pub(crate) struct Broken;

impl Behind {
    async fn serve(&self, request: Request<Incoming>) -> Result<Answer, Broken> {
        let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let method = request.method().to_string();
        let (parts, body) = request.into_parts();
        let is_json =
            parts.headers.get("content-type").is_some_and(|kind| kind == "application/json");
        let (body, json) = if is_json {
            let whole = body.collect().await.map_err(|_| Broken)?.to_bytes();
            let json = serde_json::from_slice(&whole).unwrap_or_default();
            (Full::new(whole).map_err(|never| match never {}).boxed_unsync(), json)
        } else {
            (body.map_err(|_| Broken).boxed_unsync(), Value::Null)
        };
        let asked = Asked { method, path, json, status: None };
        let index = {
            let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(asked.clone());
            all.len() - 1
        };
        let answered = self.decide(Request::from_parts(parts, body), &asked).await;
        let status = answered.as_ref().ok().map(|answer| answer.status().as_u16());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)[index].status = status;
        answered
    }

    async fn decide(&self, request: Question, asked: &Asked) -> Result<Answer, Broken> {
        match (self.script)(asked) {
            Fate::Pass => self.pass(request, asked, false).await,
            Fate::Cut => self.pass(request, asked, true).await,
            Fate::Answer(reply) => {
                // The body is taken in first, as servers behind a balancer do.
                let _ = request.into_body().collect().await;
                Ok(answer(reply))
            }
            Fate::After(reply) => {
                let done = self.pass(request, asked, false).await?;
                let _ = done.into_body().collect().await;
                Ok(answer(reply))
            }
            Fate::Reset => Err(Broken),
            Fate::ResetAfter => {
                let done = self.pass(request, asked, false).await?;
                let _ = done.into_body().collect().await;
                Err(Broken)
            }
        }
    }

    /// The Hub's answer. `Host` stays what the client asked for: the Hub's own addresses then lead
    /// through here too.
    async fn pass(&self, request: Question, asked: &Asked, cut: bool) -> Result<Answer, Broken> {
        let (parts, body) = request.into_parts();
        let body = BodyStream::new(body)
            .filter_map(async |frame| frame.map(|frame| frame.into_data().ok()).transpose());
        let response = self
            .client
            .request(parts.method, format!("{}{}", self.hub, asked.path))
            .headers(parts.headers)
            .body(reqwest::Body::wrap_stream(body))
            .send()
            .await
            .map_err(|_| Broken)?;
        let mut answer = Response::builder().status(response.status());
        for (name, value) in response.headers() {
            if name != "transfer-encoding" {
                answer = answer.header(name, value);
            }
        }
        let body = if cut {
            let whole = response.bytes().await.map_err(|_| Broken)?;
            let half = Ok(Frame::data(whole.slice(..whole.len() / 2)));
            StreamBody::new(futures_util::stream::iter([half, Err(Broken)])).boxed_unsync()
        } else {
            let frames = response.bytes_stream().map(|piece| match piece {
                Ok(piece) => Ok(Frame::data(piece)),
                Err(_) => Err(Broken),
            });
            StreamBody::new(frames).boxed_unsync()
        };
        Ok(answer.body(body).expect("the Hub's headers are headers"))
    }
}

fn answer(reply: Reply) -> Answer {
    let mut answer = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        answer = answer.header(*name, value);
    }
    let body = Full::new(Bytes::from(reply.body)).map_err(|never: Infallible| match never {});
    answer.body(body.boxed_unsync()).expect("a test's headers are headers")
}
