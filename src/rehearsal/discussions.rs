//! Pull requests, as far as a commit with `create_pr=1` makes them: a ref `refs/pr/N`, whose
//! commits are all that is known of it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::git::{Git, MAIN};
use super::repos::readable;
use super::server::Shared;
use super::signed;
use super::tree::{date, title};
use crate::hub::RepoId;

/// The ref of pull request `number`.
pub(super) fn ref_name(number: u64) -> String {
    format!("refs/pr/{number}")
}

/// The number that the next pull request gets.
pub(super) fn next_number(git: &Git) -> Answer<u64> {
    Ok(numbers(git)?.last().map_or(1, |last| last + 1))
}

fn numbers(git: &Git) -> Answer<Vec<u64>> {
    let mut numbers = Vec::new();
    for reference in git.repository().references_glob("refs/pr/*")? {
        let reference = reference?;
        let number = reference.name().ok().and_then(|name| name.strip_prefix("refs/pr/"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A commit's author.
pub(super) fn author(commit: &git2::Commit<'_>) -> String {
    String::from_utf8_lossy(commit.author().name_bytes()).into_owned()
}

/// `GET …/discussions`: the pull requests, the newest first.
pub(super) async fn list(
    State(hub): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let repo = target.repo.clone();
    let shown = target
        .git(&hub, move |git| {
            let numbers = numbers(git)?.into_iter().rev();
            numbers.map(|number| overview(git, &repo, number)).collect::<Answer<Vec<_>>>()
        })
        .await?;
    let count = shown.len();
    let answer = json!({ "discussions": shown, "count": count, "start": 0 });
    Ok(Json(answer).into_response())
}

/// `GET …/discussions/{number}`.
pub(super) async fn one(
    State(hub): State<Shared>,
    Path((namespace, name, number)): Path<(String, String, u64)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let target = readable(&hub, &headers, &namespace, &name)?;
    let (base, repo) = (signed::base(&hub, &headers), target.repo.clone());
    let shown = target
        .git(&hub, move |git| {
            let mut shown = overview(git, &repo, number)?;
            shown["filesWithConflicts"] = json!([]);
            shown["events"] = json!([]);
            shown["changes"] = json!({ "base": "refs/heads/main" });
            shown["diffUrl"] = format!("{base}/{repo}/discussions/{number}/files.diff").into();
            Ok(shown)
        })
        .await?;
    Ok(Json(shown).into_response())
}

fn overview(git: &Git, repo: &RepoId, number: u64) -> Answer<Value> {
    let missing = || Refusal::entry_not_found(&format!("discussion {number}"));
    let head = git.resolve(&ref_name(number)).map_err(|_| missing())?;
    let main = git.resolve(MAIN)?.id();
    let merged = git.repository().graph_descendant_of(main, head.id())? || main == head.id();
    Ok(json!({
        "num": number,
        "title": title(&head),
        "status": if merged { "merged" } else { "open" },
        "isPullRequest": true,
        "author": { "name": author(&head), "type": "user" },
        "createdAt": date(&head),
        "repo": { "name": repo, "type": "model" },
        "repoOwner": { "name": repo.namespace(), "type": "user" },
        "numComments": 0,
        "pinned": false,
    }))
}
