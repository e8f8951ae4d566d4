//! The control plane: who am I, repositories, refs, trees, tags, branches.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Url};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::error::{HubError, doing};
use super::wire::{
    OneOrMore, Preupload, PreuploadAnswer, PreuploadFile, Refs, ScanStatus, Stated, TreeEntry,
    WhoAmI,
};
use super::{RepoId, Shelf, Token};
use crate::http::{Again, BODY_LIMIT, Client, HttpError, Secret};

/// Files the Hub takes in one preupload call, as its Python client sends them.
const PREUPLOAD_BATCH: usize = 256;
/// The Hub advises against more files in a repository.
const MOST_FILES: usize = 200_000;
/// Bytes of all pages of a list; that many files take a fifth of it.
const MOST_BYTES: usize = 512 * 1024 * 1024;
/// Pages of a list. The Hub's have up to 1,000 entries.
const MOST_PAGES: usize = 2_000;
/// What stays as it is in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One Hub, with one token.
#[derive(Clone)]
pub struct Hub {
    pub(super) client: Client,
    pub(super) endpoint: Url,
    token: Option<Token>,
    holder: Arc<OnceCell<WhoAmI>>,
}

impl Hub {
    /// A Hub at an address such as `https://huggingface.co`.
    pub fn new(client: Client, endpoint: &str, token: Option<Secret>) -> Result<Self, HubError> {
        let parsed = Url::parse(endpoint.trim_end_matches('/')).ok();
        let fine = parsed
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
        let endpoint =
            fine.ok_or_else(|| HubError::BadEndpoint(endpoint.chars().take(200).collect()))?;
        Ok(Self { client, endpoint, token: token.map(Token::from), holder: Arc::default() })
    }

    /// The same Hub with a token that may be renewed.
    #[must_use]
    pub fn with_token(self, token: Option<Token>) -> Self {
        Self { token, holder: Arc::default(), ..self }
    }

