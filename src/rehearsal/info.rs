//! What the Hub tells of a model: info at a revision, the list, the file scan.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, blocking};
use super::auth::{caller, entity_id};
use super::git::{Entry, EntryKind, Git, MAIN};
use super::repos::{Target, readable};
use super::server::Shared;
use super::store::Settings;
use super::tree::{date, files, hub_date};
use crate::hub::RepoId;

/// The most models of a list.
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
    let id = repo.to_string();
    let card = git.read_text(&commit, "README.md").as_deref().and_then(card_data);
    let mut shown = json!({
        "_id": entity_id(&id),
        "id": id,
        "modelId": id,
        "author": repo.namespace(),
        "sha": commit.id().to_string(),
        "lastModified": date(&commit),
        "createdAt": hub_date(settings.created_at),
        "private": settings.private,
        "gated": settings.gated,
        "disabled": false,
        "downloads": 0,
        "likes": 0,
        "tags": card.as_ref().map(tags).unwrap_or_default(),
        "spaces": [],
    });
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

/// The metadata of a card, if it is a map.
pub(super) fn card_data(card: &str) -> Option<Value> {
    let (metadata, _) = split_card(card);
    let value: Value = serde_yaml::from_str(metadata?).ok()?;
    value.is_object().then_some(value)
}

/// A card's metadata block and its text.
pub(super) fn split_card(card: &str) -> (Option<&str>, &str) {
    let opened = card.strip_prefix("---\n").or_else(|| card.strip_prefix("---\r\n"));
    let Some(rest) = opened else { return (None, card) };
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return (Some(&rest[..end]), &rest[end + line.len()..]);
        }
        end += line.len();
    }
    (None, card)
}

/// The tags that the Hub derives from a card.
fn tags(card: &Value) -> Vec<String> {
    let texts = |key: &str| -> Vec<String> {
        match card.get(key) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(values)) => {
                values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    };
    let mut tags = Vec::new();
    for key in ["library_name", "pipeline_tag", "tags", "language"] {
        tags.extend(texts(key));
    }
    for (key, prefix) in
        [("license", "license:"), ("datasets", "dataset:"), ("base_model", "base_model:")]
    {
        tags.extend(texts(key).into_iter().map(|text| format!("{prefix}{text}")));
    }
    tags
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

/// `GET /api/models`: the models that the caller may see.
pub(super) async fn list(
    State(hub): State<Shared>,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Answer<Response> {
    let caller = caller(&hub, &headers)?;
    let limit = search.limit.unwrap_or(LIST_MAX).min(LIST_MAX);
    let wanted = move |repo: &RepoId| {
        let text = search.text.as_deref().unwrap_or_default().to_lowercase();
        search.author.as_deref().is_none_or(|author| author == repo.namespace())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cards_metadata_becomes_data_and_tags() {
        let card = "---\nlicense: mit\nlanguage: [en, 'no']\nlibrary_name: xgboost\n---\n# Hi\n";
        let data = card_data(card).expect("a map");
        assert_eq!(data["license"], "mit");
        assert_eq!(tags(&data), ["xgboost", "en", "no", "license:mit"]);
        assert_eq!(split_card(card).1, "# Hi\n");
    }

    #[test]
    fn a_card_without_metadata_has_none() {
        for card in ["# Hi", "", "---\nlicense: mit\n", "---\n- a\n---\n", "---\n: [\n---\n"] {
            assert_eq!(card_data(card), None, "{card:?}");
        }
    }
}
