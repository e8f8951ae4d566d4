//! The reports that other programs read: SARIF as its own makers' validator has it, the JSON report,
//! the plan of a dry run.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::counterpart::need;
use crate::support::hub_server::HubServer;
use crate::support::workspace::Workspace;

const SARIF: &str = "node/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool";

/// What the validator has to say, with the rules of SARIF itself and of GitHub code scanning.
fn validate(validator: &Path, log: &[u8]) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("log.sarif"), log).expect("writable");
    let output = Command::new(validator)
        .current_dir(folder.path())
        .args(["validate", "log.sarif", "--rule-kind", "Sarif;Ghas", "--output", "said.sarif"])
        .output()
        .expect("the validator runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("1 files scanned"), "{printed}");
    let said = std::fs::read(folder.path().join("said.sarif")).expect("the validator's result");
    let said: Value = serde_json::from_slice(&said).expect("JSON");
    said["runs"][0]["results"].as_array().expect("results").clone()
}

#[test]
fn sarif_satisfies_its_makers_and_github() {
    let Some(validator) = need("reports::sarif", SARIF) else { return };
    // The check can fail: this rule has no name and no message.
    let broken = json!({"version": "2.1.0", "runs": [{"results": [{"ruleId": 7}]}]});
    assert!(!validate(&validator, broken.to_string().as_bytes()).is_empty());

    let workspace = Workspace::healthy();
    let clean = workspace.run(&["scan", "model", "--format", "sarif"]).expect(0).stdout;
    assert_eq!(validate(&validator, clean.as_bytes()), Vec::<Value>::new());

    for name in ["a b.pkl", "100%25.pkl", "%0A::error::x.pkl", "né\u{202e}.pkl", "nl\nnl.pkl"] {
        workspace.write(&format!("model/{name}"), b"cos\nsystem\n(S'id'\ntR.");
    }
    workspace.write("metrics.json", "{\n  \"accuracy\": 0.5\n}\n");
    let scanned = workspace.run(&["scan", "model", "--format", "sarif"]).expect(1).stdout;
    assert_eq!(validate(&validator, scanned.as_bytes()), Vec::<Value>::new());

    workspace.run(&["check", "--report-dir", "reports-of-run"]).expect(1);
    let path = workspace.path().join("reports-of-run/report.sarif");
    let checked = std::fs::read(path).expect("a SARIF report");
    assert_eq!(validate(&validator, &checked), Vec::<Value>::new());
    let checked: Value = serde_json::from_slice(&checked).expect("JSON");
    let results = checked["runs"][0]["results"].as_array().expect("results");
    assert!(results.len() > 5, "the poisoned files and the metric: {results:#?}");
}

#[test]
fn json_on_standard_output_is_the_report() {
    let workspace = Workspace::healthy();
    let run = workspace.run(&["check", "--format", "json"]).expect(0);
    let printed: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(printed, workspace.report());
    assert_eq!(printed["verdict"], "pass");

    let run = workspace.run(&["explain", "--format", "json"]).expect(0);
    let rows: Value = serde_json::from_str(&run.stdout).expect("one JSON array");
    let row = json!({"key": "model.name", "value": "churn", "origin": "weighbridge.yml:2:9"});
    assert!(rows.as_array().expect("rows").contains(&row), "{rows:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let run = |arguments: &[&str]| tokio::task::block_in_place(|| workspace.run(arguments));

    let table = run(&["release", "--dry-run"]).expect(0);
    let report = run(&["release", "--dry-run", "--format", "json"]).expect(0).stdout;
    let report: Value = serde_json::from_str(&report).expect("one JSON object");
    let plan = &report["plan"];
    assert_eq!(
        [&plan["repo_id"], &plan["revision"], &plan["tag"], &plan["already_published"]],
        [&json!("acme/churn"), &json!("main"), &json!("v1.0.0"), &json!(false)]
    );
    let steps: Vec<(&str, &str)> = plan["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| (step["action"].as_str().expect("text"), step["what"].as_str().expect("text")))
        .collect();
    assert_eq!(
        steps,
        [
            ("create-repo", "acme/churn (private)"),
            ("send", "LICENSE"),
            ("send", "README.md"),
            ("send", "config.json"),
            ("send", "model.json"),
            ("send", "weighbridge.json"),
            ("commit", "one commit to main"),
            ("verify", "read the tree back, compare every digest"),
            ("tag", "v1.0.0"),
        ]
    );
    for (action, what) in steps {
        let shown = table.stdout.lines().any(|line| line.contains(action) && line.contains(what));
        assert!(shown, "{action} {what}: {}", table.all());
    }
    let requests = server.hub.requests();
    let writes: Vec<_> =
        requests.iter().filter(|one| one.method != "GET" && one.method != "HEAD").collect();
    assert!(!requests.is_empty() && writes.is_empty(), "{writes:?}");
}
