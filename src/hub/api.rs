//! The control plane: who am I, repositories, refs, trees, tags, branches.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Url};
use serde_json::json;

use super::RepoId;
use super::Token;
use super::error::{HubError, doing};
use super::wire::{
    OneOrMore, Preupload, PreuploadAnswer, PreuploadFile, Refs, ScanStatus, Stated, TreeEntry,
    WhoAmI,
};
use crate::digest::git_blob_id;
use crate::http::{Again, BODY_LIMIT, Client, HttpError, Secret, Whole};

/// Files the Hub takes in one preupload call, as its Python client sends them.
const PREUPLOAD_BATCH: usize = 256;
/// The Hub advises against more files in a repository.
const MOST_FILES: usize = 200_000;
/// What stays as it is in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Kinds of repositories that a model is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Models.
    Models,
    /// Datasets.
    Datasets,
}

impl Shelf {
    /// As it stands in addresses.
    fn as_str(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Datasets => "datasets",
        }
    }
}

/// One Hub, with one token.
#[derive(Clone)]
pub struct Hub {
    pub(super) client: Client,
    pub(super) endpoint: Url,
    token: Option<Token>,
}

impl Hub {
    /// A Hub at an address such as `https://huggingface.co`.
    pub fn new(client: Client, endpoint: &str, token: Option<Secret>) -> Result<Self, HubError> {
        let parsed = Url::parse(endpoint.trim_end_matches('/')).ok();
        let fine = parsed
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
        let endpoint =
            fine.ok_or_else(|| HubError::BadEndpoint(endpoint.chars().take(200).collect()))?;
        Ok(Self { client, endpoint, token: token.map(Token::from) })
    }

    /// The same Hub with a token that may be renewed.
    #[must_use]
    pub fn with_token(self, token: Option<Token>) -> Self {
        Self { token, ..self }
    }

