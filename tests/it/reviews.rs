//! Who may release: histories of pull requests, checks, tags, approvals and protection on a GitHub with a
//! memory, each released by the real binary. Prism stands between, so that what we ask and what the fake
//! answers is what GitHub's official description says.

mod emergency;
mod pull_requests;
mod sources;

use serde_json::Value;

use crate::support::front::{Fate, Front, Reply};
use crate::support::github::{Commit, FakeGitHub, Memory, Pull, TOKEN, Tag, on_runner};
use crate::support::hub_server::HubServer;
use crate::support::plain_client;
use crate::support::prism::Prism;
use crate::support::workspace::{POLICY, Run, Workspace};

/// The head of the pull request.
const HEAD: &str = "1111111111111111111111111111111111111111";
const OLDER: &str = "2222222222222222222222222222222222222222";

/// What GitHub does with every request.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Forbids,
    LimitsOnce,
    LimitsForADay,
    Garbage,
    HasNoEnd,
    HidesAccess,
}

struct Case {
    what: &'static str,
    gates: &'static str,
    change: fn(&mut Memory),
    mood: Mood,
    /// The note of the gate that passes, or what is said of the finding that blocks.
    ends: Result<&'static str, &'static str>,
}

/// A repository whose history passes every gate.
fn healthy(commit: &str) -> Memory {
    let mut pull = Pull {
        number: 7,
        head: HEAD.into(),
        merged: Some(commit.into()),
        brought: Vec::new(),
        author: "ada",
        base: "main",
        commits: vec![by("ada", "ada@acme.com"), by("wren", "wren@acme.com")],
        reviews: Vec::new(),
    };
    pull.say("grace", "APPROVED");
    let own = "https://github.com/acme/churn/actions/runs/7/job/1";
    let other = "https://github.com/acme/churn/actions/runs/5/job/1";
    Memory {
        pulls: vec![pull],
        checks: [
            (commit.into(), vec![["release", "in_progress", "", own]]),
            (HEAD.into(), vec![["tests", "completed", "success", other]]),
        ]
        .into(),
        statuses: [(HEAD.into(), vec![["lint", "success"]])].into(),
        tag: Some(Tag {
            commit: commit.into(),
            annotated: true,
            made_as: "v1.0.0",
            reason: "valid",
        }),
        approvals: vec![["grace", "approved", "production"]],
        protected: true,
        branch_rules: vec!["pull_request"],
        tag_rules: vec!["update", "deletion"],
        tag_pattern: "refs/tags/v*",
        tag_exclude: Vec::new(),
        compared: Some("behind"),
        access: [("eve", "read"), ("colin", "read"), ("nobody", "none")].into(),
        addresses: [("grace@acme.com", "grace")].into(),
        team: Some(vec!["grace"]),
    }
}

const fn by(account: &'static str, email: &'static str) -> Commit {
    Commit { account: Some(account), email, message: "Train" }
}

fn pull(memory: &mut Memory) -> &mut Pull {
    &mut memory.pulls[0]
}

/// A repository with gates, and a policy that lets ada and grace pass over two of them.
fn workspace(gates: &str) -> Workspace {
    let workspace = Workspace::healthy();
    let emergency = "emergency: {who: [ada, grace], gates: [review, approval]}\n";
    let policy = POLICY.replace("gates:\n", &format!("gates:\n  {gates}\n"));
    workspace.write("weighbridge.yml", format!("{policy}{emergency}"));
    workspace.version("v1.0.0");
    workspace
}

/// A front that lets no check run be made, and is of a mood.
async fn front(server: &str, mood: Mood) -> Front {
    Front::before(server, move |asked| match mood {
        _ if asked.method == "POST" => Fate::Answer(Reply::status(403)),
        Mood::Well => Fate::Pass,
        Mood::HidesAccess if !asked.path.contains("/collaborators/") => Fate::Pass,
        Mood::Forbids | Mood::HidesAccess => Fate::Answer(Reply {
            body: r#"{"message": "Resource not accessible by integration"}"#.into(),
            ..Reply::status(403)
        }),
        Mood::LimitsOnce if asked.index == 0 => {
            Fate::Answer(Reply::status(429).header("retry-after", "1"))
        }
        Mood::LimitsOnce => Fate::Pass,
        Mood::LimitsForADay => Fate::Answer(Reply::status(403).header("retry-after", "86400")),
        Mood::HasNoEnd => {
            let one = r#"{"number": 1, "head": {"sha": "x"}, "base": {"ref": "main"}}"#;
            Fate::Answer(Reply::text(&format!("[{}]", [one; 100].join(","))))
        }
        Mood::Garbage => Fate::Answer(Reply::text("[{\"number\": {}}")),
    })
    .await
}

