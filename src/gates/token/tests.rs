use jiff::civil::date;
use serde_json::{Value, json};

use super::*;
use crate::policy;
use crate::release::{Channel, Release, target};

/// A token of `ada` for acme/churn, made on 2026-01-01.
fn fine(scoped: Value) -> Value {
    let mut who = json!({
        "type": "user", "name": "ada",
        "orgs": [{"name": "acme", "roleInOrg": "write"}],
        "auth": {"type": "access_token", "accessToken": {
            "displayName": "ci", "role": "fineGrained", "createdAt": "2026-01-01T12:00:00.000Z",
            "fineGrained": {"global": [], "canReadGatedRepos": true},
        }},
    });
    who["auth"]["accessToken"]["fineGrained"]["scoped"] = scoped;
    who
}

fn scope(kind: &str, name: &str, permissions: &[&str]) -> Value {
    json!({"entity": {"_id": "65", "type": kind, "name": name}, "permissions": permissions})
}

/// The scopes that the work needs.
fn enough() -> Value {
    json!([scope("model", "acme/churn", &["repo.content.read", "repo.write", "discussion.write"])])
}

const MODELS: &str = "models:
  - {name: churn, owner: acme, path: a}
  - name: fraud
    path: b
    stages:
      - {name: staging, namespace: acme-lab, repository: 'f-{name}-v{major}-x', channels: [staging]}
      - {name: production, namespace: acme}
";

/// What is said of a token under `gates: {token: …}` on a day, releasing churn 1.0.0 to a repository
/// that is there.
fn said_on(day: Date, settings: &str, who: &Value) -> (Vec<String>, Vec<Finding>, String) {
    said_of(MODELS, day, settings, who)
}

/// As [`said_on`], of these models.
fn said_of(
    models: &str,
    day: Date,
    settings: &str,
    who: &Value,
) -> (Vec<String>, Vec<Finding>, String) {
    let text = format!("{models}gates: {{token: {settings}}}\n");
    let policy = policy::parse("w.yml", &text, &[]).expect("valid");
    let version = semver::Version::new(1, 0, 0);
    let channel = Channel::of(&version);
    let release = Release { tag: "churn/v1.0.0".into(), model: "churn".into(), version, channel };
    let target = target(&policy.models[0], &release).expect("a place to go");
    let holder: WhoAmI = serde_json::from_value(who.clone()).expect("a holder");
    let settings = &policy.models[0].gates.token;
    let work = Work { policy: &policy, settings, target: Some(&target), exists: true, today: day };
    let judgement = judge(&holder, &work);
    let declared = Token.rules();
    let show = |finding: &Finding| {
        assert!(declared.contains(&finding.rule), "{} is declared", finding.rule.id);
        assert_eq!(finding.at.path.as_deref(), Some("w.yml"));
        format!("{}: {}", finding.rule.id, finding.message)
    };
    (judgement.findings.iter().map(show).collect(), judgement.findings, judgement.note)
}

fn said(settings: &str, who: &Value) -> Vec<String> {
    said_on(date(2026, 1, 11), settings, who).0
}

/// The setting under which `ada` is a machine's account.
const MACHINE: &str = "{accounts: [ada]}";

#[test]
fn a_token_that_fits_is_let_through() {
    let (findings, _, note) = said_on(date(2026, 1, 11), MACHINE, &fine(enough()));
    assert_eq!(findings, Vec::<String>::new());
    assert_eq!(note, "a fine-grained token of ada, 10 days old");
}

#[test]
fn every_repository_of_the_policy_may_be_written_and_anything_may_be_read() {
    let scopes = json!([
        enough()[0],
        scope("model", "ACME/Fraud", &["repo.write"]),
        scope("model", "acme-lab/f-fraud-v12-x", &["repo.write"]),
        scope("org", "acme", &["repo.content.read", "repo.access.read", "org.read"]),
        scope("dataset", "other/data", &["repo.content.read"]),
    ]);
    assert_eq!(said(MACHINE, &fine(scopes)), Vec::<String>::new());
}

