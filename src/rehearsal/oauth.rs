//! Trusted publishing: `POST /oauth/token` exchanges a CI's identity token for a token that writes
//! one repository (RFC 8693). What decides is compared as the Hub compares it, each claim exactly.
//!
//! The signature of the identity token is NOT verified here: that takes the keys of its issuer, and
//! who reaches a rehearsal on loopback gains nothing by forging one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, read_json};
use super::auth::{TokenRole, TokenSpec};
use super::server::Shared;
use super::signed;
use crate::http::Secret;
use crate::hub::{RepoId, Shelf};

/// Tokens that are remembered; the oldest go first.
const REMEMBERED: usize = 1000;
/// The user that pushes with such a token.
const USER: &str = "[OIDC]";

/// A CI job that may publish to one repository without a stored token.
#[derive(Debug, Clone)]
pub struct TrustedPublisher {
    /// The repository.
    pub repo: RepoId,
    /// What the identity has to say, all of it: a claim's name and value. `branch` and `workflow`
    /// (its file) are read out of `ref` and `workflow_ref`, as the Hub's preset for GitHub does.
    pub claims: Vec<(String, String)>,
    /// How long its tokens live; an hour on the Hub.
    pub life: Duration,
}

/// The tokens that were given out.
#[derive(Default)]
pub(super) struct Exchanged(Mutex<Vec<(TokenSpec, Instant)>>);

impl Exchanged {
    /// The token of a value, as long as it lives.
    pub(super) fn find(&self, value: &str) -> Option<TokenSpec> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = given.iter().find(|(spec, _)| spec.token.expose() == value);
        found.filter(|(_, end)| Instant::now() < *end).map(|(spec, _)| spec.clone())
    }

    fn add(&self, spec: TokenSpec, life: Duration) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() == REMEMBERED {
            given.remove(0);
        }
        given.push((spec, Instant::now() + life));
    }
}

#[derive(Deserialize)]
struct Request {
    grant_type: Option<String>,
    subject_token_type: Option<String>,
    subject_token: Option<String>,
    resource: Option<String>,
}

/// `POST /oauth/token`.
pub(super) async fn token(
    State(hub): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let request: Request = read_json(body)
        .await
        .map_err(|_| refused("invalid_request", "The body is no token exchange"))?;
    let is = |field: &Option<String>, value: &str| field.as_deref() == Some(value);
    if !is(&request.grant_type, "urn:ietf:params:oauth:grant-type:token-exchange")
        || !is(&request.subject_token_type, "urn:ietf:params:oauth:token-type:id_token")
    {
        return Err(refused("invalid_request", "Only identity tokens are exchanged here"));
    }
    let resource = request.resource.as_deref().and_then(Resource::read);
    let (Some(resource), Some(subject)) = (resource, &request.subject_token) else {
        return Err(refused("invalid_request", "subject_token and resource are required"));
    };
    // Which of these it was is not said, as on the Hub.
    let denied = || refused("invalid_grant", "The identity is not a trusted publisher of this");
    let Resource::Repo(repo) = resource else { return Err(denied()) };
    let claims = claims(subject).ok_or_else(denied)?;
    let fits = |publisher: &&super::TrustedPublisher| {
        publisher.repo == repo
            && publisher
                .claims
                .iter()
                .all(|(name, value)| claim(&claims, name).as_deref() == Some(value))
    };
    let publisher = hub.options.trusted_publishers.iter().find(fits).ok_or_else(denied)?;
    let is_for_us = has_audience(&claims, &signed::base(&hub, &headers));
    let lasts = claims.get("exp").and_then(Value::as_i64);
    let lasts = lasts.is_some_and(|end| end > Timestamp::now().as_second());
    if !is_for_us || !lasts || hub.store.settings(&repo)?.is_none() {
        return Err(denied());
    }
    let value = format!("hf_jwt_{}", hex::encode(super::server::random()?));
    let spec = TokenSpec {
        token: Secret::new(value.clone()).ok_or_else(denied)?,
        user: USER.into(),
        name: claim(&claims, "sub").unwrap_or_default(),
        role: TokenRole::Publisher(repo),
        orgs: Vec::new(),
        created_at: Timestamp::now().to_string(),
    };
    hub.exchanged.add(spec, publisher.life);
    let answer = json!({
        "access_token": value,
        "token_type": "bearer",
        "expires_in": publisher.life.as_secs(),
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    });
    Ok(Json(answer).into_response())
}

