//! Where the Hub token comes from.

use url::Url;

use super::Check;
use crate::http;
use crate::markdown::line;
use crate::policy::credentials::{
    AwsSecretsManager, AzureKeyVault, Kv, Source, SourceKind, Vault, VaultLogin,
};
use crate::policy::raw::credentials as raw;

impl Check<'_> {
    pub(super) fn credentials(&mut self, sources: Option<&[raw::Source]>) -> Vec<Source> {
        let Some(sources) = sources else { return Source::usual() };
        if sources.is_empty() {
            let help = "name one, such as `- trusted-publishing: {}`, or remove the key";
            self.wrong("credentials", "`credentials` names no source", help);
        }
        let each = sources.iter().enumerate();
        each.filter_map(|(index, source)| self.source(&format!("credentials/{index}"), source))
            .collect()
    }

    fn source(&mut self, key: &str, source: &raw::Source) -> Option<Source> {
        let mut kinds = Vec::new();
        kinds.extend(source.environment.as_ref().map(|_| SourceKind::Environment));
        kinds.extend(source.trusted_publishing.as_ref().map(|_| SourceKind::TrustedPublishing));
        if let Some(settings) = &source.aws_secrets_manager {
            let settings = self.aws(&format!("{key}/aws-secrets-manager"), settings);
            kinds.push(SourceKind::AwsSecretsManager(settings));
        }
        if let Some(settings) = &source.vault {
            kinds.extend(self.vault(&format!("{key}/vault"), settings).map(SourceKind::Vault));
        }
        if let Some(settings) = &source.azure_key_vault {
            let settings = self.azure(&format!("{key}/azure-key-vault"), settings);
            kinds.push(SourceKind::AzureKeyVault(settings));
        }
        let named = [
            source.environment.is_some(),
            source.trusted_publishing.is_some(),
            source.aws_secrets_manager.is_some(),
            source.vault.is_some(),
            source.azure_key_vault.is_some(),
        ];
        if named.into_iter().filter(|is| *is).count() != 1 {
            let message = "a source is exactly one key";
            self.wrong(key, message, "give each source an entry of its own: `- environment: {}`");
            return None;
        }
        Some(Source { kind: kinds.pop()?, at: Some(self.at(key)) })
    }

    fn aws(&mut self, key: &str, settings: &raw::AwsSecretsManager) -> AwsSecretsManager {
        let raw::AwsSecretsManager {
            secret,
            key: inner,
            region,
            role,
            audience,
            endpoint,
            sts_endpoint,
        } = settings;
        self.said(&format!("{key}/secret"), secret);
        self.said_if(key, &[("key", inner), ("audience", audience)]);
        let is_region = |text: &str| {
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=32).contains(&text.len()) && text.bytes().all(fits)
        };
        if let Some(region) = region.as_deref().filter(|text| !is_region(text)) {
            let message = format!("`{region}` is no region");
            self.wrong(&format!("{key}/region"), message, "write one such as `eu-central-1`");
        }
        if let Some(role) = role.as_deref().filter(|text| !text.starts_with("arn:")) {
            let message = format!("`{role}` is not the ARN of a role");
            let help = "write it whole: `arn:aws:iam::123456789012:role/release`";
            self.wrong(&format!("{key}/role"), message, help);
        }
        let mut address = |name: &str, text: &Option<String>| {
            text.as_deref().map(|text| self.address(&format!("{key}/{name}"), text))
        };
        AwsSecretsManager {
            secret: secret.clone(),
            key: inner.clone(),
            region: region.clone(),
            role: role.clone(),
            audience: audience.clone().unwrap_or_else(|| "sts.amazonaws.com".into()),
            endpoint: address("endpoint", endpoint),
            sts_endpoint: address("sts-endpoint", sts_endpoint),
        }
    }

    fn vault(&mut self, key: &str, settings: &raw::Vault) -> Option<Vault> {
        self.said(&format!("{key}/key"), &settings.key);
        let namespace = settings.namespace.as_ref();
        let namespace = namespace.map(|name| self.segments(&format!("{key}/namespace"), name));
        let address = self.address(&format!("{key}/address"), &settings.address);
        let login = self.login(&format!("{key}/login"), &settings.login, &address);
        let kv = match settings.kv {
            Some(1) => Kv::V1,
            None | Some(2) => Kv::V2,
            Some(other) => {
                let message = format!("`kv` is `{other}`");
                self.wrong(&format!("{key}/kv"), message, "the engine has versions 1 and 2");
                Kv::V2
            }
        };
        let (mount, secret) = self.vault_place(key, settings)?;
        Some(Vault {
            address,
            namespace: namespace.flatten(),
            login: login?,
            mount,
            secret,
            key: settings.key.clone(),
            kv,
        })
    }

    /// The engine's mount, and the secret below it.
    fn vault_place(&mut self, key: &str, settings: &raw::Vault) -> Option<(String, String)> {
        let at = format!("{key}/secret");
        let secret = self.segments(&at, &settings.secret)?;
        if let Some(mount) = &settings.mount {
            return Some((self.segments(&format!("{key}/mount"), mount)?, secret));
        }
        if let Some((mount, below)) = secret.split_once('/') {
            return Some((mount.to_owned(), below.to_owned()));
        }
        let message = format!("`{secret}` names no secret below a mount");
        self.wrong(&at, message, "write the mount first, `secret/hub`, or into `mount:`");
        None
    }

    fn login(&mut self, key: &str, login: &raw::VaultLogin, address: &str) -> Option<VaultLogin> {
        match (&login.jwt, &login.app_role, &login.token) {
            (Some(jwt), None, None) => {
                self.said(&format!("{key}/jwt/role"), &jwt.role);
                self.said_if(&format!("{key}/jwt"), &[("audience", &jwt.audience)]);
                let mount = jwt.mount.as_deref().unwrap_or("jwt");
                Some(VaultLogin::Jwt {
                    role: jwt.role.clone(),
                    mount: self.segments(&format!("{key}/jwt/mount"), mount)?,
                    audience: jwt.audience.clone().unwrap_or_else(|| address.to_owned()),
                })
            }
            (None, Some(role), None) => {
                let mount = role.mount.as_deref().unwrap_or("approle");
                let mount = self.segments(&format!("{key}/app-role/mount"), mount)?;
                Some(VaultLogin::AppRole { mount })
            }
            (None, None, Some(_)) => Some(VaultLogin::Token),
            _ => {
                let help = "write one of `jwt: {role: …}`, `app-role: {}` and `token: {}`";
                self.wrong(key, "a login is exactly one key", help);
                None
            }
        }
    }

    fn azure(&mut self, key: &str, settings: &raw::AzureKeyVault) -> AzureKeyVault {
        let raw::AzureKeyVault { vault, secret, tenant, client, version, audience } = settings;
        let segment = |text: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
            !text.is_empty() && text.bytes().all(fits) && !text.starts_with('.')
        };
        let named = [("secret", secret), ("tenant", tenant), ("client", client)];
        let version_named = version.as_ref().map(|version| ("version", version));
        for (name, text) in named.into_iter().chain(version_named) {
            if !segment(text) {
                let message = format!("`{name}` is `{text}`");
                let help = "expected letters, digits and `-`";
                self.wrong(&format!("{key}/{name}"), message, help);
            }
        }
        self.said_if(key, &[("audience", audience)]);
        AzureKeyVault {
            vault: self.address(&format!("{key}/vault"), vault),
            secret: secret.clone(),
            tenant: tenant.clone(),
            client: client.clone(),
            version: version.clone(),
            audience: audience.clone().unwrap_or_else(|| "api://AzureADTokenExchange".into()),
        }
    }

    /// Texts that say something, where they are given.
    fn said_if(&mut self, key: &str, texts: &[(&str, &Option<String>)]) {
        for (name, text) in texts {
            if let Some(text) = text {
                self.said(&format!("{key}/{name}"), text);
            }
        }
    }

    /// The address of a server that secrets are sent to, without the slash at its end.
    pub(super) fn address(&mut self, key: &str, text: &str) -> String {
        let url = Url::parse(text).ok();
        let wrong = match &url {
            None => Some("is no address"),
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                Some("holds a user or a password, which no policy may")
            }
            Some(url) if url.query().is_some() || url.fragment().is_some() => {
                Some("has a query or a fragment")
            }
            Some(url) if http::keeps_secrets(url) => None,
            Some(_) => Some("is not encrypted on its way"),
        };
        if let Some(wrong) = wrong {
            // What is wrong with it may be a password.
            let host = url.as_ref().and_then(Url::host_str).unwrap_or("the value");
            let help = "write an address such as `https://vault.example.com`";
            self.wrong(key, format!("`{host}` {wrong}"), help);
        }
        text.trim_end_matches('/').to_owned()
    }

    /// A path of names on a server, without slashes at its ends.
    fn segments(&mut self, key: &str, path: &str) -> Option<String> {
        let bare = path.trim_matches('/');
        let fits = |part: &str| {
            !part.is_empty()
                && !matches!(part, "." | "..")
                && !part.contains(|c: char| c.is_control() || matches!(c, '?' | '#' | '%' | '\\'))
        };
        if bare.split('/').all(fits) {
            return Some(bare.to_owned());
        }
        let help = "write names with single `/` between, such as `secret/hub`";
        self.wrong(key, format!("`{}` is no path of names", line(path)), help);
        None
    }
}

#[cfg(test)]
mod tests;
