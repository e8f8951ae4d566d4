//! Who asks, and what they may do: tokens, and `whoami-v2` in the Hub's own shape.

use axum::Json;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::server::{Hub, Shared};
use crate::digest::Digest;
use crate::http::Secret;
use crate::hub::RepoId;

/// A token that the embedded Hub knows.
#[derive(Debug, Clone)]
pub struct TokenSpec {
    /// The value, `hf_…`.
    pub token: Secret,
    /// The user whose token it is; also a namespace the user may write to.
    pub user: String,
    /// The name the user gave the token.
    pub name: String,
    /// What it may do.
    pub role: TokenRole,
    /// Organisations the user is a member of, with write rights.
    pub orgs: Vec<String>,
    /// When it was made, RFC 3339, as `whoami-v2` tells it.
    pub created_at: String,
}

/// What a token may do, in the Hub's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRole {
    /// Reads whatever the user can read.
    Read,
    /// Writes wherever the user can write.
    Write,
    /// Makes repositories wherever the user can, and writes all that are there: told as a fine-grained
    /// token of just these.
    Maker,
    /// Does what its scopes list, nowhere else.
    FineGrained(Vec<TokenScope>),
    /// Writes one repository that is there, as a trusted publisher's token does.
    Publisher(RepoId),
}

/// One entry of a fine-grained token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenScope {
    /// `namespace/name` of one model, `datasets/…` and the like of something else, the name of a user
    /// or organisation, or `*` for everywhere.
    pub entity: String,
    /// The Hub's names: `repo.content.read`, `repo.write`, …
    pub permissions: Vec<String>,
}

/// A caller whose token was recognised.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    token: TokenSpec,
    /// The namespaces that exist; `None` where any may be used.
    namespaces: Option<Vec<String>>,
}

impl Caller {
    pub(super) fn user(&self) -> &str {
        &self.token.user
    }

    pub(super) fn may_read(&self, repo: &RepoId) -> bool {
        match &self.token.role {
            TokenRole::Read | TokenRole::Write | TokenRole::Maker => {
                self.is_member(repo.namespace())
            }
            TokenRole::FineGrained(scopes) => ["repo.content.read", "repo.write"]
                .iter()
                .any(|permission| granted(scopes, repo, permission)),
            TokenRole::Publisher(own) => own == repo,
        }
    }

    pub(super) fn may_write(&self, repo: &RepoId) -> bool {
        match &self.token.role {
            TokenRole::Read => false,
            TokenRole::Write | TokenRole::Maker => self.is_member(repo.namespace()),
            TokenRole::FineGrained(scopes) => granted(scopes, repo, "repo.write"),
            TokenRole::Publisher(own) => own == repo,
        }
    }

    /// Whether it may move and delete the repository.
    pub(super) fn may_move(&self, repo: &RepoId) -> bool {
        !matches!(self.token.role, TokenRole::Publisher(_)) && self.may_write(repo)
    }

    /// Whether it may make the repository: no scope of single repositories has what is not there.
    pub(super) fn may_make(&self, repo: &RepoId) -> bool {
        match &self.token.role {
            TokenRole::FineGrained(scopes) => scopes
                .iter()
                .filter(|scope| scope.entity == repo.namespace())
                .any(|scope| scope.permissions.iter().any(|held| held == "repo.write")),
            _ => self.may_move(repo),
        }
    }

    fn is_member(&self, namespace: &str) -> bool {
        self.token.user == namespace
            || self.token.orgs.iter().any(|org| org == namespace)
            || (self.token.orgs.is_empty() && self.namespaces.is_none())
    }
}

fn granted(scopes: &[TokenScope], repo: &RepoId, permission: &str) -> bool {
    scopes.iter().any(|scope| {
        (scope.entity == repo.to_string() || scope.entity == repo.namespace())
            && scope.permissions.iter().any(|held| held == permission)
    })
}

/// The caller; `None` without a token, an error for a token that nobody knows.
pub(super) fn caller(hub: &Hub, headers: &HeaderMap) -> Answer<Option<Caller>> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let sent = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).map(str::trim);
    let known = hub.tokens.iter().find(|known| Some(known.token.expose()) == sent).cloned();
    match known.or_else(|| hub.exchanged.find(sent?)) {
        Some(token) => Ok(Some(Caller { token, namespaces: hub.options.namespaces.clone() })),
        None => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "Invalid credentials in Authorization header",
        )),
    }
}

/// The caller, who must be known.
pub(super) fn signed_in(hub: &Hub, headers: &HeaderMap) -> Answer<Caller> {
    caller(hub, headers)?
        .ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, "Invalid username or password."))
}

/// `GET /api/whoami-v2`.
pub(super) async fn whoami(State(hub): State<Shared>, headers: HeaderMap) -> Answer<Response> {
    let caller = signed_in(&hub, &headers)?;
    let token = &caller.token;
    let orgs: Vec<Value> = token.orgs.iter().map(|name| organisation(name)).collect();
    let auth = match &token.role {
        TokenRole::Publisher(repo) => {
            json!({ "type": "oauth", "resource": { "sub": repo.to_string() } })
        }
        _ => json!({ "type": "access_token", "accessToken": access_token(&hub, &caller)? }),
    };
    Ok(Json(json!({
        "type": "user",
        "id": entity_id(&token.user),
        "name": token.user,
        "fullname": token.user,
        "isPro": false,
        "orgs": orgs,
        "auth": auth,
    }))
    .into_response())
}

