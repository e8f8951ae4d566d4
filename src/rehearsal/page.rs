//! The pages for a browser: all repositories, and one at a revision with its card, files, versions
//! and history. Self-contained; no script, nothing from elsewhere.
//!
//! A browser carries no token. A person on the machine that the Hub runs on sees every model;
//! anyone else, and any web page that only pretends to be local, sees the public ones.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::answer::{Answer, Refusal, blocking};
use super::card_data;
use super::card_html;
use super::git::{EntryKind, Git, MAIN};
use super::info::size;
use super::server::{Hub, Shared};
use super::signed::authority;
use super::store::Settings;
use super::tree::{date, segment, title, url_path};
use crate::hub::RepoId;

/// Nothing is loaded, nothing runs, nothing frames the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The largest image of a card that is shown.
const IMAGE_MAX: usize = 1024 * 1024;
/// The most files, versions and commits that a page shows.
const SHOWN_MAX: usize = 200;

const LAYOUT: &str = include_str!("page/layout.html");
const ALL: &str = include_str!("page/all.html");
const MODEL: &str = include_str!("page/model.html");

/// `GET /`: every repository.
pub(super) async fn all(State(hub): State<Shared>, headers: HeaderMap) -> Answer<Response> {
    let local = is_local(&hub, &headers);
    let models = blocking(move || {
        let mut models = Vec::new();
        for repo in hub.store.list()? {
            let Some(settings) = hub.store.settings(&repo)? else { continue };
            if local || !settings.private {
                models.push(Listed::of(&hub.store.git(&repo)?, &repo, &settings)?);
            }
        }
        Ok(models)
    })
    .await?;
    html("all.html", context! { models => Value::from(Serde(&models)) })
}

/// `GET /{namespace}/{name}`.
pub(super) async fn repository(
    hub: State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    at_revision(hub, Path((namespace, name, MAIN.to_owned())), headers).await
}

