//! Azure Key Vault and Microsoft Entra as far as reading one secret needs them: there is no server
//! of either to be had. It is a proxy in whose tunnels both answer under their own names, with
//! certificates of an authority of its own, so that clients are used as they are in earnest. The
//! official Python libraries judge it (`credentials_azure::the_official_libraries_take_the_fake`).

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::hostile::{Hostile, Reply};

pub(crate) const VAULT: &str = "https://acme-models.vault.azure.net";
pub(crate) const TENANT: &str = "0f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1";
pub(crate) const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const AUDIENCE: &str = "api://AzureADTokenExchange";
/// What is stored.
pub(crate) const STORED: &str = concat!("hf", "_StoredInAnAzureKeyVaultAndNowhere");
/// Whom the application trusts.
pub(crate) const SUBJECT: &str = "repo:acme/churn:environment:production";

/// The access token that Entra gives.
pub(crate) const ACCESS: &str = "an-access-token-for-vaults-that-is-nobodys-business";

/// A request that came, without what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) with_token: bool,
}

/// The answers that a hostile server gives in the place of the real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The vault, before it has seen a token.
    Challenge,
    /// Entra.
    Access,
    /// The vault, of a token.
    Secret,
}

/// What the vault wants tokens for; another than its own where a test makes it an impostor.
struct State {
    resource: String,
    hostile: Option<(Step, Hostile)>,
    asked: Mutex<Vec<Asked>>,
}

/// A running fake. It stops with the runtime of its test.
pub(crate) struct Azure {
    /// The proxy's address.
    pub(crate) proxy: String,
    folder: tempfile::TempDir,
    state: Arc<State>,
}

impl Azure {
    /// As Azure is.
    pub(crate) async fn start() -> Self {
        Self::with("https://vault.azure.net", None).await
    }

    /// A vault that wants tokens for `resource`.
    pub(crate) async fn impostor(resource: &str) -> Self {
        Self::with(resource, None).await
    }

    /// As Azure is, but for one step.
    pub(crate) async fn hostile(step: Step, hostile: Hostile) -> Self {
        Self::with("https://vault.azure.net", Some((step, hostile))).await
    }

    async fn with(resource: &str, hostile: Option<(Step, Hostile)>) -> Self {
        weighbridge::http::install_tls();
        let folder = tempfile::tempdir().expect("a folder");
        let acceptor = certify(&folder.path().join("authority.pem"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let proxy = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(State { resource: resource.into(), hostile, asked: Mutex::default() });
        let behind = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, acceptor.clone(), behind.clone()));
            }
        });
        Self { proxy, folder, state }
    }

    /// The authority's certificate, in PEM.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes an authority, writes its certificate, and certifies the names.
fn certify(authority: &Path) -> TlsAcceptor {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    // With one name for both, what it certifies would look self-signed.
    params.distinguished_name.push(DnType::CommonName, "the authority of a test");
    let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
    std::fs::write(authority, issuer.pem()).expect("writable");
    let names = ["*.vault.azure.net", "login.microsoftonline.com"].map(str::to_owned);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(names).expect("names");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a certificate for its key");
    TlsAcceptor::from(Arc::new(config))
}

/// Takes a CONNECT, and answers in the tunnel in the place of whoever was meant.
async fn tunnel(mut stream: TcpStream, acceptor: TlsAcceptor, state: Arc<State>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let host = head.strip_prefix("CONNECT ")?.split(':').next()?.to_owned();
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    let stream = acceptor.accept(stream).await.ok()?;
    let service = service_fn(|request| serve(request, &host, &state));
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok()
}

async fn serve(
    request: Request<Incoming>,
    host: &str,
    state: &State,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let authorization = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    let asked = Asked {
        host: host.to_owned(),
        path: parts.uri.path().to_owned(),
        with_token: authorization.is_some(),
    };
    state.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    let step = match (host, authorization) {
        ("login.microsoftonline.com", _) => Step::Access,
        (_, None) => Step::Challenge,
        (_, Some(_)) => Step::Secret,
    };
    let sent =
        || format!("{} {}", String::from_utf8_lossy(&body), authorization.unwrap_or_default());
    let reply = match state.hostile {
        Some((at, hostile)) if at == step => {
            hostile.answer(&sent(), "https://other.vault.azure.net")
        }
        _ => {
            let (status, challenge, json) = if step == Step::Access {
                let (status, json) = entra(parts.uri.path(), &body);
                (status, None, json)
            } else {
                vault(parts.uri.path(), parts.uri.query(), authorization, state)
            };
            let headers = challenge.map(|challenge| ("www-authenticate", challenge));
            let headers = headers.into_iter().collect();
            Reply { status, headers, body: json.to_string().into() }
        }
    };
    let answer =
        Response::builder().status(reply.status).header("content-type", "application/json");
    let headers = reply.headers.into_iter();
    let answer = headers.fold(answer, |answer, (name, value)| answer.header(name, value));
    Ok(answer.body(Full::new(reply.body.into())).expect("an answer"))
}

