//! Branches, tags, pull-request refs and the history.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::LINK;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use git2::{Reference, Signature};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, header_text, read_json};
use super::discussions;
use super::git::{Git, MAIN, Message};
use super::repos::{readable, writable};
use super::server::Shared;
use super::signed;
use super::tree::{date, segment, title};

/// Commits of a page, and the most a client may ask for.
const PAGE: usize = 50;
const PAGE_MAX: usize = 1000;

#[derive(Deserialize)]
pub(super) struct RefsWanted {
    include_prs: Option<String>,
}

/// `GET …/refs`.
pub(super) async fn refs(
    State(hub): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    Query(wanted): Query<RefsWanted>,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let with_prs = matches!(wanted.include_prs.as_deref(), Some("1" | "true"));
    let refs = target
        .git(&hub, move |git| {
            let mut refs = json!({
                "branches": named(git, "refs/heads/")?,
                "tags": named(git, "refs/tags/")?,
                "converts": [],
            });
            if with_prs {
                refs["pullRequests"] = named(git, "refs/pr/")?.into();
            }
            Ok(refs)
        })
        .await?;
    Ok(Json(refs).into_response())
}

fn named(git: &Git, prefix: &str) -> Answer<Vec<Value>> {
    let mut refs = Vec::new();
    for reference in git.repository().references_glob(&format!("{prefix}*"))? {
        let reference = reference?;
        let Ok(full) = reference.name() else { continue };
        let commit = reference.peel_to_commit()?.id().to_string();
        let name = full.strip_prefix(prefix).unwrap_or(full);
        refs.push(json!({ "name": name, "ref": full, "targetCommit": commit }));
    }
    Ok(refs)
}

#[derive(Deserialize)]
struct NewTag {
    tag: String,
    message: Option<String>,
}

