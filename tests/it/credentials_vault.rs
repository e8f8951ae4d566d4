//! A token from Vault: OpenBao's real server lets in whom its roles are bound to, and tells the
//! others why not; nothing that was sent or stored comes into an error.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::bao::Bao;
use crate::support::hostile::{Hostile, withstand};
use crate::support::identities::{ISSUER, Issuer};
use crate::support::stores::{Job, assert_silent};

const STORED: &str = concat!("hf", "_StoredInAVaultAndNowhereElseAtAll");

/// A server whose role `release` is bound to the tags of one repository, and may read two secrets.
async fn vault(test: &str, issuer: &Issuer) -> Option<Bao> {
    let bao = Bao::start(test).await?;
    let policy = "path \"secret/data/ml/*\" { capabilities = [\"read\"] }\n\
                  path \"old/ml/*\" { capabilities = [\"read\"] }\n\
                  path \"secret/ml/*\" { capabilities = [\"read\"] }\n\
                  path \"teams/ml/kv/data/hub\" { capabilities = [\"read\"] }";
    for (method, path, body) in [
        (Method::PUT, "sys/policies/acl/hub", json!({"policy": policy})),
        (Method::POST, "sys/auth/jwt", json!({"type": "jwt"})),
        (
            Method::POST,
            "auth/jwt/config",
            json!({"jwt_validation_pubkeys": [issuer.public_key()], "bound_issuer": ISSUER}),
        ),
        (
            Method::POST,
            "auth/jwt/role/release",
            json!({
                "role_type": "jwt",
                "user_claim": "repository",
                "bound_audiences": ["https://vault.acme.example"],
                "bound_claims_type": "glob",
                "bound_claims": {"ref": "refs/tags/v*", "repository": "acme/churn"},
                "token_policies": ["hub"],
                "token_ttl": "10m",
            }),
        ),
        (Method::POST, "secret/data/ml/hub", json!({"data": {"hf_token": STORED, "note": 1}})),
        (Method::POST, "secret/data/ml/gone", json!({"data": {"hf_token": STORED}})),
        (Method::DELETE, "secret/data/ml/gone", json!({})),
        (Method::POST, "secret/data/ml/lost", json!({"data": {"hf_token": STORED}})),
        (Method::PUT, "secret/destroy/ml/lost", json!({"versions": [1]})),
        (
            Method::POST,
            "sys/mounts/teams/ml/kv",
            json!({"type": "kv", "options": {"version": "2"}}),
        ),
        (Method::POST, "teams/ml/kv/data/hub", json!({"data": {"hf_token": STORED}})),
        (Method::POST, "sys/mounts/old", json!({"type": "kv", "options": {"version": "1"}})),
        (Method::POST, "old/ml/hub", json!({"hf_token": STORED})),
    ] {
        bao.root(method, None, path, body).await;
    }
    Some(bao)
}

/// The policy's entry, for a login and whatever else.
fn source(url: &str, login: &str, rest: &str) -> String {
    format!("vault: {{address: \"{url}\", login: {login}, key: hf_token, {rest}}}")
}

const JWT: &str = "{jwt: {role: release, audience: https://vault.acme.example}}";

