//! GitHub's API: check runs. The only user of octocrab.

use octocrab::Octocrab;
use serde::{Deserialize, Serialize};

use crate::http::Secret;

/// Annotations that GitHub takes in one request.
const PAGE: usize = 50;
/// Bytes of an annotation's message.
const MESSAGE: usize = 60_000;

/// How grave an annotation is, in GitHub's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AnnotationLevel {
    /// A remark.
    Notice,
    /// To be looked at.
    Warning,
    /// What blocks.
    Failure,
}

/// A remark at a line.
#[derive(Debug, Clone)]
pub struct Annotation {
    /// Path relative to the repository.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Level.
    pub level: AnnotationLevel,
    /// Title, at most 255 characters.
    pub title: String,
    /// Message.
    pub message: String,
}

/// A finished check run.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// Title.
    pub title: String,
    /// Markdown, at most 65,535 bytes.
    pub summary: String,
    /// Conclusion: success or failure.
    pub passed: bool,
    /// Any number.
    pub annotations: Vec<Annotation>,
}

/// What became of a check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is there.
    Created,
    /// The token may not; the text says what to change.
    Forbidden(String),
}

/// A request to GitHub that failed.
#[derive(Debug, thiserror::Error)]
#[error("GitHub: {0}")]
pub struct GitHubError(String);

/// Where and as what a check run is made.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// API base.
    pub api: &'a str,
    /// Token.
    pub token: &'a Secret,
    /// `owner/name`.
    pub repository: &'a str,
    /// Commit, 40 hex digits.
    pub commit: &'a str,
    /// Name of the check.
    pub name: &'a str,
}

#[derive(Serialize)]
struct Wire<'a> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    annotation_level: AnnotationLevel,
    title: &'a str,
    message: String,
}

#[derive(Deserialize)]
struct Made {
    id: u64,
}

/// Makes a check run: the first page with its creation, the others as updates.
pub async fn create_check_run(
    client: reqwest::Client,
    place: &Place<'_>,
    run: &CheckRun,
) -> Result<Outcome, GitHubError> {
    let github = Octocrab::builder()
        .base_uri(place.api)
        .map_err(|error| GitHubError(error.to_string()))?
        .personal_token(place.token.expose().to_owned())
        .build_with_reqwest(client)
        .map_err(|error| GitHubError(error.to_string()))?;
    let wire: Vec<_> = run.annotations.iter().map(Wire::from).collect();
    let mut pages = wire.chunks(PAGE);
    let first = pages.next().unwrap_or_default();
    let route = format!("/repos/{}/check-runs", place.repository);
    let body = serde_json::json!({
        "name": place.name,
        "head_sha": place.commit,
        "status": "completed",
        "conclusion": if run.passed { "success" } else { "failure" },
        "output": output(run, first),
    });
    let made: Made = match github.post(&route, Some(&body)).await {
        Ok(made) => made,
        Err(error) => return refused(&error),
    };
    for page in pages {
        let route = format!("{route}/{}", made.id);
        let body = serde_json::json!({"output": output(run, page)});
        let updated: Result<Made, _> = github.patch(&route, Some(&body)).await;
        if let Err(error) = updated {
            return refused(&error);
        }
    }
    Ok(Outcome::Created)
}

fn output(run: &CheckRun, annotations: &[Wire<'_>]) -> serde_json::Value {
    serde_json::json!({"title": cut(&run.title, 255), "summary": cut(&run.summary, 65_535), "annotations": annotations})
}

/// 403 is what forks and jobs without the permission get; a 404 is the same for private ones.
fn refused(error: &octocrab::Error) -> Result<Outcome, GitHubError> {
    let octocrab::Error::GitHub { source, .. } = error else {
        // octocrab's own text is only a kind; the cause says more.
        let cause = std::error::Error::source(error).map(ToString::to_string);
        return Err(GitHubError(
            cause.unwrap_or_else(|| error.to_string()).chars().take(300).collect(),
        ));
    };
    match source.status_code.as_u16() {
        status @ (403 | 404) => Ok(Outcome::Forbidden(format!(
            "no check run: GitHub answered {status} ({:.200}); add `permissions: {{checks: write}}` to the job (a fork's token cannot have it)",
            source.message
        ))),
        status => Err(GitHubError(format!("it answered {status}: {:.300}", source.message))),
    }
}

impl<'a> From<&'a Annotation> for Wire<'a> {
    fn from(annotation: &'a Annotation) -> Self {
        Self {
            path: &annotation.path,
            start_line: annotation.line,
            end_line: annotation.line,
            annotation_level: annotation.level,
            title: cut(&annotation.title, 255),
            message: cut(&annotation.message, MESSAGE).to_owned(),
        }
    }
}

/// At most `limit` bytes, at a character's border.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}
