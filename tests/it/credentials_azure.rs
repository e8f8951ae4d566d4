//! A token from Azure Key Vault. There is no server of it to run: the fake is first proven by the
//! official Python libraries, then our own client has to get along with it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use weighbridge::http::Secret;
use weighbridge::rehearsal::{TokenRole, TokenSpec};

use crate::support::azure::{
    ACCESS, AUDIENCE, Asked, Azure, CLIENT, STORED, SUBJECT, Step, TENANT, VAULT,
};
use crate::support::counterpart::need;
use crate::support::hostile::{HOSTILE, Hostile};
use crate::support::hub_server::HubServer;
use crate::support::stores::assert_silent;
use crate::support::workspace::{POLICY, Run, Workspace};

/// A token as the CI would sign it; nobody here looks at the signature.
fn token(subject: &str, audience: &str) -> String {
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({"iss": "https://token.actions.githubusercontent.com", "sub": subject, "aud": audience, "exp": 4_102_444_800_u64});
    format!("{}.{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims), "c2lnbmF0dXJl")
}

fn asked(host: &str, path: &str, with_token: bool) -> Asked {
    Asked { host: host.into(), path: path.into(), with_token }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_libraries_take_the_fake() {
    let test = "credentials_azure::the_official_libraries_take_the_fake";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/clients/azure_secret.py");
    let ask =
        async |azure: &Azure, vault: &str, tenant: &str, secret: &str, token: &str| -> Value {
            let run = tokio::process::Command::new(&python)
                .arg(&script)
                .args([vault, tenant, CLIENT, secret])
                .env("TOKEN", token)
                .env("HTTPS_PROXY", &azure.proxy)
                .env("REQUESTS_CA_BUNDLE", azure.authority())
                .env_remove("NO_PROXY")
                .env_remove("no_proxy")
                .output();
            let run = run.await.expect("python starts");
            let said = String::from_utf8_lossy(&run.stdout).into_owned();
            serde_json::from_str(&said)
                .unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&run.stderr)))
        };

    let azure = Azure::start().await;
    let good = token(SUBJECT, AUDIENCE);
    let got = ask(&azure, VAULT, TENANT, "hub-token", &good).await;
    assert_eq!(got, json!({"value": STORED}));
    let (vault, entra) = ("acme-models.vault.azure.net", "login.microsoftonline.com");
    assert_eq!(
        azure.asked(),
        [
            asked(vault, "/secrets/hub-token/", false),
            asked(entra, &format!("/{TENANT}/oauth2/v2.0/token"), false),
            asked(vault, "/secrets/hub-token/", true),
        ]
    );

    // Whoever reads a secret has to look at its time.
    let got = ask(&azure, VAULT, TENANT, "hub-over", &good).await;
    assert_eq!(got, json!({"value": STORED}));
    for (secret, token, error, status, words) in [
        ("nothing", &good, "ResourceNotFoundError", 404, "SecretNotFound"),
        ("hub-disabled", &good, "HttpResponseError", 403, "SecretDisabled"),
        ("hub-others", &good, "HttpResponseError", 403, "ForbiddenByRbac"),
        (
            "hub-token",
            &token("repo:acme/churn:ref:refs/heads/x", AUDIENCE),
            "ClientAuthenticationError",
            401,
            "AADSTS700213",
        ),
        ("hub-token", &token(SUBJECT, "other"), "ClientAuthenticationError", 401, "AADSTS700212"),
    ] {
        let got = ask(&azure, VAULT, TENANT, secret, token).await;
        assert_eq!(got["error"], error, "{got}");
        assert_eq!(got["status"], status, "{got}");
        assert!(got.to_string().contains(words), "{words}: {got}");
    }
    // What the library does about a vault that wants tokens for something else, ours has to do too.
    let impostor = Azure::impostor("https://management.azure.com").await;
    let got = ask(&impostor, VAULT, TENANT, "hub-token", &good).await;
    assert!(
        got["message"]
            .as_str()
            .is_some_and(|text| text.contains("does not match the requested domain")),
        "{got}"
    );
    assert!(impostor.asked().iter().all(|asked| asked.host == vault), "{:?}", impostor.asked());
}

/// The policy's entry for a secret of the vault.
fn policy(vault: &str, tenant: &str, secret: &str) -> String {
    format!(
        "{POLICY}credentials:\n  - azure-key-vault: {{vault: \"{vault}\", tenant: {tenant}, client: {CLIENT}, secret: {secret}}}\n"
    )
}