/// `GET /{namespace}/{name}/tree/{revision}`.
pub(super) async fn at_revision(
    State(hub): State<Shared>,
    Path((namespace, name, revision)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let local = is_local(&hub, &headers);
    let repo = RepoId::new(&namespace, &name).map_err(|_| Refusal::not_found())?.on(hub.shelf);
    let model = blocking(move || {
        let settings = hub.store.settings(&repo)?.filter(|settings| local || !settings.private);
        let settings = settings.ok_or_else(Refusal::not_found)?;
        Model::of(&hub.store.git(&repo)?, &repo, &settings, &revision)
    })
    .await?;
    html("model.html", context! { model => Value::from(Serde(&model)) })
}

/// Whether the caller sits at this machine: the Hub listens on loopback only, and is called by a
/// loopback name (a foreign page that resolves to loopback calls it by its own).
fn is_local(hub: &Hub, headers: &HeaderMap) -> bool {
    let called = authority(hub, headers);
    hub.addr.ip().is_loopback() && matches!(called.host(), "127.0.0.1" | "localhost" | "[::1]")
}

fn html(name: &str, values: Value) -> Answer<Response> {
    let page = environment()
        .and_then(|environment| environment.get_template(name)?.render(values))
        .map_err(|error| std::io::Error::other(format!("the page cannot be made: {error:#}")))?;
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    Ok((headers, page).into_response())
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    for (name, source) in [("layout.html", LAYOUT), ("all.html", ALL), ("model.html", MODEL)] {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// A model in the list of all.
#[derive(Serialize)]
struct Listed {
    id: String,
    private: bool,
    updated: String,
    version: Option<String>,
}

impl Listed {
    fn of(git: &Git, repo: &RepoId, settings: &Settings) -> Answer<Self> {
        Ok(Self {
            id: repo.to_string(),
            private: settings.private,
            updated: day(&date(&git.resolve(MAIN)?)),
            version: refs(git, "refs/tags/")?.into_iter().next().map(|tag| tag.name),
        })
    }
}

/// A model at a revision.
#[derive(Serialize)]
struct Model {
    id: String,
    kind: &'static str,
    namespace: String,
    name: String,
    private: bool,
    gated: bool,
    revision: String,
    /// The revision as a word that no shell reads anything into.
    revision_word: String,
    commit: String,
    card: Option<String>,
    metadata: Vec<(String, String)>,
    files: Vec<FileRow>,
    more_files: usize,
    total: String,
    versions: Vec<RefRow>,
    branches: Vec<RefRow>,
    pull_requests: Vec<RefRow>,
    commits: Vec<CommitRow>,
}

#[derive(Serialize)]
struct FileRow {
    path: String,
    /// Only what anyone may download is a link.
    href: Option<String>,
    size: String,
    oid: String,
    full_oid: String,
    large: bool,
}

#[derive(Serialize)]
struct RefRow {
    name: String,
    href: String,
    commit: String,
    date: String,
    #[serde(skip)]
    seconds: i64,
}

#[derive(Serialize)]
struct CommitRow {
    id: String,
    href: String,
    title: String,
    author: String,
    date: String,
}

impl Model {
    fn of(git: &Git, repo: &RepoId, settings: &Settings, revision: &str) -> Answer<Self> {
        let id = repo.to_string();
        let commit = git.resolve(revision)?;
        let mut entries = git.list(&git.entry(&commit, "")?, true)?;
        entries.retain(|entry| entry.kind != EntryKind::Folder);
        let total = entries.iter().map(size).sum();
        let row = |entry| FileRow::of(&id, entry, revision, settings.private);
        let card = git.read_text(&commit, "README.md");
        let metadata = card.as_deref().and_then(card_data::metadata);
        let body = card.as_deref().map(card_data::text);
        let history = git.history(commit.id())?.take(SHOWN_MAX);
        let with_links = |prefix| -> Answer<Vec<RefRow>> {
            let mut rows = refs(git, prefix)?;
            for row in &mut rows {
                row.href = page_of(&id, if prefix == "refs/pr/" { &row.href } else { &row.name });
            }
            Ok(rows)
        };
        Ok(Self {
            kind: repo.shelf().kind(),
            namespace: repo.namespace().to_owned(),
            name: repo.name().to_owned(),
            private: settings.private,
            gated: settings.gated != Json::Bool(false),
            revision: revision.to_owned(),
            revision_word: word(revision, &commit.id().to_string()),
            commit: commit.id().to_string(),
            card: body.map(|body| {
                card_html::render(body, &id, revision, &|path| image(git, &commit, path))
            }),
            metadata: metadata.as_ref().and_then(Json::as_object).map(rows).unwrap_or_default(),
            files: entries.iter().take(SHOWN_MAX).map(row).collect(),
            more_files: entries.len().saturating_sub(SHOWN_MAX),
            total: human(total),
            versions: with_links("refs/tags/")?,
            branches: with_links("refs/heads/")?,
            pull_requests: with_links("refs/pr/")?,
            commits: history.map(|one| CommitRow::of(&id, &one)).collect(),
            id,
        })
    }
}

/// An image of the card within the page itself: the browser has no token to fetch it with.
fn image(git: &Git, commit: &git2::Commit<'_>, path: &str) -> Option<String> {
    let ending = path.rsplit_once('.')?.1.to_ascii_lowercase();
    let kind = match ending.as_str() {
        "svg" => "svg+xml",
        "jpg" => "jpeg",
        "png" | "jpeg" | "gif" | "webp" => &ending,
        _ => return None,
    };
    let entry = git.entry(commit, path).ok()?;
    let EntryKind::Regular(_) = entry.kind else { return None };
    let bytes = git.read_blob(entry.oid).ok().filter(|bytes| bytes.len() <= IMAGE_MAX)?;
    Some(format!("data:image/{kind};base64,{}", STANDARD.encode(bytes)))
}

impl FileRow {
    fn of(id: &str, entry: &super::git::Entry, revision: &str, private: bool) -> Self {
        let (full_oid, large) = match &entry.kind {
            EntryKind::Large(pointer, _) => (pointer.oid.to_string(), true),
            EntryKind::Folder | EntryKind::Regular(_) => (entry.oid.to_string(), false),
        };
        let href = format!("/{id}/resolve/{}/{}", segment(revision), url_path(&entry.path));
        Self {
            path: entry.path.clone(),
            href: (!private).then_some(href),
            size: human(size(entry)),
            oid: full_oid[..10].to_owned(),
            full_oid,
            large,
        }
    }
}

impl CommitRow {
    fn of(id: &str, commit: &git2::Commit<'_>) -> Self {
        let oid = commit.id().to_string();
        Self {
            href: page_of(id, &oid),
            id: oid[..10].to_owned(),
            title: title(commit),
            author: super::discussions::author(commit),
            date: day(&date(commit)),
        }
    }
}

/// The revision where a shell takes it as one plain word, else the commit's id.
fn word(revision: &str, commit: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '+');
    let is_plain = !revision.starts_with('-') && revision.chars().all(plain);
    if is_plain { revision } else { commit }.to_owned()
}

fn page_of(id: &str, revision: &str) -> String {
    format!("/{id}/tree/{}", segment(revision))
}

/// The refs of a kind, the newest first; `href` holds the full name.
fn refs(git: &Git, prefix: &str) -> Answer<Vec<RefRow>> {
    let mut rows = Vec::new();
    for reference in git.repository().references_glob(&format!("{prefix}*"))? {
        let reference = reference?;
        let Ok(full) = reference.name() else { continue };
        let commit = reference.peel_to_commit()?;
        rows.push(RefRow {
            name: full.strip_prefix(prefix).unwrap_or(full).to_owned(),
            href: full.to_owned(),
            commit: commit.id().to_string()[..10].to_owned(),
            date: day(&date(&commit)),
            seconds: commit.time().seconds(),
        });
    }
    rows.sort_by(|a, b| b.seconds.cmp(&a.seconds).then_with(|| b.name.cmp(&a.name)));
    rows.truncate(SHOWN_MAX);
    Ok(rows)
}

/// A card's metadata as rows of text; deep values are left to the file itself.
pub(super) fn rows(metadata: &Map<String, Json>) -> Vec<(String, String)> {
    let shown = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::Array(values) if values.iter().all(Json::is_string) => {
            Some(values.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    };
    metadata.iter().filter_map(|(key, value)| Some((key.clone(), shown(value)?))).collect()
}

/// The day of an RFC 3339 date, and its minute.
fn day(date: &str) -> String {
    date.get(..16).unwrap_or(date).replace('T', " ")
}

/// A size for people, in units of 1,000 as the Hub shows it.
pub(super) fn human(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let Some(unit) = bytes.checked_ilog(1000).filter(|unit| *unit > 0) else {
        return format!("{bytes} B");
    };
    let unit = unit.min(4);
    let tenths = bytes / (1000_u64.pow(unit) / 10);
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit as usize - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1_550_000, "1.5 MB"),
            (2_000_000_000, "2.0 GB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }

    #[test]
    fn a_command_to_paste_holds_no_command_of_a_strangers() {
        assert_eq!(word("v1.2.3-rc.1+b", "c0ffee"), "v1.2.3-rc.1+b");
        for hostile in ["a;reboot", "$(reboot)", "`x`", "a'b", "--help", "a b"] {
            assert_eq!(word(hostile, "c0ffee"), "c0ffee");
        }
    }

    #[test]
    fn the_templates_escape_what_they_show() {
        let environment = environment().expect("the templates parse");
        let models = [Listed {
            id: "acme/churn".into(),
            private: true,
            updated: "2026-01-01".into(),
            version: Some("<b>".into()),
        }];
        let page = environment.get_template("all.html").expect("there");
        let page =
            page.render(context! { models => Value::from(Serde(&models)) }).expect("renders");
        assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"), "{page}");
    }
}