/// What a token is wanted for.
#[derive(Debug, PartialEq, Eq)]
enum Resource {
    /// `namespace/name`, `datasets/namespace/name`.
    Repo(RepoId),
    /// What the Hub has and no rehearsal: `spaces/…`, `kernels/…`, `buckets/…`, or a user's name for
    /// reading gated repositories. Nobody publishes there.
    Elsewhere,
}

impl Resource {
    fn read(text: &str) -> Option<Self> {
        let id = |text: &str| text.parse::<RepoId>().ok();
        match text.split_once('/') {
            None => RepoId::new(text, "x").is_ok().then_some(Self::Elsewhere),
            Some(("datasets", rest)) => id(rest).map(|repo| Self::Repo(repo.on(Shelf::Datasets))),
            Some(("spaces" | "kernels" | "buckets", rest)) => id(rest).map(|_| Self::Elsewhere),
            Some(_) => id(text).map(Self::Repo),
        }
    }
}

/// An error as OAuth words it (RFC 6749, 5.2).
fn refused(error: &str, description: &str) -> Refusal {
    let body = json!({ "error": error, "error_description": description });
    Refusal::bad_request(description).body(body)
}

/// The claims of a JWT.
fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn claim(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    match name {
        "branch" => text("ref")?.strip_prefix("refs/heads/").map(str::to_owned),
        // acme/churn/.github/workflows/release.yml@refs/heads/main
        "workflow" => Some(text("workflow_ref")?.split('@').next()?.rsplit('/').next()?.to_owned()),
        other => text(other).map(str::to_owned),
    }
}

fn has_audience(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_resource_is_read() {
        let model: RepoId = "acme/log".parse().expect("an id");
        let dataset = model.clone().on(Shelf::Datasets);
        for (text, expected) in [
            ("acme/log", Some(Resource::Repo(model))),
            ("datasets/acme/log", Some(Resource::Repo(dataset))),
            ("spaces/acme/demo", Some(Resource::Elsewhere)),
            ("buckets/acme/raw", Some(Resource::Elsewhere)),
            ("ada", Some(Resource::Elsewhere)),
            ("", None),
            ("datasets/acme", None),
            ("datasets/acme/log/x", None),
            ("models/acme/log", None),
            ("a/b/c", None),
            ("../x", None),
        ] {
            assert_eq!(Resource::read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_branch_and_a_workflow_are_read_out_of_their_claims() {
        let claims = |text: &str| serde_json::from_str::<Map<_, _>>(text).expect("JSON");
        let on_branch = claims(
            r#"{"ref": "refs/heads/main", "workflow_ref": "a/b/.github/workflows/r.yml@refs/heads/main"}"#,
        );
        assert_eq!(claim(&on_branch, "branch").as_deref(), Some("main"));
        assert_eq!(claim(&on_branch, "workflow").as_deref(), Some("r.yml"));
        let on_tag = claims(r#"{"ref": "refs/tags/v1.0.0", "repository": "a/b"}"#);
        assert_eq!(claim(&on_tag, "branch"), None, "no tag is on a branch");
        assert_eq!(claim(&on_tag, "repository").as_deref(), Some("a/b"));
        assert!(has_audience(&claims(r#"{"aud": ["x", "y"]}"#), "y"));
        assert!(!has_audience(&claims(r#"{"aud": "xy"}"#), "x"));
    }
}
