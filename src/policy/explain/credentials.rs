//! Where the Hub token comes from, as `explain` tells it.

use super::Table;
use crate::policy::credentials::{Kv, Source, SourceKind, Vault, VaultLogin};

impl Table<'_> {
    pub(super) fn credentials(&mut self, sources: &[Source]) {
        for (index, source) in sources.iter().enumerate() {
            let value = told(&source.kind);
            self.row(&format!("credentials.{index}"), &format!("credentials/{index}"), value);
        }
    }
}

fn told(kind: &SourceKind) -> String {
    let name = kind.name();
    match kind {
        SourceKind::Environment | SourceKind::TrustedPublishing => name.to_owned(),
        SourceKind::AwsSecretsManager(aws) => {
            let key = aws.key.as_ref().map(|key| format!(" key {key}")).unwrap_or_default();
            let region = aws.region.as_deref().unwrap_or("of its ARN, else of AWS_REGION");
            let login = match &aws.role {
                Some(role) => format!("as {role} for audience {}", aws.audience),
                None => "with the job's own credentials".into(),
            };
            let at = aws.endpoint.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
            let sts = aws.sts_endpoint.as_ref().map(|at| format!(", STS at {at}"));
            let sts = sts.unwrap_or_default();
            format!("{name}: {}{key}, region {region}, {login}{at}{sts}", aws.secret)
        }
        SourceKind::Vault(vault) => {
            let login = match &vault.login {
                VaultLogin::Jwt { role, mount, audience } => {
                    format!("auth/{mount} as {role} for audience {audience}")
                }
                VaultLogin::AppRole { mount } => format!("auth/{mount}"),
                VaultLogin::Token => "VAULT_TOKEN".into(),
            };
            let space = vault.namespace.as_ref().map(|name| format!(" namespace {name}"));
            let space = space.unwrap_or_default();
            let kv = match vault.kv {
                Kv::V1 => 1,
                Kv::V2 => 2,
            };
            let Vault { address, mount, secret, key, .. } = vault;
            format!(
                "{name}: {mount}/{secret} key {key} at {address}{space}, kv {kv}, login by {login}"
            )
        }
        SourceKind::AzureKeyVault(azure) => {
            let version = azure.version.as_deref().unwrap_or("newest");
            format!(
                "{name}: {} ({version}) at {}, as {} of tenant {} for audience {}",
                azure.secret, azure.vault, azure.client, azure.tenant, azure.audience
            )
        }
    }
}
