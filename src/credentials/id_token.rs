//! The CI's word on who this job is: an OpenID Connect identity token for one audience.

use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::claims::Claims;
use super::{CredentialError, Masked, Masker, answer};
use crate::context::{Ci, ID_TOKEN_VARIABLES, IdTokenRequest, Oidc};
use crate::http::{Again, Client, unread};
use crate::markdown;

/// Longest answer that is read.
const LIMIT: usize = 64 * 1024;

/// Gives identity tokens of this job.
#[derive(Clone)]
pub struct IdTokens {
    client: Client,
    masker: Masker,
    oidc: Oidc,
    ci: Ci,
}

/// An identity token.
#[derive(Debug, Clone)]
pub struct IdToken {
    /// The token, for the server that it is meant for alone.
    pub token: Masked,
    /// What it says.
    pub claims: Claims,
}

impl IdTokens {
    /// Of what the CI has laid down. `client` is discreet.
    pub fn new(client: Client, oidc: Oidc, ci: Ci, masker: Masker) -> Self {
        Self { client, masker, oidc, ci }
    }

    /// Whether this job has any: what it takes, not whether it would be believed.
    pub fn are_there(&self) -> bool {
        self.oidc.request.is_some() || !self.oidc.given.is_empty()
    }

    /// The token for an audience; `None` where the CI gives this job none at all.
    ///
    /// One that lies in a variable is taken when it is meant for the audience; GitHub is asked for
    /// one anew.
    pub async fn ask(&self, audience: &str) -> Result<Option<IdToken>, CredentialError> {
        let mut others = Vec::new();
        for (variable, token) in &self.oidc.given {
            let token = self.masker.known(token.clone())?;
            let claims = Claims::of(token.secret());
            if claims.audiences().contains(&audience) {
                return Ok(Some(IdToken { token, claims }));
            }
            let meant: Vec<_> =
                claims.audiences().iter().take(5).map(|one| markdown::line(one)).collect();
            others.push((
                variable,
                if meant.is_empty() { "nobody".into() } else { meant.join(", ") },
            ));
        }
        if let Some(request) = &self.oidc.request {
            return self.request(request, audience).await.map(Some);
        }
        let Some((variable, _)) = others.first() else { return Ok(None) };
        let meant = others.iter().map(|(name, meant)| format!("{name} is meant for {meant}"));
        Err(CredentialError::Refused {
            what: format!(
                "no identity token is meant for {audience}: {}",
                meant.collect::<Vec<_>>().join("; ")
            ),
            fix: in_gitlab(variable, audience),
        })
    }

    /// The token for an audience, or that the job has none and how it would.
    pub async fn require(&self, audience: &str) -> Result<IdToken, CredentialError> {
        self.ask(audience).await?.ok_or_else(|| self.absent(audience))
    }

    /// That the job has no token for an audience, and how it would.
    pub(super) fn absent(&self, audience: &str) -> CredentialError {
        CredentialError::Absent {
            why: "the CI gives this job no identity token".into(),
            fix: match self.ci {
                Ci::GitHub => GITHUB.into(),
                Ci::GitLab => in_gitlab(ID_TOKEN_VARIABLES[0], audience),
                Ci::Jenkins | Ci::Shell => format!(
                    "run it in GitHub Actions or GitLab CI, or put an identity token for {audience} into {}",
                    ID_TOKEN_VARIABLES[0]
                ),
            },
        }
    }

    async fn request(
        &self,
        request: &IdTokenRequest,
        audience: &str,
    ) -> Result<IdToken, CredentialError> {
        let bearer = self.masker.known(request.token.clone())?;
        let refused = |what: String| CredentialError::Refused {
            what,
            fix: "run the job again; if it says the same, look at https://www.githubstatus.com"
                .into(),
        };
        let url = Url::parse(&request.url).map_err(|_| "it is none");
        let url = url.and_then(|url| unread(&url).map(|()| url));
        let mut url = url.map_err(|why| CredentialError::Refused {
            what: format!("ACTIONS_ID_TOKEN_REQUEST_URL is no address for secrets: {why}"),
            fix: "leave the variable as the runner sets it".into(),
        })?;
        url.query_pairs_mut().append_pair("audience", audience);
        let build = |client: &reqwest::Client| client.get(url.clone()).bearer_auth(bearer.expose());
        let doing = || CredentialError::doing("ask GitHub for this job's identity token");
        let reply = self.client.whole(Again::Safe, LIMIT, build).await.map_err(doing())?;
        let Answer { value } = answer(reply).map_err(doing())?;
        let token = self.masker.secret(value.as_str())?;
        let token = token.ok_or_else(|| refused("GitHub gave an empty identity token".into()))?;
        Ok(IdToken { claims: Claims::of(token.secret()), token })
    }
}