#[test]
fn whatever_goes_further_is_named() {
    for (more, beyond) in [
        (scope("model", "acme/other", &["repo.write"]), "`repo.write` on acme/other"),
        (
            scope("model", "acme-lab/f-fraud-vx-x", &["repo.write"]),
            "`repo.write` on acme-lab/f-fraud-vx-x",
        ),
        (
            scope("model", "acme-lab/f-fraud-v-x", &["repo.write"]),
            "`repo.write` on acme-lab/f-fraud-v-x",
        ),
        (scope("model", "acme/churn", &["job.write"]), "`job.write` on acme/churn"),
        (
            scope("model", "acme/churn", &["repo.write", "repo.give.away", "repo.readd"]),
            "`repo.give.away`, `repo.readd` on acme/churn",
        ),
        (scope("", "acme/churn", &["repo.write"]), "`repo.write` on the thing acme/churn"),
        (
            scope("org", "acme", &["repo.content.read", "repo.write", "org.write"]),
            "`repo.write`, `org.write` on the whole organisation acme",
        ),
        (
            scope("user", "ada", &["inference.serverless.write", "user.webhooks.read"]),
            "`inference.serverless.write` on everything of the user ada",
        ),
        (scope("dataset", "acme/churn", &["repo.write"]), "`repo.write` on the dataset acme/churn"),
        (
            scope("resource-group", "Risk", &["repo.write"]),
            "`repo.write` on the resource-group Risk",
        ),
        (scope("galaxy", "x", &["a.new.thing"]), "`a.new.thing` on the galaxy x"),
    ] {
        let found = said(MACHINE, &fine(json!([enough()[0], more])));
        let expected = format!(
            "token-over-powerful: the token `ci` of ada can do more than release: {beyond}"
        );
        assert_eq!(found, [expected]);
    }
    let mut everywhere = fine(enough());
    everywhere["auth"]["accessToken"]["fineGrained"]["global"] =
        json!(["discussion.write", "x.read"]);
    let found = said(MACHINE, &everywhere);
    assert!(found[0].ends_with("release: `discussion.write` everywhere on the Hub"), "{found:?}");
}

#[test]
fn the_fix_names_the_repositories_that_are_enough() {
    let who = fine(json!([scope("org", "acme", &["repo.write"])]));
    let (_, findings, _) = said_on(date(2026, 1, 11), MACHINE, &who);
    assert!(
        findings[0].fix.contains("of acme/churn, acme/fraud and nothing else"),
        "{}",
        findings[0].fix
    );
    assert!(findings[0].fix.contains("`hf repos create acme/churn --private`"));
}

#[test]
fn the_policy_may_let_a_token_write_more() {
    let wide = json!([
        scope("org", "acme", &["repo.write"]),
        scope("dataset", "acme/log", &["repo.write"]),
        scope("resource-group", "Risk", &["repo.write"]),
    ]);
    let named = "{accounts: [ada], may-write: [acme, datasets/acme/log, resource-groups/Risk]}";
    assert_eq!(said(named, &fine(wide)), Vec::<String>::new());
    // Repositories are what was named, not the organisation's settings.
    let found = said(named, &fine(json!([scope("org", "acme", &["repo.write", "org.write"])])));
    assert!(found[0].ends_with("release: `org.write` on the whole organisation acme"), "{found:?}");
}

#[test]
fn a_flood_of_scopes_is_cut() {
    let scopes: Vec<_> =
        (0..500).map(|n| scope("model", &format!("x/{n}"), &["repo.write"])).collect();
    let found = said(MACHINE, &fine(scopes.into()));
    assert!(found[0].len() < 800 && found[0].ends_with("x/9; and 490 more"), "{}", found[0]);
}

