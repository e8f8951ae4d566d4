//! A token from Azure Key Vault. There is no server of it to run: the fake is first proven by the
//! official Python libraries, then our own client has to get along with it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::azure::{AUDIENCE, Asked, Azure, CLIENT, STORED, SUBJECT, TENANT, VAULT};
use crate::support::counterpart::need;

/// A token as the CI would sign it; nobody here looks at the signature.
fn token(subject: &str, audience: &str) -> String {
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({"iss": "https://token.actions.githubusercontent.com", "sub": subject, "aud": audience, "exp": 4_102_444_800_u64});
    format!("{}.{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims), "c2lnbmF0dXJl")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_libraries_take_the_fake() {
    let test = "credentials_azure::the_official_libraries_take_the_fake";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/clients/azure.py");
    let ask = async |azure: &Azure, vault: &str, tenant: &str, secret: &str, token: &str| -> Value {
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
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&run.stderr)))
    };

    let azure = Azure::start().await;
    let good = token(SUBJECT, AUDIENCE);
    let got = ask(&azure, VAULT, TENANT, "hub-token", &good).await;
    assert_eq!(got, json!({"value": STORED}));
    let asked = |host: &str, path: &str, with_token| Asked {
        host: host.into(),
        path: path.into(),
        with_token,
    };
    let (vault, entra) = ("acme-models.vault.azure.net", "login.microsoftonline.com");
    assert_eq!(
        azure.asked(),
        [
            asked(vault, "/secrets/hub-token/", false),
            asked(entra, &format!("/{TENANT}/oauth2/v2.0/token"), false),
            asked(vault, "/secrets/hub-token/", true),
        ]
    );

    let other_tenant = TENANT.replace('0', "9");
    for (secret, tenant, token, error, status, words) in [
        ("nothing", TENANT, &good, "ResourceNotFoundError", 404, "SecretNotFound"),
        ("hub-disabled", TENANT, &good, "HttpResponseError", 403, "SecretDisabled"),
        ("hub-others", TENANT, &good, "HttpResponseError", 403, "ForbiddenByRbac"),
        ("hub-token", TENANT, &token("repo:acme/churn:ref:refs/heads/x", AUDIENCE), "ClientAuthenticationError", 401, "AADSTS700213"),
        ("hub-token", TENANT, &token(SUBJECT, "other"), "ClientAuthenticationError", 401, "AADSTS700212"),
        ("hub-token", &other_tenant, &good, "ClientAuthenticationError", 400, "AADSTS90002"),
    ] {
        let got = ask(&azure, VAULT, tenant, secret, token).await;
        assert_eq!(got["error"], error, "{got}");
        assert_eq!(got["status"], status, "{got}");
        assert!(got.to_string().contains(words), "{words}: {got}");
    }
    // What the library does about a vault that wants tokens for something else, ours has to do too.
    let impostor = Azure::with("https://management.azure.com", false).await;
    let got = ask(&impostor, VAULT, TENANT, "hub-token", &good).await;
    assert!(got["message"].as_str().is_some_and(|text| text.contains("does not match the requested domain")), "{got}");
    assert!(impostor.asked().iter().all(|asked| asked.host == vault), "{:?}", impostor.asked());
}