fn organisation(name: &str) -> Value {
    json!({
        "type": "org", "id": entity_id(name), "name": name, "fullname": name,
        "roleInOrg": "write", "isEnterprise": false,
    })
}

fn access_token(hub: &Hub, caller: &Caller) -> Answer<Value> {
    let token = &caller.token;
    let role = match token.role {
        TokenRole::Read => "read",
        TokenRole::Write => "write",
        TokenRole::Maker | TokenRole::FineGrained(_) | TokenRole::Publisher(_) => "fineGrained",
    };
    let mut shown =
        json!({ "displayName": token.name, "role": role, "createdAt": token.created_at });
    let scopes = match &token.role {
        TokenRole::Read | TokenRole::Write | TokenRole::Publisher(_) => return Ok(shown),
        TokenRole::FineGrained(scopes) => scopes.clone(),
        TokenRole::Maker => {
            let reached = hub.store.list()?.into_iter().filter(|repo| caller.may_write(repo));
            let permissions = ["repo.content.read", "repo.write"].map(str::to_owned);
            reached
                .map(|repo| TokenScope {
                    entity: repo.to_string(),
                    permissions: permissions.to_vec(),
                })
                .collect()
        }
    };
    let (everywhere, somewhere): (Vec<_>, Vec<_>) =
        scopes.iter().partition(|scope| scope.entity == "*");
    let told: Vec<Value> = somewhere.into_iter().map(|scope| shown_scope(token, scope)).collect();
    let global: Vec<_> = everywhere.into_iter().flat_map(|scope| &scope.permissions).collect();
    shown["fineGrained"] = json!({ "scoped": told, "global": global, "canReadGatedRepos": false });
    Ok(shown)
}

/// Things that are no models, as they stand before a name, and the Hub's word for one.
const SHELVES: [(&str, &str); 3] =
    [("datasets/", "dataset"), ("spaces/", "space"), ("resource-groups/", "resource-group")];

fn shown_scope(token: &TokenSpec, scope: &TokenScope) -> Value {
    let elsewhere =
        SHELVES.iter().find_map(|(shelf, kind)| Some((*kind, scope.entity.strip_prefix(shelf)?)));
    let (kind, name) = elsewhere.unwrap_or_else(|| match scope.entity.as_str() {
        entity if entity.contains('/') => ("model", entity),
        entity if *entity == token.user => ("user", entity),
        entity => ("org", entity),
    });
    json!({
        "entity": { "_id": entity_id(&scope.entity), "name": name, "type": kind },
        "permissions": scope.permissions,
    })
}

/// A stable id in the Hub's shape: 24 hex digits.
pub(super) fn entity_id(name: &str) -> String {
    let mut id = Digest::of(name.as_bytes()).to_string();
    id.truncate(24);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: TokenRole, orgs: &[&str], namespaces: Option<&[&str]>) -> Caller {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Caller {
            token: TokenSpec {
                token: Secret::new("hf_x").expect("a value"),
                user: "ann".into(),
                name: "test".into(),
                role,
                orgs: owned(orgs),
                created_at: "2026-01-01T00:00:00.000Z".into(),
            },
            namespaces: namespaces.map(owned),
        }
    }

    fn repo(id: &str) -> RepoId {
        id.parse().expect(id)
    }

    #[test]
    fn a_role_goes_as_far_as_its_members_namespaces() {
        let anywhere = caller(TokenRole::Write, &[], None);
        assert!(anywhere.may_write(&repo("acme/churn")));
        let member = caller(TokenRole::Write, &["acme"], None);
        assert!(member.may_write(&repo("acme/churn")) && member.may_write(&repo("ann/own")));
        assert!(!member.may_write(&repo("other/churn")));
        assert!(!caller(TokenRole::Write, &[], Some(&["acme"])).may_write(&repo("acme/churn")));
        let reader = caller(TokenRole::Read, &["acme"], None);
        assert!(reader.may_read(&repo("acme/churn")) && !reader.may_write(&repo("acme/churn")));
    }

    #[test]
    fn a_scope_covers_its_entity_and_its_permission_only() {
        let scope = |entity: &str, permission: &str| TokenScope {
            entity: entity.into(),
            permissions: vec![permission.into()],
        };
        let scopes = vec![scope("acme/churn", "repo.write"), scope("beta", "repo.content.read")];
        let caller = caller(TokenRole::FineGrained(scopes), &["acme"], None);
        assert!(caller.may_write(&repo("acme/churn")));
        assert!(!caller.may_write(&repo("acme/other")));
        assert!(caller.may_read(&repo("beta/any")) && !caller.may_write(&repo("beta/any")));
    }

    #[test]
    fn no_scope_of_single_repositories_makes_one() {
        let scope = |entity: &str, permission: &str| TokenScope {
            entity: entity.into(),
            permissions: vec![permission.into()],
        };
        let scopes = vec![
            scope("acme/churn", "repo.write"),
            scope("beta", "repo.content.read"),
            scope("gamma", "repo.write"),
        ];
        let caller = caller(TokenRole::FineGrained(scopes), &["acme"], None);
        for (id, expected) in [("acme/churn", false), ("beta/new", false), ("gamma/new", true)] {
            assert_eq!(caller.may_make(&repo(id)), expected, "{id}");
        }
    }

    #[test]
    fn ids_look_like_the_hubs() {
        assert_eq!(entity_id("acme").len(), 24);
        assert_ne!(entity_id("acme"), entity_id("beta"));
    }
}
