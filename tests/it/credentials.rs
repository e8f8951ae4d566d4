//! Where the Hub token comes from: trusted publishing against the embedded Hub, which the official
//! client has proven; the order of the policy; and what no error path may tell.

mod stops;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weighbridge::context::{Ci, Environment, Oidc};
use weighbridge::credentials::{Credentials, IdTokens, Job, Masker};
use weighbridge::failure::Failure;
use weighbridge::http::{Client, ClientOptions};
use weighbridge::hub::{Hub, RepoId, Shelf, Token};
use weighbridge::policy::credentials::{Source, SourceKind};
use weighbridge::rehearsal::TrustedPublisher;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::counterpart::need;
use crate::support::hub_server::{HubServer, succeed};
use crate::support::issuer::{Issuer, REQUEST_TOKEN, jwt, on_tag};
use crate::support::plain_client;
use crate::support::workspace::{POLICY, Run, Workspace};

/// A publisher of a repository, as a person enters it for releases by tag.
fn publisher(repo: &str, life: Duration) -> TrustedPublisher {
    let (shelf, id) = shelf_of(repo);
    let claims = [("repository", "acme/churn-training"), ("workflow", "release.yml")];
    let claims = claims.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    TrustedPublisher { repo: id.parse::<RepoId>().expect("an id").on(shelf), claims, life }
}

/// The shelf of a repository as its pages name it, and the rest.
fn shelf_of(repo: &str) -> (Shelf, &str) {
    repo.strip_prefix("datasets/").map_or((Shelf::Models, repo), |id| (Shelf::Datasets, id))
}

/// A Hub with these repositories and publishers.
async fn hub(repositories: &[&str], publishers: Vec<TrustedPublisher>) -> HubServer {
    let server = HubServer::with(|options| options.trusted_publishers = publishers).await;
    for repository in repositories {
        let (shelf, id) = shelf_of(repository);
        let request = plain_client()
            .post(format!("{}/api/repos/create", server.hub.url()))
            .bearer_auth(server.hub.token().expose())
            .json(&json!({"name": id, "type": shelf.kind(), "private": true}));
        assert_eq!(request.send().await.expect("answers").status(), 200);
    }
    server
}

/// A source repository as GitHub's runner has it on a push of the tag, with an identity.
fn on_runner(issuer: &Issuer, server: &HubServer) -> Workspace {
    let mut workspace = Workspace::healthy();
    let place = workspace.path().to_str().expect("UTF-8").to_owned();
    workspace
        .set("GITHUB_ACTIONS", "true")
        .set("GITHUB_WORKSPACE", place)
        .set("GITHUB_EVENT_NAME", "push")
        .set("GITHUB_REF", "refs/tags/v1.0.0")
        .set("HF_ENDPOINT", server.hub.url());
    for (name, value) in issuer.variables() {
        workspace.set(name, value);
    }
    workspace
}

/// Runs without holding up the servers, which live in the same process.
fn run(workspace: &Workspace, arguments: &[&str]) -> Run {
    tokio::task::block_in_place(|| workspace.run(arguments))
}