#[test]
fn roles_other_than_fine_grained() {
    for (role, strict, lax) in [
        ("read", Some("token-read-only: the token `ci` of ada may only read"), true),
        (
            "write",
            Some(
                "token-not-fine-grained: the token `ci` of ada writes wherever its user can write",
            ),
            false,
        ),
        (
            "god",
            Some(
                "token-not-fine-grained: the token `ci` of ada writes wherever its user can write",
            ),
            false,
        ),
        (
            "superWrite",
            Some("token-not-fine-grained: the token `ci` of ada has a role that is not known"),
            false,
        ),
        (
            "fineGrained",
            Some("token-not-told: the Hub does not tell the scopes of the token `ci` of ada"),
            true,
        ),
    ] {
        let mut who = fine(enough());
        who["auth"]["accessToken"]["role"] = role.into();
        who["auth"]["accessToken"]["fineGrained"] = Value::Null;
        assert_eq!(said(MACHINE, &who), strict.as_slice(), "{role}");
        let found = said("{accounts: [ada], fine-grained: false}", &who);
        assert_eq!(found.len(), usize::from(lax), "{role}: {found:?}");
    }
}

#[test]
fn a_token_that_cannot_write_the_target_is_told_before_it_is_tried() {
    let elsewhere = fine(json!([scope("model", "acme/fraud", &["repo.write"])]));
    let expected =
        "token-read-only: the scopes of the token `ci` of ada do not let it write acme/churn";
    assert_eq!(said(MACHINE, &elsewhere), [expected]);
    let reads =
        fine(json!([scope("model", "acme/churn", &["repo.content.read", "discussion.write"])]));
    assert_eq!(said(MACHINE, &reads), [expected]);
    for (org, expected) in [
        (json!({"roleInOrg": "read"}), Some("ada has the role `read` in acme")),
        (
            json!({"roleInOrg": "no_access", "resourceGroups": [{"name": "x", "role": "write"}]}),
            None,
        ),
        (json!({"roleInOrg": "custom"}), None),
        (
            json!({"roleInOrg": "admin", "securityRestrictions": ["token-policy", "mfa"]}),
            Some("acme does not take this token: token-policy, mfa"),
        ),
    ] {
        let mut who = fine(enough());
        who["orgs"] = json!([{"name": "other", "roleInOrg": "read"}, org]);
        who["orgs"][1]["name"] = "acme".into();
        let expected = expected.map(|message| format!("token-read-only: {message}"));
        assert_eq!(said(MACHINE, &who), expected.as_slice(), "{org}");
    }
}

#[test]
fn age_is_counted_in_days() {
    let who = fine(enough());
    for (day, settings, expected) in [
        (date(2026, 3, 18), MACHINE, None), // 76 days
        (
            date(2026, 3, 19),
            MACHINE,
            Some(
                "token-ages: the token `ci` of ada was made on 2026-01-01, 77 days ago; 90 pass, 13 days left",
            ),
        ),
        (
            date(2026, 4, 1),
            MACHINE,
            Some(
                "token-ages: the token `ci` of ada was made on 2026-01-01, 90 days ago; 90 pass, 0 days left",
            ),
        ),
        (
            date(2026, 4, 2),
            MACHINE,
            Some(
                "token-too-old: the token `ci` of ada was made on 2026-01-01, 91 days ago; 90 pass",
            ),
        ),
        (date(2026, 4, 2), "{accounts: [ada], max-age: 365}", None),
        (
            date(2026, 1, 9),
            "{accounts: [ada], max-age: 7}",
            Some("token-too-old: the token `ci` of ada was made on 2026-01-01, 8 days ago; 7 pass"),
        ),
        (date(2026, 3, 25), "{accounts: [ada], warn-before: 0}", None),
        (date(2025, 12, 31), MACHINE, None), // another time zone
        (
            date(2025, 12, 30),
            MACHINE,
            Some("token-not-told: the Hub does not tell when the token `ci` of ada was made"),
        ),
    ] {
        let (found, ..) = said_on(day, settings, &who);
        assert_eq!(found, expected.as_slice(), "{day} {settings}");
    }
    for odd in [json!("yesterday"), Value::Null, json!("")] {
        let mut who = fine(enough());
        who["auth"]["accessToken"]["createdAt"] = odd;
        assert_eq!(
            said(MACHINE, &who),
            ["token-not-told: the Hub does not tell when the token `ci` of ada was made"]
        );
    }
}

