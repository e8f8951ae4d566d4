//! `POST …/commit/{revision}`: many changes, one commit, guarded by its parent.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use git2::Oid;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::discussions;
use super::git::{Change, Git, Message};
use super::large;
use super::ndjson::{Line, Lines};
use super::pointer::Pointer;
use super::preupload::{Proposal, card_problems};
use super::repos::{Target, proposable, writable};
use super::server::Shared;
use super::signed;
use crate::digest::Digest;
use crate::hub::{Shelf, card_rules};

/// The Hub's words for a commit whose parent is no longer the head.
const STALE: &str =
    "The branch was updated since you opened this page. Please refresh and try again.";

/// What the payload asks for, with every blob already written and every large file found.
struct Asked {
    text: String,
    parent: Option<String>,
    changes: Vec<Change>,
}

/// What came of it.
struct Done {
    commit: Oid,
    pull_request: Option<u64>,
}

pub(super) async fn commit(
    State(hub): State<Shared>,
    Path((namespace, name, revision)): Path<(String, String, String)>,
    Query(proposal): Query<Proposal>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let proposed = proposal.wanted();
    let target = if proposed {
        proposable(&hub, &headers, &namespace, &name)?
    } else {
        writable(&hub, &headers, &namespace, &name)?
    };
    let asked = gather(&hub, &target, body).await?;
    let user = target.user();
    let pointer = |change: &Change| match change {
        Change::PutLarge(_, pointer) => Some(pointer.clone()),
        _ => None,
    };
    let large: Vec<_> = asked.changes.iter().filter_map(pointer).collect();
    let url = format!("{}/{}", signed::base(&hub, &headers), target.repo);
    let done = target
        .write(&hub, move |git| {
            if proposed {
                propose(git, &revision, &asked, &user)
            } else {
                apply(git, &revision, &asked, &user)
            }
        })
        .await?;
    large.into_iter().for_each(|pointer| hub.movers.committed(pointer));
    let mut answer = json!({
        "success": true,
        "commitOid": done.commit.to_string(),
        "commitUrl": format!("{url}/commit/{}", done.commit),
        "hookOutput": "",
    });
    if let Some(number) = done.pull_request {
        answer["pullRequestUrl"] = format!("{url}/discussions/{number}").into();
    }
    Ok(Json(answer).into_response())
}

/// Reads the payload to its end. A payload that breaks off leaves only blobs that nothing names.
async fn gather(hub: &Shared, target: &Target, body: Body) -> Answer<Asked> {
    let mut lines = Lines::new(body);
    let Some(Line::Header { summary, description, parent_commit }) = lines.next().await? else {
        return Err(Refusal::bad_request("the first line of a commit must be its header"));
    };
    if summary.trim().is_empty() {
        return Err(Refusal::bad_request("the commit's summary is empty"));
    }
    let text = if description.is_empty() { summary } else { format!("{summary}\n\n{description}") };
    let mut changes = Vec::new();
    while let Some(line) = lines.next().await? {
        changes.push(match line {
            Line::Header { .. } => return Err(Refusal::bad_request("a second header")),
            Line::File(path, bytes) => {
                judge_inline(hub, target, path.as_str(), &bytes).await?;
                let blob = target.git(hub, move |git| git.write_blob(&bytes)).await?;
                Change::Put(path, blob)
            }
            Line::LargeFile(path, oid, size) => {
                let pointer = stored(hub, path.as_str(), oid, size).await?;
                Change::PutLarge(path, pointer)
            }
            Line::DeletedFile(path) => Change::DeleteFile(path),
            Line::DeletedFolder(path) => Change::DeleteFolder(path),
        });
    }
    Ok(Asked { text, parent: parent_commit, changes })
}

/// The Hub checks a card's metadata on the commit too, and takes no pointer without its file.
async fn judge_inline(hub: &Shared, target: &Target, path: &str, bytes: &[u8]) -> Answer<()> {
    // The rules for a dataset's card are others, which this Hub does not know.
    if path == "README.md" && target.repo.shelf() == Shelf::Models {
        let check = card_rules::check(&String::from_utf8_lossy(bytes));
        if let Some(first) = check.errors.first() {
            let mut body = card_problems(&check);
            let message = format!("Invalid metadata in README.md: {}", first.message);
            body["error"] = message.clone().into();
            return Err(Refusal::bad_request(message).body(body));
        }
    }
    match Pointer::parse(bytes) {
        Some(pointer) => stored(hub, path, pointer.oid, Some(pointer.size)).await.map(|_| ()),
        None => Ok(()),
    }
}

/// The pointer to a large file whose bytes must be here, as many as were told.
async fn stored(hub: &Shared, path: &str, oid: Digest, size: Option<u64>) -> Answer<Pointer> {
    let found = large::locate(hub, oid).await.map(|(_, size)| size);
    match found.filter(|found| size.is_none_or(|size| size == *found)) {
        Some(size) => Ok(Pointer { oid, size }),
        None => Err(Refusal::bad_request(format!(
            "LFS pointer pointed to a file that does not exist: {path} (oid {oid})"
        ))),
    }
}

fn apply(git: &Git, revision: &str, asked: &Asked, user: &str) -> Answer<Done> {
    let name = git.writable_ref(revision)?;
    let commit = build(git, &name, asked, user)?;
    git.move_ref(&name, commit)?;
    Ok(Done { commit, pull_request: None })
}

fn propose(git: &Git, revision: &str, asked: &Asked, user: &str) -> Answer<Done> {
    let base = git.writable_ref(revision)?;
    let commit = build(git, &base, asked, user)?;
    let number = discussions::next_number(git)?;
    git.move_ref(&discussions::ref_name(number), commit)?;
    Ok(Done { commit, pull_request: Some(number) })
}

fn build(git: &Git, onto: &str, asked: &Asked, user: &str) -> Answer<Oid> {
    let head = git.resolve(onto)?;
    if asked.parent.as_ref().is_some_and(|parent| *parent != head.id().to_string()) {
        return Err(Refusal::new(StatusCode::PRECONDITION_FAILED, STALE));
    }
    git.commit(&head, &asked.changes, &Message { user, text: &asked.text })
}
