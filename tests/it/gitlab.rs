//! A release in GitLab CI, from the variables of a tag's pipeline to the version on the Hub: by trusted
//! publishing, and with a token from OpenBao, whose role is bound to tags.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use weighbridge::http::Secret;
use weighbridge::rehearsal::{TokenRole, TokenSpec, TrustedPublisher};

use crate::support::bao::Bao;
use crate::support::hub_server::HubServer;
use crate::support::identities::Issuer;
use crate::support::plain_client;
use crate::support::stores::assert_silent;
use crate::support::workspace::{POLICY, Run, Workspace};

const STORED: &str = concat!("hf", "_StoredInABaoForGitLabAndNowhereElse");
const PROJECT: &str = "acme/churn-training";
const GITLAB: &str = "https://gitlab.example";

/// What GitLab says of a job of a tag or a branch, for an audience.
/// <https://docs.gitlab.com/ci/secrets/id_token_authentication/>
fn claims(kind: &str, name: &str, audience: &str) -> Value {
    let now = jiff::Timestamp::now().as_second();
    let path = if kind == "tag" { "refs/tags" } else { "refs/heads" };
    json!({
        "iss": GITLAB,
        "aud": audience,
        "sub": format!("project_path:{PROJECT}:ref_type:{kind}:ref:{name}"),
        "project_path": PROJECT,
        "namespace_path": "acme",
        "user_login": "ada",
        "pipeline_source": if kind == "tag" { "push" } else { "web" },
        "ref": name,
        "ref_type": kind,
        "ref_path": format!("{path}/{name}"),
        "ref_protected": "true",
        "environment": "production",
        "runner_environment": "gitlab-hosted",
        "ci_config_ref_uri": format!("gitlab.example/{PROJECT}//.gitlab-ci.yml@{path}/{name}"),
        "iat": now,
        "nbf": now - 5,
        "exp": now + 300,
    })
}

/// A job's checkout, with the variables that GitLab gives every job, for a Hub.
fn job(hub: &HubServer, policy: &str) -> Workspace {
    let mut workspace = Workspace::healthy();
    workspace.write("weighbridge.yml", format!("{POLICY}{policy}"));
    workspace.version("v1.0.0");
    let (place, head) = (workspace.path().display().to_string(), workspace.head());
    for (name, value) in [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_SERVER_URL", GITLAB),
        ("CI_PROJECT_DIR", &place),
        ("CI_PROJECT_PATH", PROJECT),
        ("CI_PROJECT_URL", "https://gitlab.example/acme/churn-training"),
        ("CI_PIPELINE_URL", "https://gitlab.example/acme/churn-training/-/pipelines/7"),
        ("CI_COMMIT_SHA", &head),
        ("CI_DEFAULT_BRANCH", "main"),
        ("GITLAB_USER_LOGIN", "ada"),
        ("HF_ENDPOINT", &hub.hub.url()),
    ] {
        workspace.set(name, value);
    }
    workspace
}

/// The pipeline of a tag.
fn on_tag(workspace: &mut Workspace) {
    for (name, value) in [
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_TAG", "v1.0.0"),
        ("CI_COMMIT_REF_NAME", "v1.0.0"),
        ("CI_COMMIT_REF_PROTECTED", "true"),
    ] {
        workspace.set(name, value);
    }
}

/// Runs, and looks that nothing secret is said, and no command that is for another CI.
fn run(workspace: &Workspace, arguments: &[&str], secrets: &[&str]) -> Run {
    let run = tokio::task::block_in_place(|| workspace.run(arguments));
    let all = run.all();
    assert_silent(&all, secrets);
    assert!(!all.contains("hf_jwt_") && !all.contains("eyJ"), "{all}");
    assert!(!all.lines().any(|line| line.starts_with("::")), "{all}");
    if run.code == 0 {
        assert_silent(&workspace.report().to_string(), secrets);
    }
    run
}

