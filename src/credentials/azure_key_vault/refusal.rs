//! What the refusals of Entra and of the vault mean. Codes are looked for, words are never shown:
//! they may repeat what was sent.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::Attributes;
use crate::credentials::said::said;
use crate::credentials::{Claims, CredentialError, answer, shell};
use crate::http::Whole;
use crate::policy::credentials::AzureKeyVault;

/// Why there is no access token.
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
pub(super) fn of_authority(
    reply: Whole,
    settings: &AzureKeyVault,
    claims: &Claims,
) -> CredentialError {
    #[derive(Deserialize, Default)]
    struct Refusal {
        #[serde(default)]
        error_codes: Vec<u64>,
    }
    let status = reply.status.as_u16();
    let refusal: Refusal = answer(reply).unwrap_or_default();
    let code = refusal.error_codes.first().copied().unwrap_or_default();
    let AzureKeyVault { client, tenant, audience, .. } = settings;
    let claim = |name| claims.shown(name).unwrap_or_else(|| "…".into());
    let (what, fix) = match code {
        70_021 | 700_211..=700_213 => (
            format!(
                "no federated credential of the application fits this job; its identity says: {}",
                said(claims)
            ),
            format!(
                "add one: `az ad app federated-credential create --id {client} --parameters {}`",
                shell::word(
                    &json!({"name": "weighbridge", "issuer": claim("iss"), "subject": claim("sub"), "audiences": [audience]}).to_string()
                )
            ),
        ),
        700_016 => (
            format!("the tenant {tenant} has no application {client}"),
            "check `client:` and `tenant:`: `az ad app list --display-name NAME`".into(),
        ),
        90_002 | 900_023 => (
            format!("there is no tenant {tenant}"),
            "check `tenant:`: `az account show --query tenantId`".into(),
        ),
        700_024 => (
            "the job's token is over, or not yet good".into(),
            "set the clock of this machine, and run it again".into(),
        ),
        0 => (
            format!("it answered {status}"),
            "check `tenant:` and `client:`; the sign-in log of Entra has the reason".into(),
        ),
        code => (
            format!("AADSTS{code}"),
            format!("look it up: https://login.microsoftonline.com/error?code={code}"),
        ),
    };
    CredentialError::refused(format!("Microsoft Entra gives no access token: {what}"), fix)
}

/// Why a secret that the vault gave is not taken: whoever stored it said when it is good.
pub(super) fn of_time(
    attributes: &Attributes,
    settings: &AzureKeyVault,
    now: Timestamp,
) -> Option<CredentialError> {
    let told =
        |seconds| Timestamp::from_second(seconds).map_or_else(|_| "…".into(), |at| at.to_string());
    let now = now.as_second();
    let what = match (attributes.nbf, attributes.exp) {
        (_, Some(exp)) if exp <= now => format!("its time was over at {}", told(exp)),
        (Some(nbf), _) if nbf > now => format!("it is not good before {}", told(nbf)),
        _ => return None,
    };
    let AzureKeyVault { secret, .. } = settings;
    let vault = name_of(settings);
    Some(CredentialError::refused(
        format!("Azure Key Vault gives the secret `{secret}`, but {what}"),
        format!(
            "make a new Hub token and store it: `az keyvault secret set --vault-name {vault} --name {secret} --expires …`"
        ),
    ))
}

/// The vault's name, as commands want it.
fn name_of(settings: &AzureKeyVault) -> &str {
    settings.vault.trim_start_matches("https://").split('.').next().unwrap_or_default()
}

/// Why there is no secret.
pub(super) fn of_vault(reply: Whole, settings: &AzureKeyVault) -> CredentialError {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Refusal {
        error: Option<Named>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Named {
        code: String,
        innererror: Option<Box<Named>>,
    }
    let status = reply.status.as_u16();
    let refusal: Refusal = answer(reply).unwrap_or_default();
    let named = refusal.error.unwrap_or_default();
    let inner = named.innererror.map(|inner| inner.code).unwrap_or_default();
    let AzureKeyVault { secret, client, .. } = settings;
    let vault = name_of(settings);
    let (what, fix) = match (status, named.code.as_str(), inner.as_str()) {
        (_, "SecretNotFound", _) => (
            "there is none",
            format!("check `secret:`: `az keyvault secret list --vault-name {vault}`"),
        ),
        (_, _, "SecretDisabled") => (
            "it is disabled",
            format!(
                "enable it: `az keyvault secret set-attributes --vault-name {vault} --name {secret} --enabled true`"
            ),
        ),
        (_, _, "ForbiddenByFirewall" | "ForbiddenByConnection") => (
            "the vault's firewall does not let this machine in",
            format!(
                "run on a machine of its network, or let this one in: `az keyvault network-rule add --name {vault} --ip-address …`"
            ),
        ),
        (_, _, "AccessDenied" | "ForbiddenByPolicy") => (
            "the application has no access to it",
            format!(
                "grant it: `az keyvault set-policy --name {vault} --spn {client} --secret-permissions get`"
            ),
        ),
        (403, _, _) => (
            "the application has no role for it",
            format!(
                "grant it: `az role assignment create --role \"Key Vault Secrets User\" --assignee {client} --scope \"$(az keyvault show --name {vault} --query id --output tsv)/secrets/{secret}\"`"
            ),
        ),
        (404, _, _) => (
            "there is none",
            format!("check `secret:`: `az keyvault secret list --vault-name {vault}`"),
        ),
        (300..400, _, _) => (
            "the vault sends us to another address, and secrets are not sent on",
            "give the vault's own address in `vault:`".into(),
        ),
        _ => {
            return CredentialError::refused(
                format!("Azure Key Vault gives no secret `{secret}`: it answered {status}"),
                "the vault's own log (AuditEvent) has the reason",
            );
        }
    };
    CredentialError::refused(format!("Azure Key Vault gives no secret `{secret}`: {what}"), fix)
}
