//! The token gate, with tokens of every kind on the embedded Hub.

use jiff::{Span, Timestamp};
use serde_json::json;
use weighbridge::http::Secret;
use weighbridge::rehearsal::{TokenRole, TokenScope, TokenSpec};

use crate::support::front::{Fate, Front, Reply};
use crate::support::hub_server::HubServer;
use crate::support::plain_client;
use crate::support::workspace::{POLICY, Run, Workspace};

/// In pieces, so that this file is no finding.
const TOKEN: &str = concat!("hf", "_cAnaryCanary0Canary1Canary2Canary34");

/// A token of `acme-ci`, so many days old.
fn spec(role: TokenRole, days: i64) -> TokenSpec {
    let made = Timestamp::now() - Span::new().hours(24 * days);
    TokenSpec {
        token: Secret::new(TOKEN).expect("a secret"),
        user: "acme-ci".into(),
        name: "release".into(),
        role,
        orgs: vec!["acme".into()],
        created_at: made.to_string(),
    }
}

fn writes(entities: &[&str]) -> TokenRole {
    let scope = |entity: &&str| TokenScope {
        entity: (*entity).to_owned(),
        permissions: vec!["repo.content.read".into(), "repo.write".into()],
    };
    TokenRole::FineGrained(entities.iter().map(scope).collect())
}

/// A Hub with such a token and the repository, and a workspace that uses it; `policy` comes after
/// that of a healthy model.
async fn with(role: TokenRole, days: i64, policy: &str) -> (HubServer, Workspace) {
    let server = HubServer::with(|options| options.tokens.push(spec(role, days))).await;
    let made = plain_client()
        .post(format!("{}/api/repos/create", server.hub.url()))
        .bearer_auth(server.hub.token().expose())
        .json(&json!({"name": "churn", "organization": "acme", "private": true}));
    assert_eq!(made.send().await.expect("answers").status(), 200);
    let mut workspace = Workspace::healthy();
    workspace.write("weighbridge.yml", format!("{POLICY}{policy}"));
    workspace.version("v1.0.0");
    workspace.on_hub(&server.hub.url(), TOKEN);
    (server, workspace)
}

fn release(workspace: &Workspace, arguments: &[&str]) -> Run {
    let arguments: Vec<_> = ["release"].iter().chain(arguments).copied().collect();
    tokio::task::block_in_place(|| workspace.run(&arguments))
}

/// Rules of the token gate that spoke, with their levels.
fn said(workspace: &Workspace) -> Vec<String> {
    let report = workspace.report();
    let findings = report["findings"].as_array().expect("findings");
    let of_tokens = findings
        .iter()
        .filter(|finding| finding["rule"].as_str().is_some_and(|rule| rule.contains("token")));
    of_tokens.map(|one| format!("{} {}", one["level"], one["rule"]).replace('"', "")).collect()
}