/// All that a run said but for the masks, in which secrets have to stand.
fn unmasked(run: &Run) -> String {
    let lines = run.stdout.lines().chain(run.stderr.lines());
    lines.filter(|line| !line.starts_with("::add-mask::")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_publishes_without_a_stored_token() {
    let test = "the_official_client_publishes_without_a_stored_token";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let life = Duration::from_hours(1);
    let repositories = ["acme/churn", "acme/other", "datasets/acme/log"];
    let publishers = ["acme/churn", "datasets/acme/log"].map(|repo| publisher(repo, life));
    let server = hub(&repositories, publishers.into()).await;
    let issuer = Issuer::of(on_tag()).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/clients/oidc.py");
    let mut command = server.client(&python);
    command.arg(script).args(["acme/churn", "acme/other", "acme/log"]);
    command.env_remove("HF_TOKEN").env("HF_OIDC_RESOURCE", "acme/churn");
    command.env("GITHUB_ACTIONS", "true").envs(issuer.variables());
    let seen: Value = serde_json::from_str(&succeed(&mut command).await).expect("JSON");
    assert_eq!(
        seen,
        json!({
            "endpoint": server.hub.url(),
            "expires_in": 3600,
            "token_type": "bearer",
            "other repository": "invalid_grant",
            "other audience": "invalid_grant",
            "no token": "invalid_grant",
            "no resource": "invalid_request",
            "a dataset as a model": "invalid_grant",
            "a space": "invalid_grant",
            "a user": "invalid_grant",
        })
    );
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_needs_no_stored_token() {
    let publisher = publisher("acme/churn", Duration::from_hours(1));
    let server = hub(&["acme/churn"], vec![publisher]).await;
    let issuer = Issuer::of(on_tag()).await;
    let workspace = on_runner(&issuer, &server);
    let ran = run(&workspace, &["release"])
        .expect(0)
        .says("no Hub token from environment")
        .says("the Hub token for acme/churn is from: trusted-publishing");
    assert_eq!(server.count("POST", "/oauth/token"), 1);
    assert_eq!(server.count("GET", "/api/whoami-v2"), 0, "such a token has no user");
    assert_eq!(server.count("POST", "/api/models/acme/churn/tag/"), 1);
    assert!(ran.stderr.contains("\n::add-mask::hf_jwt_"), "{}", ran.all());
    for secret in ["hf_jwt_", "eyJ", REQUEST_TOKEN] {
        assert!(!unmasked(&ran).contains(secret), "{secret}: {}", ran.all());
    }
    server.hub.stop().await;
}

/// The release and its record, each with a token of its own.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_needs_no_stored_token_either() {
    let repositories = ["acme/churn", "datasets/acme/registry"];
    let publishers = repositories.map(|repo| publisher(repo, Duration::from_hours(1)));
    let server = hub(&repositories, publishers.into()).await;
    let issuer = Issuer::of(on_tag()).await;
    let workspace = on_runner(&issuer, &server);
    workspace
        .write("weighbridge.yml", format!("{POLICY}audit-log: {{repository: acme/registry}}\n"));
    workspace.version("v1.0.0");
    run(&workspace, &["release"])
        .expect(0)
        .says("the Hub token for datasets/acme/registry is from: trusted-publishing");
    assert_eq!(server.count("POST", "/oauth/token"), 2);
    assert_eq!(server.count("POST", "/api/datasets/acme/registry/commit/"), 1);
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_claims_and_the_settings_and_nothing_secret() {
    let mut publisher = publisher("acme/churn", Duration::from_hours(1));
    publisher.claims[1].1 = "publish.yml".into();
    let server = hub(&["acme/churn"], vec![publisher]).await;
    let mut claims = on_tag();
    claims["environment"] = json!("production\n::set-env name=x::y\u{202e}");
    let issuer = Issuer::of(claims).await;
    let mut workspace = on_runner(&issuer, &server);
    // A stored token further down must not be what the release goes on with.
    workspace.write(
        "weighbridge.yml",
        format!("{POLICY}credentials:\n  - trusted-publishing: {{}}\n  - environment: {{}}\n"),
    );
    workspace.set("HF_TOKEN", server.hub.token().expose());
    let ran = run(&workspace, &["release"])
        .expect(2)
        .says("no trusted publisher of acme/churn: it answered 400, invalid_grant")
        .says("repository: acme/churn-training")
        .says("workflow: release.yml")
        .says("environment: production")
        .says("under Trusted Publishers add one with exactly this")
        .says("leave it empty: a tag is on none");
    let said = unmasked(&ran);
    assert!(!said.lines().any(|line| line.starts_with("::set-env")), "{said}");
    assert!(!said.contains("eyJ") && !said.contains('\u{202e}'), "{said}");
    assert_eq!(server.count("POST", "/commit/"), 0);
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_leave_is_told_the_line_to_add_before_anything_runs() {
    let server = hub(&[], Vec::new()).await;
    let mut workspace = Workspace::healthy();
    workspace.set("GITHUB_ACTIONS", "true").set("GITHUB_EVENT_NAME", "push");
    workspace.set("GITHUB_REF", "refs/tags/v1.0.0").set("HF_ENDPOINT", server.hub.url());
    let policy = POLICY.replace("tests: {", "tests: {run: touch ran, ");
    let policy = format!("{policy}credentials: [{{trusted-publishing: {{}}}}]\n");
    workspace.write("weighbridge.yml", policy);
    run(&workspace, &["release"])
        .expect(2)
        .says("there is no Hub token")
        .says("permissions:")
        .says("  id-token: write");
    assert_eq!(server.hub.requests().len(), 0);
    assert!(!workspace.path().join("ran").exists(), "no test ran for a release that cannot be");
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_token_is_nudged_about_once_and_only_where_there_is_another_way() {
    let server = hub(&[], Vec::new()).await;
    let issuer = Issuer::of(on_tag()).await;
    let mut workspace = on_runner(&issuer, &server);
    workspace.set("HF_TOKEN", server.hub.token().expose());
    let ran = run(&workspace, &["release"]).expect(0).says("from: environment HF_TOKEN");
    let title = "::warning title=a stored token where none is needed::";
    assert_eq!(ran.stderr.matches(title).count(), 1, "{}", ran.all());
    let note = workspace.report()["notes"].to_string();
    assert!(note.contains("Trusted Publishers at"), "{note}");
    assert_eq!(issuer.asked().await, 0, "what is not needed is not asked for");
    let mut elsewhere = Workspace::healthy();
    elsewhere.on_hub(&server.hub.url(), server.hub.token().expose());
    let ran = run(&elsewhere, &["release", "--dry-run"]);
    assert!(!ran.all().contains("a stored token"), "{}", ran.all());
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_and_pull_requests_reach_no_credentials() {
    let publisher = publisher("acme/churn", Duration::from_hours(1));
    let server = hub(&["acme/churn"], vec![publisher]).await;
    let before = server.hub.requests().len();
    let issuer = Issuer::of(on_tag()).await;
    let mut workspace = on_runner(&issuer, &server);
    run(&workspace, &["check"]).expect(0);
    for event in ["pull_request", "pull_request_target"] {
        workspace.set("GITHUB_EVENT_NAME", event);
        for mode in [&["release"][..], &["release", "--dry-run"], &["stage", "--shard", "1/1"]] {
            run(&workspace, mode).expect(2).says("unreviewed code would be published");
        }
    }
    assert_eq!(issuer.asked().await, 0);
    assert_eq!(server.hub.requests().len(), before);
    server.hub.stop().await;
}

/// Credentials of a job on GitHub, with what they said and what was masked.
struct Kit {
    credentials: Credentials,
    client: Client,
    said: Arc<Mutex<Vec<String>>>,
    masked: Arc<Mutex<Vec<String>>>,
}

fn kit(kinds: &[SourceKind], endpoint: &str, env: &[(&str, String)], deadline: Duration) -> Kit {
    let (said, masked) =
        (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
    let waits = said.clone();
    let client = Client::new(ClientOptions {
        deadline,
        waits: Arc::new(move |line| waits.lock().expect("one at a time").push(line.to_owned())),
        ..ClientOptions::default()
    });
    let client = client.expect("a client");
    let env: Environment = env.iter().map(|(name, value)| (*name, value.clone())).collect();
    let masks = masked.clone();
    let mask = Masker::new(move |secret| {
        masks.lock().expect("one at a time").push(secret.expose().to_owned());
        Ok(())
    });
    let discreet = client.discreet().expect("a client");
    let ids = IdTokens::new(discreet.clone(), Oidc::read(&env), Ci::GitHub, mask.clone());
    let sources: Vec<_> =
        kinds.iter().map(|kind| Source { kind: kind.clone(), at: None }).collect();
    let lines = said.clone();
    let log =
        Arc::new(move |line: &str| lines.lock().expect("one at a time").push(line.to_owned()));
    let job = Job::new(&env, ids, mask);
    Kit {
        credentials: Credentials::new(&sources, endpoint, discreet, job, log),
        client,
        said,
        masked,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_as_long_as_it_is_used_and_is_of_one_repository() {
    let life = Duration::from_secs(4);
    let publishers = vec![publisher("acme/churn", life), publisher("acme/log", life)];
    let server = hub(&["acme/churn", "acme/log", "acme/other"], publishers).await;
    let issuer = Issuer::of(on_tag()).await;
    let env = issuer.variables();
    let url = server.hub.url();
    let Kit { credentials, client, masked, .. } =
        kit(&[SourceKind::TrustedPublishing], &url, &env, Duration::from_mins(2));
    let credentials = credentials.renewing_after(Duration::from_secs(1));

    let token = credentials.for_repo("acme/churn").await.expect("granted").expect("there").token;
    let again = credentials.for_repo("acme/churn").await.expect("granted").expect("there").token;
    assert_eq!(token.current().expose(), again.current().expose(), "it is asked for once");
    let other = credentials.for_repo("acme/log").await.expect("granted").expect("there").token;
    assert_ne!(token.current().expose(), other.current().expose(), "each repository has its own");

    let first = token.current();
    let churn: RepoId = "acme/churn".parse().expect("an id");
    let hub = Hub::new(client.clone(), &url, None).expect("a Hub");
    let holder = hub.clone().with_token(Some(token.clone()));
    assert!(holder.refs(&"acme/other".parse().expect("an id")).await.expect("hidden").is_none());
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        assert!(holder.refs(&churn).await.expect("a living token").is_some());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let old = hub.with_token(Some(Token::from(first.clone())));
    assert_eq!(old.refs(&churn).await.expect_err("it has ended").status(), Some(401));
    assert_ne!(token.current().expose(), first.expose());
    assert!(masked.lock().expect("one at a time").contains(&token.current().expose().to_owned()));

    drop((holder, token, again, other, credentials));
    tokio::time::sleep(life).await;
    let exchanged = server.count("POST", "/oauth/token");
    assert!(exchanged >= 6, "{exchanged}");
    tokio::time::sleep(life).await;
    assert_eq!(server.count("POST", "/oauth/token"), exchanged, "what nobody uses is not renewed");
    server.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_life_that_a_server_gives_makes_us_ask_all_the_time() {
    let identity = jwt(json!({"sub": "x", "repository": "acme/churn-training"}));
    let mut held = Vec::new();
    for life in
        [json!(0), json!(1), json!(-1), json!(-1e300), json!(1e300), json!("soon"), Value::Null]
    {
        let server = MockServer::start().await;
        let issued = ResponseTemplate::new(200).set_body_json(json!({ "value": identity }));
        Mock::given(path("/id")).respond_with(issued).mount(&server).await;
        let granted = json!({"access_token": "granted-and-masked", "expires_in": life});
        let granted = ResponseTemplate::new(200).set_body_json(granted);
        Mock::given(path("/oauth/token")).respond_with(granted).mount(&server).await;
        let env = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/id?a=1", server.uri())),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
        ];
        let kinds = [SourceKind::TrustedPublishing];
        let kit = kit(&kinds, &server.uri(), &env, Duration::from_mins(1));
        let token = kit.credentials.for_repo("acme/churn").await.expect("granted").expect("there");
        held.push((life, server, token));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    for (life, server, _) in held {
        let asked = server.received_requests().await.expect("recorded");
        let exchanged = asked.iter().filter(|request| request.url.path() == "/oauth/token");
        assert_eq!(exchanged.count(), 1, "{life}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_path_tells_what_a_token_endpoint_said() {
    const CANARY: &str = "canary-5f0e1c7a";
    let identity = jwt(json!({"sub": CANARY, "repository": "acme/churn-training"}));
    let issued = json!({ "value": identity });
    let answer = |status: u16, body: String| ResponseTemplate::new(status).set_body_string(body);
    let part = identity.split('.').nth(1).expect("a payload");
    let elsewhere = ResponseTemplate::new(307).insert_header("location", format!("/x?{CANARY}"));
    let said = ResponseTemplate::new(403).insert_header("x-error-message", CANARY);
    for (what, answer) in [
        ("a wrong type", answer(200, json!({"access_token": 5, "expires_in": CANARY}).to_string())),
        ("no JSON", answer(200, format!("{CANARY}{{"))),
        ("nothing", answer(200, json!({"access_token": " "}).to_string())),
        ("an echo", answer(400, json!({"error": identity, "error_description": part}).to_string())),
        ("a page", answer(400, format!("<html>{CANARY}"))),
        ("a busy server", answer(503, format!("{{\"error\": \"{CANARY}\"}}"))),
        ("a broken server", answer(500, CANARY.to_owned())),
        ("words in a header", said),
        ("another place", elsewhere),
    ] {
        let server = MockServer::start().await;
        Mock::given(path("/id"))
            .respond_with(ResponseTemplate::new(200).set_body_json(&issued))
            .mount(&server)
            .await;
        Mock::given(path("/oauth/token")).respond_with(answer).mount(&server).await;
        let env = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/id?{CANARY}=1", server.uri())),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY.to_owned()),
        ];
        let kinds = [SourceKind::TrustedPublishing];
        let kit = kit(&kinds, &server.uri(), &env, Duration::from_secs(1));
        let error = kit.credentials.for_repo("acme/churn").await.expect_err(what);
        let failure = Failure::advised("cannot release", &error);
        let lines = kit.said.lock().expect("one at a time").join("\n");
        let told =
            format!("{failure}\n{}\n{error:?}\n{lines}", failure.advice().unwrap_or_default());
        // The subject is a claim, which is shown; everything else is not for eyes.
        let told = told.replace(&format!("sub: {CANARY}"), "");
        assert!(!told.contains(CANARY) && !told.contains("eyJ"), "{what}: {told}");
        assert!(
            told.contains("/oauth/token") || told.contains("trusted publisher"),
            "{what}: {told}"
        );
        let asked = server.received_requests().await.expect("recorded");
        assert!(asked.iter().all(|request| request.url.path() != "/x"), "{what}: sent elsewhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_one_is_told_before_it_is_used() {
    let two_lines = [("HF_TOKEN", "hf_pasted\nwith its neighbour".to_owned())];
    let kit =
        kit(&[SourceKind::Environment], "http://127.0.0.1:9", &two_lines, Duration::from_secs(1));
    let error = kit.credentials.for_repo("acme/churn").await.expect_err("no token");
    let failure = Failure::advised("cannot release", &error);
    let told = format!("{failure}\n{}\n{error:?}", failure.advice().unwrap_or_default());
    assert!(told.contains("holds characters that no token has"), "{told}");
    assert!(!told.contains("hf_pasted") && !told.contains("neighbour"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_identity_goes_to_a_hub_that_others_listen_to() {
    let issuer = Issuer::of(on_tag()).await;
    let kinds = [SourceKind::TrustedPublishing];
    let hub = "http://192.0.2.7";
    let kit = kit(&kinds, hub, &issuer.variables(), Duration::from_secs(1));
    let error = kit.credentials.for_repo("acme/churn").await.expect_err("plain http");
    let told = Failure::advised("cannot release", &error).to_string();
    assert!(told.contains("secrets do not go over plain http"), "{told}");
    assert_eq!(issuer.asked().await, 0, "not even asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_is_the_policys_unless_the_job_asks_for_an_identity() {
    let publisher = publisher("acme/churn", Duration::from_hours(1));
    let server = hub(&["acme/churn"], vec![publisher]).await;
    let issuer = Issuer::of(on_tag()).await;
    let url = server.hub.url();
    let mut env = issuer.variables().to_vec();
    env.push(("HF_TOKEN", server.hub.token().expose().to_owned()));
    let (stored, exchanged) = (SourceKind::Environment, SourceKind::TrustedPublishing);
    let resource = ("HF_OIDC_RESOURCE", "acme/churn".to_owned());
    let with_resource: Vec<_> = env.iter().cloned().chain([resource]).collect();
    for (kinds, env, source, avoidable) in [
        ([stored.clone(), exchanged.clone()], &env, "environment HF_TOKEN", true),
        ([exchanged.clone(), stored.clone()], &env, "trusted-publishing", false),
        ([stored, exchanged], &with_resource, "trusted-publishing", false),
    ] {
        let kit = kit(&kinds, &url, env, Duration::from_mins(1));
        let token = kit.credentials.for_repo("acme/churn").await.expect("given").expect("there");
        assert_eq!((token.source, token.is_avoidable), (source, avoidable));
    }
    server.hub.stop().await;
}
