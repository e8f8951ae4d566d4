//! The audit log: every run that writes leaves a record, whoever else does at the same time and whatever
//! the Hub says, and the chain shows what was changed.

mod history;
mod reach;

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::counterpart::need;
use crate::support::hub_server::{HubServer, succeed};
use crate::support::plain_client;
use crate::support::workspace::{POLICY, Run, Workspace};

const FILES: &str = "datasets/acme/registry";

/// A Hub with a repository for the log.
/// Runs that race for the head of one log.
const RUNS: usize = 8;

async fn hub() -> HubServer {
    let server = HubServer::start().await;
    let body =
        json!({"name": "registry", "organization": "acme", "type": "dataset", "private": true});
    let request = plain_client()
        .post(format!("{}/api/repos/create", server.hub.url()))
        .bearer_auth(server.hub.token().expose())
        .json(&body);
    assert_eq!(request.send().await.expect("answers").status(), 200);
    server
}

/// A healthy model of this name whose releases are logged.
fn logged(server: &HubServer, name: &str) -> Workspace {
    let mut workspace = Workspace::healthy();
    let policy = POLICY.replace("name: churn", &format!("name: {name}"));
    // One token makes the repositories of all who race here, and may then write them.
    let all = (0..RUNS).map(|number| format!(", acme/model-{number}")).collect::<String>();
    let token = format!("gates:\n  token: {{may-write: [acme{all}]}}\n");
    let policy = policy.replace("gates:\n", &token);
    assert!(policy.contains("may-write"));
    workspace
        .write("weighbridge.yml", format!("{policy}audit-log: {{repository: acme/registry}}\n"));
    workspace.version("v1.0.0");
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace
}

fn run(workspace: &Workspace, arguments: &[&str]) -> Run {
    tokio::task::block_in_place(|| workspace.run(arguments))
}

/// The lines of the log, file after file.
async fn lines(server: &HubServer) -> Vec<String> {
    let (hub, token) = (server.hub.url(), server.hub.token());
    let get = async |path: &str| {
        let request = plain_client().get(format!("{hub}{path}")).bearer_auth(token.expose());
        request.send().await.expect("answers")
    };
    let tree = get("/api/datasets/acme/registry/tree/main/audit").await;
    if tree.status() == 404 {
        return Vec::new();
    }
    let tree: Value = tree.json().await.expect("JSON");
    let mut lines = Vec::new();
    for file in tree.as_array().expect("files") {
        let path = file["path"].as_str().expect("a path");
        let text = get(&format!("/{FILES}/resolve/main/{path}")).await.text().await;
        lines.extend(text.expect("text").lines().map(str::to_owned));
    }
    lines
}

async fn records(server: &HubServer) -> Vec<Value> {
    let parse = |line: &String| serde_json::from_str(line).expect("JSON");
    lines(server).await.iter().map(parse).collect()
}

/// Somebody writes a file into the repository of the log.
async fn overwrite(server: &HubServer, path: &str, content: &str) {
    let file = json!({"path": path, "content": content, "encoding": "utf-8"});
    commit(server, "mine", &json!({"key": "file", "value": file})).await;
}

