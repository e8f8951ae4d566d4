//! Repositories: who may reach them; create, delete, move, settings.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, blocking, read_json};
use super::auth::{Caller, caller, entity_id, signed_in};
use super::git::Git;
use super::server::{Hub, Shared};
use super::signed;
use super::store::Settings;
use crate::hub::{RepoId, Shelf};

/// A repository that the caller may reach.
pub(super) struct Target {
    pub(super) repo: RepoId,
    pub(super) settings: Settings,
    pub(super) caller: Option<Caller>,
}

impl Target {
    /// Runs git work on the repository.
    pub(super) async fn git<T: Send + 'static>(
        &self,
        hub: &Shared,
        work: impl FnOnce(&Git) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let (hub, repo) = (hub.clone(), self.repo.clone());
        blocking(move || work(&hub.store.git(&repo)?)).await
    }

    /// Runs git work that moves refs: alone.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        hub: &Shared,
        work: impl FnOnce(&Git) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let (hub, repo) = (hub.clone(), self.repo.clone());
        blocking(move || {
            let _turn = hub.store.writing();
            work(&hub.store.git(&repo)?)
        })
        .await
    }

    /// The user who acts.
    pub(super) fn user(&self) -> String {
        self.caller.as_ref().map_or("anonymous", Caller::user).to_owned()
    }
}

/// The repository, for reading.
pub(super) fn readable(
    hub: &Hub,
    headers: &HeaderMap,
    namespace: &str,
    name: &str,
) -> Answer<Target> {
    let caller = caller(hub, headers)?;
    let repo = RepoId::new(namespace, name);
    let repo = repo.map_err(|_| Refusal::repo_not_found(caller.is_some()))?.on(hub.shelf);
    reached(hub, repo, caller)
}

fn reached(hub: &Hub, repo: RepoId, caller: Option<Caller>) -> Answer<Target> {
    let missing = || Refusal::repo_not_found(caller.is_some());
    let settings = hub.store.settings(&repo)?.ok_or_else(missing)?;
    if settings.private && !caller.as_ref().is_some_and(|caller| caller.may_read(&repo)) {
        return Err(missing());
    }
    Ok(Target { repo, settings, caller })
}

/// The repository, for proposing a change: any signed-in reader may open a pull request.
pub(super) fn proposable(
    hub: &Hub,
    headers: &HeaderMap,
    namespace: &str,
    name: &str,
) -> Answer<Target> {
    let target = readable(hub, headers, namespace, name)?;
    signed_in(hub, headers)?;
    Ok(target)
}

/// The repository, for writing.
pub(super) fn writable(
    hub: &Hub,
    headers: &HeaderMap,
    namespace: &str,
    name: &str,
) -> Answer<Target> {
    owned(proposable(hub, headers, namespace, name)?)
}

fn owned(target: Target) -> Answer<Target> {
    match &target.caller {
        Some(caller) if caller.may_write(&target.repo) => Ok(target),
        _ => Err(no_rights(&target.repo)),
    }
}

fn no_rights(repo: &RepoId) -> Refusal {
    Refusal::forbidden(format!(
        "Forbidden: pass a token with write access to {repo} (its role or its scopes do not allow this)"
    ))
}

/// `GET …/auth-check`.
pub(super) async fn may_read(
    State(hub): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    readable(&hub, &headers, &namespace, &name).map(|_| StatusCode::OK)
}

/// `GET …/auth-check/write`.
pub(super) async fn may_write(
    State(hub): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    writable(&hub, &headers, &namespace, &name).map(|_| StatusCode::OK)
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
    organization: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    private: Option<bool>,
    visibility: Option<String>,
}

impl Named {
    /// The repository meant; a name alone is the caller's own.
    fn repo(&self, caller: &Caller) -> Answer<RepoId> {
        let on = shelf(self.kind.as_deref())?;
        let id = match (&self.organization, self.name.split_once('/')) {
            (Some(namespace), _) => RepoId::new(namespace, &self.name),
            (None, Some((namespace, name))) => RepoId::new(namespace, name),
            (None, None) => RepoId::new(caller.user(), &self.name),
        };
        id.map(|id| id.on(on)).map_err(|error| Refusal::bad_request(error.to_string()))
    }

    /// Private, unless the request says otherwise or says nothing, as the Hub's default is.
    fn is_private(&self) -> Answer<bool> {
        match (&self.visibility, self.private) {
            (Some(visibility), _) => is_private(visibility),
            (None, private) => Ok(private.unwrap_or(false)),
        }
    }
}