#[test]
fn a_persons_token_is_told_where_it_matters() {
    let who = fine(enough());
    let expected = "personal-token: the token `ci` of ada, who is no machine account of the policy, \
                    releases to `production` (acme/churn)";
    assert_eq!(said("{}", &who), [expected]);
    assert_eq!(said("{accounts: [acme-ci]}", &who), [expected]);
    assert_eq!(said("{accounts: [acme-ci, Ada]}", &who), Vec::<String>::new());
    // Whatever the stage is called that full versions go to.
    let live =
        MODELS.replace("owner: acme, path: a", "path: a, stages: [{name: live, namespace: acme}]");
    let (of_live, ..) = said_of(&live, date(2026, 1, 11), "{}", &who);
    assert_eq!(of_live, [expected.replace("`production`", "`live`")]);
    let mut org = who;
    org["type"] = "org".into();
    assert_eq!(said("{}", &org), Vec::<String>::new());
}

#[test]
fn what_was_issued_for_the_run_passes_and_what_is_not_told_does_not() {
    let issued = json!({"type": "app", "name": "oidc-7", "auth":
        {"type": "jwt", "expiresAt": "2026-01-11T13:00:00Z", "resource": {"sub": "acme/churn"}}});
    let (found, _, note) = said_on(date(2026, 1, 11), "{}", &issued);
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(note, "issued for this run to oidc-7 (jwt), until 2026-01-11T13:00:00Z");
    let mut elsewhere = issued;
    elsewhere["auth"]["resource"]["sub"] = "acme/other".into();
    assert_eq!(
        said("{}", &elsewhere),
        ["token-over-powerful: the token of oidc-7 was issued for acme/other"]
    );
    assert_eq!(said("{may-write: [acme/other]}", &elsewhere), Vec::<String>::new());
    for silent in [
        // It ends by itself, and may do whatever its user may.
        json!({"name": "x", "auth": {"type": "oauth", "expiresAt": "2026-01-11T13:00:00Z"}}),
        json!({"name": "x"}),
        json!({"name": "x", "auth": {"type": "access_token"}}),
        json!({"name": "x", "auth": {"accessToken": null}}),
        // Of a kind that nobody has heard of, without an end.
        json!({"name": "x", "auth": {"type": "cookie"}}),
    ] {
        assert_eq!(
            said("{}", &silent),
            ["token-not-told: the Hub does not tell what the token of x may do"]
        );
    }
    let unnamed = json!([enough()[0],
        {"entity": {"_id": "77", "type": "model"}, "permissions": ["repo.write", "repo.content.read"]}]);
    assert_eq!(
        said(MACHINE, &fine(unnamed)),
        ["token-not-told: the Hub does not tell all that the token `ci` of ada can write: \
          `repo.write` on the model 77"]
    );
    let told = |scopes: Value| said(MACHINE, &fine(scopes)).join("\n");
    let expected = |what: &str| {
        format!(
            "token-not-told: the Hub does not tell all that the token `ci` of ada can write: {what}"
        )
    };
    // It may be the target itself: nothing is said of a target that cannot be written.
    let unnamed =
        json!([{"entity": {"_id": "77", "type": "model"}, "permissions": ["repo.write"]}]);
    assert_eq!(told(unnamed), expected("`repo.write` on the model 77"));
    for scope in [
        json!({"entity": {"type": "model", "name": "acme/other"}, "permissions": null}),
        json!({"entity": {"type": "model", "name": "acme/other"}}),
    ] {
        assert_eq!(told(json!([scope])), expected("permissions that are not told on acme/other"));
    }
    assert_eq!(told(Value::Null), expected("no scopes are told"));
}

#[test]
fn names_of_a_server_forge_nothing() {
    let mut who = fine(json!([scope("org", "a\n::error::b`", &["x.`write\r"])]));
    who["name"] = "ada\u{1b}[2J\n::set-output".into();
    who["auth"]["accessToken"]["displayName"] = "`x`".repeat(500).into();
    for message in said("{}", &who) {
        assert!(!message.chars().any(char::is_control), "{message:?}");
        assert!(message.len() < 1000, "{message}");
    }
}