/// Somebody commits to the repository of the log.
async fn commit(server: &HubServer, summary: &str, operation: &Value) {
    let header = json!({"key": "header", "value": {"summary": summary}});
    let request = plain_client()
        .post(format!("{}/api/{FILES}/commit/main", server.hub.url()))
        .bearer_auth(server.hub.token().expose())
        .header("content-type", "application/x-ndjson")
        .body(format!("{header}\n{operation}"));
    assert_eq!(request.send().await.expect("answers").status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_leaves_one_record() {
    let server = hub().await;
    let mut workspace = logged(&server, "churn");
    run(&workspace, &["check"]).expect(0).says("a release looks at it");
    run(&workspace, &["release", "--dry-run"]).expect(0);
    assert_eq!(lines(&server).await, Vec::<String>::new());

    run(&workspace, &["release"])
        .expect(0)
        .says("audit log: record 1 in datasets/acme/registry/audit/");
    let first = workspace.report();
    let record = &records(&server).await[0];
    assert_eq!(first["audit"]["appended"], true);
    for (key, expected) in [
        ("sequence", json!(1)),
        ("previous", json!("0".repeat(64))),
        ("outcome", json!("published")),
        ("mode", json!("release")),
        ("model", json!("churn")),
        ("version", json!("1.0.0")),
        ("credential", json!("environment HF_TOKEN")),
        ("commit", json!(workspace.head())),
        ("repo_id", json!("acme/churn")),
        ("before", Value::Null),
        ("after", first["publication"]["revision"].clone()),
        ("manifest_digest", first["manifest_digest"].clone()),
        ("record_digest", first["publication"]["record_digest"].clone()),
        ("approvals", json!([])),
    ] {
        assert_eq!(record[key], expected, "{key}");
        assert!(key != "commit" || first["audit"]["record"][key] == expected);
    }
    let gates = record["gates"].as_array().expect("gates");
    let scan = gates.iter().find(|gate| gate["name"] == "scan").expect("the gate");
    assert_eq!(scan["verdict"], "passed");

    // The same again writes nothing, anywhere.
    let before = server.count("POST", "/commit/");
    run(&workspace, &["release"]).expect(0).says("already published");
    assert_eq!(workspace.report()["audit"], Value::Null);
    assert_eq!(server.count("POST", "/commit/"), before);

    // What is blocked neither.
    workspace.write("model/extra.pkl", b"cos\nsystem\n(S'id'\ntR.");
    workspace.version("v1.1.0");
    run(&workspace, &["release"]).expect(1);
    assert_eq!(server.count("POST", "/commit/"), before);
    std::fs::remove_file(workspace.path().join("model/extra.pkl")).expect("removed");

    workspace.version("v1.2.0");
    workspace.set("HF_TOKEN", "").set("INPUT_HF-TOKEN", server.hub.token().expose());
    run(&workspace, &["release"]).expect(0);
    let second = &records(&server).await[1];
    assert_eq!(second["credential"], "input hf-token");
    assert_eq!(second["before"], record["after"]);
    assert_eq!(second["previous"], first["audit"]["sha256"]);

    let head = first["audit"]["sha256"].as_str().expect("a hash");
    run(&workspace, &["audit-log", "verify"])
        .expect(0)
        .says("2 records in 1 files, the chain is whole");
    run(&workspace, &["audit-log", "verify", "--head", head]).expect(0).says("is in it");
    let other = ["audit-log", "verify", "--head", &"0".repeat(64)];
    run(&workspace, &other).expect(1).says("is not in it");
    let shown = run(&workspace, &["audit-log", "show", "--last", "1"]).expect(0);
    assert!(shown.stdout.contains("churn 1.2.0") && !shown.stdout.contains("churn 1.0.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_tells_who_and_from_where_and_has_no_token() {
    let server = hub().await;
    let mut workspace = logged(&server, "churn");
    let output = workspace.home().join("output.txt").display().to_string();
    let (place, head) = (workspace.path().display().to_string(), workspace.head());
    workspace
        .set("GITHUB_ACTIONS", "true")
        .set("GITHUB_WORKSPACE", place)
        .set("GITHUB_REPOSITORY", "acme/churn-source")
        .set("GITHUB_EVENT_NAME", "push")
        .set("GITHUB_REF", "refs/tags/v1.0.0")
        .set("GITHUB_SHA", head)
        .set("GITHUB_ACTOR", "ada\n::error::forged")
        .set("GITHUB_TRIGGERING_ACTOR", "grace")
        .set("GITHUB_RUN_ID", "7")
        .set("GITHUB_OUTPUT", output.clone());
    run(&workspace, &["release"]).expect(0);
    let line = &lines(&server).await[0];
    let record: Value = serde_json::from_str(line).expect("JSON");
    for (key, expected) in [
        ("actor", "ada ::error::forged"),
        ("triggering_actor", "grace"),
        ("repository", "acme/churn-source"),
        ("event", "tag-push"),
        ("run_url", "https://github.com/acme/churn-source/actions/runs/7"),
    ] {
        assert_eq!(record[key], expected, "{key}");
    }
    assert!(!line.contains(server.hub.token().expose()));
    let outputs = std::fs::read_to_string(output).expect("outputs");
    let hash = weighbridge::digest::Digest::of(line.as_bytes()).to_string();
    let value = |name: &str| {
        let (_, rest) = outputs.split_once(&format!("{name}<<")).expect("the output is there");
        rest.lines().nth(1).expect("a value").to_owned()
    };
    assert_eq!((value("audit-head"), value("audit-record")), (hash, String::new()));

    let table = run(&workspace, &["audit-log", "show"]).expect(0);
    assert!(table.stdout.lines().all(|line| !line.starts_with("::error")), "{}", table.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_is_named() {
    let server = hub().await;
    let workspace = logged(&server, "churn");
    for version in ["v1.0.0", "v1.1.0", "v1.2.0"] {
        workspace.version(version);
        run(&workspace, &["release", "--tag", version]).expect(0);
    }
    let whole = lines(&server).await;
    let file = workspace.report()["audit"]["file"].as_str().expect("a file").to_owned();
    let verify = || run(&workspace, &["audit-log", "verify", "--format", "json"]);

    let forged =
        whole.join("\n").replacen("\"version\":\"1.1.0\"", "\"version\":\"1.1.1\"", 1) + "\n";
    overwrite(&server, &file, &forged).await;
    let found: Value = serde_json::from_str(&verify().expect(1).stdout).expect("JSON");
    assert_eq!((&found["verdict"], &found["records"]), (&json!("broken"), &json!(1)));
    assert_eq!((&found["broken"]["file"], &found["broken"]["line"]), (&json!(file), &json!(2)));

    // Its end is what runs build on: they do not build on one that does not hold.
    workspace.version("v1.3.0");
    let refused = run(&workspace, &["release", "--tag", "v1.3.0"]).expect(0);
    let refused = refused.says("audit-log-unreachable").says(&format!("{file}:2"));
    assert!(!refused.stdout.contains("record 4 in"), "{}", refused.all());
    let kept = workspace.report()["audit"]["kept"].as_str().expect("a path").to_owned();

    // A chain without its end holds, but it is another than it was.
    overwrite(&server, &file, &(whole[..2].join("\n") + "\n")).await;
    let found: Value = serde_json::from_str(&verify().expect(1).stdout).expect("JSON");
    assert_eq!((&found["verdict"], &found["broken"]), (&json!("rewritten"), &Value::Null));
    let gone = weighbridge::digest::Digest::of(whole[2].as_bytes()).to_string();
    run(&workspace, &["audit-log", "verify", "--head", &gone]).expect(1);

    overwrite(&server, &file, &(whole.join("\n") + "\n")).await;
    run(&workspace, &["audit-log", "append", &kept]).expect(0).says("record 4 is in the log");
    run(&workspace, &["audit-log", "append", &kept]).expect(0).says("was in the log already");
    // What was put back holds again; that it had to be is told until somebody has looked into it.
    let head = ["audit-log", "verify", "--head", &gone];
    run(&workspace, &head).expect(1).says("4 records").says("rewritten: by the commit");
    assert_eq!(records(&server).await[3]["version"], "1.3.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_has_a_next_one_and_a_clock_that_lags_moves_nothing() {
    let month = jiff::Timestamp::now().strftime("%Y-%m").to_string();
    for (before, records, after) in [
        (format!("{month}.jsonl"), 30, format!("{month}.2.jsonl")),
        ("2025-01.jsonl".into(), 3, format!("{month}.jsonl")),
        ("2999-01.jsonl".into(), 3, "2999-01.jsonl".into()),
    ] {
        let server = hub().await;
        let mut chain = weighbridge::audit::Chain::default();
        let mut text = String::new();
        for number in 0..records {
            // Of a program of another time, which says other things.
            let line =
                chain.line(&format!("{{\"n\":{number},\"more\":\"{}\"}}", "x".repeat(40_000)));
            chain.take(line.as_bytes()).expect("a line that holds");
            text.push_str(&format!("{line}\n"));
        }
        overwrite(&server, &format!("audit/{before}"), &text).await;
        let workspace = logged(&server, "churn");
        run(&workspace, &["release"]).expect(0);
        let audit = &workspace.report()["audit"];
        assert_eq!(
            (&audit["file"], &audit["sequence"]),
            (&json!(format!("audit/{after}")), &json!(records + 1))
        );
        let verified = run(&workspace, &["audit-log", "verify"]).expect(0);
        verified.says(&format!("{} records", records + 1));
        run(&workspace, &["audit-log", "show"])
            .expect(0)
            .says("of a newer program")
            .says("churn 1.0.0");
    }
}

/// Several processes, each with a model of its own, at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn runs_that_race_all_end_in_the_log() {
    let server = hub().await;
    let names: Vec<_> = (0..RUNS).map(|number| format!("model-{number}")).collect();
    let workspaces: Vec<_> = names.iter().map(|name| logged(&server, name)).collect();
    let released = workspaces.iter().map(|workspace| {
        let mut command = tokio::process::Command::from(workspace.command(&["release"]));
        command.stdin(Stdio::null()).kill_on_drop(true);
        async move { Run::new(command.output().await.expect("the binary runs")) }
    });
    for ended in futures_util::future::join_all(released).await {
        ended.expect(0).says("audit log: record ");
    }
    let verified = run(&workspaces[0], &["audit-log", "verify"]).expect(0);
    verified.says(&format!("{RUNS} records in 1 files, the chain is whole"));
    let mut logged: Vec<_> = records(&server)
        .await
        .iter()
        .map(|record| record["model"].as_str().expect("a name").to_owned())
        .collect();
    logged.sort();
    assert_eq!(logged, names);
    // They did race.
    let lost = server.hub.requests().into_iter();
    let lost = lost.filter(|one| one.status == 412 && one.path.contains("/datasets/")).count();
    assert!(lost > 0, "nobody lost the race for the head");
}

#[test]
fn a_rehearsal_has_a_log_too() {
    let workspace = Workspace::healthy();
    workspace.write(
        "weighbridge.yml",
        format!("{POLICY}audit-log: {{repository: acme/registry, path: logs/audit}}\n"),
    );
    workspace.version("v1.0.0");
    let data = tempfile::tempdir().expect("a temporary folder");
    let arguments = ["rehearse", "--data", data.path().to_str().expect("UTF-8")];
    workspace.run(&[&arguments[..], &["--dry-run"]].concat()).expect(0);
    assert!(!data.path().join("datasets/acme").exists(), "a dry run makes nothing");
    workspace
        .run(&arguments)
        .expect(0)
        .says("audit log: record 1 in datasets/acme/registry/logs/audit/");
    workspace.run(&arguments).expect(0).says("already published");
    let git = git2::Repository::open_bare(data.path().join("datasets/acme/registry/git"));
    let git = git.expect("a repository");
    let commit = git.revparse_single("refs/heads/main").and_then(|head| head.peel_to_commit());
    let summary = commit.expect("a commit").summary().expect("UTF-8").map(str::to_owned);
    assert_eq!(summary.as_deref(), Some("Record 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_reads_it_and_a_script_checks_it() {
    let test = "audit_log::the_official_client_reads_it";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let server = HubServer::start().await;
    let client = async |script: &str| {
        let prelude = "import sys\nfrom huggingface_hub import HfApi\napi = HfApi()\n";
        succeed(server.client(&python).arg("-c").arg(format!("{prelude}{script}"))).await
    };
    client("api.create_repo('acme/registry', repo_type='dataset', private=True)").await;
    // A dataset is no model of the same name, and takes large files too.
    client(
        "import os\n\
         big = os.urandom(11 * 1024 * 1024)\n\
         for kind in ('model', 'dataset'):\n    \
         api.create_repo('acme/same', repo_type=kind)\n\
         api.upload_file(repo_id='acme/same', repo_type='dataset', path_in_repo='big.bin', path_or_fileobj=big)\n\
         path = api.hf_hub_download('acme/same', 'big.bin', repo_type='dataset')\n\
         assert open(path, 'rb').read() == big\n\
         assert api.list_repo_files('acme/same') == ['.gitattributes']\n\
         api.delete_repo('acme/same')\n\
         assert api.list_repo_files('acme/same', repo_type='dataset') == ['.gitattributes', 'big.bin']\n\
         api.move_repo('acme/same', 'acme/other', repo_type='dataset')\n\
         api.delete_repo('acme/other', repo_type='dataset')",
    )
    .await;
    let workspace = logged(&server, "churn");
    for version in ["v1.0.0", "v1.1.0"] {
        workspace.write("model/note.txt", "ä \u{2028} \"quoted\" \\ \u{1F600}\n");
        workspace.version(version);
        run(&workspace, &["release", "--tag", version]).expect(0);
    }
    let into = server.scratch("registry");
    let script = format!(
        "api.snapshot_download('acme/registry', repo_type='dataset', local_dir={:?})\n\
         assert api.list_repo_files('acme/registry', repo_type='dataset')\n\
         assert [found.id for found in api.list_datasets()] == ['acme/registry']\n\
         assert [found.id for found in api.list_models()] == ['acme/churn']\n\
         assert api.dataset_info('acme/registry').private\n\
         print(*[commit.title for commit in api.list_repo_commits('acme/registry', repo_type='dataset')], sep='\\n')",
        into.display().to_string()
    );
    let commits = client(&script).await;
    assert!(commits.starts_with("Record 2\nRecord 1\n"), "{commits}");

    let page = include_str!("../../docs/audit-log.md");
    let script = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let script = script.expect("the page has a script");
    let printed = succeed(server.client(&python).arg("-c").arg(script).current_dir(&into)).await;
    let head = workspace.report()["audit"]["sha256"].as_str().expect("a hash").to_owned();
    assert_eq!(printed.trim(), format!("2 {head}"));
    let dir = into.join("audit");
    let dir = dir.to_str().expect("UTF-8");
    run(&workspace, &["audit-log", "verify", "--dir", dir, "--head", &head]).expect(0);

    // Both see what was changed.
    spoil(&into.join("audit"));
    let mut command = server.client(&python);
    let output = command.arg("-c").arg(script).current_dir(&into).output().await;
    let said = String::from_utf8(output.expect("runs").stderr).expect("UTF-8");
    assert!(said.contains("AssertionError") && said.contains("record 1"), "{said}");
    run(&workspace, &["audit-log", "verify", "--dir", dir]).expect(1).says(".jsonl:1: ");
}

fn spoil(folder: &Path) {
    let file =
        std::fs::read_dir(folder).expect("a folder").next().expect("a file").expect("readable");
    let text = std::fs::read_to_string(file.path()).expect("UTF-8");
    std::fs::write(file.path(), text.replacen("\"model\":\"churn\"", "\"model\":\"chern\"", 1))
        .expect("writable");
}
