//! Where the Hub token comes from, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// One place a Hub token may come from: exactly one of these keys.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct Source {
    /// The input `hf-token`, else the variable `HF_TOKEN`.
    pub(in crate::policy) environment: Option<Nothing>,
    /// The Hub's trusted publishing: the CI's own identity, exchanged for a token of an hour that
    /// can write one repository. Nothing is stored.
    pub(in crate::policy) trusted_publishing: Option<Nothing>,
    /// AWS Secrets Manager.
    pub(in crate::policy) aws_secrets_manager: Option<AwsSecretsManager>,
    /// HashiCorp Vault or OpenBao.
    pub(in crate::policy) vault: Option<Vault>,
    /// Azure Key Vault.
    pub(in crate::policy) azure_key_vault: Option<AzureKeyVault>,
}

/// Nothing to be set: `{}`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct Nothing {}

/// A secret in AWS Secrets Manager.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct AwsSecretsManager {
    /// Name or ARN of the secret.
    pub(in crate::policy) secret: String,
    /// Key in a secret that is a JSON object; without it the secret's whole text is the token.
    pub(in crate::policy) key: Option<String>,
    /// Region; default that of the secret's ARN, else `AWS_REGION`.
    pub(in crate::policy) region: Option<String>,
    /// ARN of the role that the CI's identity takes on; without it the job's own AWS credentials.
    pub(in crate::policy) role: Option<String>,
    /// Audience of the identity; default `sts.amazonaws.com`.
    pub(in crate::policy) audience: Option<String>,
    /// Another address of Secrets Manager than Amazon's own.
    pub(in crate::policy) endpoint: Option<String>,
    /// Another address of STS than Amazon's own, which a role is taken on at.
    pub(in crate::policy) sts_endpoint: Option<String>,
}

/// A secret in HashiCorp Vault or OpenBao.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct Vault {
    /// Address of the server: `https://vault.example.com:8200`.
    pub(in crate::policy) address: String,
    /// Namespace.
    pub(in crate::policy) namespace: Option<String>,
    /// How to log in: exactly one of its keys.
    pub(in crate::policy) login: VaultLogin,
    /// Mount of the key-value engine; default the first name of `secret`.
    pub(in crate::policy) mount: Option<String>,
    /// Path of the secret: its mount first, `secret/hub`, unless that is named in `mount`.
    pub(in crate::policy) secret: String,
    /// Key in the secret.
    pub(in crate::policy) key: String,
    /// Version of the key-value engine, 1 or 2; default 2.
    pub(in crate::policy) kv: Option<u32>,
}

/// How to log in to Vault: exactly one of these keys.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct VaultLogin {
    /// With the CI's own identity.
    pub(in crate::policy) jwt: Option<VaultJwt>,
    /// With the variables `VAULT_ROLE_ID` and `VAULT_SECRET_ID`.
    pub(in crate::policy) app_role: Option<VaultAppRole>,
    /// With the variable `VAULT_TOKEN`.
    pub(in crate::policy) token: Option<Nothing>,
}

/// The login with the CI's own identity.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct VaultJwt {
    /// Role of the JWT method.
    pub(in crate::policy) role: String,
    /// Where the method is mounted; default `jwt`.
    pub(in crate::policy) mount: Option<String>,
    /// Audience of the identity; default the server's address.
    pub(in crate::policy) audience: Option<String>,
}

/// The login with a role's id and secret.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct VaultAppRole {
    /// Where the method is mounted; default `approle`.
    pub(in crate::policy) mount: Option<String>,
}

/// A secret in Azure Key Vault, read with a federated credential.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct AzureKeyVault {
    /// Address of the vault: `https://acme.vault.azure.net`.
    pub(in crate::policy) vault: String,
    /// Name of the secret.
    pub(in crate::policy) secret: String,
    /// Id of the Entra tenant.
    pub(in crate::policy) tenant: String,
    /// Id of the application (client) that has the federated credential.
    pub(in crate::policy) client: String,
    /// Version of the secret; default its newest.
    pub(in crate::policy) version: Option<String>,
    /// Audience of the identity; default `api://AzureADTokenExchange`.
    pub(in crate::policy) audience: Option<String>,
}
