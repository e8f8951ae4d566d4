//! A token kept in HashiCorp Vault or OpenBao: log in, read the secret, give the login back.
//! <https://developer.hashicorp.com/vault/api-docs>

mod refusal;

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{CredentialError, IdToken, Job, Masked, answer, field};
use crate::http::{Again, Client, Whole, pause};
use crate::policy::credentials::{self as policy, Kv, VaultLogin};

/// Largest answer: Vault itself holds at most 1 MiB in one secret.
const LIMIT: usize = 2 * 1024 * 1024;

/// How long a server may take to end a login. What was read is good without it.
const GOODBYE: Duration = Duration::from_secs(5);
/// How often a node is asked that does not know a fresh login yet.
const TRIES: u32 = 5;

/// One fetch.
#[derive(Clone, Copy)]
struct Vault<'a> {
    client: &'a Client,
    settings: &'a policy::Vault,
    job: &'a Job,
}

/// Logs in, reads, and ends the login again, whatever came of reading. `client` is discreet.
pub(super) async fn fetch(
    client: &Client,
    settings: &policy::Vault,
    job: &Job,
) -> Result<Masked, CredentialError> {
    let vault = Vault { client, settings, job };
    let (token, name, is_ours) = match &settings.login {
        VaultLogin::Jwt { role, mount, audience } => {
            let identity = job.ids.require(audience).await?;
            let body = object([("role", role), ("jwt", identity.token.expose())]);
            (vault.log_in(mount, &body, Some(&identity)).await?, LOGIN, true)
        }
        VaultLogin::AppRole { mount } => {
            let secret = |name| job.secret(name)?.ok_or_else(|| absent(name));
            let (id, secret) = (secret("VAULT_ROLE_ID")?, secret("VAULT_SECRET_ID")?);
            let body = object([("role_id", id.expose()), ("secret_id", secret.expose())]);
            (vault.log_in(mount, &body, None).await?, LOGIN, true)
        }
        VaultLogin::Token => {
            let name = "VAULT_TOKEN";
            (job.secret(name)?.ok_or_else(|| absent(name))?, name, false)
        }
    };
    let token = token.header(name)?;
    let read = vault.read(&token).await;
    if is_ours {
        vault.log_out(&token).await;
    }
    read
}

/// What a login yields.
const LOGIN: &str = "the token of the login at Vault";

fn absent(variable: &str) -> CredentialError {
    CredentialError::Absent {
        why: format!("the variable {variable} is not set"),
        fix: format!(
            "set {variable}, or let the job log in as itself: `login: {{jwt: {{role: …}}}}`"
        ),
    }
}

impl Vault<'_> {
    /// Logs in at a mount of `auth`, with the job's identity or with what a role has.
    async fn log_in(
        &self,
        mount: &str,
        body: &str,
        identity: Option<&IdToken>,
    ) -> Result<Masked, CredentialError> {
        let url = self.url(&format!("auth/{mount}/login"))?;
        // Each login makes a token, and a secret id may be good for one.
        let reply = self.ask(Again::IfNotDone, Method::POST, url, None, Some(body)).await?;
        if !reply.status.is_success() {
            return Err(refusal::of_login(reply, &self.settings.login, identity));
        }
        let said: LoggedIn = answer(reply).map_err(CredentialError::doing("log in at Vault"))?;
        let token = said.auth.and_then(|auth| auth.client_token);
        let token = token.as_ref().map_or("", |token| token.as_str());
        self.job.masker.secret(token)?.ok_or_else(|| {
            CredentialError::refused(
                "Vault gives no token for this login: it asks for a second factor, or it is no Vault",
                "take the second factor (MFA) off this login, nobody is there to answer it; or check `address:`",
            )
        })
    }

    /// The secret's field, as the version of the engine has it.
    async fn read(&self, token: &HeaderValue) -> Result<Masked, CredentialError> {
        let url = self.url(&path_of(self.settings))?;
        let mut tried = 1;
        let reply = loop {
            let url = url.clone();
            let reply = self.ask(Again::Safe, Method::GET, url, Some(token), None).await?;
            // <https://developer.hashicorp.com/vault/docs/enterprise/consistency>
            if reply.status.as_u16() != 412 || tried == TRIES {
                break reply;
            }
            tried += 1;
            tokio::time::sleep(pause(tried)).await;
        };
        if !reply.status.is_success() {
            return Err(refusal::of_read(reply, self.settings));
        }
        let doing = CredentialError::doing("read the secret from Vault");
        let held: field::Object = match self.settings.kv {
            Kv::V1 => answer(reply).map(|Envelope { data }| data).map_err(doing)?,
            Kv::V2 => {
                let outer = answer(reply).map_err(doing)?;
                let Envelope { data: Envelope { data } } = outer;
                data
            }
        };
        field::named(&self.job.masker, &held, &self.settings.key)
    }

    /// Ends the login.
    async fn log_out(&self, token: &HeaderValue) {
        let ended = async {
            let url = self.url("auth/token/revoke-self")?;
            let in_time = Vault { client: &self.client.within(GOODBYE), ..*self };
            in_time.ask(Again::Safe, Method::POST, url, Some(token), None).await
        };
        let ended: Result<Whole, CredentialError> = ended.await;
        if !ended.is_ok_and(|reply| reply.status.is_success()) {
            self.client
                .wait("the login at Vault could not be ended: it ends when its time is over");
        }
    }

    /// An address below `v1`. The policy's paths have no part that leads out of it.
    fn url(&self, path: &str) -> Result<Url, CredentialError> {
        let bad = || {
            CredentialError::refused(
                "the address of Vault is none",
                "give one such as `address: https://vault.example.com:8200`",
            )
        };
        let mut url = Url::parse(&self.settings.address).map_err(|_| bad())?;
        url.path_segments_mut()
            .map_err(|()| bad())?
            .pop_if_empty()
            .push("v1")
            .extend(path.split('/'));
        Ok(url)
    }

    async fn ask(
        &self,
        again: Again,
        method: Method,
        url: Url,
        token: Option<&HeaderValue>,
        body: Option<&str>,
    ) -> Result<Whole, CredentialError> {
        let reply = self.client.reply(again, LIMIT, |client| {
            // Agents and proxies of Vault that guard against forged requests want it.
            let mut request =
                client.request(method.clone(), url.clone()).header("x-vault-request", "true");
            if let Some(namespace) = &self.settings.namespace {
                request = request.header("x-vault-namespace", namespace);
            }
            if let Some(token) = token {
                request = request.header("x-vault-token", token);
            }
            match body {
                Some(body) => {
                    request.header("content-type", "application/json").body(body.to_owned())
                }
                None => request,
            }
        });
        reply.await.map_err(|error| match error.status() {
            Some(503) => CredentialError::refused(
                "Vault is sealed, or has no active node",
                "unseal it (`vault operator unseal`), and run it again",
            ),
            _ => CredentialError::doing("ask Vault")(error),
        })
    }
}

/// A body that holds secrets: an object of texts.
fn object<const N: usize>(fields: [(&str, &str); N]) -> Zeroizing<String> {
    Zeroizing::new(serde_json::to_string(&BTreeMap::from(fields)).unwrap_or_default())
}

/// Where the interface has the secret.
fn path_of(settings: &policy::Vault) -> String {
    match settings.kv {
        Kv::V1 => format!("{}/{}", settings.mount, settings.secret),
        Kv::V2 => format!("{}/data/{}", settings.mount, settings.secret),
    }
}

/// What the key-value engine wraps a secret in: once, and in its second version twice.
#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Option<Auth>,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Option<Zeroizing<String>>,
}
