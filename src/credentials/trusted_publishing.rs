//! The Hub's trusted publishing: the CI's identity is exchanged for a token that lives an hour and
//! can write one repository (RFC 8693, as the Hub's own client does it). Nothing is stored
//! anywhere, and while the token is in use a fresh one takes its place before it ends.
//! <https://huggingface.co/docs/hub/trusted-publishers>

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Claims, CredentialError, HubToken, IdToken, Job, Log, Masked, answer};
use crate::http::{Again, Client, blotted, trusted};
use crate::hub::{InUse, Token};
use crate::markdown;

/// Longest answer that is read.
const LIMIT: usize = 64 * 1024;
/// Most characters of a server's words.
const SHOWN: usize = 200;
/// The shortest piece of the job's identity that tells something of it.
const PIECE: usize = 8;
/// A token is renewed this long before its end, or after three quarters of a shorter life.
const MARGIN: Duration = Duration::from_mins(5);
/// What a token lives where the answer does not say, and the longest that is believed.
const LIFE: Duration = Duration::from_hours(1);
const LONGEST: Duration = Duration::from_hours(24);
/// No server has a token renewed more often, whatever life it gives.
const LEAST: Duration = Duration::from_mins(1);

/// The claims that tell which job this is, GitHub's and GitLab's: the Hub compares some of them,
/// each exactly.
const COMPARED: [&str; 13] = [
    "iss",
    "aud",
    "sub",
    "repository",
    "workflow",
    "workflow_ref",
    "ref",
    "environment",
    "event_name",
    "project_path",
    "ref_type",
    "ci_config_ref_uri",
    "exp",
];

/// Where identities are exchanged, and for what.
#[derive(Clone)]
pub(super) struct Exchange {
    client: Client,
    endpoint: Arc<str>,
    job: Job,
    log: Log,
    least: Duration,
}

impl Exchange {
    /// At the Hub of an address without a slash at its end. `client` is discreet.
    pub(super) fn new(client: Client, endpoint: &str, job: Job, log: Log) -> Self {
        Self { client, endpoint: endpoint.into(), job, log, least: LEAST }
    }

    /// The same, with another least time between two renewals.
    pub(super) fn renewing_after(self, least: Duration) -> Self {
        Self { least, ..self }
    }

    /// The token for a repository, which is renewed as long as somebody has it.
    pub(super) async fn fetch(&self, resource: &str) -> Result<HubToken, CredentialError> {
        let Fresh { token, life } = self.exchange(resource).await?;
        let token = Token::only_for(resource, token.secret().clone());
        tokio::spawn(self.clone().renew(resource.to_owned(), token.in_use(), life));
        Ok(HubToken { token, source: "trusted-publishing", is_avoidable: false })
    }

    /// That this job cannot say who it is, where it cannot.
    pub(super) fn absent(&self) -> Option<CredentialError> {
        (!self.job.ids.are_there()).then(|| self.job.ids.absent(&self.endpoint))
    }

    async fn renew(self, resource: String, in_use: InUse, mut life: Duration) {
        let mut wait = before_the_end(life);
        loop {
            tokio::time::sleep(wait.max(self.least)).await;
            if !in_use.is() {
                return;
            }
            match self.exchange(&resource).await {
                Ok(fresh) => {
                    if !in_use.replace(fresh.token.secret().clone()) {
                        return;
                    }
                    (self.log)(&format!("· the Hub token for {resource} was renewed"));
                    life = fresh.life;
                    wait = before_the_end(life);
                }
                // The Hub refuses the old one by itself when it has ended.
                Err(error) => {
                    (self.log)(&format!("· the Hub token for {resource} was not renewed: {error}"));
                    wait = (life / 20).min(MARGIN / 2);
                }
            }
        }
    }