/// How many tokens are alive beside root's.
async fn logins(bao: &Bao) -> usize {
    let method = Method::from_bytes(b"LIST").expect("a method");
    let listed = bao.root(method, None, "auth/token/accessors", json!({})).await;
    listed["data"]["keys"].as_array().map_or(0, Vec::len) - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_enters_and_a_branch_is_refused() {
    let issuer = Issuer::new();
    let Some(bao) = vault("credentials_vault::a_tag_enters", &issuer).await else { return };
    let source = source(&bao.url, JWT, "secret: secret/ml/hub");
    let enter = async |token: &str| Job::new(&source).with_token(token).fetch().await;
    let elsewhere = source.replace("vault.acme.example", "other.example");

    let got = enter(&issuer.token(json!({}))).await;
    assert_eq!(got.as_deref(), Ok(STORED));
    assert_eq!(logins(&bao).await, 0, "the login was ended");

    let stranger = Issuer::new();
    for (token, said) in [
        (
            issuer.token(json!({"ref": "refs/heads/main"})),
            &["its `ref` is none", "refs/heads/main", "bound_claims"][..],
        ),
        (
            issuer.token(json!({"repository": "mallory/churn"})),
            &["its `repository` is none", "mallory/churn"],
        ),
        (
            issuer.token(json!({"aud": "https://other.example"})),
            &["another audience", "bound_audiences"],
        ),
        (
            issuer.token(json!({"iss": "https://other.example"})),
            &["another issuer", "bound_issuer"],
        ),
        (issuer.token(json!({"iat": 1, "nbf": 1, "exp": 2})), &["is over"]),
        (
            stranger.token(json!({})),
            &["signed with a key that Vault does not know", "oidc_discovery_url"],
        ),
    ] {
        // An identity is sent only to whom it is meant for.
        let source = if said[0] == "another audience" { &elsewhere } else { &source };
        let got = Job::new(source).with_token(&token).fetch().await;
        let error = got.expect_err("refused");
        for words in said {
            assert!(error.contains(words), "{words}: {error}");
        }
        assert_silent(&error, &[&token]);
    }
    assert_eq!(logins(&bao).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_engine_and_every_refusal_of_reading() {
    let issuer = Issuer::new();
    let Some(bao) = vault("credentials_vault::every_engine", &issuer).await else { return };
    let token = issuer.token(json!({}));
    for (rest, expected) in [
        ("secret: secret/ml/hub", Ok(STORED)),
        ("secret: secret/ml/hub, kv: 2", Ok(STORED)),
        ("secret: old/ml/hub, kv: 1", Ok(STORED)),
        ("secret: secret/ml/none", Err("there is none")),
        ("secret: hub, mount: teams/ml/kv", Ok(STORED)),
        ("secret: secret/ml/gone", Err("its newest version is deleted")),
        ("secret: secret/ml/lost", Err("its newest version is destroyed")),
        ("secret: secret/data/ml/hub", Err("leave `data/` out of `secret:`")),
        ("secret: secret/ml/hub, kv: 1", Err("set `kv: 2`")),
        (
            "secret: old/ml/hub, kv: 2",
            Err("path \"old/data/ml/hub\" { capabilities = [\"read\"] }"),
        ),
        ("secret: secret/others", Err("path \"secret/data/others\" { capabilities = [\"read\"] }")),
        ("secret: nowhere/hub", Err("permission denied")),
        ("secret: secret/ml/hub, namespace: nobodys", Err("no such namespace")),
    ] {
        let got = Job::new(&source(&bao.url, JWT, rest)).with_token(&token).fetch().await;
        match (&got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{rest}"),
            (Err(error), Err(words)) => {
                assert!(error.contains(words), "{rest}: {error}");
                assert_silent(error, &[&token, STORED]);
            }
            _ => panic!("{rest}: {got:?}"),
        }
    }
    for (key, words) in
        [("other", "has no field `other`"), ("note", "holds no text in its field `note`")]
    {
        let source = source(&bao.url, JWT, "secret: secret/ml/hub").replace("hf_token", key);
        let error = Job::new(&source).with_token(&token).fetch().await.expect_err("no token");
        assert!(error.contains(words), "{error}");
        assert_silent(&error, &[&token, STORED]);
    }
    assert_eq!(logins(&bao).await, 0, "logins are ended whatever came of reading");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_with_a_secret_and_tokens_of_ones_own() {
    let issuer = Issuer::new();
    let Some(bao) = vault("credentials_vault::roles_with_a_secret", &issuer).await else { return };
    let root = async |method, path: &str, body| bao.root(method, None, path, body).await;
    root(Method::POST, "sys/auth/approle", json!({"type": "approle"})).await;
    root(Method::POST, "auth/approle/role/release", json!({"token_policies": ["hub"]})).await;
    let role = root(Method::GET, "auth/approle/role/release/role-id", json!({})).await;
    let secret = root(Method::POST, "auth/approle/role/release/secret-id", json!({})).await;
    let text =
        |json: &Value, at: &str| json.pointer(at).and_then(Value::as_str).expect("text").to_owned();
    let (role, secret) = (text(&role, "/data/role_id"), text(&secret, "/data/secret_id"));

    let by_role = source(&bao.url, "{app-role: {}}", "secret: secret/ml/hub");
    let job = |secret: &str| {
        Job::new(&by_role).set("VAULT_ROLE_ID", &role).set("VAULT_SECRET_ID", secret)
    };
    assert_eq!(job(&secret).fetch().await.as_deref(), Ok(STORED));
    assert_eq!(logins(&bao).await, 0, "the login was ended");
    let wrong = "a-secret-id-that-vault-does-not-know";
    let error = job(wrong).fetch().await.expect_err("refused");
    assert!(error.contains("does not know this role id and secret id"), "{error}");
    assert_silent(&error, &[wrong]);
    let error = Job::new(&by_role).set("VAULT_ROLE_ID", &role).fetch().await.expect_err("nothing");
    assert!(error.contains("VAULT_SECRET_ID"), "{error}");

    let own = root(Method::POST, "auth/token/create", json!({"policies": ["hub"]})).await;
    let own = text(&own, "/auth/client_token");
    let by_token = source(&bao.url, "{token: {}}", "secret: secret/ml/hub");
    let job = |token: &str| Job::new(&by_token).set("VAULT_TOKEN", token);
    for _ in 0..2 {
        assert_eq!(job(&own).fetch().await.as_deref(), Ok(STORED), "it is not ours to end");
    }
    let wrong = "s.ATokenThatVaultDoesNotKnow";
    let error = job(wrong).fetch().await.expect_err("refused");
    assert!(error.contains("permission denied"), "{error}");
    assert_silent(&error, &[wrong]);
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_are_apart() {
    let issuer = Issuer::new();
    let Some(bao) = vault("credentials_vault::namespaces", &issuer).await else { return };
    bao.root(Method::POST, None, "sys/namespaces/team", json!({})).await;
    let team = Some("team");
    let mount = json!({"type": "kv", "options": {"version": "1"}});
    bao.root(Method::POST, team, "sys/mounts/secret", mount).await;
    bao.root(Method::POST, team, "secret/hub", json!({"hf_token": "hf_OfTheTeamAlone"})).await;
    let policy = json!({"policy": "path \"secret/hub\" { capabilities = [\"read\"] }"});
    bao.root(Method::PUT, team, "sys/policies/acl/hub", policy).await;
    let own = bao.root(Method::POST, team, "auth/token/create", json!({"policies": ["hub"]})).await;
    let own = own["auth"]["client_token"].as_str().expect("a token");
    let fetch = async |rest: &str| {
        let source = source(&bao.url, "{token: {}}", &format!("secret: secret/hub, kv: 1{rest}"));
        Job::new(&source).set("VAULT_TOKEN", own).fetch().await
    };
    assert_eq!(fetch(", namespace: team").await.as_deref(), Ok("hf_OfTheTeamAlone"));
    let error = fetch("").await.expect_err("another namespace");
    assert!(error.contains("permission denied") && error.contains("`namespace:`"), "{error}");
}

/// Servers that repeat what they were sent, that point elsewhere, that answer nonsense.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_sent_comes_back_or_goes_elsewhere() {
    let token = Issuer::new().token(json!({}));
    let of_any = |hostile| match hostile {
        Hostile::Redirects(_) => "secrets are not sent on",
        Hostile::Babbles | Hostile::Shrugs => "cannot be read",
        Hostile::Floods => "larger than",
        Hostile::Echoes(400) => "it answered 400",
        Hostile::Echoes(403) => "permission denied",
        Hostile::Echoes(_) => "there is none",
    };
    let log_in =
        |url: &str| Job::new(&source(url, JWT, "secret: secret/ml/hub")).with_token(&token);
    let said = |hostile| match hostile {
        Hostile::Echoes(_) => "refuses the login".to_owned(),
        _ => of_any(hostile).to_owned(),
    };
    withstand(&[&token], log_in, said).await;
    let own = "s.ATokenOfOnesOwnThatNobodyKnows";
    let read = |url: &str| {
        let source = source(url, "{token: {}}", "secret: secret/ml/hub");
        Job::new(&source).set("VAULT_TOKEN", own)
    };
    withstand(&[own], read, |hostile| of_any(hostile).to_owned()).await;
    let two_lines = Job::new(&source("http://127.0.0.1:9", "{token: {}}", "secret: secret/ml/hub"));
    let error = two_lines.set("VAULT_TOKEN", "one\nx-two: 2").fetch().await.expect_err("none");
    assert!(error.contains("VAULT_TOKEN holds characters"), "{error}");

    // A login that is said back as if it were the answer.
    let server = MockServer::start().await;
    let echo = |request: &Request| ResponseTemplate::new(200).set_body_bytes(request.body.clone());
    Mock::given(any()).respond_with(echo).mount(&server).await;
    let error = log_in(&server.uri()).fetch().await.expect_err("no token");
    assert!(error.contains("gives no token for this login"), "{error}");
    assert_silent(&error, &[&token]);
}

/// Nodes of a cluster that lag behind it, and one that never says goodbye.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_cluster_is_waited_for_and_a_silent_one_is_not() {
    let server = MockServer::start().await;
    let at = |place: &'static str, answer: ResponseTemplate| {
        Mock::given(path(place)).respond_with(answer)
    };
    let login = json!({"auth": {"client_token": "s.OfALoginThatIsFresh"}});
    let lags = json!({"errors": ["required index state not present"]});
    let held = json!({"data": {"data": {"hf_token": STORED}}});
    let says = |status: u16, body: Value| ResponseTemplate::new(status).set_body_json(body);
    let silent = ResponseTemplate::new(204).set_delay(Duration::from_mins(1));
    let secret = "/v1/secret/data/ml/hub";
    at("/v1/auth/jwt/login", says(200, login)).mount(&server).await;
    at(secret, says(412, lags)).up_to_n_times(2).mount(&server).await;
    at(secret, says(200, held)).mount(&server).await;
    at("/v1/auth/token/revoke-self", silent).mount(&server).await;
    let token = Issuer::new().token(json!({}));
    let begun = Instant::now();
    let got = Job::new(&source(&server.uri(), JWT, "secret: secret/ml/hub")).with_token(&token);
    assert_eq!(got.fetch().await.as_deref(), Ok(STORED));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