async fn make(hub: &HubServer, name: &str) {
    let request = plain_client()
        .post(format!("{}/api/repos/create", hub.hub.url()))
        .bearer_auth(hub.hub.token().expose())
        .json(&json!({"name": name, "type": "model", "private": true}));
    assert_eq!(request.send().await.expect("answers").status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_released_without_a_stored_token() {
    let claims_of = [("iss", GITLAB), ("project_path", PROJECT), ("ref_type", "tag")];
    let publisher = TrustedPublisher {
        repo: "acme/churn".parse().expect("an id"),
        claims: claims_of.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        life: Duration::from_hours(1),
    };
    let hub = HubServer::with(|options| options.trusted_publishers = vec![publisher]).await;
    make(&hub, "acme/churn").await;
    let issuer = Issuer::new();
    let url = hub.hub.url();

    let mut workspace = job(&hub, "");
    on_tag(&mut workspace);
    let token = issuer.sign(&claims("tag", "v1.0.0", &url));
    workspace.set("HF_OIDC_ID_TOKEN", &*token);
    let ran = run(&workspace, &["release"], &[&token]).expect(0);
    ran.says("the Hub token for acme/churn is from: trusted-publishing");
    assert_eq!(hub.count("POST", "/api/models/acme/churn/tag/"), 1);
    assert_eq!(hub.count("GET", "/api/whoami-v2"), 0);

    // The same job in a branch's pipeline that somebody started by hand: no publisher.
    let mut workspace = job(&hub, "credentials: [{trusted-publishing: {}}]\n");
    let token = issuer.sign(&claims("branch", "main", &url));
    workspace.set("CI_PIPELINE_SOURCE", "web").set("CI_COMMIT_BRANCH", "main");
    workspace.set("HF_OIDC_ID_TOKEN", &*token);
    let ran = run(&workspace, &["release", "--tag", "v1.0.0"], &[&token]).expect(2);
    let ran = ran.says("takes this job for no trusted publisher of acme/churn");
    let ran = ran.says("project_path: acme/churn-training").says("ref_type: branch");
    ran.says("issuer: https://gitlab.example");

    // Meant for somebody else: what to write into the job's `id_tokens`.
    let mut workspace = job(&hub, "credentials: [{trusted-publishing: {}}]\n");
    on_tag(&mut workspace);
    let token = issuer.sign(&claims("tag", "v1.0.0", "https://other.example"));
    workspace.set("HF_OIDC_ID_TOKEN", &*token);
    let ran = run(&workspace, &["release"], &[&token]).expect(2);
    let ran = ran.says("is meant for https://other.example").says("id_tokens:");
    ran.says("HF_OIDC_ID_TOKEN:").says(&format!("aud: {url}"));
    hub.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_gets_its_token_from_openbao_and_a_branch_does_not() {
    let test = "gitlab::a_tag_gets_its_token_from_openbao_and_a_branch_does_not";
    let Some(bao) = Bao::start(test).await else { return };
    let issuer = Issuer::new();
    let policy = "path \"secret/data/ml/hub\" { capabilities = [\"read\"] }";
    for (method, path, body) in [
        (Method::PUT, "sys/policies/acl/hub", json!({"policy": policy})),
        (Method::POST, "sys/auth/jwt", json!({"type": "jwt"})),
        (
            Method::POST,
            "auth/jwt/config",
            json!({"jwt_validation_pubkeys": [issuer.public_key()], "bound_issuer": GITLAB}),
        ),
        // As docs/stored-secrets.md has it.
        (
            Method::POST,
            "auth/jwt/role/release",
            json!({
                "role_type": "jwt",
                "user_claim": "project_path",
                "bound_audiences": ["https://vault.example.com:8200"],
                "bound_claims_type": "glob",
                "bound_claims": {
                    "project_path": PROJECT, "ref_type": "tag", "ref": "v*", "ref_protected": "true",
                },
                "token_policies": ["hub"],
                "token_ttl": "10m",
            }),
        ),
        (Method::POST, "secret/data/ml/hub", json!({"data": {"hf_token": STORED}})),
    ] {
        bao.root(method, None, path, body).await;
    }
    let hub = HubServer::with(|options| {
        options.tokens.push(TokenSpec {
            token: Secret::new(STORED).expect("a token"),
            user: "acme-ci".into(),
            name: "release".into(),
            role: TokenRole::Maker,
            orgs: vec!["acme".into()],
            created_at: jiff::Timestamp::now().to_string(),
        });
    })
    .await;
    let audience = "https://vault.example.com:8200";
    let policy = format!(
        "credentials:\n  - vault: {{address: \"{}\", login: {{jwt: {{role: release, audience: \"{audience}\"}}}}, \
         secret: secret/ml/hub, key: hf_token}}\n",
        bao.url
    );

    let mut workspace = job(&hub, &policy);
    workspace.set("CI_PIPELINE_SOURCE", "web").set("CI_COMMIT_BRANCH", "main");
    let token = issuer.sign(&claims("branch", "main", audience));
    workspace.set("WEIGHBRIDGE_ID_TOKEN", &*token);
    let ran = run(&workspace, &["release", "--tag", "v1.0.0"], &[&token, STORED]).expect(2);
    let ran = ran.says("Vault does not let this job in as `release`: its `ref");
    ran.says("is none that the role is bound to").says("if only tags may, release from a tag");
    assert_eq!(hub.count("POST", "/commit/"), 0);

    let mut workspace = job(&hub, &policy);
    on_tag(&mut workspace);
    let token = issuer.sign(&claims("tag", "v1.0.0", audience));
    workspace.set("WEIGHBRIDGE_ID_TOKEN", &*token);
    let ran = run(&workspace, &["release"], &[&token, STORED]).expect(0);
    ran.says("the Hub token for acme/churn is from: vault");
    assert_eq!(hub.count("POST", "/api/models/acme/churn/tag/"), 1);
    let method = Method::from_bytes(b"LIST").expect("a method");
    let alive = bao.root(method, None, "auth/token/accessors", json!({})).await;
    assert_eq!(alive["data"]["keys"].as_array().map(Vec::len), Some(1), "the login was ended");
    hub.hub.stop().await;
}
