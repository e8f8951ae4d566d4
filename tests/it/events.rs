//! Which event may do what with which permission: every event, every mode, every set of tokens, run
//! by the real binary. Where people without write access can start a run, nothing that writes runs,
//! no token leaves the runner, and the Hub hears nothing.

use serde_json::{Value, json};

use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::hub_server::HubServer;
use crate::support::workspace::Workspace;

/// Who can cause an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Somebody who may write to the repository.
    Writers,
    /// Anybody with an account.
    Anyone,
    /// Nobody has looked, or it is not merged yet.
    WhoKnows,
}

/// The tokens of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tokens {
    /// A fork's job: no secret, no id token, and a `GITHUB_TOKEN` that may only read.
    OfAFork,
    /// The job of a workflow that asks for `checks: write` and nothing else.
    Checks,
    /// Everything there is: a Hub token, id tokens, `checks: write`.
    All,
}

const MODES: [&str; 5] = ["auto", "check", "release", "stage", "rehearse"];

/// Variables and payload of each event, and who can cause it.
fn events() -> Vec<(&'static str, By, &'static str, Value)> {
    let ours = json!({"full_name": "acme/churn"});
    let pull = |there: Value| {
        json!({
            "repository": ours,
            "pull_request": {"number": 7, "head": {"sha": "a".repeat(40), "repo": there}},
        })
    };
    let after = |event: &str, there: &Value| json!({"repository": ours, "workflow_run": {"event": event, "head_repository": there}});
    let fork = json!({"full_name": "eve/churn"});
    let nothing = || json!({"repository": ours});
    vec![
        ("push", By::Writers, "refs/tags/v1.0.0", nothing()),
        ("push", By::Writers, "refs/heads/main", nothing()),
        ("workflow_dispatch", By::Writers, "refs/heads/main", nothing()),
        ("repository_dispatch", By::Writers, "refs/heads/main", nothing()),
        ("schedule", By::Writers, "refs/heads/main", nothing()),
        ("release", By::Writers, "refs/tags/v1.0.0", nothing()),
        ("workflow_run", By::Writers, "refs/heads/main", after("push", &ours)),
        ("workflow_run", By::Anyone, "refs/heads/main", after("pull_request", &ours)),
        ("workflow_run", By::Anyone, "refs/heads/main", after("push", &fork)),
        ("pull_request", By::Anyone, "refs/pull/7/merge", pull(ours.clone())),
        ("pull_request", By::Anyone, "refs/pull/7/merge", pull(fork.clone())),
        ("pull_request", By::Anyone, "refs/pull/7/merge", json!({})),
        ("pull_request_target", By::Anyone, "refs/heads/main", pull(fork.clone())),
        ("pull_request_review", By::Anyone, "refs/pull/7/merge", pull(fork.clone())),
        ("issue_comment", By::Anyone, "refs/heads/main", nothing()),
        ("issues", By::Anyone, "refs/heads/main", nothing()),
        ("check_suite", By::Anyone, "refs/heads/main", nothing()),
        ("discussion_comment", By::Anyone, "refs/heads/main", nothing()),
        ("workflow_run", By::Anyone, "refs/heads/main", after("merge_group", &ours)),
        ("merge_group", By::WhoKnows, "refs/heads/gh-readonly-queue/main/pr-7", nothing()),
        ("deployment_status", By::WhoKnows, "refs/tags/v1.0.0", nothing()),
        ("registry_package", By::WhoKnows, "refs/heads/main", nothing()),
        ("what_comes_next", By::WhoKnows, "refs/tags/v1.0.0", nothing()),
        ("", By::WhoKnows, "refs/tags/v1.0.0", nothing()),
    ]
}

const HUB_TOKEN_FREE: &str = "ghs_canaryOfTheGitHubToken0000000000";
const REQUEST_TOKEN: &str = "canaryOfTheIdTokenRequest00000000";

