//! What the Hub tells of a repository: info at a revision, the list, the file scan.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, blocking};
use super::auth::{caller, entity_id};
use super::card_data;
use super::git::{Entry, EntryKind, Git, MAIN};
use super::repos::{Target, readable};
use super::server::Shared;
use super::store::Settings;
use super::tree::{date, files, hub_date};
use crate::hub::{RepoId, Shelf};

/// The most repositories of a list.
const LIST_MAX: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Wanted {
    blobs: Option<String>,
    #[serde(rename = "securityStatus")]
    security_status: Option<String>,
}

/// `GET /api/models/{repo}`.
pub(super) async fn info(
    hub: State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Query<Wanted>,
    headers: HeaderMap,
) -> Answer<Response> {
    revision(hub, Path((namespace, name, MAIN.to_owned())), wanted, headers).await
}

/// `GET …/revision/{revision}`.
pub(super) async fn revision(
    State(hub): State<Shared>,
    Path((namespace, name, revision)): Path<(String, String, String)>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let yes = |flag: &Option<String>| matches!(flag.as_deref(), Some("1" | "true" | "True"));
    let mut shown = describe(&hub, &target, &revision).await?;
    let entries = files(&hub, &target, &revision).await?;
    let siblings: Vec<Value> =
        entries.iter().map(|entry| sibling(entry, yes(&wanted.blobs))).collect();
    shown["siblings"] = siblings.into();
    shown["usedStorage"] = entries.iter().map(size).sum::<u64>().into();
    if yes(&wanted.security_status) {
        shown["securityRepoStatus"] = scan_result(&hub);
    }
    Ok(Json(shown).into_response())
}

async fn describe(hub: &Shared, target: &Target, revision: &str) -> Answer<Value> {
    let (repo, settings) = (target.repo.clone(), target.settings.clone());
    let revision = revision.to_owned();
    target.git(hub, move |git| outline(git, &repo, &settings, &revision)).await
}

/// All but the files.
fn outline(git: &Git, repo: &RepoId, settings: &Settings, revision: &str) -> Answer<Value> {
    let commit = git.resolve(revision)?;
    let id = format!("{}/{}", repo.namespace(), repo.name());
    let card = git.read_text(&commit, "README.md").as_deref().and_then(card_data::metadata);
    let mut shown = json!({
        "_id": entity_id(&id),
        "id": id,
        "author": repo.namespace(),
        "sha": commit.id().to_string(),
        "lastModified": date(&commit),
        "createdAt": hub_date(settings.created_at),
        "private": settings.private,
        "gated": settings.gated,
        "disabled": false,
        "downloads": 0,
        "likes": 0,
        "tags": card.as_ref().map(card_data::tags).unwrap_or_default(),
        "spaces": [],
    });
    if repo.shelf() == Shelf::Models {
        shown["modelId"] = shown["id"].clone();
    }
    if let Some(card) = card {
        for key in ["library_name", "pipeline_tag"] {
            if let Some(value) = card.get(key) {
                shown[key] = value.clone();
            }
        }
        shown["cardData"] = card;
    }
    Ok(shown)
}

/// A file's size in bytes.
pub(super) fn size(entry: &Entry) -> u64 {
    match &entry.kind {
        EntryKind::Folder => 0,
        EntryKind::Regular(size) => *size,
        EntryKind::Large(pointer, _) => pointer.size,
    }
}

fn sibling(entry: &Entry, blobs: bool) -> Value {
    let mut shown = json!({ "rfilename": entry.path });
    if blobs {
        shown["blobId"] = entry.oid.to_string().into();
        shown["size"] = size(entry).into();
        if let EntryKind::Large(pointer, pointer_size) = &entry.kind {
            shown["lfs"] = json!({
                "sha256": pointer.oid, "size": pointer.size, "pointerSize": pointer_size,
            });
        }
    }
    shown
}

/// `GET …/scan`.
pub(super) async fn scan(
    State(hub): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    readable(&hub, &headers, &namespace, &name)?;
    Ok(Json(scan_result(&hub)).into_response())
}

fn scan_result(hub: &Shared) -> Value {
    let issues: Vec<Value> = hub
        .options
        .scan_issues
        .iter()
        .map(|issue| json!({ "path": issue.path, "level": issue.level }))
        .collect();
    json!({ "scansDone": true, "filesWithIssues": issues })
}

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(rename = "search")]
    text: Option<String>,
    author: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/models`: those of the shelf that the caller may see.
pub(super) async fn list(
    State(hub): State<Shared>,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Answer<Response> {
    let caller = caller(&hub, &headers)?;
    let limit = search.limit.unwrap_or(LIST_MAX).min(LIST_MAX);
    let shelf = hub.shelf;
    let wanted = move |repo: &RepoId| {
        let text = search.text.as_deref().unwrap_or_default().to_lowercase();
        repo.shelf() == shelf
            && search.author.as_deref().is_none_or(|author| author == repo.namespace())
            && repo.to_string().to_lowercase().contains(&text)
    };
    let shown = blocking(move || {
        let mut shown = Vec::new();
        for repo in hub.store.list()?.into_iter().filter(wanted) {
            let Some(settings) = hub.store.settings(&repo)? else { continue };
            let visible =
                !settings.private || caller.as_ref().is_some_and(|caller| caller.may_read(&repo));
            if visible && shown.len() < limit {
                shown.push(outline(&hub.store.git(&repo)?, &repo, &settings, MAIN)?);
            }
        }
        Ok(shown)
    })
    .await?;
    Ok(Json(shown).into_response())
}
