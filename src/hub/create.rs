//! Making a repository, and which conflicts mean that it is there.

use reqwest::Method;
use serde_json::json;

use super::error::{HubError, doing};
use super::{Hub, RepoId};
use crate::http::{Again, HttpError};

/// Tries while the Hub makes another repository for the same owner.
const TRIES: u32 = 6;

/// What a 409 to a request for a repository means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conflict {
    /// The repository is there.
    Exists,
    /// The Hub makes another for the same owner.
    Busy,
    /// Whatever its words say.
    Other,
}

impl Conflict {
    /// Of an answer that is one.
    fn of(error: &HttpError) -> Option<Self> {
        let HttpError::Status(refusal) = error else { return None };
        (refusal.status == 409).then(|| Self::said(&refusal.words))
    }

    /// "You already created this model repo"; servers like the Hub say that it "already exists". The
    /// other words are those at which the Hub's own client tries again.
    fn said(words: &str) -> Self {
        let words = words.to_lowercase();
        if words.contains("conflicting operation is in progress") {
            Self::Busy
        } else if words.contains("already created") || words.contains("already exists") {
            Self::Exists
        } else {
            Self::Other
        }
    }
}

impl Hub {
    /// Makes a repository; one that is there already is fine. Whether it was made now.
    pub async fn create_repo(
        &self,
        repo: &RepoId,
        private: bool,
        me: &str,
    ) -> Result<bool, HubError> {
        let visibility = if private { "private" } else { "public" };
        let mut body = json!({"name": repo.name(), "type": repo.shelf().kind(), "visibility": visibility, "private": private});
        // The Hub wants no organisation for a user's own repository.
        if repo.namespace() != me {
            body["organization"] = json!(repo.namespace());
        }
        let build = |client: &reqwest::Client| {
            self.request(client, Method::POST, "/api/repos/create").json(&body)
        };
        let mut next = 2;
        loop {
            // Made twice it is there, which is as good as success.
            let Err(error) = self.client.send(Again::Safe, &build).await else { return Ok(true) };
            let pause = error.pause(next);
            match Conflict::of(&error) {
                Some(Conflict::Exists) => return Ok(false),
                Some(Conflict::Busy) if next <= TRIES && pause < self.left() => {}
                None if error.status() == Some(403) => {
                    let repo = Box::new(repo.clone());
                    return Err(HubError::NotMade { repo, private, source: error });
                }
                _ => return Err(doing(format!("create the repository {repo}"))(error)),
            }
            self.wait(&format!("{error}; trying again in {:.1} s", pause.as_secs_f64()));
            self.rest(pause).await;
            next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_that_it_is_there_counts_as_there() {
        for (words, meant) in [
            ("You already created this model repo", Conflict::Exists),
            ("You already created this dataset repo", Conflict::Exists),
            ("Repository acme/churn already exists", Conflict::Exists),
            ("Cannot create repo: another conflicting operation is in progress", Conflict::Busy),
            ("The name was taken by a repository that was renamed", Conflict::Other),
            ("", Conflict::Other),
        ] {
            assert_eq!(Conflict::said(words), meant, "{words}");
        }
    }
}
