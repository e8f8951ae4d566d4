//! The commands that need no Hub.

use crate::support::workspace::{POLICY, Workspace};

#[test]
fn check_passes_a_healthy_model_without_a_secret_or_a_network() {
    let run = Workspace::healthy().run(&["check"]).expect(0);
    assert!(!run.stdout.contains("::"), "no workflow commands outside GitHub:\n{}", run.stdout);
}

#[test]
fn check_blocks_each_kind_of_trouble_at_its_place() {
    for (path, content, rule, place) in [
        ("metrics.json", "{\n  \"accuracy\": 0.5\n}\n", "metric-below-min", "metrics.json:2"),
        ("metrics.json", "{\n  \"accuracy\": NaN\n}\n", "metric-not-finite", "metrics.json:2"),
        ("metrics.json", "{}", "metric-missing", "metrics.json"),
        ("reports/junit.xml", "<testsuites/>", "tests-empty", "reports/junit.xml"),
        (
            "reports/junit.xml",
            r#"<testsuite><testcase name="a" file="tests/test_a.py" line="7"><failure message="no"/></testcase></testsuite>"#,
            "test-failed",
            "tests/test_a.py",
        ),
        (
            "model/notes.txt",
            concat!("token = hf", "_abcdefghijKLMNOPqrstuvwxYZ0123456789\n"),
            "",
            "model/notes.txt:1",
        ),
        (
            "model/model.safetensors",
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n",
            "lfs-pointer",
            "model/model.safetensors",
        ),
    ] {
        let workspace = Workspace::healthy();
        workspace.write(path, content);
        workspace.run(&["check"]).expect(1).says(rule).says(place);
    }
}

#[test]
fn several_models_in_one_repository() {
    let workspace = Workspace::healthy();
    let models = POLICY.replacen("model:\n  name: churn", "models:\n- name: churn", 1);
    let second = "- name: fraud\n  owner: acme\n  path: model\n  library: xgboost\n  task: tabular-classification\n  license: apache-2.0\n  language: [en]\n";
    workspace.write("weighbridge.yml", models.replacen("gates:", &format!("{second}gates:"), 1));
    workspace.commit();
    workspace.tag("fraud/v2.0.0");
    workspace.run(&["check"]).expect(0).says("churn").says("fraud");
    let data = tempfile::tempdir().expect("a temporary folder");
    let data = data.path().to_str().expect("UTF-8");
    workspace
        .run(&["rehearse", "--tag", "fraud/v2.0.0", "--data", data])
        .expect(0)
        .says("acme/fraud");
    workspace
        .run(&["rehearse", "--tag", "v2.0.0", "--data", data])
        .expect(1)
        .says("tag-unreadable");
}

#[test]
fn scan_tells_files_and_findings_as_json() {
    let workspace = Workspace::healthy();
    workspace.run(&["scan", "model", "--format", "json"]).expect(0);
    workspace.write("model/bad.pkl", b"cos\nsystem\n(S'id'\ntR.");
    let run = workspace.run(&["scan", "model/LICENSE", "--format", "json"]).expect(0);
    let one: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(one["files"][0]["path"], "model/LICENSE");
    workspace.run(&["scan", "model/gone.pkl"]).expect(2).says("model/gone.pkl");
    let run = workspace.run(&["scan", "model", "--format", "json"]).expect(1);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(report["findings"][0]["rule"], "unsafe-pickle");
    assert_eq!(report["findings"][0]["level"], "error");
    assert!(report["findings"][0]["path"].as_str().expect("a path").ends_with("model/bad.pkl"));
    let files = report["files"].as_array().expect("files");
    assert_eq!(files.len(), 4);
    assert!(
        files.iter().all(|file| file["sha256"].as_str().is_some_and(|digest| digest.len() == 64))
    );
    workspace.run(&["scan", "missing"]).expect(2);
}

#[test]
fn explain_schema_and_rules_print() {
    let workspace = Workspace::healthy();
    workspace.run(&["explain"]).expect(0).says("weighbridge.yml:").says("default");
    let run = workspace.run(&["schema"]).expect(0);
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert!(schema["properties"]["model"].is_object());
    workspace.run(&["rules"]).expect(0).says("unsafe-pickle");
}

#[test]
fn the_mode_follows_the_event() {
    let mut workspace = Workspace::healthy();
    workspace.set("GITHUB_ACTIONS", "true").set("GITHUB_EVENT_NAME", "pull_request");
    let folder = workspace.path().to_str().expect("UTF-8").to_owned();
    workspace.set("GITHUB_WORKSPACE", folder);
    workspace.run(&[]).expect(0);
    workspace.set("INPUT_MODE", "release");
    workspace.run(&[]).expect(2).says("pull_request");
    workspace.set("INPUT_MODE", "relase");
    workspace.run(&[]).expect(2).says("relase");
}

#[test]
fn the_rule_table_and_the_policy_page_are_true() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = Workspace::empty().run(&["rules", "--format", "markdown"]).expect(0);
    let stored = std::fs::read_to_string(root.join("docs/rules.md")).expect("docs/rules.md");
    let refresh = "refresh it: cargo run -- rules --format markdown > docs/rules.md";
    for (line, expected) in stored.lines().zip(run.stdout.lines()) {
        assert_eq!(line, expected, "{refresh}");
    }
    assert_eq!(stored.len(), run.stdout.len(), "{refresh}");
    let page = std::fs::read_to_string(root.join("docs/policy.md")).expect("docs/policy.md");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let catalogue = weighbridge::gates::catalogue();
    let rules: Vec<_> = catalogue.iter().map(|(_, rule)| rule.id).collect();
    let mut policies = 0;
    for text in [page, readme] {
        for block in text.split("```yaml\n").skip(1) {
            let block = block.split("```").next().expect("a block");
            if block.starts_with("model:") || block.starts_with("models:") {
                policies += 1;
                if let Err(error) = weighbridge::policy::parse("block", block, &rules) {
                    panic!("{error}");
                }
            }
        }
    }
    assert!(policies >= 2, "{policies} policies were found");
}

#[test]
fn a_catalogue_tells_each_model_its_places_and_newest_version() {
    let workspace = Workspace::healthy();
    let stages = "stages:\n  - {name: lab, repository: \"{name}-lab\", channels: [staging]}\n  - {name: production, repository: \"{name}-v{major}\"}\n";
    let hostile = POLICY.replace("Tells who will leave.", "\"a | <b> ::error::x\"");
    workspace.write("weighbridge.yml", format!("{hostile}{stages}"));
    workspace.version("v1.2.0-rc.1");
    workspace.version("v2.0.0");
    let day = |text: &str| text.split(" of ").nth(1).map(|rest| rest[..10].to_owned());
    let run = workspace.run(&["catalogue"]).expect(0);
    let rows: Vec<_> = run.stdout.lines().collect();
    let date = day(rows[2]).expect("a date");
    let about = "| churn: a \\| \\<b\\> ::error::x |";
    let facts = "tabular-classification | xgboost | apache-2.0 | Ada |";
    assert_eq!(
        rows[2..],
        [
            format!(
                "{about} 1.2.0-rc.1 of {date} | `acme/churn-lab` (lab, private: staging) | {facts}"
            ),
            format!("{about} 2.0.0 of {date} | `acme/churn-v2` (production, private) | {facts}"),
        ]
    );
    let run = workspace.run(&["catalogue", "--format", "json"]).expect(0);
    let entries: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(entries[1]["repository"], "acme/churn-v2");
    assert_eq!(entries[0]["channels"], serde_json::json!(["staging"]));
}
