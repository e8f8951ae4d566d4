//! Passing over gates: who may, when, and that nobody can miss it.

use serde_json::Value;

use super::{Mood, front, published, workspace};
use crate::support::github::on_runner;
use crate::support::hub_server::HubServer;
use crate::support::plain_client;

const REASON: &str = "INC-7: the model | in production <b>fails</b> for all";

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_refused_unless_everything_about_it_is_in_order() {
    let hub = HubServer::start().await;
    let by_hand = ("GITHUB_EVENT_NAME", "workflow_dispatch");
    for (changes, reason, says) in [
        (vec![], REASON, "only a run that a person started by hand"),
        (vec![("GITHUB_EVENT_NAME", "schedule")], REASON, "by hand"),
        (vec![("GITHUB_EVENT_NAME", "repository_dispatch")], REASON, "by hand"),
        (vec![by_hand], "hurry!", "the reason has 6 characters"),
        (vec![by_hand, ("GITHUB_ACTOR", "eve")], REASON, "`eve` is not listed"),
        (vec![by_hand, ("GITHUB_TRIGGERING_ACTOR", "eve")], REASON, "`eve` is not listed"),
        (vec![by_hand, ("GITHUB_TRIGGERING_ACTOR", "")], REASON, "who started the run again"),
        (vec![("GITHUB_EVENT_NAME", "pull_request")], REASON, "does not run under"),
    ] {
        let front = front("http://127.0.0.1:1", Mood::Forbids).await;
        let mut workspace = workspace("review: {}");
        // The last value of a variable is the one that holds.
        on_runner(&mut workspace, &front.url());
        workspace.set("GITHUB_ACTOR", "ada").set("GITHUB_TRIGGERING_ACTOR", "ada");
        for (name, value) in changes {
            workspace.set(name, value);
        }
        workspace.on_hub(&hub.hub.url(), hub.hub.token().expose());
        let arguments = ["release", "--tag", "v1.0.0", "--emergency", reason];
        let run = tokio::task::block_in_place(|| workspace.run(&arguments));
        run.expect(2).says(says);
        assert_eq!(hub.count("POST", "/commit/"), 0);
    }
    let workspace = workspace("review: {}");
    for mode in ["check", "rehearse"] {
        let run = tokio::task::block_in_place(|| workspace.run(&[mode, "--emergency", REASON]));
        run.expect(2).says("takes no emergency");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_emergency_passed_over_is_written_large() {
    let hub = HubServer::start().await;
    let front = front("http://127.0.0.1:1", Mood::Forbids).await;
    let mut workspace = workspace("review: {}");
    on_runner(&mut workspace, &front.url());
    workspace
        .set("GITHUB_EVENT_NAME", "workflow_dispatch")
        .set("GITHUB_REF", "refs/heads/main")
        .set("GITHUB_ACTOR", "ada")
        .set("GITHUB_TRIGGERING_ACTOR", "Grace")
        .set("INPUT_MODE", "release")
        .set("INPUT_TAG", "v1.0.0")
        .set("INPUT_EMERGENCY", REASON)
        .set("INPUT_REPORT-DIR", "kept")
        .on_hub(&hub.hub.url(), hub.hub.token().expose());
    let run = tokio::task::block_in_place(|| workspace.run(&[])).expect(0);
    let run = run.says("!!! EMERGENCY !!!").says("PASSED OVER IN AN EMERGENCY");
    let told = "ada and Grace passed over review-unknown: INC-7: the model";
    assert!(run.stdout.contains(&format!("::warning title=weighbridge EMERGENCY::{told}")));
    assert!(run.stdout.contains("title=EMERGENCY review-unknown::"), "{}", run.all());
    let read =
        |path: &str| std::fs::read_to_string(workspace.path().join(path)).expect("it is written");
    let summary = std::fs::read_to_string(workspace.home().join("summary.md")).expect("a summary");
    assert!(summary.starts_with("> [!WARNING]\n> ⚠️ **EMERGENCY** ada and Grace passed over"));
    assert!(summary.contains("\\| in production \\<b\\>fails"), "{summary}");
    let report: Value = serde_json::from_str(&read("kept/report.json")).expect("JSON");
    assert_eq!(report["verdict"], "pass");
    assert_eq!(report["emergency"]["reason"], REASON);
    assert_eq!(report["emergency"]["passed_over"][0]["rule"], "review-unknown");
    let sarif: Value = serde_json::from_str(&read("kept/report.sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let passed = results.iter().find(|one| one["ruleId"] == "review-unknown").expect("told");
    assert_eq!(passed["suppressions"][0]["kind"], "external");
    let asked = front.asked();
    let check = asked.iter().find(|one| one.method == "POST").expect("a check run is tried");
    let title = check.json["output"]["title"].as_str().expect("a title");
    assert!(title.starts_with("EMERGENCY: "), "{title}");

    let record: Value =
        serde_json::from_str(&published(&hub, "weighbridge.json").await).expect("JSON");
    assert_eq!(record["emergency"]["by"], serde_json::json!(["ada", "Grace"]));
    assert_eq!(record["emergency"]["passed_over"][0]["rule"], "review-unknown");
    let card = published(&hub, "README.md").await;
    let told = "> **Released in an emergency.** ada and Grace passed over gates that block otherwise: \
                `review` (`review-unknown`). The reason given: INC-7: the model";
    assert!(card.contains(told) && card.contains("\\| in production \\<b\\>fails"), "{card}");
    let commits = format!("{}/api/models/acme/churn/commits/main", hub.hub.url());
    let commits = plain_client().get(commits).bearer_auth(hub.hub.token().expose()).send().await;
    let commits = commits.expect("answers").text().await.expect("a body");
    assert!(commits.contains("EMERGENCY RELEASE by ada, Grace"), "{commits}");

    // A gate that the policy does not list blocks as ever.
    workspace.write("metrics.json", "{\n  \"accuracy\": 0.5\n}\n");
    workspace.version("v1.1.0");
    workspace.set("INPUT_TAG", "v1.1.0");
    let run = tokio::task::block_in_place(|| workspace.run(&[])).expect(1);
    run.says("!!! EMERGENCY !!!");
}