/// Entra's token endpoint, for one application with one federated credential.
fn entra(path: &str, body: &[u8]) -> (u16, Value) {
    let refused = |error: &str, code: u64| {
        let text = format!("AADSTS{code}: as Entra says it. Trace ID: 0");
        (
            if error == "invalid_client" { 401 } else { 400 },
            json!({"error": error, "error_description": text, "error_codes": [code]}),
        )
    };
    let form: std::collections::BTreeMap<_, _> = url::form_urlencoded::parse(body).collect();
    let field = |name: &str| form.get(name).map(AsRef::as_ref).unwrap_or_default();
    if path != format!("/{TENANT}/oauth2/v2.0/token") {
        return refused("invalid_request", 90_002);
    }
    if field("client_id") != CLIENT {
        return refused("unauthorized_client", 700_016);
    }
    let jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    if field("grant_type") != "client_credentials" || field("client_assertion_type") != jwt {
        return refused("invalid_request", 900_144);
    }
    // Here the real one checks the signature, by the issuer's own keys.
    let claims = field("client_assertion").split('.').nth(1);
    let claims = claims.and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
    let claims: Value =
        claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
    if claims["aud"] != AUDIENCE {
        return refused("invalid_client", 700_212);
    }
    if claims["sub"] != SUBJECT {
        return refused("invalid_client", 700_213);
    }
    if field("scope") != "https://vault.azure.net/.default" {
        return refused("invalid_scope", 70_011);
    }
    (
        200,
        json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": ACCESS}),
    )
}

/// A vault with a secret `hub-token`, others whose time is over or not yet come, one that is
/// disabled, and one that is not for us.
fn vault(
    path: &str,
    query: Option<&str>,
    authorization: Option<&str>,
    state: &State,
) -> (u16, Option<String>, Value) {
    let refused = |status, code: &str, inner: Option<&str>| {
        let inner = inner.map(|code| json!({"code": code}));
        (
            status,
            None,
            json!({"error": {"code": code, "message": "as the vault says it", "innererror": inner}}),
        )
    };
    if authorization != Some(&format!("Bearer {ACCESS}")) {
        let resource = &state.resource;
        let challenge = format!(
            "Bearer authorization=\"https://login.microsoftonline.com/{TENANT}\", resource=\"{resource}\""
        );
        let (status, _, json) = refused(401, "Unauthorized", None);
        return (status, Some(challenge), json);
    }
    if !query.is_some_and(|query| query.starts_with("api-version=")) {
        return refused(400, "BadParameter", None);
    }
    // The libraries leave an empty version in the path.
    match path.trim_end_matches('/') {
        "/secrets/hub-token" => {
            let id = format!("{VAULT}/secrets/hub-token/3f2c");
            (200, None, json!({"value": STORED, "id": id, "attributes": {"enabled": true}}))
        }
        // The vault gives these as any other.
        "/secrets/hub-over" => {
            let id = format!("{VAULT}/secrets/hub-over/3f2c");
            let attributes = json!({"enabled": true, "nbf": 1, "exp": 1_577_836_800});
            (200, None, json!({"value": STORED, "id": id, "attributes": attributes}))
        }
        "/secrets/hub-early" => {
            let id = format!("{VAULT}/secrets/hub-early/3f2c");
            let attributes = json!({"enabled": true, "nbf": 4_102_444_800_u64});
            (200, None, json!({"value": STORED, "id": id, "attributes": attributes}))
        }
        "/secrets/hub-disabled" => refused(403, "Forbidden", Some("SecretDisabled")),
        "/secrets/hub-others" => refused(403, "Forbidden", Some("ForbiddenByRbac")),
        _ => refused(404, "SecretNotFound", None),
    }
}