    /// The address, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_str().trim_end_matches('/')
    }

    /// Time left until the run's deadline.
    pub fn left(&self) -> Duration {
        self.client.left()
    }

    /// Whether there is a token at all.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The one repository that the token was made for, if it was.
    pub fn only(&self) -> Option<&str> {
        self.token.as_ref()?.only()
    }

    /// A request to the endpoint itself: the only kind that carries the token.
    pub(super) fn request(
        &self,
        client: &reqwest::Client,
        method: Method,
        path: &str,
    ) -> RequestBuilder {
        let request = client.request(method, format!("{}{path}", self.endpoint()));
        match &self.token {
            Some(token) => request.bearer_auth(token.current().expose()),
            None => request,
        }
    }

    /// The token's user, and what the token may do.
    pub async fn whoami(&self) -> Result<WhoAmI, HubError> {
        let build = |client: &reqwest::Client| self.request(client, Method::GET, "/api/whoami-v2");
        self.client.json(Again::Safe, build).await.map_err(doing("ask the Hub who this token is"))
    }

    /// Makes a repository; one that is there already is fine. Whether it was made now.
    pub async fn create_repo(
        &self,
        repo: &RepoId,
        private: bool,
        me: &str,
    ) -> Result<bool, HubError> {
        let visibility = if private { "private" } else { "public" };
        let mut body = json!({"name": repo.name(), "type": "model", "visibility": visibility, "private": private});
        // The Hub wants no organisation for a user's own repository.
        if repo.namespace() != me {
            body["organization"] = json!(repo.namespace());
        }
        let build = |client: &reqwest::Client| {
            self.request(client, Method::POST, "/api/repos/create").json(&body)
        };
        // Made twice it answers 409, which says the same as success.
        match self.client.send(Again::Safe, build).await {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(409) => Ok(false),
            Err(error) => Err(doing(format!("create the repository {repo}"))(error)),
        }
    }

    /// Branches and tags; `None` when there is no such repository.
    pub async fn refs(&self, repo: &RepoId) -> Result<Option<Refs>, HubError> {
        let path = format!("/api/models/{repo}/refs");
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
        match self.client.json(Again::Safe, build).await {
            Ok(refs) => Ok(Some(refs)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(doing(format!("list the versions of {repo}"))(error)),
        }
    }

    /// The licence ids that a repository's card states: of a base model or dataset, with or without
    /// a namespace (`gpt2`).
    pub async fn licenses(&self, kind: Shelf, id: &str) -> Result<Vec<String>, HubError> {
        let place = id.split('/').map(segment).collect::<Vec<_>>().join("/");
        let path = format!("/api/{}/{place}?expand[]=cardData", kind.as_str());
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
        let what = || doing(format!("ask for the licence of {place}"));
        let stated: Stated = self.client.json(Again::Safe, build).await.map_err(what())?;
        Ok(match stated.card_data.and_then(|card| card.license) {
            Some(OneOrMore::One(license)) => vec![license],
            Some(OneOrMore::More(licenses)) => licenses,
            None => Vec::new(),
        })
    }

    /// Every file of a revision.
    pub async fn tree(&self, repo: &RepoId, revision: &str) -> Result<Vec<TreeEntry>, HubError> {
        let mut path = format!("/api/models/{repo}/tree/{}?recursive=true", segment(revision));
        let mut files = Vec::new();
        loop {
            let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
            let what = || doing(format!("list the files of {repo} at {revision}"));
            let answer = self.client.whole(Again::Safe, BODY_LIMIT, build).await.map_err(what())?;
            let next = next_page(&answer.headers);
            let page: Vec<TreeEntry> = answer.json().map_err(what())?;
            files.extend(page.into_iter().filter(|entry| entry.kind == "file"));
            if files.len() > MOST_FILES {
                return Err(HubError::Protocol(format!("{repo} has more than {MOST_FILES} files")));
            }
            // The address of the next page must be on this Hub: the token goes along.
            match next.and_then(|next| self.endpoint.join(&next).ok()) {
                Some(next) if next.origin() == self.endpoint.origin() => {
                    let query = next.query().map(|query| format!("?{query}")).unwrap_or_default();
                    path = format!("{}{query}", next.path());
                }
                _ => return Ok(files),
            }
        }
    }

    /// A small file of a revision; `None` when it is not there.
    pub async fn small_file(
        &self,
        repo: &RepoId,
        revision: &str,
        path: &str,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, HubError> {
        let address = format!("/{repo}/resolve/{}/{}", segment(revision), encoded_path(path));
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &address);
        let what = || doing(format!("read {path} of {repo} at {revision}"));
        match self.client.whole(Again::Safe, limit, build).await {
            Ok(answer) if is_another(&answer) => Err(HubError::Protocol(format!(
                "{path} of {repo} came with other bytes than its ETag names"
            ))),
            Ok(answer) => Ok(Some(answer.body.to_vec())),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(HttpError::TooLarge { limit, .. }) => {
                Err(HubError::TooLarge { path: path.to_owned(), limit })
            }
            Err(error) => Err(what()(error)),
        }
    }

    /// Asks how each file is to be sent; answers by path.
    pub async fn preupload(
        &self,
        repo: &RepoId,
        revision: &str,
        files: &[PreuploadFile<'_>],
    ) -> Result<Vec<PreuploadAnswer>, HubError> {
        let path = format!("/api/models/{repo}/preupload/{}", segment(revision));
        let mut answers = Vec::new();
        for batch in files.chunks(PREUPLOAD_BATCH) {
            let body = json!({"files": batch});
            let build =
                |client: &reqwest::Client| self.request(client, Method::POST, &path).json(&body);
            let answer: Preupload = self
                .client
                .json(Again::Safe, build)
                .await
                .map_err(doing("ask how the files are to be sent"))?;
            answers.extend(answer.files);
        }
        Ok(answers)
    }

    /// Makes a tag; one that is there already is an error with status 409.
    pub async fn create_tag(
        &self,
        repo: &RepoId,
        tag: &str,
        commit: &str,
        message: &str,
    ) -> Result<(), HubError> {
        let path = format!("/api/models/{repo}/tag/{}", segment(commit));
        let body = json!({"tag": tag, "message": message});
        let build =
            |client: &reqwest::Client| self.request(client, Method::POST, &path).json(&body);
        // A tag cannot be moved, so making it again does no harm: it answers 409.
        self.client
            .send(Again::Safe, build)
            .await
            .map(drop)
            .map_err(doing(format!("make the tag {tag} on {repo}")))
    }

    /// Makes a branch at a commit, or without any commit where there is none.
    pub async fn create_branch(
        &self,
        repo: &RepoId,
        branch: &str,
        start: &str,
    ) -> Result<(), HubError> {
        let path = format!("/api/models/{repo}/branch/{}", segment(branch));
        let body = json!({"startingPoint": start});
        let build =
            |client: &reqwest::Client| self.request(client, Method::POST, &path).json(&body);
        match self.client.send(Again::Safe, build).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(409) => Ok(()),
            Err(error) => Err(doing(format!("make the branch {branch} of {repo}"))(error)),
        }
    }

    /// Points a branch at a commit, whether it is there or not: the one request by which a branch
    /// changes at once. Nothing guards it: who moved the branch just before is overwritten.
    pub async fn move_branch(
        &self,
        repo: &RepoId,
        branch: &str,
        commit: &str,
    ) -> Result<(), HubError> {
        let path = format!("/api/models/{repo}/branch/{}", segment(branch));
        let body = json!({"startingPoint": commit, "overwrite": true});
        let build =
            |client: &reqwest::Client| self.request(client, Method::POST, &path).json(&body);
        self.client
            .send(Again::IfNotDone, build)
            .await
            .map(drop)
            .map_err(doing(format!("move the branch {branch} of {repo}")))
    }

    /// Deletes a branch; one that is not there is fine.
    pub async fn delete_branch(&self, repo: &RepoId, branch: &str) -> Result<(), HubError> {
        let path = format!("/api/models/{repo}/branch/{}", segment(branch));
        let build = |client: &reqwest::Client| self.request(client, Method::DELETE, &path);
        match self.client.send(Again::Safe, build).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(doing(format!("delete the branch {branch} of {repo}"))(error)),
        }
    }

    /// How far the Hub's own file scan is.
    pub async fn scan_status(&self, repo: &RepoId) -> Result<ScanStatus, HubError> {
        let path = format!("/api/models/{repo}/scan");
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
        self.client
            .json(Again::Safe, build)
            .await
            .map_err(doing(format!("ask for the Hub's scan of {repo}")))
    }
}

/// A missing repository answers 404; a private one without leave 401 with this code.
fn is_missing(error: &HttpError) -> bool {
    match error {
        HttpError::Status(refusal) => {
            refusal.status == 404 && refusal.code.as_deref() != Some("GatedRepo")
        }
        _ => false,
    }
}

/// Whether a small file is not the one that the answer's ETag names: its git blob id, where it is one.
fn is_another(answer: &Whole) -> bool {
    let etag = answer.headers.get("etag").and_then(|etag| etag.to_str().ok());
    let oid = etag.and_then(|etag| etag.strip_prefix('"')?.strip_suffix('"'));
    let oid = oid.filter(|oid| oid.len() == 40 && oid.bytes().all(|byte| byte.is_ascii_hexdigit()));
    oid.is_some_and(|oid| oid != git_blob_id(&answer.body))
}

/// A revision or name as one segment of an address.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

fn encoded_path(path: &str) -> String {
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The address with `rel="next"` of a `Link` header (RFC 8288).
fn next_page(headers: &reqwest::header::HeaderMap) -> Option<String> {
    let link = headers.get("link")?.to_str().ok()?;
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let start = next.find('<')? + 1;
    Some(next[start..next.find('>')?].to_owned())
}