fn release(workspace: &mut Workspace, api: &str, hub: &HubServer, more: &[&str]) -> Run {
    on_runner(workspace, api);
    workspace
        .set("GITHUB_RUN_ID", "7")
        .set("GITHUB_ACTOR", "ada")
        .set("GITHUB_TRIGGERING_ACTOR", "ada")
        .on_hub(&hub.hub.url(), hub.hub.token().expose());
    let run = tokio::task::block_in_place(|| workspace.run(&[&["release"], more].concat()));
    let unmasked = run.all().replace(&format!("::add-mask::{TOKEN}"), "");
    assert!(!unmasked.contains(TOKEN), "the token was printed");
    run
}

/// A file of the published version.
async fn published(hub: &HubServer, name: &str) -> String {
    let url = format!("{}/acme/churn/resolve/v1.0.0/{name}", hub.hub.url());
    let answer = plain_client().get(url).bearer_auth(hub.hub.token().expose()).send().await;
    answer.expect("answers").text().await.expect("a body")
}

const fn case(
    what: &'static str,
    gates: &'static str,
    change: fn(&mut Memory),
    ends: Result<&'static str, &'static str>,
) -> Case {
    Case { what, gates, change, mood: Mood::Well, ends }
}

const fn forbidden(gates: &'static str, says: &'static str) -> Case {
    Case { what: "403", gates, change: |_| {}, mood: Mood::Forbids, ends: Err(says) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_history_ends_as_it_should() {
    let fake = FakeGitHub::start().await;
    let Some(prism) = Prism::before("reviews::every_history", &fake.url).await else { return };
    for case in pull_requests::CASES.iter().chain(sources::CASES) {
        let front = front(&prism.url, case.mood).await;
        let mut workspace = workspace(case.gates);
        let mut memory = healthy(&workspace.head());
        (case.change)(&mut memory);
        fake.know(memory);
        let hub = HubServer::start().await;
        let run = release(&mut workspace, &front.url(), &hub, &[]);
        let (code, says) = case.ends.map_or_else(|says| (1, says), |says| (0, says));
        let all = format!("{} ({})\n{}", case.what, case.gates, run.all());
        // What is long is wrapped, and a fix is told beside.
        let flat = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(run.code, code, "{all}");
        assert!(flat.contains(says), "not said: {says}\n{all}");
        let asked = front.asked();
        assert!(asked.len() < 40, "it ends: {all}");
        assert!(asked.iter().any(|one| one.method == "GET"), "GitHub was asked: {all}");
        if case.mood == Mood::Well {
            let odd: Vec<_> = asked
                .iter()
                .filter(|one| one.method == "GET" && !matches!(one.status, Some(200 | 404)))
                .collect();
            assert!(odd.is_empty(), "prism refuses {odd:?}\n{all}");
        }
        let there = hub.count("POST", "/commit/");
        assert_eq!(there > 0, code == 0, "what is blocked is not published: {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_release_record_keeps_the_evidence() {
    let fake = FakeGitHub::start().await;
    let Some(prism) = Prism::before("reviews::the_release_record", &fake.url).await else { return };
    let gates = "review: {team: ml}\n  status-checks: {}\n  tag-signature: {}\n  approval: {environment: production}\n  protection: {}";
    let mut workspace = workspace(gates);
    fake.know(healthy(&workspace.head()));
    let hub = HubServer::start().await;
    let front = front(&prism.url, Mood::Well).await;
    release(&mut workspace, &front.url(), &hub, &[]).expect(0);
    let record: Value =
        serde_json::from_str(&published(&hub, "weighbridge.json").await).expect("JSON");
    let control = &record["control"];
    let pull = &control["pull_requests"][0];
    assert_eq!(pull["url"], "https://github.com/acme/churn/pull/7");
    assert_eq!((&pull["head"], &pull["author"]), (&HEAD.into(), &"ada".into()));
    let vote = &pull["votes"][0];
    assert_eq!(vote["by"], "grace");
    assert_eq!(vote["url"], "https://github.com/acme/churn/pull/7#pullrequestreview-100");
    assert_eq!((&vote["at"], &vote["counts"]), (&"2026-01-01T00:00:00Z".into(), &true.into()));
    let names: Vec<_> =
        control["checks"].as_array().expect("checks").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["lint", "tests"]);
    assert_eq!(control["tag"]["verified"], true);
    assert_eq!(control["approvals"][0]["by"], "grace");
    assert_eq!(control["branch"]["protected"], true);
    assert_eq!(control["branch"]["holds_commit"], true);
    assert_eq!(control["tag_rules"], serde_json::json!(["deletion", "update"]));
    assert_eq!(control["releasers"], serde_json::json!(["ada", "ada"]));
    assert_eq!(record["emergency"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_judged_blocks_a_release_and_is_left_open_before_it() {
    let hub = HubServer::start().await;
    // On no GitHub: a gate that is asked for is not passed by silence.
    let mut workspace = workspace("review: {}\n  protection: {}");
    workspace.on_hub(&hub.hub.url(), hub.hub.token().expose());
    let run = tokio::task::block_in_place(|| workspace.run(&["release"])).expect(1);
    run.says("[review-unknown]").says("[protection-unknown]").says("no run of GitHub Actions");
    let rehearsed = tokio::task::block_in_place(|| workspace.run(&["rehearse"])).expect(0);
    rehearsed.says("known when the version is released");
    // A pull request is checked without asking anybody.
    let front = front("http://127.0.0.1:1", Mood::Forbids).await;
    on_runner(&mut workspace, &front.url());
    workspace.set("GITHUB_EVENT_NAME", "pull_request").set("GITHUB_REF", "refs/pull/5/merge");
    let run = tokio::task::block_in_place(|| workspace.run(&["check", "--tag", "v1.0.0"]));
    run.expect(0).says("known when the version is released");
    assert_eq!(front.count("GET", "/"), 0);
    // Of a tag it can be known.
    workspace.set("GITHUB_EVENT_NAME", "push").set("GITHUB_REF", "refs/tags/v1.0.0");
    let run = tokio::task::block_in_place(|| workspace.run(&["check"]));
    run.expect(1).says("permissions: {pull-requests: read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lets_a_run_in_is_told_from_who_started_it_or_blocks() {
    let fake = FakeGitHub::start().await;
    let hub = HubServer::start().await;
    for missing in ["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"] {
        let mut workspace = workspace("approval: {environment: production}");
        fake.know(healthy(&workspace.head()));
        on_runner(&mut workspace, &fake.url);
        workspace
            .set("GITHUB_RUN_ID", "7")
            .set("GITHUB_ACTOR", "ada")
            .set("GITHUB_TRIGGERING_ACTOR", "ada")
            .set(missing, "")
            .on_hub(&hub.hub.url(), hub.hub.token().expose());
        let run = tokio::task::block_in_place(|| workspace.run(&["release"])).expect(1);
        run.says("[approval-unknown]").says("it is not known who started this run");
    }
    assert_eq!(hub.count("POST", "/commit/"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_that_the_policy_does_not_ask_for() {
    let hub = HubServer::start().await;
    for gates in ["review: {stages: [lab]}", "size: {max: 1GB}"] {
        let front = front("http://127.0.0.1:1", Mood::Forbids).await;
        let mut workspace = Workspace::healthy();
        let stages =
            "stages: [{name: lab, repository: lab, channels: [staging]}, {name: production}]\n";
        let policy = POLICY.replace("gates:\n", &format!("gates:\n  {gates}\n"));
        workspace.write("weighbridge.yml", format!("{policy}{stages}"));
        workspace.version("v1.0.0");
        release(&mut workspace, &front.url(), &hub, &["--dry-run"]).expect(0);
        assert_eq!(front.count("GET", "/"), 0, "{gates}");
    }
}
