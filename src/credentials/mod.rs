//! Where the Hub token comes from: the sources of the policy, in its order. A source that this job
//! does not have is passed over; one that is there and fails ends the run, for to go on with
//! another token than the one that was meant is nobody's wish. The log says which source served,
//! never the value.
//!
//! A source is one file with a `fetch`, and one line in [`Credentials::fetch`].

mod aws_secrets_manager;
mod azure_key_vault;
mod claims;
mod environment;
mod error;
mod field;
mod id_token;
mod job;
mod masker;
mod said;
mod shell;
mod trusted_publishing;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use zeroize::Zeroize as _;

pub use claims::Claims;
pub use error::{CredentialError, PassedOver};
pub use id_token::{IdToken, IdTokens};
pub use job::Job;
pub use masker::{Masked, Masker};

use trusted_publishing::Exchange;

use crate::http::{Client, HttpError, Whole};
use crate::hub::Token;
use crate::policy::credentials::{Source, SourceKind};

/// By it the Hub's own client is told to use trusted publishing, and for what; weighbridge knows the
/// repository from the policy.
const RESOURCE: &str = "HF_OIDC_RESOURCE";

/// Told in one line of which source served, and which were passed over.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// A Hub token and the source that gave it.
#[derive(Debug, Clone)]
pub struct HubToken {
    /// The token.
    pub token: Token,
    /// Where it came from, for the log.
    pub source: &'static str,
    /// It was made by hand and lasts, where the CI could prove who it is instead.
    pub is_avoidable: bool,
}

/// The credentials of one run.
pub struct Credentials {
    sources: Vec<Source>,
    /// For the stores.
    client: Client,
    exchange: Exchange,
    job: Job,
    log: Log,
    served: Mutex<Vec<HubToken>>,
}

impl Credentials {
    /// Of the policy's sources, for this job and the Hub at an address without a slash at its end.
    /// `client` is discreet.
    pub fn new(sources: &[Source], endpoint: &str, client: Client, job: Job, log: Log) -> Self {
        let exchange = Exchange::new(client.clone(), endpoint, job.clone(), log.clone());
        let sources = order(sources, &job, &log);
        Self { sources, client, exchange, job, log, served: Mutex::default() }
    }

    /// The same, for a Hub whose tokens live for seconds: with another least time between two renewals
    /// than a minute.
    #[must_use]
    pub fn renewing_after(self, least: Duration) -> Self {
        Self { exchange: self.exchange.renewing_after(least), ..self }
    }

    /// The token for a repository, `namespace/name` or `datasets/namespace/name`; `None` where this
    /// job has no source. Asked again, it is the same; a stored one is the same for all.
    pub async fn for_repo(&self, resource: &str) -> Result<Option<HubToken>, CredentialError> {
        match self.require(resource).await {
            Ok(token) => Ok(Some(token)),
            Err(CredentialError::Nowhere { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The token for a repository, which there must be.
    pub async fn require(&self, resource: &str) -> Result<HubToken, CredentialError> {
        let mut served = self.served.lock().await;
        let fits = |token: &&HubToken| token.token.only().is_none_or(|only| only == resource);
        if let Some(token) = served.iter().find(fits) {
            return Ok(token.clone());
        }
        let mut passed = Vec::new();
        for source in &self.sources {
            let name = source.kind.name();
            match self.fetch(&source.kind, resource).await {
                Ok(token) => {
                    (self.log)(&format!(
                        "· the Hub token for {resource} is from: {}",
                        token.source
                    ));
                    served.push(token.clone());
                    return Ok(token);
                }
                Err(CredentialError::Absent { why, fix }) => {
                    (self.log)(&format!("· no Hub token from {name}: {why}"));
                    passed.push(PassedOver { name, why, fix });
                }
                Err(error) => {
                    let (at, source) = (source.at.clone(), Box::new(error));
                    return Err(CredentialError::Source { name, at, source });
                }
            }
        }
        Err(CredentialError::Nowhere { passed })
    }

    /// Says before any long work whether there can be a token at all, asking nobody.
    pub fn expect_any(&self) -> Result<(), CredentialError> {
        let mut passed = Vec::new();
        for source in &self.sources {
            let absent = match source.kind {
                SourceKind::Environment => environment::fetch(&self.job).err(),
                SourceKind::TrustedPublishing => self.exchange.absent(),
                // They alone know what they need.
                SourceKind::AwsSecretsManager(_)
                | SourceKind::Vault(_)
                | SourceKind::AzureKeyVault(_) => None,
            };
            let Some(CredentialError::Absent { why, fix }) = absent else { return Ok(()) };
            passed.push(PassedOver { name: source.kind.name(), why, fix });
        }
        Err(CredentialError::Nowhere { passed })
    }

    async fn fetch(&self, kind: &SourceKind, resource: &str) -> Result<HubToken, CredentialError> {
        let name = kind.name();
        match kind {
            SourceKind::Environment => {
                let (token, source) = environment::fetch(&self.job)?;
                let is_avoidable = self.job.ids.are_there();
                Ok(HubToken { is_avoidable, ..stored(&token, source)? })
            }
            SourceKind::TrustedPublishing => self.exchange.fetch(resource).await,
            SourceKind::AwsSecretsManager(settings) => {
                let token = aws_secrets_manager::fetch(&self.client, settings, &self.job).await?;
                stored(&token, name)
            }
            SourceKind::Vault(settings) => {
                stored(&vault::fetch(&self.client, settings, &self.job).await?, name)
            }
            SourceKind::AzureKeyVault(settings) => {
                stored(&azure_key_vault::fetch(&self.client, settings, &self.job).await?, name)
            }
        }
    }
}

/// The policy's order. Where it names none, `HF_OIDC_RESOURCE` asks for trusted publishing first, as
/// it does of the Hub's own client.
fn order(sources: &[Source], job: &Job, log: &Log) -> Vec<Source> {
    let mut sources = sources.to_vec();
    if job.variable(RESOURCE).is_some() && sources.iter().all(|source| source.at.is_none()) {
        log(&format!("· {RESOURCE} is set: trusted publishing comes first"));
        sources.sort_by_key(|source| source.kind != SourceKind::TrustedPublishing);
    }
    sources
}

fn stored(token: &Masked, source: &'static str) -> Result<HubToken, CredentialError> {
    token.header("what is stored as the Hub token")?;
    Ok(HubToken { token: Token::from(token.secret().clone()), source, is_avoidable: false })
}

/// Reads an answer that holds a secret, and wipes it.
fn answer<T: DeserializeOwned>(reply: Whole) -> Result<T, HttpError> {
    let read = reply.json();
    wipe(reply.body);
    read
}

/// Wipes the body of an answer that held a secret.
fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.zeroize();
    }
}