/// What a job on GitHub needs.
const GITHUB: &str =
    "give the job leave to prove who it is:\n\npermissions:\n  contents: read\n  id-token: write";

/// What a job on GitLab needs.
fn in_gitlab(variable: &str, audience: &str) -> String {
    format!("let the CI make one in the job:\n\nid_tokens:\n  {variable}:\n    aud: {audience}")
}

#[derive(Deserialize)]
struct Answer {
    value: Zeroizing<String>,
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::context::Environment;
    use crate::failure::Advise as _;
    use crate::http::ClientOptions;

    fn ids(ci: Ci, variables: &[(&str, String)]) -> IdTokens {
        let env: Environment =
            variables.iter().map(|(name, value)| (*name, value.clone())).collect();
        let client = Client::new(ClientOptions::default()).expect("a client");
        IdTokens::new(client, Oidc::read(&env), ci, Masker::new(|_| Ok(())))
    }

    fn jwt(audiences: &str) -> String {
        let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"aud": {audiences}, "sub": "me"}}"#));
        format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2lnbmF0dXJl")
    }

    #[tokio::test]
    async fn a_token_in_a_variable_is_taken_when_it_is_meant_for_the_audience() {
        let ids = ids(
            Ci::GitLab,
            &[
                ("HF_OIDC_ID_TOKEN", jwt(r#""https://huggingface.co""#)),
                ("WEIGHBRIDGE_ID_TOKEN", jwt(r#"["https://vault.acme.com", "sts.amazonaws.com"]"#)),
            ],
        );
        for (audience, audiences) in [("https://huggingface.co", 1), ("sts.amazonaws.com", 2)] {
            let token = ids.ask(audience).await.expect("meant for it").expect("there");
            assert_eq!(token.claims.audiences().len(), audiences);
            assert_eq!(token.claims.shown("sub").as_deref(), Some("me"));
        }
        let error = ids.ask("https://other").await.expect_err("meant for others");
        let said = error.to_string();
        assert!(
            said.contains("WEIGHBRIDGE_ID_TOKEN is meant for https://vault.acme.com"),
            "{said}"
        );
        assert!(!said.contains("eyJ"), "{said}");
        let fix = error.fix().expect("a fix");
        assert!(fix.contains("id_tokens:\n  HF_OIDC_ID_TOKEN:\n    aud: https://other"), "{fix}");
    }

    #[tokio::test]
    async fn nobody_listens_when_github_is_asked() {
        for (url, why) in [
            ("http://192.0.2.7/id?api-version=2.0", "secrets do not go over plain http"),
            ("nowhere", "it is none"),
        ] {
            let variables = [
                ("ACTIONS_ID_TOKEN_REQUEST_URL", url.to_owned()),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-of-a-runner".to_owned()),
            ];
            let error = ids(Ci::GitHub, &variables).ask("x").await.expect_err(url).to_string();
            assert!(error.contains(why) && !error.contains("canary"), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_no_token_is_meant_for_nobody() {
        for text in ["a", "a.b.c", "..", "eyJ.\u{fc}.x"] {
            let ids = ids(Ci::GitLab, &[("HF_ID_TOKEN", text.to_owned())]);
            let error = ids.ask("https://huggingface.co").await.expect_err(text).to_string();
            assert!(error.contains("HF_ID_TOKEN is meant for nobody"), "{error}");
        }
        assert!(ids(Ci::GitLab, &[]).ask("x").await.expect("no failure").is_none());
    }
}
