//! Before an upload: which files are large, which are there already, what the card check says.

use std::collections::HashMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, read_json};
use super::attributes::{Attributes, GITATTRIBUTES, Ignores};
use super::git::{EntryKind, Git};
use super::repos::{proposable, writable};
use super::server::Shared;
use crate::hub::card_rules::{self, CardCheck, Problem};

/// The largest file in bytes that a commit may hold inline, as the Hub has it.
pub(super) const INLINE_MAX: u64 = 10 * 1024 * 1024;
/// The most files of one request.
const FILES_MAX: usize = 1000;

/// `?create_pr=1`, a flag of several routes.
#[derive(Deserialize)]
pub(super) struct Proposal {
    create_pr: Option<String>,
}

impl Proposal {
    pub(super) fn wanted(&self) -> bool {
        matches!(self.create_pr.as_deref(), Some("1" | "true"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Announced {
    files: Vec<AnnouncedFile>,
    git_attributes: Option<String>,
    git_ignore: Option<String>,
}

#[derive(Deserialize)]
struct AnnouncedFile {
    path: String,
    size: u64,
}

/// `POST …/preupload/{revision}`.
pub(super) async fn preupload(
    State(hub): State<Shared>,
    Path((namespace, name, revision)): Path<(String, String, String)>,
    Query(proposal): Query<Proposal>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let target = if proposal.wanted() {
        proposable(&hub, &headers, &namespace, &name)?
    } else {
        writable(&hub, &headers, &namespace, &name)?
    };
    let announced: Announced = read_json(body).await?;
    if announced.files.len() > FILES_MAX {
        return Err(Refusal::bad_request(format!("more than {FILES_MAX} files in one request")));
    }
    let threshold = hub.options.lfs_threshold;
    let answer =
        target.git(&hub, move |git| classify(git, &revision, &announced, threshold)).await?;
    Ok(Json(answer).into_response())
}

fn classify(git: &Git, revision: &str, announced: &Announced, threshold: u64) -> Answer<Value> {
    let head = git.resolve(revision)?;
    let attributes = match &announced.git_attributes {
        Some(sent) => Attributes::parse(sent),
        None => Attributes::parse(&git.read_text(&head, GITATTRIBUTES).unwrap_or_default()),
    };
    let ignores = announced.git_ignore.as_deref().map(Ignores::parse);
    let files: Vec<Value> = announced
        .files
        .iter()
        .map(|file| {
            let is_large =
                file.size > threshold || (file.size > 0 && attributes.is_large(&file.path));
            let present = git.entry(&head, &file.path).ok().and_then(|entry| match entry.kind {
                EntryKind::Folder => None,
                EntryKind::Regular(_) => Some(entry.oid.to_string()),
                EntryKind::Large(pointer, _) => Some(pointer.oid.to_string()),
            });
            let mut answer = json!({
                "path": file.path,
                "uploadMode": if is_large { "lfs" } else { "regular" },
                "shouldIgnore": ignores.as_ref().is_some_and(|ignores| ignores.covers(&file.path)),
            });
            if let Some(oid) = present {
                answer["oid"] = oid.into();
            }
            answer
        })
        .collect();
    Ok(json!({ "files": files, "commitOid": head.id().to_string() }))
}

#[derive(Deserialize)]
struct Card {
    content: String,
}

/// `POST /api/validate-yaml`.
pub(super) async fn validate_yaml(body: Body) -> Answer<Response> {
    let card: Card = read_json(body).await?;
    let check = card_rules::check(&card.content);
    let status = if check.errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok((status, Json(card_problems(&check))).into_response())
}

/// The card check's answer in the Hub's shape.
pub(super) fn card_problems(check: &CardCheck) -> Value {
    let messages = |problems: &[Problem]| -> Vec<Value> {
        problems
            .iter()
            .map(|problem| {
                let mut shown = HashMap::from([("message", json!(problem.message))]);
                if let Some(at) = problem.at {
                    shown.insert("line", json!(at.line));
                }
                json!(shown)
            })
            .collect()
    };
    json!({ "errors": messages(&check.errors), "warnings": messages(&check.warnings) })
}