    async fn exchange(&self, resource: &str) -> Result<Fresh, CredentialError> {
        trusted(&self.endpoint).map_err(|why| {
            CredentialError::refused(
                format!("{} is no address for this job's identity: {why}", self.endpoint),
                "give the Hub's https address in HF_ENDPOINT (input `hf-endpoint`)",
            )
        })?;
        let identity = self.job.ids.require(&self.endpoint).await?;
        let body = Request {
            grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
            subject_token: identity.token.expose(),
            resource,
        };
        let url = format!("{}/oauth/token", self.endpoint);
        let build = |client: &reqwest::Client| client.post(&url).json(&body);
        let doing = || CredentialError::doing("exchange this job's identity for a Hub token");
        let reply = self.client.reply(Again::Safe, LIMIT, build).await.map_err(doing())?;
        let status = reply.status;
        if !status.is_success() {
            let said = answer(reply).unwrap_or_default();
            return Err(self.refused(resource, &identity, status.as_u16(), &said));
        }
        let granted: Granted = answer(reply).map_err(doing())?;
        let token = self.job.masker.secret(granted.access_token.as_str())?;
        let token = token.ok_or_else(|| CredentialError::Refused {
            what: format!("{url} gave an empty token"),
            fix: "run it again; if it says the same, look at what answers there".into(),
        })?;
        Ok(Fresh { token, life: lives(granted.expires_in.as_ref()) })
    }

    fn refused(
        &self,
        resource: &str,
        identity: &IdToken,
        status: u16,
        said: &Refusal,
    ) -> CredentialError {
        let why = said.shown(identity);
        let claims = told(&identity.claims);
        CredentialError::Refused {
            what: format!(
                "{} takes this job for no trusted publisher of {resource}: it answered {status}{why}\n\
                 What the job's identity says, which has to match exactly:\n{claims}",
                self.endpoint
            ),
            fix: settings(&self.endpoint, resource, &identity.claims),
        }
    }
}

/// A token as it comes.
struct Fresh {
    token: Masked,
    life: Duration,
}

#[derive(Serialize)]
struct Request<'a> {
    grant_type: &'static str,
    subject_token_type: &'static str,
    subject_token: &'a str,
    resource: &'a str,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Zeroizing<String>,
    /// Seconds, if the server keeps to the standard.
    expires_in: Option<Value>,
}

/// How long a token lives, of what an answer says. What is no number of seconds says nothing; a life
/// that is over, or has no end, is the shortest or the longest there is.
fn lives(said: Option<&Value>) -> Duration {
    let seconds = match said {
        Some(Value::Number(seconds)) => seconds.as_f64(),
        Some(Value::String(seconds)) => seconds.trim().parse().ok(),
        _ => None,
    };
    let longest = LONGEST.as_secs_f64();
    seconds
        .filter(|seconds| !seconds.is_nan())
        .map_or(LIFE, |seconds| Duration::from_secs_f64(seconds.clamp(0.0, longest)))
}

/// When a token of this life is renewed, from its beginning.
fn before_the_end(life: Duration) -> Duration {
    life.saturating_sub(MARGIN).max(life.mul_f64(0.75))
}

/// What is read of a refusal (RFC 6749, 5.2).
#[derive(Default, Deserialize)]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
}

impl Refusal {
    /// Its two fields, as far as they are shown, unless something of the token stands in them.
    fn shown(&self, identity: &IdToken) -> String {
        let token = identity.token.expose();
        let fields = [&self.error, &self.error_description].into_iter().flatten();
        let cut = fields.map(|text| text.chars().take(SHOWN).collect::<String>());
        let harmless = cut.filter(|text| !text.is_empty() && !tells(text, token));
        harmless.map(|text| format!(", {}", markdown::line(&text))).collect()
    }
}

/// Whether a text holds a piece of a token, or the whole of it in another form.
fn tells(text: &str, token: &str) -> bool {
    let piece = |piece: &[u8]| memchr::memmem::find(token.as_bytes(), piece).is_some();
    text.as_bytes().windows(PIECE).any(piece)
        || token.split('.').any(|part| part.len() > 3 && text.contains(part))
        || matches!(blotted(text), Cow::Owned(_))
}

