//! What a CI lays down for jobs that want to prove who they are (OpenID Connect).

use super::Environment;
use crate::http::Secret;

/// Variables with an identity token in them, made by the CI before the job: GitLab's `id_tokens:`.
/// The first is the one that the Hub's own client reads, the second the one of the Hub's own
/// example, the third for whomever else.
pub const ID_TOKEN_VARIABLES: [&str; 3] =
    ["HF_OIDC_ID_TOKEN", "HF_ID_TOKEN", "WEIGHBRIDGE_ID_TOKEN"];

/// Where identity tokens of this job come from; nothing of it where the job may have none.
#[derive(Debug, Clone, Default)]
pub struct Oidc {
    /// GitHub makes one for any audience on request.
    pub request: Option<IdTokenRequest>,
    /// Those that are there already, by the variable they stand in.
    pub given: Vec<(&'static str, Secret)>,
}

/// How GitHub is asked for an identity token.
/// <https://docs.github.com/actions/reference/security/oidc>
#[derive(Debug, Clone)]
pub struct IdTokenRequest {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
    pub url: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub token: Secret,
}

impl Oidc {
    /// Reads what is there.
    pub fn read(env: &Environment) -> Self {
        let secret = |name| env.get(name).and_then(Secret::new);
        let request = env.get("ACTIONS_ID_TOKEN_REQUEST_URL").and_then(|url| {
            let token = secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?;
            Some(IdTokenRequest { url: url.to_owned(), token })
        });
        let given = ID_TOKEN_VARIABLES.into_iter();
        Self { request, given: given.filter_map(|name| Some((name, secret(name)?))).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_asked_for_with_address_and_token_or_lies_in_a_variable() {
        let read = |pairs: &[(&str, &str)]| Oidc::read(&pairs.iter().copied().collect());
        assert!(read(&[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x")]).request.is_none());
        let both = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x?a=1"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
        ];
        assert_eq!(read(&both).request.expect("both").url, "https://x?a=1");
        let given = read(&[("WEIGHBRIDGE_ID_TOKEN", "a.b.c"), ("HF_OIDC_ID_TOKEN", "")]).given;
        assert_eq!(
            given.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["WEIGHBRIDGE_ID_TOKEN"]
        );
    }
}
