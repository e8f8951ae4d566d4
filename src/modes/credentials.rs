//! How a mode that writes comes to a Hub with a token: after the event was looked at, and not
//! before the tests have run.

use std::sync::Arc;

use crate::context::Oidc;
use crate::credentials::{CredentialError, Credentials, IdTokens, Job, Masker};
use crate::failure::Failure;
use crate::http::Secret;
use crate::hub::{Hub, RepoId};
use crate::policy::Policy;
use crate::report;

use super::call::{Call, MayWrite};

/// The way to a Hub.
pub(super) enum Entrance<'a> {
    /// With a token from the policy's sources, or in a dry run perhaps with none.
    Credentials { call: &'a Call, mode: &'static str, hub: Hub, credentials: Box<Credentials> },
    /// A Hub that is open already, and where people can look at what it holds.
    Open { hub: Hub, pages: String },
}

/// A Hub with the token for one repository.
pub(super) struct Opened {
    pub(super) hub: Hub,
    /// Where people can look at what it holds.
    pub(super) pages: String,
    /// What the report says of the token.
    pub(super) note: Option<String>,
    /// Where the token came from.
    source: Option<&'static str>,
    /// For other repositories; none where one token does for all.
    credentials: Option<Box<Credentials>>,
}

impl Opened {
    /// The Hub with the token for another repository, and where that came from. What keeps us from
    /// getting one is said, and leaves the Hub with the token that there is.
    pub(super) async fn hub_for(&self, repo: &RepoId) -> (Hub, Option<&'static str>) {
        let Some(credentials) = &self.credentials else { return (self.hub.clone(), self.source) };
        match credentials.for_repo(&repo.to_string()).await {
            Ok(Some(token)) => (self.hub.clone().with_token(Some(token.token)), Some(token.source)),
            Ok(None) => (self.hub.clone().with_token(None), None),
            Err(error) => {
                let failure = Failure::advised(format!("no token for {repo}"), &error);
                report::aside(&format!("· {failure}"));
                (self.hub.clone(), self.source)
            }
        }
    }
}

impl<'a> Entrance<'a> {
    /// Of the policy. Fails at once where this job can have no token and needs one.
    pub(super) fn new(
        call: &'a Call,
        leave: &MayWrite,
        policy: &Policy,
        mode: &'static str,
    ) -> Result<Self, Failure> {
        let hub = call.hub(&call.endpoint(Some(policy))?, None)?;
        let credentials = Box::new(call.credentials(leave, policy, hub.endpoint())?);
        if !call.settings.dry_run {
            credentials.expect_any().map_err(|error| failure(mode, &error))?;
        }
        Ok(Self::Credentials { call, mode, hub, credentials })
    }

    /// Takes the token for a repository.
    pub(super) async fn open(self, repo: &RepoId) -> Result<Opened, Failure> {
        let (call, mode, hub, credentials) = match self {
            Self::Open { hub, pages } => {
                let source = Some("embedded Hub");
                return Ok(Opened { hub, pages, note: None, source, credentials: None });
            }
            Self::Credentials { call, mode, hub, credentials } => (call, mode, hub, credentials),
        };
        let resource = repo.to_string();
        let token = if call.settings.dry_run {
            credentials.for_repo(&resource).await
        } else {
            credentials.require(&resource).await.map(Some)
        };
        let token = token.map_err(|error| failure(mode, &error))?;
        let avoidable = token.as_ref().is_some_and(|token| token.is_avoidable);
        let note = avoidable.then(|| nudge(hub.endpoint(), &resource));
        if let Some(note) = &note {
            let github = call.context.github.is_some();
            report::warning("a stored token where none is needed", note, github);
        }
        let pages = hub.endpoint().to_owned();
        let source = token.as_ref().map(|token| token.source);
        let hub = hub.with_token(token.map(|token| token.token));
        Ok(Opened { hub, pages, note, source, credentials: Some(credentials) })
    }
}

fn failure(mode: &str, error: &CredentialError) -> Failure {
    Failure::advised(format!("cannot {mode}"), error)
}

/// How to do without a stored token.
fn nudge(endpoint: &str, resource: &str) -> String {
    format!(
        "a token that lasts was used though this job can prove who it is: add it under Trusted \
         Publishers at {endpoint}/{resource}/settings, then remove `hf-token` and HF_TOKEN \
         (docs/credentials.md)"
    )
}

impl Call {
    /// The credentials of this run.
    fn credentials(
        &self,
        _leave: &MayWrite,
        policy: &Policy,
        endpoint: &str,
    ) -> Result<Credentials, Failure> {
        let (client, masker) = (self.http()?, self.masker());
        let made = client.discreet().map(|discreet| {
            let oidc = Oidc::read(&self.env);
            let ids = IdTokens::new(discreet.clone(), oidc, self.context.ci, masker.clone());
            let job = Job::new(&self.env, ids, masker);
            let log = Arc::new(|line: &str| report::aside(line));
            Credentials::new(&policy.credentials, endpoint, discreet, job, log)
        });
        made.map_err(|error| Failure::new("cannot start the HTTP client").because(&error))
    }

    /// Masks what is a secret already when we start, in whatever mode.
    pub(super) fn mask_stored(&self) -> Result<(), Failure> {
        let masker = self.masker();
        let token = self.context.github.as_ref().and_then(|runner| runner.token.clone());
        let stored = self.stored().filter_map(Secret::new);
        let oidc = Oidc::read(&self.env);
        let given = oidc.given.into_iter().map(|(_, token)| token);
        let secrets = stored.chain(token).chain(given).chain(oidc.request.map(|one| one.token));
        for secret in secrets {
            let known = masker.known(secret);
            known.map_err(|error| Failure::advised("cannot begin", &error))?;
        }
        Ok(())
    }

    /// The token that the environment has, for what needs no other.
    pub(super) fn stored_token(&self) -> Option<Secret> {
        self.stored().find_map(Secret::new)
    }

    fn stored(&self) -> impl Iterator<Item = &str> {
        [self.env.input("hf-token"), self.env.get("HF_TOKEN")].into_iter().flatten()
    }

    /// Whether a token, or the leave to get one, is in the environment.
    pub(super) fn has_secrets(&self) -> bool {
        let oidc = Oidc::read(&self.env);
        self.stored().next().is_some() || oidc.request.is_some() || !oidc.given.is_empty()
    }

    /// Masks in the log of the CI that we run in; GitHub's alone has masks that a job can add.
    fn masker(&self) -> Masker {
        let github = self.context.github.is_some();
        Masker::new(move |secret| if github { report::mask(secret) } else { Ok(()) })
    }
}
