//! Where the Hub token comes from: the sources, in the order in which they are asked.

use crate::finding::Location;

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Which, and its settings.
    pub kind: SourceKind,
    /// Where the policy names it; `None` for one that is asked because the policy names none.
    pub at: Option<Location>,
}

impl Source {
    /// What is asked where the policy says nothing.
    pub fn usual() -> Vec<Self> {
        let kinds = [SourceKind::Environment, SourceKind::TrustedPublishing];
        kinds.into_iter().map(|kind| Self { kind, at: None }).collect()
    }
}

/// The kinds of sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// The input `hf-token`, else `HF_TOKEN`.
    Environment,
    /// The Hub's trusted publishing.
    TrustedPublishing,
    /// AWS Secrets Manager.
    AwsSecretsManager(AwsSecretsManager),
    /// HashiCorp Vault or OpenBao.
    Vault(Vault),
    /// Azure Key Vault.
    AzureKeyVault(AzureKeyVault),
}

impl SourceKind {
    /// Its key in the policy, which is its name in the log too.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::TrustedPublishing => "trusted-publishing",
            Self::AwsSecretsManager(_) => "aws-secrets-manager",
            Self::Vault(_) => "vault",
            Self::AzureKeyVault(_) => "azure-key-vault",
        }
    }
}

/// A secret in AWS Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSecretsManager {
    /// Name or ARN of the secret.
    pub secret: String,
    /// Key in a secret that is a JSON object; `None` where the whole text is the token.
    pub key: Option<String>,
    /// Region, where the policy names one; else the ARN's, else the environment's.
    pub region: Option<String>,
    /// ARN of the role that the CI's identity takes on; `None` for the job's own credentials.
    pub role: Option<String>,
    /// Audience of the identity.
    pub audience: String,
    /// Another address of Secrets Manager than Amazon's own, without a slash at its end.
    pub endpoint: Option<String>,
    /// Another address of STS, likewise.
    pub sts_endpoint: Option<String>,
}

/// A secret in HashiCorp Vault or OpenBao.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// Address of the server, without a slash at its end.
    pub address: String,
    /// Namespace.
    pub namespace: Option<String>,
    /// How to log in.
    pub login: VaultLogin,
    /// Mount of the key-value engine.
    pub mount: String,
    /// Path of the secret below it.
    pub secret: String,
    /// Key in the secret.
    pub key: String,
    /// Version of the key-value engine.
    pub kv: Kv,
}

/// How to log in to Vault. Mounts have no slash at their ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultLogin {
    /// With the CI's own identity.
    Jwt {
        /// Role of the method.
        role: String,
        /// Where the method is mounted.
        mount: String,
        /// Audience of the identity.
        audience: String,
    },
    /// With `VAULT_ROLE_ID` and `VAULT_SECRET_ID`.
    AppRole {
        /// Where the method is mounted.
        mount: String,
    },
    /// With `VAULT_TOKEN`.
    Token,
}

/// Versions of Vault's key-value engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kv {
    /// Without versions of secrets.
    V1,
    /// With them.
    V2,
}

/// A secret in Azure Key Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureKeyVault {
    /// Address of the vault, without a slash at its end.
    pub vault: String,
    /// Name of the secret.
    pub secret: String,
    /// Id of the Entra tenant.
    pub tenant: String,
    /// Id of the application that has the federated credential.
    pub client: String,
    /// Version of the secret; `None` for its newest.
    pub version: Option<String>,
    /// Audience of the identity.
    pub audience: String,
}
