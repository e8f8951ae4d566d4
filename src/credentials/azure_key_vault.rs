//! A token kept in Azure Key Vault: the vault says what its callers' tokens have to be for, the
//! job's identity becomes one (a federated credential), and the secret is read with it.

mod challenge;
mod refusal;

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{CredentialError, IdToken, Job, Masked, answer};
use crate::http::{Again, Client};
use crate::policy::credentials::AzureKeyVault;

use challenge::Challenge;

/// Largest answer: a secret is at most 25 KB.
const LIMIT: usize = 256 * 1024;
/// The version of the vault's interface.
const API: &str = "7.4";

/// A cloud of Azure's.
struct Cloud {
    /// The domain that vaults are in, and what tokens for them are for.
    vaults: &'static str,
    /// Who vouches for their callers.
    authority: &'static str,
}

/// The vault itself names an authority too, which is not asked: an impostor would name one of its
/// own, and get an identity that is good at the real one.
const CLOUDS: [Cloud; 3] = [
    Cloud { vaults: "vault.azure.net", authority: "login.microsoftonline.com" },
    Cloud { vaults: "vault.azure.cn", authority: "login.chinacloudapi.cn" },
    Cloud { vaults: "vault.usgovcloudapi.net", authority: "login.microsoftonline.us" },
];

/// One fetch.
struct Azure<'a> {
    client: &'a Client,
    settings: &'a AzureKeyVault,
    job: &'a Job,
    cloud: &'static Cloud,
}

/// Asks the vault, then its authority, then the vault again. `client` is discreet.
pub(super) async fn fetch(
    client: &Client,
    settings: &AzureKeyVault,
    job: &Job,
) -> Result<Masked, CredentialError> {
    let (secret, cloud) = place(settings)?;
    let azure = Azure { client, settings, job, cloud };
    let challenge = azure.challenge(&secret).await?;
    challenge.check(cloud.vaults)?;
    let identity = job.ids.require(&settings.audience).await?;
    let access = azure.access(&identity).await?;
    azure.read(&secret, &access, &challenge).await
}

/// The secret's address, and the cloud that it is in.
fn place(settings: &AzureKeyVault) -> Result<(Url, &'static Cloud), CredentialError> {
    let bad = || {
        CredentialError::refused(
            "the address is none of an Azure Key Vault",
            "give the vault's own, such as `vault: https://acme.vault.azure.net`",
        )
    };
    let mut url = Url::parse(&settings.vault).map_err(|_| bad())?;
    let host = url.host_str().filter(|_| url.scheme() == "https").unwrap_or_default();
    let name = |cloud: &Cloud| Some(host.strip_suffix(cloud.vaults)?.strip_suffix('.')?.to_owned());
    let cloud = CLOUDS.iter().find(|cloud| name(cloud).is_some_and(|name| !name.is_empty()));
    let cloud = cloud.ok_or_else(bad)?;
    url.path_segments_mut()
        .map_err(|()| bad())?
        .clear()
        .extend(["secrets", &settings.secret])
        .extend(&settings.version);
    url.set_query(Some(&format!("api-version={API}")));
    Ok((url, cloud))
}

impl Azure<'_> {
    /// Asks without a token: the refusal says what a token has to be for.
    async fn challenge(&self, secret: &Url) -> Result<Challenge, CredentialError> {
        let build = |client: &reqwest::Client| client.get(secret.clone());
        let reply = self.client.reply(Again::Safe, LIMIT, build).await;
        let reply = reply.map_err(CredentialError::doing("ask Azure Key Vault"))?;
        if reply.status.as_u16() != 401 {
            return Err(refusal::of_vault(reply, self.settings));
        }
        Challenge::of(&reply.headers).ok_or_else(|| {
            CredentialError::refused(
                "the answer of the vault does not say what its tokens have to be for",
                "check what answers in the vault's place: a proxy (HTTPS_PROXY)?",
            )
        })
    }

    /// An access token for the vaults of this cloud.
    /// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
    async fn access(&self, identity: &IdToken) -> Result<Masked, CredentialError> {
        let Cloud { vaults, authority } = self.cloud;
        let url = format!("https://{authority}/{}/oauth2/v2.0/token", self.settings.tenant);
        let scope = format!("https://{vaults}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.settings.client.as_str()),
            ("scope", scope.as_str()),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", identity.token.expose()),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let body = Zeroizing::new(body);
        let reply = self.client.reply(Again::Safe, LIMIT, |client| {
            client
                .post(&url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.to_string())
        });
        let doing = || CredentialError::doing("ask Microsoft Entra for an access token");
        let reply = reply.await.map_err(doing())?;
        if !reply.status.is_success() {
            return Err(refusal::of_authority(reply, self.settings, &identity.claims));
        }
        let nothing = reply.garbage("it has no access token");
        let granted: Granted = answer(reply).map_err(doing())?;
        let token = self.job.masker.secret(granted.access_token.as_str())?;
        token.ok_or(nothing).map_err(doing())
    }

    async fn read(
        &self,
        secret: &Url,
        access: &Masked,
        challenge: &Challenge,
    ) -> Result<Masked, CredentialError> {
        let build =
            |client: &reqwest::Client| client.get(secret.clone()).bearer_auth(access.expose());
        let reply = self.client.reply(Again::Safe, LIMIT, build).await;
        let doing = || CredentialError::doing("read the secret from Azure Key Vault");
        let reply = reply.map_err(doing())?;
        if reply.status.as_u16() == 401 {
            return Err(challenge.refused(&self.settings.tenant));
        }
        if !reply.status.is_success() {
            return Err(refusal::of_vault(reply, self.settings));
        }
        let nothing = reply.garbage("its value is empty");
        let bundle: Bundle = answer(reply).map_err(doing())?;
        if let Some(error) = refusal::of_time(&bundle.attributes, self.settings, Timestamp::now()) {
            return Err(error);
        }
        let held = self.job.masker.secret(bundle.value.as_str())?;
        held.ok_or(nothing).map_err(doing())
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Zeroizing<String>,
}

#[derive(Deserialize)]
struct Bundle {
    value: Zeroizing<String>,
    #[serde(default)]
    attributes: Attributes,
}

/// When the secret is good, in seconds of Unix time. The vault gives it at any time: to look at
/// these is left to whoever reads it.
/// <https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#date-time-controlled-operations>
#[derive(Default, Deserialize)]
struct Attributes {
    nbf: Option<i64>,
    exp: Option<i64>,
}
