//! What stands before a server and spoils single answers: everything else passes through
//! unchanged, so that a test says only what goes wrong.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

/// What becomes of one request.
#[derive(Clone)]
pub(crate) enum Fate {
    /// The Hub's own answer.
    Pass,
    /// This answer; the Hub never hears of the request.
    Answer(Reply),
    /// The Hub does what it is asked, and then this is answered.
    After(Reply),
    /// The connection ends with no answer; the Hub never hears of the request.
    Reset,
    /// The connection ends in the middle of the request's body.
    ResetMidway,
    /// The Hub does what it is asked, and the connection ends with no answer.
    ResetAfter,
    /// The Hub's answer, whose connection ends in the middle of the body.
    Cut,
    /// The Hub's own answer, and then no connection is taken for so long.
    Refuse(Duration),
    /// Silence for so long, and the connection ends; the Hub never hears of the request.
    Hold(Duration),
    /// The Hub does what it is asked; then as [`Self::Hold`].
    HoldAfter(Duration),
    /// This answer at once; the Hub does what it is asked so much later.
    Late(Reply, Duration),
    /// One bit of the request's body, chosen by this number, is another for the Hub.
    Corrupt(u64),
    /// One bit of the answer's body, chosen by this number, is another.
    CorruptAnswer(u64),
    /// The Hub does what it is asked, and so many requests that follow see it as it was before.
    Stale(usize),
    /// The Hub does what it is asked; then this is done; then its answer goes out.
    Then(Arc<dyn Fn() + Send + Sync>),
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
    /// From 0.
    pub(crate) index: usize,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// The body, where it is JSON; null otherwise.
    pub(crate) json: Value,
    /// HTTP status that the client got; none where it got no answer.
    pub(crate) status: Option<u16>,
    /// Bytes of the body that came.
    pub(crate) sent: u64,
    /// Whether a token came with it.
    pub(crate) authorized: bool,
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
            own: format!("http://{address}"),
            storage: Mutex::default(),
            stale: Mutex::default(),
            gone: watch::channel(None).0,
        });
        tokio::spawn(listen(listener, behind));
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bytes of bodies that came with requests whose path holds `part`.
    pub(crate) fn sent(&self, part: &str) -> u64 {
        let asked = self.asked();
        asked.iter().filter(|one| one.path.contains(part)).map(|one| one.sent).sum()
    }

    /// How many requests had this method and a path that holds `part`.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        self.asked().iter().filter(|one| one.method == method && one.path.contains(part)).count()
    }
}