fn writes_made(server: &HubServer) -> usize {
    ["/commit/", "/tag/", "/preupload/"].iter().map(|part| server.count("POST", part)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_token() {
    let machine = "\nrules: {personal-token: off}\n";
    for (name, role, days, policy, code, expected) in [
        ("fits", writes(&["acme/churn"]), 3, machine, 0, &[][..]),
        ("a person's", writes(&["acme/churn"]), 3, "", 0, &["warning personal-token"][..]),
        ("read", TokenRole::Read, 3, machine, 1, &["error token-read-only"]),
        ("classic", TokenRole::Write, 3, machine, 1, &["error token-not-fine-grained"]),
        ("organisation", writes(&["acme"]), 3, machine, 1, &["error token-over-powerful"]),
        (
            "dataset",
            writes(&["acme/churn", "datasets/acme/x"]),
            3,
            machine,
            1,
            &["error token-over-powerful"],
        ),
        ("another", writes(&["acme/other"]), 3, machine, 1, &["error token-over-powerful"]),
        ("ages", writes(&["acme/churn"]), 80, machine, 0, &["warning token-ages"]),
        ("old", writes(&["acme/churn"]), 92, machine, 1, &["error token-too-old"]),
        (
            "lowered",
            TokenRole::Write,
            92,
            "\nrules: {personal-token: off, token-too-old: warning, token-not-fine-grained: note}\n",
            0,
            &["warning token-too-old", "note token-not-fine-grained"],
        ),
    ] {
        let (server, workspace) = with(role, days, policy).await;
        let run = release(&workspace, &[]);
        assert_eq!(run.code, code, "{name}: {}", run.all());
        assert_eq!(said(&workspace), expected, "{name}: {}", run.all());
        assert_eq!(server.count("GET", "/whoami-v2"), 1, "{name}");
        assert_eq!(writes_made(&server) > 0, code == 0, "{name}: nothing is sent when it blocks");
        assert!(!run.all().contains(TOKEN), "{name}");
        assert!(!workspace.report().to_string().contains(TOKEN), "{name}");
    }
}

/// A token of single repositories can make none: the first release says what to run, once.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_release_with_a_narrow_token_says_how_the_repository_is_made() {
    let role = writes(&["acme/churn"]);
    let server = HubServer::with(|options| options.tokens.push(spec(role, 3))).await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), TOKEN);
    release(&workspace, &[])
        .expect(2)
        .says("cannot create the repository acme/churn")
        .says("`hf repos create acme/churn --private`")
        .says("`Write access to contents/settings` of acme/churn");
    assert_eq!(writes_made(&server), 0);
    let made = plain_client()
        .post(format!("{}/api/repos/create", server.hub.url()))
        .bearer_auth(server.hub.token().expose())
        .json(&json!({"name": "churn", "organization": "acme", "private": true}));
    assert_eq!(made.send().await.expect("answers").status(), 200);
    release(&workspace, &[]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_not_brought_by_a_token_that_may_too_much() {
    let (server, workspace) = with(writes(&["acme"]), 3, "").await;
    let run = tokio::task::block_in_place(|| workspace.run(&["stage", "--shard", "1/2"]));
    let run = run.expect(1).says("token-over-powerful");
    assert!(run.all().contains("`repo.write` on the whole organisation acme"), "{}", run.all());
    assert_eq!((server.count("GET", "/whoami-v2"), writes_made(&server)), (1, 0));
    let (server, workspace) = with(writes(&["acme/churn"]), 3, "").await;
    tokio::task::block_in_place(|| workspace.run(&["stage", "--shard", "1/2"])).expect(0);
    assert_eq!(server.count("GET", "/whoami-v2"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_asked_and_the_gate_says_why() {
    let (server, mut workspace) = with(writes(&["acme/churn"]), 3, "").await;
    workspace.set("HF_TOKEN", "");
    let public = plain_client()
        .put(format!("{}/api/models/acme/churn/settings", server.hub.url()))
        .bearer_auth(server.hub.token().expose())
        .json(&json!({"visibility": "public"}));
    assert_eq!(public.send().await.expect("answers").status(), 200);
    for arguments in [&["release", "--dry-run"][..], &["check"], &["rehearse"]] {
        tokio::task::block_in_place(|| workspace.run(arguments)).expect(0);
        let report = workspace.report();
        let gates = report["gates"].as_array().expect("gates");
        let token = gates.iter().find(|gate| gate["gate"] == "token").expect("the gate");
        assert!(token.to_string().contains("skipped"), "{arguments:?}: {token}");
    }
    assert_eq!(server.count("GET", "/whoami-v2"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_issued_for_the_run_passes() {
    let (server, mut workspace) = with(writes(&["acme/churn"]), 3, "").await;
    let issued = json!({"type": "app", "name": "oidc", "orgs": [], "auth":
        {"type": "jwt", "expiresAt": "2026-01-11T13:00:00Z", "resource": {"sub": "acme/churn"}}});
    let front = Front::before(&server.hub.url(), move |asked| {
        if asked.path.ends_with("/whoami-v2") {
            Fate::Answer(Reply::text(&issued.to_string()))
        } else {
            Fate::Pass
        }
    })
    .await;
    workspace.on_hub(&front.url(), TOKEN);
    release(&workspace, &[]).expect(0).says("issued for this run to oidc (jwt)");
    assert_eq!(said(&workspace), Vec::<String>::new());
}

/// A server that answers the token in every place, in plain and escaped, has it shown nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_told_back_is_not_shown() {
    let escaped: String = TOKEN.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    for shown in [TOKEN, escaped.as_str()] {
        let template = r#"{"type": "user", "name": "X", "orgs": [{"name": "acme", "roleInOrg": "X",
            "securityRestrictions": ["X"]}], "X": 1, "auth": {"type": "X", "accessToken": {
            "displayName": "X", "role": "fineGrained", "createdAt": "X", "fineGrained": {
            "global": ["X"], "scoped": [{"entity": {"type": "X", "name": "X"}, "permissions": ["X"]},
            {"entity": {"_id": "X", "type": "X"}, "permissions": ["X"]}]}}}}"#;
        let body = template.replace('X', shown);
        let (server, mut workspace) = with(writes(&["acme/churn"]), 3, "").await;
        for body in [body.clone(), format!("{{\"name\": {{\"{shown}\": 1}}}}"), body + "x"] {
            let answer = body.clone();
            let front = Front::before(&server.hub.url(), move |asked| {
                if asked.path.ends_with("/whoami-v2") {
                    Fate::Answer(Reply::text(&answer))
                } else {
                    Fate::Pass
                }
            })
            .await;
            workspace.on_hub(&front.url(), TOKEN);
            let run = release(&workspace, &[]);
            assert!(run.code != 0 && !run.all().contains(TOKEN), "{}", run.all());
            if run.code == 1 {
                let told = said(&workspace);
                assert!(told.len() >= 3, "{told:?}");
                assert!(!workspace.report().to_string().contains(TOKEN));
            }
        }
    }
}
