//! GitHub's issuer of identity tokens: what a job that may have one finds there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wiremock::matchers::{bearer_token, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// What the job asks with.
pub(crate) const REQUEST_TOKEN: &str = "runner-request-token-0123456789";

/// An issuer that says the same of every job.
pub(crate) struct Issuer(MockServer);

impl Issuer {
    /// One that says this.
    pub(crate) async fn of(claims: Value) -> Self {
        let server = MockServer::start().await;
        let asked = Mock::given(method("GET")).and(path("/id")).and(bearer_token(REQUEST_TOKEN));
        asked.respond_with(Says(claims)).mount(&server).await;
        Self(server)
    }

    /// What the runner puts into the job's environment.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        let url = format!("{}/id?api-version=2.0", self.0.uri());
        [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
        ]
    }

    /// How often it was asked.
    pub(crate) async fn asked(&self) -> usize {
        self.0.received_requests().await.map_or(0, |requests| requests.len())
    }
}

struct Says(Value);

impl Respond for Says {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let audience = request.url.query_pairs().find(|(name, _)| name == "audience");
        let mut claims = self.0.clone();
        claims["aud"] = json!(audience.expect("an audience").1);
        ResponseTemplate::new(200).set_body_json(json!({ "value": jwt(claims) }))
    }
}

/// A token that lives five minutes and says this, with a signature that is none.
pub(crate) fn jwt(mut claims: Value) -> String {
    claims["exp"] = json!(jiff::Timestamp::now().as_second() + 300);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({"alg": "RS256", "typ": "JWT"});
    format!("{}.{}.bm8tc2lnbmF0dXJl", part(&head), part(&claims))
}

/// What GitHub says of a job that was started by a tag.
pub(crate) fn on_tag() -> Value {
    json!({
        "iss": "https://token.actions.githubusercontent.com",
        "sub": "repo:acme/churn-training:environment:production",
        "repository": "acme/churn-training",
        "ref": "refs/tags/v1.0.0",
        "ref_type": "tag",
        "workflow": "Release",
        "workflow_ref": "acme/churn-training/.github/workflows/release.yml@refs/tags/v1.0.0",
        "environment": "production",
    })
}
