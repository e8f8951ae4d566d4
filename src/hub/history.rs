//! The commits of a revision, a page at a time.

use reqwest::Method;

use super::api::{next_page, segment};
use super::error::{HubError, doing};
use super::wire::CommitEntry;
use super::{Hub, RepoId};
use crate::http::{Again, BODY_LIMIT};

/// Some commits of a revision, the newest first.
#[derive(Debug)]
pub struct Commits {
    /// The commits.
    pub commits: Vec<CommitEntry>,
    /// Where the older ones are.
    pub older: Option<Older>,
}

/// The address of a page of older commits, as the Hub gave it.
#[derive(Debug)]
pub struct Older(String);

impl Hub {
    /// The newest commits of a revision, itself first, or those of the page that another named.
    pub async fn commits(
        &self,
        repo: &RepoId,
        revision: &str,
        page: Option<Older>,
    ) -> Result<Commits, HubError> {
        let path = match page {
            None => format!("/api/{}/commits/{}", repo.in_api(), segment(revision)),
            // The token goes along.
            Some(Older(address)) => self.own_address(&address)?,
        };
        let build = |client: &reqwest::Client| self.request(client, Method::GET, &path);
        let what = || doing(format!("list the commits of {repo} at {revision}"));
        let answer = self.client.whole(Again::Safe, BODY_LIMIT, build).await.map_err(what())?;
        let older = next_page(&answer.headers).map(Older);
        Ok(Commits { commits: answer.json().map_err(what())?, older })
    }

    /// The newest commits of a revision, itself first; `None` where it is not known.
    pub async fn newest_commits(
        &self,
        repo: &RepoId,
        revision: &str,
    ) -> Result<Option<Vec<CommitEntry>>, HubError> {
        match self.commits(repo, revision, None).await {
            Ok(page) => Ok(Some(page.commits)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