/// GitHub, as far as a job meets it: check runs with or without the permission, id tokens.
async fn github(tokens: Tokens, hub: &str) -> Front {
    Front::before(hub, move |asked: &Asked| {
        if asked.path.contains("/check-runs") {
            return Fate::Answer(match tokens {
                Tokens::OfAFork => Reply {
                    body: r#"{"message":"Resource not accessible by integration"}"#.into(),
                    ..Reply::status(403)
                },
                Tokens::Checks | Tokens::All => Reply::text(r#"{"id": 1}"#),
            });
        }
        Fate::Answer(Reply::status(404))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_in_every_mode_with_every_permission() {
    let hub = HubServer::start().await;
    let mut rows = 0;
    for tokens in [Tokens::OfAFork, Tokens::Checks, Tokens::All] {
        let front = Front::before(&hub.hub.url(), |_| Fate::Pass).await;
        let github = github(tokens, &hub.hub.url()).await;
        let workspace = workspace(tokens, &hub, &front, &github);
        for (event, by, reference, payload) in events() {
            for mode in MODES {
                let mut workspace = workspace.copy();
                let path = workspace.home().join("event.json");
                std::fs::write(&path, payload.to_string()).expect("writable");
                let (kind, name) = match reference.strip_prefix("refs/tags/") {
                    Some(tag) => ("tag", tag),
                    None => ("branch", "main"),
                };
                let here = workspace.path().display().to_string();
                workspace
                    .set("GITHUB_EVENT_NAME", event)
                    .set("GITHUB_EVENT_PATH", path.display().to_string())
                    .set("GITHUB_REF", reference)
                    .set("GITHUB_REF_TYPE", kind)
                    .set("GITHUB_REF_NAME", name)
                    .set("GITHUB_WORKSPACE", here)
                    .set("INPUT_MODE", mode)
                    .set("INPUT_SHARD", if mode == "stage" { "1/1" } else { "" })
                    // A tag that the event does not name is named by hand.
                    .set("INPUT_TAG", if kind == "tag" { "" } else { "v1.0.0" });
                let before = (front.asked().len(), github.asked().len());
                let run = tokio::task::block_in_place(|| workspace.run(&[]));
                let asked = &front.asked()[before.0..];
                let row = format!("{event} {reference} by {by:?}, {mode}, {tokens:?}");

                let writes = match mode {
                    "release" | "stage" => true,
                    "auto" => event == "push" && kind == "tag",
                    _ => false,
                };
                let code = match (writes, by, tokens) {
                    (false, ..) | (true, By::Writers, Tokens::All) => 0,
                    (true, ..) => 2,
                };
                assert_eq!(run.code, code, "{row}: {}", run.all());
                if writes && by != By::Writers {
                    let says = match event.trim_end_matches("_review") {
                        "" => "does not run under an event that the CI does not name".to_owned(),
                        named => format!("does not run under `{named}`"),
                    };
                    assert!(run.all().contains(&says), "{row}: {}", run.all());
                    assert!(run.all().contains("release on a tag push"), "{row}: {}", run.all());
                }
                // The Hub hears of a run that may write, and of no other.
                assert_eq!(!asked.is_empty(), writes && code == 0, "{row}: {asked:?}");
                // Id tokens are asked for by nothing here: the job's own Hub token comes first.
                let to_github = &github.asked()[before.1..];
                let ids = to_github.iter().filter(|one| one.path.contains("/id-token"));
                assert_eq!(ids.count(), 0, "{row}: {to_github:?}");
                // The findings are told to GitHub whatever it lets us do.
                let checks = to_github.iter().filter(|one| one.path.contains("/check-runs"));
                let told = code == 0 && mode != "stage";
                assert_eq!(checks.count() > 0, told, "{row}: {to_github:?}");
                for secret in [hub.hub.token().expose(), HUB_TOKEN_FREE, REQUEST_TOKEN] {
                    let masked = format!("::add-mask::{secret}");
                    let said = run.all().replace(&masked, "");
                    assert!(!said.contains(secret), "{row} prints a secret: {said}");
                }
                rows += 1;
            }
        }
    }
    assert_eq!(rows, 3 * events().len() * MODES.len());
}

/// The policy of a pull request may name any Hub: none is told a token to read the log with.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_without_a_token_where_anybody_can_start_a_run() {
    let hub = HubServer::start().await;
    let front = Front::before(&hub.hub.url(), |_| Fate::Pass).await;
    let github = github(Tokens::All, &hub.hub.url()).await;
    let mut workspace = workspace(Tokens::All, &hub, &front, &github);
    let verify = &["audit-log", "verify", "--repository", "acme/registry"];
    for (event, token) in [("push", true), ("pull_request_target", false), ("issue_comment", false)]
    {
        workspace.set("GITHUB_EVENT_NAME", event).set("GITHUB_REF", "refs/heads/main");
        let before = front.asked().len();
        let run = tokio::task::block_in_place(|| workspace.run(verify));
        let asked = &front.asked()[before..];
        assert!(!asked.is_empty(), "{event}: {}", run.all());
        assert!(asked.iter().all(|one| one.authorized == token), "{event}: {asked:?}");
        let run = tokio::task::block_in_place(|| {
            workspace.run(&["audit-log", "append", "--repository", "acme/registry", "record.json"])
        });
        let refused = run.expect(2).all().contains("`audit-log append` does not run under");
        assert_eq!(refused, !token, "{event}");
    }
}

/// GitLab says in one variable what started a pipeline, and a merge request has variables of its own.
#[tokio::test(flavor = "multi_thread")]
async fn every_source_of_a_pipeline_in_gitlab() {
    let hub = HubServer::start().await;
    let front = Front::before(&hub.hub.url(), |_| Fate::Pass).await;
    let merge_request = ("CI_MERGE_REQUEST_IID", "7");
    let none = ("CI_MERGE_REQUEST_IID", "");
    for (source, who, writes) in [
        ("push", none, true),
        ("web", none, true),
        ("webide", none, true),
        ("api", none, true),
        ("trigger", none, true),
        ("schedule", none, true),
        ("pipeline", none, true),
        ("parent_pipeline", none, true),
        ("chat", none, true),
        ("merge_request_event", merge_request, false),
        ("parent_pipeline", merge_request, false),
        ("external_pull_request_event", ("CI_EXTERNAL_PULL_REQUEST_IID", "7"), false),
        ("external", none, false),
        ("security_orchestration_policy", none, false),
        ("what_comes_next", none, false),
        ("", none, false),
    ] {
        for (mode, tag) in [("release", "v1.0.0"), ("auto", "v1.0.0"), ("auto", "")] {
            let mut workspace = Workspace::healthy();
            workspace
                .set("GITLAB_CI", "true")
                .set("CI_PIPELINE_SOURCE", source)
                .set("CI_COMMIT_TAG", tag)
                .set(who.0, who.1)
                .set("INPUT_MODE", mode)
                .on_hub(&front.url(), hub.hub.token().expose());
            let before = front.asked().len();
            let run = tokio::task::block_in_place(|| workspace.run(&[]));
            let row = format!("{source} {who:?}, {mode} {tag}: {}", run.all());
            let refused = mode == "release" && !writes;
            assert_eq!(run.code, if refused { 2 } else { 0 }, "{row}");
            assert_eq!(run.all().contains("does not run under"), refused, "{row}");
            // `auto` releases a tag where it may, and checks where it may not.
            let asked = writes && !tag.is_empty();
            assert_eq!(front.asked().len() > before, asked, "{row}");
        }
    }
}

fn workspace(tokens: Tokens, hub: &HubServer, front: &Front, github: &Front) -> Workspace {
    let mut workspace = Workspace::healthy();
    workspace
        .set("GITHUB_ACTIONS", "true")
        .set("GITHUB_REPOSITORY", "acme/churn")
        .set("GITHUB_ACTOR", "ada")
        .set("GITHUB_API_URL", github.url())
        .set("GITHUB_TOKEN", HUB_TOKEN_FREE)
        .set("HF_ENDPOINT", front.url());
    let head = workspace.head();
    workspace.set("GITHUB_SHA", head);
    if tokens == Tokens::All {
        workspace
            .set("HF_TOKEN", hub.hub.token().expose())
            .set("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/id-token?v=1", github.url()))
            .set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN);
    }
    workspace
}
