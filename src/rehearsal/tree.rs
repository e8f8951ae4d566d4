//! What stands at a revision: `tree`, `paths-info`, and the shape of a file in both.

use std::collections::HashMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::response::{IntoResponse as _, Response};
use git2::Oid;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, header_text, read_all, read_json};
use super::git::{Entry, EntryKind, Git};
use super::large::{self, Stored};
use super::repos::{Target, readable};
use super::server::{Hub, Shared};
use super::signed;

/// Entries of a page, and the most a client may ask for.
const PAGE: usize = 1000;
/// With `expand` each entry costs a walk through the history.
const EXPANDED_PAGE: usize = 100;
/// The most paths of one `paths-info` request, as the Hub has it.
const PATHS_MAX: usize = 2000;
/// How far back the last commit of an entry is looked for.
const HISTORY_MAX: usize = 1000;
/// What a path keeps in a URL.
const PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'?').add(b'<').add(b'>');

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    recursive: Option<String>,
    #[serde(default)]
    expand: Option<String>,
    limit: Option<usize>,
    cursor: Option<usize>,
}

fn flag(value: Option<&str>) -> bool {
    value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | ""))
}

/// `GET …/tree/{revision}`.
pub(super) async fn root(
    hub: State<Shared>,
    Path((namespace, name, revision)): Path<(String, String, String)>,
    wanted: Query<Wanted>,
    headers: HeaderMap,
) -> Answer<Response> {
    folder(hub, Path((namespace, name, revision, String::new())), wanted, headers).await
}

/// `GET …/tree/{revision}/{path}`.
pub(super) async fn folder(
    State(hub): State<Shared>,
    Path((namespace, name, revision, path)): Path<(String, String, String, String)>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let (recursive, expand) = (flag(wanted.recursive.as_deref()), flag(wanted.expand.as_deref()));
    let page = if expand { EXPANDED_PAGE } else { PAGE };
    let limit = wanted.limit.unwrap_or(page).clamp(1, page);
    let start = wanted.cursor.unwrap_or(0);
    let (asked_path, asked_revision) = (path.clone(), revision.clone());
    let (entries, more, last) = target
        .git(&hub, move |git| {
            let commit = git.resolve(&asked_revision)?;
            let folder = git.entry(&commit, &asked_path)?;
            if folder.kind != EntryKind::Folder {
                return Err(Refusal::entry_not_found(&asked_path));
            }
            let mut entries = git.list(&folder, recursive)?;
            let more = entries.len() > start.saturating_add(limit);
            entries = entries.into_iter().skip(start).take(limit).collect();
            let last =
                if expand { last_commits(git, commit.id(), &entries)? } else { HashMap::new() };
            Ok((entries, more, last))
        })
        .await?;
    let shown = show(&hub, &entries, expand.then_some(&last)).await;
    let mut response = Json(shown).into_response();
    if more {
        let next = format!(
            "<{}/api/{}/tree/{}/{}?recursive={recursive}&expand={expand}&limit={limit}&cursor={}>; rel=\"next\"",
            signed::base(&hub, &headers),
            target.repo.in_api(),
            segment(&revision),
            utf8_percent_encode(&path, PATH),
            start + limit,
        );
        response.headers_mut().insert(LINK, header_text(&next));
    }
    Ok(response)
}

/// A revision as the one URL segment it must be.
pub(super) fn segment(revision: &str) -> String {
    utf8_percent_encode(revision, NON_ALPHANUMERIC).to_string()
}

/// A path in a URL.
pub(super) fn url_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

#[derive(Deserialize)]
struct Paths {
    paths: Vec<String>,
    #[serde(default)]
    expand: bool,
}

impl Paths {
    /// The Python client sends a form, the JavaScript client JSON.
    async fn read(headers: &HeaderMap, body: Body) -> Answer<Self> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return read_json(body).await;
        }
        let mut asked = Self { paths: Vec::new(), expand: false };
        for (key, value) in url::form_urlencoded::parse(&read_all(body).await?) {
            match &*key {
                "paths" => asked.paths.push(value.into_owned()),
                "expand" => asked.expand = flag(Some(&value)),
                _ => {}
            }
        }
        Ok(asked)
    }
}

