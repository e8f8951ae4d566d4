//! What a vault says to who comes without a token.
//! <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::credentials::CredentialError;

/// `Bearer authorization="https://login…/TENANT", resource="https://vault.azure.net"`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// What a token has to be for.
    resource: String,
    /// The tenant that the vault belongs to.
    tenant: Option<String>,
}

impl Challenge {
    /// The challenge in an answer's headers. Both names of both fields are in use.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get("www-authenticate")?.to_str().ok()?;
        let (scheme, fields) = header.trim().split_once(' ')?;
        let field = |name: &str| {
            let mut fields = fields.split(',').filter_map(|field| field.split_once('='));
            let value = fields.find(|(key, _)| key.trim() == name)?.1;
            Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty())
        };
        let authority = field("authorization").or_else(|| field("authorization_uri"))?;
        let tenant = Url::parse(authority).ok()?.path_segments()?.next().map(str::to_owned);
        let resource = field("resource").or_else(|| field("scope")?.strip_suffix("/.default"))?;
        let bearer = scheme.eq_ignore_ascii_case("bearer");
        bearer.then(|| Self {
            resource: resource.trim_end_matches('/').to_owned(),
            tenant: tenant.filter(|id| is_id(id)),
        })
    }

    /// Refuses a vault whose tokens would be good somewhere else: whatever answers in its place
    /// could use them there. <https://aka.ms/azsdk/blog/vault-uri>
    pub(super) fn check(&self, domain: &str) -> Result<(), CredentialError> {
        if self.resource == format!("https://{domain}") {
            return Ok(());
        }
        Err(CredentialError::refused(
            format!(
                "what answers in the vault's place wants a token for something else than https://{domain}: it gets none"
            ),
            "check `vault:`, and what answers there: a proxy (HTTPS_PROXY)?",
        ))
    }

    /// Why the vault does not take the token that the policy's tenant gave.
    pub(super) fn refused(&self, tenant: &str) -> CredentialError {
        let what = "Azure Key Vault does not take the access token";
        match &self.tenant {
            Some(own) if !own.eq_ignore_ascii_case(tenant) && is_id(tenant) => {
                CredentialError::refused(
                    format!(
                        "{what}: the vault belongs to the tenant {own}, the policy names another"
                    ),
                    format!("set `tenant: {own}`, and register the application there"),
                )
            }
            _ => {
                CredentialError::refused(what, "check the clock of this machine, and run it again")
            }
        }
    }
}

/// A tenant's id: a GUID.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    fn challenge(header: &str) -> Option<Challenge> {
        let value = header.parse().expect("a header");
        Challenge::of(&HeaderMap::from_iter([(reqwest::header::WWW_AUTHENTICATE, value)]))
    }

    #[test]
    fn every_spelling_is_read() {
        for (header, resource, tenant) in [
            (
                r#"Bearer authorization="https://login.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47", resource="https://vault.azure.net""#,
                "https://vault.azure.net",
                Some(TENANT),
            ),
            (
                "bearer authorization_uri=https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/oauth2, scope=https://vault.azure.net/.default",
                "https://vault.azure.net",
                Some(TENANT),
            ),
            (
                r#"Bearer authorization="https://login.windows.net/common", resource="https://evil.example""#,
                "https://evil.example",
                None,
            ),
        ] {
            let expected =
                Challenge { resource: resource.into(), tenant: tenant.map(str::to_owned) };
            assert_eq!(challenge(header), Some(expected), "{header}");
        }
        for header in [
            "",
            "Bearer",
            "Bearer a",
            "Basic realm=\"x\"",
            "Bearer resource=\"https://vault.azure.net\"",
            "Bearer authorization=\"x\", resource=\"y\"",
        ] {
            assert_eq!(challenge(header), None, "{header}");
        }
    }

    /// As the official library, which wants the resource to be a domain above the vault's; but no
    /// other domain above it will do.
    #[test]
    fn a_token_is_good_for_vaults_alone() {
        let of = |resource: &str| Challenge { resource: resource.into(), tenant: None };
        assert!(of("https://vault.azure.net").check("vault.azure.net").is_ok());
        for other in [
            "https://azure.net",
            "https://management.azure.com",
            "https://vault.azure.net.evil.example",
            "http://vault.azure.net",
            "https://vault.azure.cn",
            "",
        ] {
            assert!(of(other).check("vault.azure.net").is_err(), "{other}");
        }
    }
}
