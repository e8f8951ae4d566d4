//! Check runs: the report beside the commit, with its annotations in pages.

use http::Method;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::{GitHubError, Permission};

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

/// Makes a check run of a name on a commit: the first page with its creation, the others as updates.
pub async fn create_check_run(
    github: &Client,
    commit: &str,
    name: &str,
    run: &CheckRun,
) -> Result<(), GitHubError> {
    let wire: Vec<_> = run.annotations.iter().map(Wire::from).collect();
    let mut pages = wire.chunks(PAGE);
    let first = pages.next().unwrap_or_default();
    let route = github.route("/check-runs");
    let body = serde_json::json!({
        "name": name,
        "head_sha": commit,
        "status": "completed",
        "conclusion": if run.passed { "success" } else { "failure" },
        "output": output(run, first),
    });
    let made: Made = github.send(Method::POST, &route, &body, Permission::ChecksWrite).await?;
    for page in pages {
        let route = format!("{route}/{}", made.id);
        let body = serde_json::json!({"output": output(run, page)});
        let _: Made = github.send(Method::PATCH, &route, &body, Permission::ChecksWrite).await?;
    }
    Ok(())
}

fn output(run: &CheckRun, annotations: &[Wire<'_>]) -> serde_json::Value {
    serde_json::json!({"title": cut(&run.title, 255), "summary": cut(&run.summary, 65_535), "annotations": annotations})
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