/// The claims that tell which job this is, a line each.
fn told(claims: &Claims) -> String {
    let lines = COMPARED.into_iter().filter_map(|name| {
        let value = if name == "aud" {
            let audiences = claims.audiences();
            Some(audiences.first().map(|one| markdown::line(one)).unwrap_or_default())
        } else {
            claims.shown(name)
        };
        value.map(|value| format!("  {name}: {value}"))
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() { "  nothing that can be read".into() } else { lines.join("\n") }
}

/// What to enter at the Hub for this job.
fn settings(endpoint: &str, resource: &str, claims: &Claims) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("  {name}: {value}")));
    };
    if let Some(repository) = claims.shown("repository") {
        line("provider", Some("GitHub Actions".into()));
        line("repository", Some(repository));
        // acme/churn/.github/workflows/release.yml@refs/tags/v1.0.0
        let file = claims
            .shown("workflow_ref")
            .and_then(|path| Some(path.split('@').next()?.rsplit('/').next()?.to_owned()));
        line("workflow", file.or_else(|| claims.shown("workflow")));
    } else {
        line("issuer", claims.shown("iss"));
        line("project_path", claims.shown("project_path"));
        line("sub", claims.shown("sub").filter(|_| claims.shown("project_path").is_none()));
    }
    let reference = claims.shown("ref").unwrap_or_default();
    let is_tag =
        reference.starts_with("refs/tags/") || claims.shown("ref_type").as_deref() == Some("tag");
    let branch = if is_tag {
        "leave it empty: a tag is on none, and its name is another each time".to_owned()
    } else {
        reference.trim_start_matches("refs/heads/").to_owned()
    };
    line("branch", Some(branch));
    format!(
        "make the repository if it is not there (no such token can), open {endpoint}/{resource}/settings, \
         and under Trusted Publishers add one with exactly this, not read-only:\n{}",
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_piece_of_the_identity_is_repeated() {
        let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjcifQ";
        let payload = "eyJzdWIiOiJyZXBvOmFjbWUvY2h1cm4ifQ";
        let signature = "c2lnbmF0dXJlIG9mIHRoZSBqb2I";
        let token = format!("{header}.{payload}.{signature}");
        let tells = |text: &str| tells(text, &token);
        for text in [
            token.as_str(),
            payload,
            &format!("no publisher for {}…", &payload[3..11]),
            &format!("signature ends in {}", &signature[signature.len() - 8..]),
            &format!("<{}>", &token[header.len() - 3..header.len() + 5]),
        ] {
            assert!(tells(text), "{text}");
        }
        for text in ["invalid_grant", "no trusted publisher matches", "RS256, kid 7", "eyJzdWI", ""]
        {
            assert!(!tells(text), "{text}");
        }
    }

    #[test]
    fn a_life_is_believed_within_bounds() {
        for (said, seconds) in [
            (Value::Null, 3600),
            (json!(3600), 3600),
            (json!(3600.5), 3600),
            (json!("600"), 600),
            (json!(0), 0),
            (json!(-1), 0),
            (json!(i64::MIN), 0),
            (json!(-1e300), 0),
            (json!(u64::MAX), 86400),
            (json!(1e300), 86400),
            (json!("inf"), 86400),
            (json!("NaN"), 3600),
            (json!("soon"), 3600),
            (json!([1]), 3600),
        ] {
            assert_eq!(lives(Some(&said)).as_secs(), seconds, "{said}");
        }
        assert_eq!(lives(None), LIFE);
    }

    #[test]
    fn a_token_is_renewed_before_its_end() {
        for (life, renewed) in [(3600, 3300), (86400, 86100), (600, 450), (4, 3), (0, 0)] {
            let life = Duration::from_secs(life);
            assert_eq!(before_the_end(life), Duration::from_secs(renewed), "{life:?}");
        }
    }
}