fn shelf(kind: Option<&str>) -> Answer<Shelf> {
    match kind {
        None | Some("model") => Ok(Shelf::Models),
        Some("dataset") => Ok(Shelf::Datasets),
        Some(other) => Err(Refusal::bad_request(format!(
            "this Hub holds models and datasets only, not a {other}"
        ))),
    }
}

fn is_private(visibility: &str) -> Answer<bool> {
    match visibility {
        "private" => Ok(true),
        "public" => Ok(false),
        other => Err(Refusal::bad_request(format!(
            "visibility must be `public` or `private`, not `{other}`"
        ))),
    }
}

/// `POST /api/repos/create`.
pub(super) async fn create(
    State(hub): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let caller = signed_in(&hub, &headers)?;
    let named: Named = read_json(body).await?;
    let repo = named.repo(&caller)?;
    if !caller.may_make(&repo) {
        return Err(Refusal::forbidden(format!(
            "You don't have the rights to create a {} under the namespace \"{}\"",
            repo.shelf().kind(),
            repo.namespace()
        )));
    }
    let settings = Settings {
        private: named.is_private()?,
        gated: Value::Bool(false),
        discussions_disabled: false,
        created_at: Timestamp::now(),
    };
    let url = format!("{}/{repo}", signed::base(&hub, &headers));
    let (made, user, id) = (repo.clone(), caller.user().to_owned(), repo.to_string());
    let kind = repo.shelf().kind();
    if blocking(move || hub.store.create(&made, &settings, &user)).await? {
        return Ok(Json(json!({ "url": url, "name": id, "id": entity_id(&id) })).into_response());
    }
    let message = format!("You already created this {kind} repo");
    Err(Refusal::conflict(message.clone()).body(json!({ "error": message, "url": url })))
}

/// `DELETE /api/repos/delete`.
pub(super) async fn delete(
    State(hub): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let caller = signed_in(&hub, &headers)?;
    let named: Named = read_json(body).await?;
    let repo = named.repo(&caller)?;
    let target = owned(reached(&hub, repo, Some(caller.clone()))?)?;
    if !caller.may_move(&target.repo) {
        return Err(no_rights(&target.repo));
    }
    blocking(move || hub.store.delete(&target.repo)).await?;
    Ok(Json(json!({})).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rename {
    from_repo: String,
    to_repo: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// `POST /api/repos/move`.
pub(super) async fn rename(
    State(hub): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let caller = signed_in(&hub, &headers)?;
    let rename: Rename = read_json(body).await?;
    let shelf = shelf(rename.kind.as_deref())?;
    let parse = |id: &str| {
        let id = id.parse::<RepoId>().map_err(|error| Refusal::bad_request(error.to_string()))?;
        Ok::<_, Refusal>(id.on(shelf))
    };
    let (from, to) = (parse(&rename.from_repo)?, parse(&rename.to_repo)?);
    let target = owned(reached(&hub, from, Some(caller.clone()))?)?;
    if !caller.may_make(&to) {
        return Err(no_rights(&to));
    }
    blocking(move || hub.store.rename(&target.repo, &to)).await?;
    Ok(Json(json!({})).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    private: Option<bool>,
    visibility: Option<String>,
    gated: Option<Value>,
    discussions_disabled: Option<bool>,
}

/// `PUT …/settings`.
pub(super) async fn settings(
    State(hub): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let target = writable(&hub, &headers, &namespace, &name)?;
    let wanted: Wanted = read_json(body).await?;
    let mut settings = target.settings;
    if let Some(visibility) = &wanted.visibility {
        settings.private = is_private(visibility)?;
    } else if let Some(private) = wanted.private {
        settings.private = private;
    }
    if let Some(gated) = wanted.gated {
        let known = gated == false || gated == "auto" || gated == "manual";
        if !known {
            return Err(Refusal::bad_request("gated must be false, \"auto\" or \"manual\""));
        }
        settings.gated = gated;
    }
    if let Some(disabled) = wanted.discussions_disabled {
        settings.discussions_disabled = disabled;
    }
    let answer = json!({
        "private": settings.private,
        "visibility": if settings.private { "private" } else { "public" },
        "gated": settings.gated,
        "discussionsDisabled": settings.discussions_disabled,
    });
    blocking(move || hub.store.set_settings(&target.repo, &settings)).await?;
    Ok(Json(answer).into_response())
}