    /// The address, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_str().trim_end_matches('/')
    }

    /// The same Hub with a deadline of its own, from now.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        Self { client: self.client.within(time), ..self.clone() }
    }

    /// Time left until the run's deadline.
    pub fn left(&self) -> Duration {
        self.client.left()
    }

    /// Lets time pass, but none beyond the run's deadline.
    pub async fn rest(&self, pause: Duration) {
        tokio::time::sleep(pause.min(self.left())).await;
    }

    /// Says a line of a wait.
    pub fn wait(&self, line: &str) {
        self.client.wait(line);
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

    /// The token's user, and what the token may do. The Hub is asked once, however often this is
    /// wanted: it bounds this question more than any other.
    pub async fn whoami(&self) -> Result<&WhoAmI, HubError> {
        self.holder.get_or_try_init(async || self.ask_whoami().await).await
    }

    async fn ask_whoami(&self) -> Result<WhoAmI, HubError> {
        let build = |client: &reqwest::Client| self.request(client, Method::GET, "/api/whoami-v2");
        let what = || doing("ask the Hub who this token is");
        let mut answer = self.client.whole(Again::Safe, BODY_LIMIT, build).await.map_err(what())?;
        if let Some(token) = &self.token {
            // What is told of the token is shown, and no server may have the token itself shown.
            let mut told: Value = answer.json().map_err(what())?;
            blank(&mut told, token.current().expose());
            answer.body = told.to_string().into();
        }
        answer.json().map_err(what())
    }

    /// Branches and tags; `None` when there is no such repository.
    pub async fn refs(&self, repo: &RepoId) -> Result<Option<Refs>, HubError> {
        let path = format!("/api/{}/refs", repo.in_api());
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
        let path = format!("/api/{}/tree/{}?recursive=true", repo.in_api(), segment(revision));
        self.listed(repo, revision, path).await
    }

    /// The files that lie directly in a folder of a revision; none where the revision has no such
    /// folder. A Hub that does not know the revision (yet) is an error.
    pub async fn folder(
        &self,
        repo: &RepoId,
        revision: &str,
        folder: &str,
    ) -> Result<Vec<TreeEntry>, HubError> {
        let (id, at) = (repo.in_api(), segment(revision));
        let path = format!("/api/{id}/tree/{at}/{}?recursive=false", encoded_path(folder));
        match self.listed(repo, revision, path).await {
            Err(error) if error.code() == Some("EntryNotFound") => Ok(Vec::new()),
            listed => listed,
        }
    }

    async fn listed(
        &self,
        repo: &RepoId,
        revision: &str,
        mut path: String,
    ) -> Result<Vec<TreeEntry>, HubError> {
        let (mut files, mut bytes) = (Vec::new(), 0);
        for _ in 0..MOST_PAGES {
            let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
            let what = || doing(format!("list the files of {repo} at {revision}"));
            let answer = self.client.whole(Again::Safe, BODY_LIMIT, build).await.map_err(what())?;
            bytes += answer.body.len();
            let page: Vec<TreeEntry> = answer.json().map_err(what())?;
            files.extend(page.into_iter().filter(|entry| entry.kind == "file"));
            if files.len() > MOST_FILES || bytes > MOST_BYTES {
                return Err(HubError::Protocol(format!("{repo} has more than {MOST_FILES} files")));
            }
            match next_page(&answer.headers) {
                // The address of the next page must be on this Hub: the token goes along.
                Some(next) => path = self.own_address(&next)?,
                None => return Ok(files),
            }
        }
        Err(HubError::Protocol(format!("the list of the files of {repo} has no end")))
    }

    /// What follows the endpoint in an address that the Hub gave, which must be on this Hub.
    pub(super) fn own_address(&self, href: &str) -> Result<String, HubError> {
        let url = self
            .endpoint
            .join(href)
            .map_err(|_| HubError::Protocol("an address cannot be read".into()))?;
        if url.origin() != self.endpoint.origin() {
            return Err(HubError::Protocol(format!(
                "`{}` is not on this Hub",
                url.host_str().unwrap_or_default()
            )));
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let base = self.endpoint.path().trim_end_matches('/');
        let path = url.path().strip_prefix(base).filter(|path| path.starts_with('/'));
        Ok(format!("{}{query}", path.unwrap_or(url.path())))
    }

    /// Whether the token may write to a repository; `None` where this Hub does not tell.
    pub async fn may_write(&self, repo: &RepoId) -> Result<Option<bool>, HubError> {
        let path = format!("/api/{}/auth-check/write", repo.in_api());
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
        match self.client.send(Again::Safe, build).await {
            Ok(_) => Ok(Some(true)),
            Err(error) if matches!(error.status(), Some(401 | 403)) => Ok(Some(false)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(doing(format!("ask whether the token may write to {repo}"))(error)),
        }
    }

    /// Asks how each file is to be sent; answers by path.
    pub async fn preupload(
        &self,
        repo: &RepoId,
        revision: &str,
        files: &[PreuploadFile<'_>],
    ) -> Result<Vec<PreuploadAnswer>, HubError> {
        let path = format!("/api/{}/preupload/{}", repo.in_api(), segment(revision));
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
        let path = format!("/api/{}/tag/{}", repo.in_api(), segment(commit));
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
        let path = format!("/api/{}/branch/{}", repo.in_api(), segment(branch));
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
    /// changes at once. Nothing guards it: who moved the branch just before is overwritten, so it is
    /// made once, and whoever makes it again looks again.
    pub async fn move_branch(
        &self,
        repo: &RepoId,
        branch: &str,
        commit: &str,
    ) -> Result<(), HubError> {
        let path = format!("/api/{}/branch/{}", repo.in_api(), segment(branch));
        let body = json!({"startingPoint": commit, "overwrite": true});
        let build =
            |client: &reqwest::Client| self.request(client, Method::POST, &path).json(&body);
        self.client
            .send(Again::Never, build)
            .await
            .map(drop)
            .map_err(doing(format!("move the branch {branch} of {repo}")))
    }

    /// Deletes a branch; one that is not there is fine.
    pub async fn delete_branch(&self, repo: &RepoId, branch: &str) -> Result<(), HubError> {
        let path = format!("/api/{}/branch/{}", repo.in_api(), segment(branch));
        let build = |client: &reqwest::Client| self.request(client, Method::DELETE, &path);
        match self.client.send(Again::Safe, build).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(doing(format!("delete the branch {branch} of {repo}"))(error)),
        }
    }

    /// How far the Hub's own file scan is.
    pub async fn scan_status(&self, repo: &RepoId) -> Result<ScanStatus, HubError> {
        let path = format!("/api/{}/scan", repo.in_api());
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
        self.client
            .json(Again::Safe, build)
            .await
            .map_err(doing(format!("ask for the Hub's scan of {repo}")))
    }
}

/// Takes a secret out of every text and name of an answer.
fn blank(value: &mut Value, secret: &str) {
    match value {
        Value::String(text) if text.contains(secret) => *text = text.replace(secret, "***"),
        Value::Array(values) => values.iter_mut().for_each(|value| blank(value, secret)),
        Value::Object(fields) => {
            fields.retain(|name, _| !name.contains(secret));
            fields.values_mut().for_each(|value| blank(value, secret));
        }
        _ => {}
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

/// A revision or name as one segment of an address.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

pub(super) fn encoded_path(path: &str) -> String {
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The address with `rel="next"` of a `Link` header (RFC 8288): each stands between `<` and `>`, with
/// its parameters after it.
pub(super) fn next_page(headers: &reqwest::header::HeaderMap) -> Option<String> {
    let link = headers.get("link")?.to_str().ok()?;
    let each = link.split('<').filter_map(|part| part.split_once('>'));
    let mut next = each.filter(|(_, parameters)| parameters.contains("rel=\"next\""));
    next.next().map(|(address, _)| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ClientOptions;

    #[test]
    fn the_next_page_is_named_by_the_link_header() {
        for (link, next) in [
            ("<https://hub/a?cursor=b,c>; rel=\"next\"", Some("https://hub/a?cursor=b,c")),
            ("<https://hub/0>; rel=\"prev\", <https://hub/2>; rel=\"next\"", Some("https://hub/2")),
            ("<https://hub/0>; rel=\"prev\"", None),
            ("> <x>; rel=\"next\"", Some("x")),
            ("rel=\"next\"><", None),
            ("<<>>; rel=\"next\"", Some("")),
        ] {
            let headers = [("link".parse().expect("a name"), link.parse().expect("a value"))];
            assert_eq!(next_page(&headers.into_iter().collect()).as_deref(), next, "{link}");
        }
    }

    #[test]
    fn an_address_of_another_hub_is_not_followed() {
        let hub = |endpoint| {
            let client = Client::new(ClientOptions::default()).expect("a client");
            Hub::new(client, endpoint, None).expect("an address")
        };
        let below = hub("https://mirror.example/hf/");
        for (href, own) in [
            ("https://mirror.example/hf/api/a?b=c", Some("/api/a?b=c")),
            ("/hf/api/a", Some("/api/a")),
            ("https://huggingface.co/api/a", None),
            ("http://mirror.example/hf/api/a", None),
        ] {
            assert_eq!(below.own_address(href).ok().as_deref(), own, "{href}");
        }
        assert_eq!(hub("https://h").own_address("https://h/api/a").expect("own"), "/api/a");
    }
}