/// `POST …/tag/{revision}`: 409 if the tag exists; tags do not move.
pub(super) async fn create_tag(
    State(hub): State<Shared>,
    Path((namespace, name, revision)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let target = writable(&hub, &headers, &namespace, &name)?;
    let new: NewTag = read_json(body).await?;
    let user = target.user();
    target
        .write(&hub, move |git| {
            let commit = git.resolve(&revision)?;
            let full = valid_ref("refs/tags/", &new.tag)?;
            if git.repository().find_reference(&full).is_ok() {
                return Err(Refusal::conflict(format!(
                    "Tag reference exists already: {}",
                    new.tag
                )));
            }
            match new.message.as_deref().filter(|message| !message.is_empty()) {
                Some(message) => {
                    let who = Signature::now(&user, &format!("{user}@users.noreply.hub"))?;
                    git.repository().tag(&new.tag, commit.as_object(), &who, message, false)?;
                }
                None => git.move_ref(&full, commit.id())?,
            }
            Ok(())
        })
        .await?;
    Ok((StatusCode::CREATED, Json(json!({}))).into_response())
}

/// `DELETE …/tag/{tag}`.
pub(super) async fn delete_tag(
    State(hub): State<Shared>,
    Path((namespace, name, tag)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = writable(&hub, &headers, &namespace, &name)?;
    target
        .write(&hub, move |git| {
            let full = valid_ref("refs/tags/", &tag)?;
            find(git, &full, &tag)?.delete()?;
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct NewBranch {
    starting_point: Option<String>,
    empty_branch: bool,
    overwrite: bool,
}

/// `POST …/branch/{name}`: 409 if the branch exists, unless `overwrite` moves it.
pub(super) async fn create(
    State(hub): State<Shared>,
    Path((namespace, name, branch)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let target = writable(&hub, &headers, &namespace, &name)?;
    let new: NewBranch = read_json(body).await?;
    if new.empty_branch {
        return Err(Refusal::bad_request("this Hub makes no empty branches"));
    }
    target
        .write(&hub, move |git| {
            let full = valid_ref("refs/heads/", &branch)?;
            let start = git.resolve(new.starting_point.as_deref().unwrap_or(MAIN))?.id();
            if !new.overwrite && git.repository().find_reference(&full).is_ok() {
                return Err(Refusal::conflict(format!("Reference exists already: {branch}")));
            }
            git.move_ref(&full, start)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(json!({}))).into_response())
}

/// `DELETE …/branch/{name}`.
pub(super) async fn delete(
    State(hub): State<Shared>,
    Path((namespace, name, branch)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = writable(&hub, &headers, &namespace, &name)?;
    if branch == MAIN {
        return Err(Refusal::forbidden("Cannot delete the default branch"));
    }
    target
        .write(&hub, move |git| {
            let full = valid_ref("refs/heads/", &branch)?;
            find(git, &full, &branch)?.delete()?;
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
struct Squash {
    message: Option<String>,
}

/// `POST …/super-squash/{branch}`: the branch has one commit then, with the files that it had.
pub(super) async fn squash(
    State(hub): State<Shared>,
    Path((namespace, name, branch)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let target = writable(&hub, &headers, &namespace, &name)?;
    let squash: Squash = read_json(body).await?;
    let user = target.user();
    let commit = target
        .write(&hub, move |git| {
            let full = valid_ref("refs/heads/", &branch)?;
            let head = find(git, &full, &branch)?.peel_to_commit()?;
            let text = squash.message.unwrap_or_else(|| format!("Super-squash branch '{branch}'"));
            let commit = git.squash(&head, &Message { user: &user, text: &text })?;
            git.move_ref(&full, commit)?;
            Ok(commit.to_string())
        })
        .await?;
    Ok(Json(json!({ "commitId": commit })).into_response())
}

/// A ref's full name, if git allows it. A full commit id is no name: it would hide the commit.
fn valid_ref(prefix: &str, name: &str) -> Answer<String> {
    let full = format!("{prefix}{name}");
    let is_id = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id || name.starts_with("refs/") || !Reference::is_valid_name(&full) {
        return Err(Refusal::bad_request(format!("`{name}` is no valid reference name")));
    }
    Ok(full)
}

fn find<'git>(git: &'git Git, full: &str, name: &str) -> Answer<Reference<'git>> {
    git.repository().find_reference(full).map_err(|_| Refusal::revision_not_found(name))
}

#[derive(Deserialize)]
pub(super) struct Page {
    limit: Option<usize>,
    p: Option<usize>,
}

/// `GET …/commits/{revision}`: the history, the newest first.
pub(super) async fn commits(
    State(hub): State<Shared>,
    Path((namespace, name, revision)): Path<(String, String, String)>,
    Query(page): Query<Page>,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let limit = page.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let number = page.p.unwrap_or(0);
    let asked = revision.clone();
    let mut commits = target
        .git(&hub, move |git| {
            let head = git.resolve(&asked)?.id();
            let from = number.saturating_mul(limit);
            Ok(git
                .history(head)?
                .skip(from)
                .take(limit + 1)
                .map(|one| show(&one))
                .collect::<Vec<_>>())
        })
        .await?;
    let more = commits.len() > limit;
    commits.truncate(limit);
    let mut response = Json(commits).into_response();
    if more {
        let next = format!(
            "<{}/api/{}/commits/{}?limit={limit}&p={}>; rel=\"next\"",
            signed::base(&hub, &headers),
            target.repo.in_api(),
            segment(&revision),
            number + 1,
        );
        response.headers_mut().insert(LINK, header_text(&next));
    }
    Ok(response)
}

fn show(commit: &git2::Commit<'_>) -> Value {
    let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
    let body = message.split_once("\n\n").map_or("", |(_, body)| body);
    json!({
        "id": commit.id().to_string(),
        "title": title(commit),
        "message": body,
        "authors": [{ "user": discussions::author(commit), "avatar": "" }],
        "date": date(commit),
    })
}
