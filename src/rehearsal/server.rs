//! The server: its state, its routes, its start and its end.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::answer::set;
use super::auth::{TokenRole, TokenSpec, whoami};
use super::log::{LoggedRequest, RequestLog};
use super::migrate::{self, Movers};
use super::multipart::Uploads;
use super::oauth::Exchanged;
use super::options::{HubError, HubOptions};
use super::rate::{Window, too_many};
use super::signed::Key;
use super::store::Store;
use super::xet::{Serving, Xet};
use super::{
    branches, commit, discussions, info, lfs, multipart, oauth, page, preupload, repos, resolve,
    tree,
};
use crate::http::{Secret, install_tls};
use crate::hub::Shelf;

/// How long open connections may finish when the Hub stops.
const GOODBYE: Duration = Duration::from_secs(5);
/// Largest body that is taken in before its request is answered.
const SMALL: usize = 64 * 1024;
/// The user of the default token.
const DEFAULT_USER: &str = "rehearsal";

/// The state that every request sees. Of its clones, each shows the repositories of one shelf.
#[derive(Clone)]
pub(super) struct Hub {
    pub(super) shelf: Shelf,
    pub(super) options: HubOptions,
    pub(super) addr: SocketAddr,
    pub(super) tokens: Vec<TokenSpec>,
    pub(super) exchanged: Arc<Exchanged>,
    pub(super) store: Arc<Store>,
    pub(super) xet: Arc<Xet>,
    pub(super) key: Key,
    pub(super) uploads: Arc<Uploads>,
    pub(super) movers: Arc<Movers>,
    log: Arc<RequestLog>,
    rate: Option<Arc<Window>>,
}

pub(super) type Shared = Arc<Hub>;

/// A running embedded Hub. Dropped without [`EmbeddedHub::stop`], it runs on until its runtime
/// ends.
pub struct EmbeddedHub {
    hub: Shared,
    token: Secret,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    moving: JoinHandle<()>,
    xet: Serving,
}