/// `release` with its token from the vault, in a tunnel to the fake.
fn release(azure: &Azure, hub: &str, policy: &str, token: &str) -> Run {
    let mut workspace = Workspace::healthy();
    workspace.write("weighbridge.yml", policy);
    workspace.version("v1.0.0");
    workspace
        .set("HF_ENDPOINT", hub)
        .set("WEIGHBRIDGE_ID_TOKEN", token)
        .set("HTTPS_PROXY", &azure.proxy)
        .set("SSL_CERT_FILE", azure.authority().to_str().expect("UTF-8"));
    tokio::task::block_in_place(|| workspace.run(&["release", "--tag", "v1.0.0"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_with_a_token_from_the_vault() {
    let azure = Azure::start().await;
    let server = HubServer::with(|options| {
        options.tokens.push(TokenSpec {
            token: Secret::new(STORED).expect("a token"),
            user: "ada".into(),
            name: "release".into(),
            role: TokenRole::Maker,
            orgs: vec!["acme".into()],
            created_at: jiff::Timestamp::now().to_string(),
        });
    })
    .await;
    let good = token(SUBJECT, AUDIENCE);
    let run = release(&azure, &server.hub.url(), &policy(VAULT, TENANT, "hub-token"), &good);
    let run = run.expect(0).says("is from: azure-key-vault");
    assert_silent(&run.all(), &[STORED, &good]);
    assert!(server.count("POST", "/commit/") > 0, "it was released with that token");
    let (vault, entra) = ("acme-models.vault.azure.net", "login.microsoftonline.com");
    assert_eq!(
        azure.asked(),
        [
            asked(vault, "/secrets/hub-token", false),
            asked(entra, &format!("/{TENANT}/oauth2/v2.0/token"), false),
            asked(vault, "/secrets/hub-token", true),
        ],
        "as the official libraries ask"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_fix_and_repeats_nothing() {
    let hub = "http://127.0.0.1:1";
    let good = token(SUBJECT, AUDIENCE);
    let other_tenant = TENANT.replace('0', "9");
    let stranger = token("repo:acme/churn:ref:refs/heads/x", AUDIENCE);
    let mallory = token("repo:acme/churn:ref:refs/heads/x';id;'", AUDIENCE);
    let azure = Azure::start().await;
    for (vault, tenant, secret, token, said) in [
        (
            VAULT,
            TENANT,
            "nothing",
            &good,
            &["there is none", "az keyvault secret list --vault-name acme-models"][..],
        ),
        (VAULT, TENANT, "hub-disabled", &good, &["disabled", "--enabled true"]),
        (VAULT, TENANT, "hub-others", &good, &["no role for it", "Key Vault Secrets User"]),
        (
            VAULT,
            TENANT,
            "hub-over",
            &good,
            &[
                "its time was over at 2020-01-01T00:00:00Z",
                "az keyvault secret set --vault-name acme-models",
            ],
        ),
        (VAULT, TENANT, "hub-early", &good, &["it is not good before 2100-01-01T00:00:00Z"]),
        (
            VAULT,
            TENANT,
            "hub-token",
            &mallory,
            // Whoever may make a branch names it: what is to be pasted is one word all the same.
            &[r"refs/heads/x'\'';id;'\''"],
        ),
        (
            VAULT,
            TENANT,
            "hub-token",
            &stranger,
            &[
                "sub = repo:acme/churn:ref:refs/heads/x",
                "federated-credential create --id",
                "\"subject\":\"repo:acme/churn:ref:refs/heads/x\"",
            ],
        ),
        (VAULT, &other_tenant, "hub-token", &good, &["there is no tenant", "az account show"]),
        ("https://acme.example", TENANT, "hub-token", &good, &["none of an Azure Key Vault"]),
        (
            "https://vault.azure.net.acme.example",
            TENANT,
            "hub-token",
            &good,
            &["none of an Azure Key Vault"],
        ),
    ] {
        let run = release(&azure, hub, &policy(vault, tenant, secret), token).expect(2);
        for words in said {
            assert!(run.all().contains(words), "{words}: {}", run.all());
        }
        assert_silent(&run.all(), &[STORED, token]);
    }

    // What the official libraries refuse, and more: an impostor gets no identity, nobody is asked for one.
    for resource in [
        "https://management.azure.com",
        "https://azure.net",
        "https://vault.azure.net.evil.example",
    ] {
        let impostor = Azure::impostor(resource).await;
        let run = release(&impostor, hub, &policy(VAULT, TENANT, "hub-token"), &good).expect(2);
        let run = run.says("wants a token for something else");
        assert_silent(&run.all(), &[&good]);
        assert_eq!(impostor.asked().len(), 1, "{:?}", impostor.asked());
        assert!(!impostor.asked()[0].with_token);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_sent_comes_back_or_goes_elsewhere() {
    let good = token(SUBJECT, AUDIENCE);
    for step in [Step::Challenge, Step::Access, Step::Secret] {
        for hostile in HOSTILE {
            let words = match (step, hostile) {
                (_, Hostile::Floods) => "larger than",
                (Step::Access, Hostile::Echoes(_) | Hostile::Redirects(_)) => "it answered",
                (_, Hostile::Echoes(400)) => "it answered 400",
                (_, Hostile::Echoes(403)) => "no role for it",
                (_, Hostile::Echoes(_)) => "there is none",
                (_, Hostile::Redirects(_)) => "secrets are not sent on",
                (Step::Challenge, Hostile::Babbles | Hostile::Shrugs) => "it answered 200",
                (_, Hostile::Babbles | Hostile::Shrugs) => "cannot be read",
            };
            let azure = Azure::hostile(step, hostile).await;
            let policy = policy(VAULT, TENANT, "hub-token");
            let run = release(&azure, "http://127.0.0.1:1", &policy, &good).expect(2);
            assert!(run.all().contains(words), "{step:?} {hostile:?}: {}", run.all());
            assert_silent(&run.all(), &[&good, ACCESS]);
            let elsewhere = |asked: &Asked| asked.host.starts_with("other.");
            assert!(!azure.asked().iter().any(elsewhere), "{step:?} {hostile:?}");
        }
    }
}