/// Takes connections, except while it is to refuse them.
async fn listen(listener: TcpListener, behind: Arc<Behind>) {
    let address = listener.local_addr().expect("bound");
    let mut listener = Some(listener);
    let mut gone = behind.gone.subscribe();
    loop {
        let Some(open) = &listener else {
            let until = *gone.borrow_and_update();
            tokio::time::sleep_until(until.unwrap_or_else(Instant::now)).await;
            listener = Some(TcpListener::bind(address).await.expect("its own port"));
            continue;
        };
        let stream = tokio::select! {
            taken = open.accept() => match taken {
                Ok((stream, _)) => stream,
                Err(_) => return,
            },
            _ = gone.changed() => {
                listener = None;
                continue;
            }
        };
        let behind = behind.clone();
        tokio::spawn(async move {
            let mut gone = behind.gone.subscribe();
            let service = service_fn(|request| behind.serve(request));
            let mut connection = std::pin::pin!(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
            );
            // A connection that ends badly is what some scripts are for.
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = gone.changed() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
}

struct Behind {
    hub: String,
    script: Box<Script>,
    asked: Arc<Mutex<Vec<Asked>>>,
    client: reqwest::Client,
    /// The front's own address.
    own: String,
    /// Where the Hub's Xet storage is, once the Hub has said so: what goes there goes through here.
    storage: Mutex<Option<String>>,
    stale: Mutex<Stale>,
    /// Until when connections are refused.
    gone: watch::Sender<Option<Instant>>,
}

/// What is answered from before a write.
#[derive(Default)]
struct Stale {
    /// For so many requests.
    left: usize,
    /// Branches and tags as they were.
    refs: Option<Reply>,
    /// Paths that were asked for before.
    known: BTreeSet<String>,
}

type Question = Request<UnsyncBoxBody<Bytes, Broken>>;
type Answer = Response<UnsyncBoxBody<Bytes, Broken>>;

/// Ends a connection.
#[derive(Debug, thiserror::Error)]
#[error("the front ends the connection")]
pub(crate) struct Broken;

impl Behind {
    async fn serve(self: &Arc<Self>, request: Request<Incoming>) -> Result<Answer, Broken> {
        let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let method = request.method().to_string();
        let (parts, body) = request.into_parts();
        let is_json =
            parts.headers.get("content-type").is_some_and(|kind| kind == "application/json");
        let index = {
            let mut all = self.asked();
            let asked = Asked {
                index: all.len(),
                method: method.clone(),
                path: path.clone(),
                json: Value::Null,
                status: None,
                sent: 0,
                authorized: parts.headers.contains_key("authorization"),
            };
            all.push(asked);
            all.len() - 1
        };
        let sent = Arc::new(AtomicU64::new(0));
        let body = counted(body, sent.clone());
        let (body, json) = if is_json {
            let whole = body.collect().await?.to_bytes();
            let json = serde_json::from_slice(&whole).unwrap_or_default();
            (Full::new(whole).map_err(|never| match never {}).boxed_unsync(), json)
        } else {
            (body, Value::Null)
        };
        self.asked()[index].json = json;
        let asked = self.asked()[index].clone();
        let answered = self.decide(Request::from_parts(parts, body), &asked).await;
        let status = answered.as_ref().ok().map(|answer| answer.status().as_u16());
        let one = &mut self.asked()[index];
        (one.status, one.sent) = (status, sent.load(Ordering::SeqCst));
        answered
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn decide(self: &Arc<Self>, request: Question, asked: &Asked) -> Result<Answer, Broken> {
        let fate = (self.script)(asked);
        if let Fate::Pass | Fate::Refuse(_) | Fate::Then(_) = fate
            && let Some(reply) = self.as_before(asked)
        {
            return Ok(answer(reply));
        }
        match fate {
            Fate::Pass => self.pass(request, asked).await,
            Fate::Cut => {
                let (head, whole) = self.whole(request, asked).await?;
                let half = Ok(Frame::data(whole.slice(..whole.len() / 2)));
                let body = StreamBody::new(futures_util::stream::iter([half, Err(Broken)]));
                Ok(Response::from_parts(head, body.boxed_unsync()))
            }
            Fate::Answer(reply) => {
                // The body is taken in first, as servers behind a balancer do.
                let _ = request.into_body().collect().await;
                Ok(answer(reply))
            }
            Fate::After(reply) => {
                self.whole(request, asked).await?;
                Ok(answer(reply))
            }
            Fate::Reset => Err(Broken),
            Fate::ResetMidway => {
                let length = request.headers().get("content-length");
                let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
                let (mut body, mut came) = (request.into_body(), 0);
                while let Some(Ok(frame)) = body.frame().await {
                    came += frame.data_ref().map_or(0, Bytes::len);
                    if came >= length.unwrap_or(0) / 2 {
                        break;
                    }
                }
                Err(Broken)
            }
            Fate::ResetAfter => {
                self.whole(request, asked).await?;
                Err(Broken)
            }
            Fate::Refuse(time) => {
                let (mut head, whole) = self.whole(request, asked).await?;
                head.headers.insert("connection", HeaderValue::from_static("close"));
                self.gone.send_replace(Some(Instant::now() + time));
                Ok(Response::from_parts(head, full(whole)))
            }
            Fate::Hold(time) => {
                tokio::time::sleep(time).await;
                Err(Broken)
            }
            Fate::HoldAfter(time) => {
                self.whole(request, asked).await?;
                tokio::time::sleep(time).await;
                Err(Broken)
            }
            Fate::Late(reply, time) => {
                let (parts, body) = request.into_parts();
                let request = Request::from_parts(parts, full(body.collect().await?.to_bytes()));
                let (behind, asked) = (self.clone(), asked.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    let _ = behind.whole(request, &asked).await;
                });
                Ok(answer(reply))
            }
            Fate::Corrupt(bit) => {
                let (parts, body) = request.into_parts();
                let body = full(corrupted(&body.collect().await?.to_bytes(), bit));
                self.pass(Request::from_parts(parts, body), asked).await
            }
            Fate::CorruptAnswer(bit) => {
                let (head, whole) = self.whole(request, asked).await?;
                Ok(Response::from_parts(head, full(corrupted(&whole, bit))))
            }
            Fate::Stale(requests) => {
                let token = request.headers().get("authorization").cloned();
                let refs = self.refs(token, asked).await;
                let answered = self.pass(request, asked).await;
                let known =
                    self.asked()[..asked.index].iter().map(|one| one.path.clone()).collect();
                *self.stale.lock().unwrap_or_else(PoisonError::into_inner) =
                    Stale { left: requests, refs, known };
                answered
            }
            Fate::Then(act) => {
                let (head, whole) = self.whole(request, asked).await?;
                tokio::task::block_in_place(|| act());
                Ok(Response::from_parts(head, full(whole)))
            }
        }
    }

    /// Branches and tags of the repository that a request is about.
    async fn refs(&self, token: Option<HeaderValue>, asked: &Asked) -> Option<Reply> {
        let mut words = asked.path.strip_prefix("/api/models/")?.split('/');
        let repo = format!("{}/{}", words.next()?, words.next()?);
        let url = format!("{}/api/models/{repo}/refs", self.hub);
        let answer = self.client.get(url).header("authorization", token?).send().await.ok()?;
        let status = answer.status().as_u16();
        Some(Reply { status, headers: Vec::new(), body: answer.text().await.ok()? })
    }

    /// The answer of a machine that has not heard of the last write.
    fn as_before(&self, asked: &Asked) -> Option<Reply> {
        let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        let of_refs = asked.path.ends_with("/refs");
        let of_files = asked.path.contains("/tree/") || asked.path.contains("/resolve/");
        if stale.left == 0 || asked.method != "GET" || !(of_refs || of_files) {
            return None;
        }
        stale.left -= 1;
        let missing = Reply::status(404);
        if of_refs {
            // What is asked for was made by the very write.
            return Some(stale.refs.clone().unwrap_or(missing));
        }
        (!stale.known.contains(&asked.path)).then_some(missing)
    }

    /// The Hub's answer, come to its end.
    async fn whole(
        &self,
        request: Question,
        asked: &Asked,
    ) -> Result<(http::response::Parts, Bytes), Broken> {
        let (head, body) = self.pass(request, asked).await?.into_parts();
        Ok((head, body.collect().await?.to_bytes()))
    }

    /// The Hub's answer. `Host` stays what the client asked for: the Hub's own addresses then lead
    /// through here too.
    async fn pass(&self, request: Question, asked: &Asked) -> Result<Answer, Broken> {
        let (parts, body) = request.into_parts();
        let body = BodyStream::new(body)
            .filter_map(async |frame| frame.map(|frame| frame.into_data().ok()).transpose());
        let of_storage =
            ["/v1/", "/v2/", "/simulation/"].iter().any(|of| asked.path.starts_with(of));
        let storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let server = storage.as_ref().filter(|_| of_storage).unwrap_or(&self.hub);
        let response = self
            .client
            .request(parts.method, format!("{server}{}", asked.path))
            .headers(parts.headers)
            .body(reqwest::Body::wrap_stream(body))
            .send()
            .await
            .map_err(|_| Broken)?;
        let mut answer = Response::builder().status(response.status());
        let of_addresses =
            ["/xet-write-token/", "/xorb-grants/"].iter().any(|of| asked.path.contains(of));
        for (name, value) in response.headers() {
            let changes = of_addresses && (name == "content-length" || name == "x-xet-cas-url");
            if name != "transfer-encoding" && !changes {
                answer = answer.header(name, value);
            }
        }
        let body = if of_addresses {
            full(self.through_here(&response.bytes().await.map_err(|_| Broken)?))
        } else {
            let frames = response.bytes_stream().map(|piece| match piece {
                Ok(piece) => Ok(Frame::data(piece)),
                Err(_) => Err(Broken),
            });
            StreamBody::new(frames).boxed_unsync()
        };
        Ok(answer.body(body).expect("the Hub's headers are headers"))
    }

    /// An answer that names the Xet storage, naming the front instead.
    fn through_here(&self, body: &[u8]) -> Bytes {
        let mut storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner);
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(named) = json["casUrl"].as_str() {
            *storage = Some(named.to_owned());
        }
        let text = String::from_utf8_lossy(body);
        match &*storage {
            Some(storage) => text.replace(storage, &self.own).into(),
            None => text.into_owned().into(),
        }
    }
}

fn counted(body: Incoming, sent: Arc<AtomicU64>) -> UnsyncBoxBody<Bytes, Broken> {
    let counted = body.map_frame(move |frame| {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        sent.fetch_add(bytes as u64, Ordering::SeqCst);
        frame
    });
    counted.map_err(|_| Broken).boxed_unsync()
}

fn full(body: impl Into<Bytes>) -> UnsyncBoxBody<Bytes, Broken> {
    Full::new(body.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// With one bit turned round.
fn corrupted(body: &[u8], bit: u64) -> Vec<u8> {
    let mut body = body.to_vec();
    if !body.is_empty() {
        let bit = usize::try_from(bit % (body.len() as u64 * 8)).expect("within the body");
        body[bit / 8] ^= 1 << (bit % 8);
    }
    body
}

fn answer(reply: Reply) -> Answer {
    let mut answer = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        answer = answer.header(*name, value);
    }
    answer.body(full(reply.body)).expect("a test's headers are headers")
}