impl EmbeddedHub {
    /// Opens the data folder, listens, and serves in the background.
    pub async fn start(mut options: HubOptions) -> Result<Self, HubError> {
        install_tls();
        options.lfs_threshold = options.lfs_threshold.min(preupload::INLINE_MAX);
        let store = Store::open(&options.data)?;
        let failed = |source| HubError::Data { data: options.data.clone(), source };
        let token = default_token(&options.data).map_err(failed)?;
        let log = RequestLog::open(&options.data.join("requests.log")).map_err(failed)?;
        let key = Key::new(random().map_err(failed)?);
        let unheard = |source| HubError::Listen { addr: options.addr, source };
        let listener = TcpListener::bind(options.addr).await.map_err(unheard)?;
        let addr = listener.local_addr().map_err(unheard)?;
        let (xet, xet_serving) =
            Xet::start(&options.data.join("xet"), SocketAddr::new(addr.ip(), 0)).await?;
        let mut tokens = vec![default_spec(token.clone(), &options)];
        tokens.extend(options.tokens.iter().cloned());
        let rate = options.rate_limit.map(|limit| Arc::new(Window::new(limit)));
        let (movers, moving) = Movers::new();
        let hub = Arc::new(Hub {
            shelf: Shelf::Models,
            options,
            addr,
            tokens,
            exchanged: Arc::default(),
            store: Arc::new(store),
            xet: Arc::new(xet),
            key,
            uploads: Arc::default(),
            movers: Arc::new(movers),
            log: Arc::new(log),
            rate,
        });

        let moving = tokio::spawn(migrate::serve(hub.clone(), moving));
        let (stop, mut stopping) = watch::channel(false);
        let app = routes(hub.clone());
        let task = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            // It ends when told to, or with its listener; either way nothing is left to do.
            let _ = axum::serve(listener, app).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { hub, token, stop, task, moving, xet: xet_serving })
    }

    /// The Hub's address, as `HF_ENDPOINT` wants it.
    pub fn url(&self) -> String {
        format!("http://{}", self.hub.addr)
    }

    /// The default token: it may make repositories in every namespace of [`HubOptions::namespaces`]
    /// and write those that are there ([`TokenRole::Maker`]). Made at random with the data folder, and
    /// the same as long as the folder lives.
    pub fn token(&self) -> Secret {
        self.token.clone()
    }

    /// Every request of this run so far, the oldest first (the last 100,000 of them). What goes
    /// to the Xet server itself is not among them.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.hub.log.recent()
    }

    /// Waits until the server ends by itself, which it does only when it can no longer listen.
    pub async fn until_stopped(&mut self) {
        let _ = (&mut self.task).await;
    }

    /// Stops: open connections may finish for five seconds. The data folder is free afterwards.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        self.moving.abort();
        let xet = self.xet.stop();
        for mut task in [self.task, xet] {
            if !task.is_finished() && tokio::time::timeout(GOODBYE, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

fn routes(hub: Shared) -> Router {
    let datasets = Arc::new(Hub { shelf: Shelf::Datasets, ..Hub::clone(&hub) });
    let api = Router::new()
        .route("/whoami-v2", get(whoami))
        .route("/repos/create", post(repos::create))
        .route("/repos/delete", delete(repos::delete))
        .route("/repos/move", post(repos::rename))
        .route("/validate-yaml", post(preupload::validate_yaml))
        .with_state(hub.clone())
        .nest("/models", shelf(hub.clone()))
        .nest("/datasets", shelf(datasets.clone()))
        .layer(middleware::from_fn_with_state(hub.clone(), limit));
    let storage = Router::new()
        .route("/basic/{oid}/{size}/{session}/{signature}", put(lfs::put_basic))
        .route("/part/{oid}/{size}/{session}/{signature}/{number}", put(multipart::put_part))
        .route("/complete/{oid}/{size}/{session}/{signature}", post(multipart::complete))
        .with_state(hub.clone());
    Router::new()
        .nest("/api", api)
        .route("/oauth/token", post(oauth::token).with_state(hub.clone()))
        .route("/", get(page::all).with_state(hub.clone()))
        .merge(pages(hub.clone()))
        .nest("/datasets", pages(datasets))
        .nest("/storage", storage)
        .fallback(async || super::answer::Refusal::not_found())
        .layer(middleware::from_fn(take_in))
        .layer(middleware::from_fn_with_state(hub, record))
}

/// What the API has for the repositories of one shelf.
fn shelf(hub: Shared) -> Router {
    let repository = Router::new()
        .route("/", get(info::info))
        .route("/auth-check", get(repos::may_read))
        .route("/auth-check/write", get(repos::may_write))
        .route("/settings", put(repos::settings))
        .route("/preupload/{revision}", post(preupload::preupload))
        .route("/commit/{revision}", post(commit::commit))
        .route("/revision/{revision}", get(info::revision))
        .route("/tree/{revision}", get(tree::root))
        .route("/tree/{revision}/", get(tree::root))
        .route("/tree/{revision}/{*path}", get(tree::folder))
        .route("/paths-info/{revision}", post(tree::paths_info))
        .route("/commits/{revision}", get(branches::commits))
        .route("/refs", get(branches::refs))
        .route("/tag/{revision}", post(branches::create_tag).delete(branches::delete_tag))
        .route("/branch/{name}", post(branches::create).delete(branches::delete))
        .route("/super-squash/{branch}", post(branches::squash))
        .route("/scan", get(info::scan))
        .route("/discussions", get(discussions::list))
        .route("/discussions/{number}", get(discussions::one))
        .route("/xet-read-token/{revision}", get(lfs::xet_read_token))
        .route("/xet-write-token/{revision}", get(lfs::xet_write_token));
    Router::new()
        .route("/", get(info::list))
        .nest("/{namespace}/{name}", repository)
        .with_state(hub)
}

/// Pages, downloads and uploads of the repositories of one shelf.
fn pages(hub: Shared) -> Router {
    Router::new()
        .route("/{namespace}/{name}", get(page::repository))
        .route("/{namespace}/{name}/tree/{revision}", get(page::at_revision))
        .route("/{namespace}/{name}/resolve/{revision}/{*path}", get(resolve::resolve))
        .route("/{namespace}/{name}/raw/{revision}/{*path}", get(resolve::raw))
        .route("/{namespace}/{name}/info/lfs/objects/batch", post(lfs::batch))
        .route("/{namespace}/{name}/info/lfs/objects/verify", post(lfs::verify))
        .with_state(hub)
}

/// Names every answer and writes it into the log.
async fn record(State(hub): State<Shared>, request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    // The rest of a storage URL is its signature.
    let path = match target.strip_prefix("/storage/") {
        Some(rest) => format!("/storage/{}", rest.split('/').take(2).collect::<Vec<_>>().join("/")),
        None => target.to_owned(),
    };
    hub.movers.disturb();
    let mut response = next.run(request).await;
    hub.movers.disturb();
    let id = format!("Root=1-{:016x}", fastrand::u64(..));
    set(response.headers_mut(), "x-request-id", &id);
    hub.log.add(LoggedRequest { method, path, status: response.status().as_u16() });
    response
}

/// Takes a small body in before anything is answered. A connection on which a request was refused while
/// half of it was on its way is closed, and the client's next request may be on it already.
async fn take_in(request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse().ok());
    if length.is_none_or(|length: usize| length > SMALL) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match axum::body::to_bytes(body, SMALL).await {
        Ok(body) => next.run(Request::from_parts(head, body.into())).await,
        Err(_) => super::answer::Refusal::bad_request("the body broke off").into_response(),
    }
}

async fn limit(State(hub): State<Shared>, request: Request, next: Next) -> Response {
    let Some(window) = &hub.rate else { return next.run(request).await };
    let left = window.count(Instant::now());
    let mut response =
        if left.granted { next.run(request).await } else { too_many().into_response() };
    window.tell(&left, response.headers_mut());
    response
}

fn default_spec(token: Secret, options: &HubOptions) -> TokenSpec {
    TokenSpec {
        token,
        user: DEFAULT_USER.to_owned(),
        name: "embedded-hub".to_owned(),
        role: TokenRole::Maker,
        orgs: options.namespaces.clone().unwrap_or_default(),
        created_at: jiff::Timestamp::now().to_string(),
    }
}

/// Reads the folder's token, or makes it: only the folder's owner can read it.
fn default_token(data: &Path) -> io::Result<Secret> {
    let path = data.join("token");
    let present = fs::read_to_string(&path).ok().and_then(Secret::new);
    if let Some(token) = present {
        return Ok(token);
    }
    let value = format!("hf_{}", &hex::encode(random()?)[..34]);
    let unfinished = data.join("tmp/token");
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&unfinished)?;
    file.write_all(value.as_bytes())?;
    fs::rename(unfinished, path)?;
    Secret::new(value).ok_or_else(|| io::Error::other("an empty token"))
}

pub(super) fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("no randomness to be had"))?;
    Ok(bytes)
}