/// `POST …/paths-info/{revision}`: the entries at these paths; what is not there is left out.
pub(super) async fn paths_info(
    State(hub): State<Shared>,
    Path((namespace, name, revision)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let asked = Paths::read(&headers, body).await?;
    if asked.paths.len() > PATHS_MAX {
        return Err(Refusal::bad_request(format!("more than {PATHS_MAX} paths")));
    }
    let expand = asked.expand;
    let (entries, last) = target
        .git(&hub, move |git| {
            let commit = git.resolve(&revision)?;
            let paths = asked.paths.iter().map(|path| path.trim_matches('/'));
            let entries: Vec<Entry> =
                paths.filter_map(|path| git.entry(&commit, path).ok()).collect();
            let last =
                if expand { last_commits(git, commit.id(), &entries)? } else { HashMap::new() };
            Ok((entries, last))
        })
        .await?;
    Ok(Json(show(&hub, &entries, expand.then_some(&last)).await).into_response())
}

/// The Hub's JSON of entries; `last` also asks for what `expand` adds.
async fn show(hub: &Hub, entries: &[Entry], last: Option<&HashMap<String, Value>>) -> Vec<Value> {
    let mut shown = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut value = show_entry(hub, entry).await;
        if let Some(last) = last {
            value["lastCommit"] = last.get(&entry.path).cloned().unwrap_or(Value::Null);
            if entry.kind != EntryKind::Folder {
                value["securityFileStatus"] = security(hub, &entry.path);
            }
        }
        shown.push(value);
    }
    shown
}

async fn show_entry(hub: &Hub, entry: &Entry) -> Value {
    let oid = entry.oid.to_string();
    match &entry.kind {
        EntryKind::Folder => {
            json!({ "type": "directory", "oid": oid, "size": 0, "path": entry.path })
        }
        EntryKind::Regular(size) => {
            json!({ "type": "file", "oid": oid, "size": size, "path": entry.path })
        }
        EntryKind::Large(pointer, pointer_size) => {
            let mut value = json!({
                "type": "file", "oid": oid, "size": pointer.size, "path": entry.path,
                "lfs": { "oid": pointer.oid, "size": pointer.size, "pointerSize": pointer_size },
            });
            if let Some(Stored::Xet(hash)) = large::find(hub, pointer).await {
                value["xetHash"] = hash.hex().into();
            }
            value
        }
    }
}

/// What the file scan says of a file.
fn security(hub: &Hub, path: &str) -> Value {
    let issue = hub.options.scan_issues.iter().find(|issue| issue.path == path);
    let status = issue.map_or("safe", |issue| issue.level.as_str());
    json!({
        "status": status,
        "avScan": { "status": status, "message": null, "reportLink": null, "reportLabel": null },
        "pickleImportScan": { "status": "safe", "message": null, "pickleImports": [] },
    })
}

/// The last commit that changed each entry, as far as the history is walked.
fn last_commits(git: &Git, head: Oid, entries: &[Entry]) -> Answer<HashMap<String, Value>> {
    let mut found = HashMap::new();
    let mut open: Vec<&Entry> = entries.iter().filter(|entry| !entry.path.is_empty()).collect();
    for commit in git.history(head)?.take(HISTORY_MAX) {
        if open.is_empty() {
            break;
        }
        let parent = commit.parent(0).ok();
        let before = |entry: &Entry| {
            parent.as_ref().and_then(|parent| Some(git.entry(parent, &entry.path).ok()?.oid))
        };
        open.retain(|entry| {
            let unchanged = before(entry) == Some(entry.oid);
            if !unchanged {
                found.insert(entry.path.clone(), last_commit(&commit));
            }
            unchanged
        });
    }
    Ok(found)
}

fn last_commit(commit: &git2::Commit<'_>) -> Value {
    json!({
        "id": commit.id().to_string(),
        "title": title(commit),
        "date": date(commit),
    })
}

/// A commit's first line.
pub(super) fn title(commit: &git2::Commit<'_>) -> String {
    let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
    message.lines().next().unwrap_or_default().to_owned()
}

/// When a commit was made, RFC 3339 in UTC with milliseconds, as the Hub writes dates.
pub(super) fn date(commit: &git2::Commit<'_>) -> String {
    hub_date(Timestamp::from_second(commit.time().seconds()).unwrap_or_default())
}

/// RFC 3339 in UTC with milliseconds.
pub(super) fn hub_date(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The files of a revision, for the model info and the page.
pub(super) async fn files(hub: &Shared, target: &Target, revision: &str) -> Answer<Vec<Entry>> {
    let revision = revision.to_owned();
    target
        .git(hub, move |git| {
            let commit = git.resolve(&revision)?;
            let mut entries = git.list(&git.entry(&commit, "")?, true)?;
            entries.retain(|entry| entry.kind != EntryKind::Folder);
            Ok(entries)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_milliseconds_and_revisions_are_one_segment() {
        assert_eq!(hub_date(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
        assert_eq!(segment("refs/pr/1"), "refs%2Fpr%2F1");
        assert!(flag(Some("True")) && flag(Some("1")) && !flag(Some("false")) && !flag(None));
    }
}
