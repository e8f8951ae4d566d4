//! The log held against the history of its repository: what was cut off, written anew or squashed is
//! told, by whom and when; and a log that is not there is not whole.

use std::path::Path;

use serde_json::{Value, json};

use super::{FILES, commit, hub, lines, logged, overwrite, run};
use crate::support::counterpart::need;
use crate::support::front::{Fate, Front, Reply};
use crate::support::hub_server::{HubServer, succeed};
use crate::support::plain_client;
use crate::support::workspace::Workspace;

/// A log of so many records, with the workspace that made it and the path of its file.
async fn log_of(records: usize) -> (HubServer, Workspace, String) {
    let server = hub().await;
    let workspace = logged(&server, "churn");
    for number in 0..records {
        let version = format!("v1.{number}.0");
        workspace.version(&version);
        run(&workspace, &["release", "--tag", &version]).expect(0);
    }
    let file = workspace.report()["audit"]["file"].as_str().expect("a file").to_owned();
    (server, workspace, file)
}

/// The lines as a file.
fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// What verification tells programs.
fn verified(workspace: &Workspace, arguments: &[&str], code: i32) -> Value {
    let arguments = [&["audit-log", "verify", "--format", "json"], arguments].concat();
    serde_json::from_str(&run(workspace, &arguments).expect(code).stdout).expect("JSON")
}

/// The commits of the log's repository, the newest first.
async fn commits(server: &HubServer) -> Vec<Value> {
    let request = plain_client()
        .get(format!("{}/api/{FILES}/commits/main?limit=1000", server.hub.url()))
        .bearer_auth(server.hub.token().expose());
    request.send().await.expect("answers").json().await.expect("JSON")
}

async fn delete(server: &HubServer, path: &str) {
    let file = json!({"key": "deletedFile", "value": {"path": path}});
    commit(server, "tidy", &file).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_only_grew_costs_a_request_a_commit() {
    let (server, workspace, _) = log_of(3).await;
    let before = server.hub.requests().len();
    let found = verified(&workspace, &[], 0);
    assert_eq!((&found["verdict"], &found["records"]), (&json!("whole"), &json!(3)));
    let history = &found["history"];
    assert_eq!((&history["extent"], &history["rewrites"]), (&json!("begin"), &json!(0)));
    // Those of the records, and the Hub's own first.
    assert_eq!(history["commits"], 4);
    // Refs, tree and file; the commits, a tree each, and the file once more.
    assert_eq!(server.hub.requests().len() - before, 3 + 1 + 4 + 1);
    run(&workspace, &["audit-log", "verify"]).expect(0).says("from its beginning on");

    let second = commits(&server).await[1]["id"].as_str().expect("an id").to_owned();
    let found = verified(&workspace, &["--since", &second], 0);
    assert_eq!(found["history"]["commits"], 1);
    assert_eq!(found["history"]["at"]["commit"], json!(second));
    let none = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(verified(&workspace, &["--since", none], 1)["history"]["extent"], "lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_does_not_see_its_history_shows() {
    let (server, workspace, file) = log_of(4).await;
    let whole = lines(&server).await;

    // The end is cut off, and releases go on: the chain holds.
    overwrite(&server, &file, &text(&whole[..2])).await;
    let culprit = commits(&server).await[0].clone();
    workspace.version("v1.9.0");
    run(&workspace, &["release", "--tag", "v1.9.0"]).expect(0);
    let found = verified(&workspace, &[], 1);
    assert_eq!((&found["verdict"], &found["records"]), (&json!("rewritten"), &json!(3)));
    let first = &found["history"]["first_rewrite"];
    assert_eq!((&first["how"], &first["file"]), (&json!("cut"), &json!(file)));
    assert_eq!(first["by"]["commit"], culprit["id"]);
    assert_eq!((&first["by"]["title"], &first["by"]["date"]), (&json!("mine"), &culprit["date"]));
    run(&workspace, &["audit-log", "verify"])
        .expect(1)
        .says("rewritten: by the commit")
        .says("its last 2 records were cut off")
        .says(culprit["authors"][0]["user"].as_str().expect("a name"));
    // Somebody has looked into it.
    let settled = culprit["id"].as_str().expect("an id");
    assert_eq!(verified(&workspace, &["--since", settled], 0)["verdict"], "whole");

    // All of it is written anew, as another log that holds in itself: the earlier one stays the first.
    let mut chain = weighbridge::audit::Chain::default();
    let mut forged = Vec::new();
    for number in 0..5 {
        let line = chain.line(&format!("{{\"schema\":1,\"n\":{number}}}"));
        chain.take(line.as_bytes()).expect("a line that holds");
        forged.push(line);
    }
    overwrite(&server, &file, &text(&forged)).await;
    let found = verified(&workspace, &[], 1);
    assert_eq!((&found["records"], &found["history"]["rewrites"]), (&json!(5), &json!(2)));
    assert_eq!(found["history"]["first_rewrite"]["by"]["commit"], culprit["id"]);
    let found = verified(&workspace, &["--since", settled], 1);
    let first = &found["history"]["first_rewrite"];
    assert_eq!((&first["how"], &found["history"]["rewrites"]), (&json!("changed"), &json!(1)));
    assert!(first["why"].as_str().expect("why").starts_with("line 1,"), "{first}");

    // What breaks the chain is named with its commit too.
    let broken = text(&forged).replacen("\"n\":3", "\"n\":7", 1);
    overwrite(&server, &file, &broken).await;
    let found = verified(&workspace, &[], 1);
    assert_eq!((&found["verdict"], &found["broken"]["line"]), (&json!("broken"), &json!(4)));
    assert_eq!(found["history"]["rewrites"], 3);

    delete(&server, &file).await;
    let found = verified(&workspace, &[], 1);
    assert_eq!((&found["verdict"], &found["records"]), (&json!("rewritten"), &json!(0)));
    assert_eq!(found["history"]["rewrites"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_too_large_for_a_log_is_told_and_not_read() {
    let (server, workspace, file) = log_of(1).await;
    let whole = lines(&server).await;
    overwrite(&server, &file, &"x".repeat(3 << 20)).await;
    let culprit = commits(&server).await[0]["id"].clone();
    overwrite(&server, &file, &text(&whole)).await;
    let found = verified(&workspace, &[], 1);
    let first = &found["history"]["first_rewrite"];
    assert_eq!((&first["how"], &first["by"]["commit"]), (&json!("changed"), &culprit));
    assert!(first["why"].as_str().expect("why").contains("too large"), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_there_is_not_whole() {
    let server = hub().await;
    let workspace = logged(&server, "churn");
    for mode in ["verify", "show"] {
        run(&workspace, &["audit-log", mode])
            .expect(2)
            .says("there is no log in datasets/acme/registry")
            .says("--path PATH");
    }
    let asked = ["audit-log", "verify", "--head", &"0".repeat(64)];
    run(&workspace, &asked).expect(1).says("it has no record").says("is not in it");
    run(&workspace, &["audit-log", "verify", "--repository", "acme/none"])
        .expect(2)
        .says("there is no repository");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_the_one_its_tree_names_is_no_proof() {
    let (server, mut workspace, _) = log_of(2).await;
    let line = weighbridge::audit::Chain::default().line("{\"schema\":1}");
    let front = Front::before(&server.hub.url(), move |asked| {
        let is_file = asked.path.contains("/datasets/") && asked.path.contains("/resolve/");
        if is_file { Fate::Answer(Reply::text(&format!("{line}\n"))) } else { Fate::Pass }
    })
    .await;
    workspace.set("HF_ENDPOINT", front.url());
    run(&workspace, &["audit-log", "verify"]).expect(2).says("other bytes than its tree names");
}

/// Every page of the history is the real Hub's, as far as its own client tells, and so is a squash.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_lists_the_commits_and_squashes_them() {
    let test = "audit_log::history::the_official_client_lists_the_commits";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let (server, workspace, file) = log_of(2).await;
    let newest = lines(&server).await;
    for number in 0..60 {
        overwrite(&server, "notes.md", &format!("{number}\n")).await;
    }
    let client = async |script: &str| {
        let prelude = "import json\nfrom huggingface_hub import HfApi\napi = HfApi()\n\
                       place = dict(repo_id='acme/registry', repo_type='dataset')\n";
        succeed(server.client(&python).arg("-c").arg(format!("{prelude}{script}"))).await
    };
    let before = server.count("GET", "/commits/main");
    let listed = client(
        "print(json.dumps([[one.commit_id, one.title, one.authors, one.created_at.timestamp()] \
         for one in api.list_repo_commits(**place)]))",
    )
    .await;
    assert_eq!(server.count("GET", "/commits/main") - before, 2, "63 commits in pages of 50");
    let listed: Vec<(String, String, Vec<String>, f64)> =
        serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed, in_git(&server.data()));

    // The same pages, walked by us.
    assert_eq!(verified(&workspace, &[], 0)["history"]["commits"], 63);
    let found = verified(&workspace, &["--all"], 0);
    assert_eq!(found["history"]["commits"], 63);

    client("api.super_squash_history(**place)").await;
    let found = verified(&workspace, &[], 1);
    assert_eq!((&found["verdict"], &found["records"]), (&json!("rewritten"), &json!(2)));
    let history = &found["history"];
    assert_eq!((&history["extent"], &history["records_at"]), (&json!("squashed"), &json!(2)));
    run(&workspace, &["audit-log", "verify"]).expect(1).says("cannot be known");
    let squash = history["at"]["commit"].as_str().expect("an id").to_owned();
    assert_eq!(verified(&workspace, &["--since", &squash], 0)["verdict"], "whole");
    // Whoever kept a commit of before sees that it is gone.
    assert_eq!(verified(&workspace, &["--since", &listed[0].0], 1)["history"]["extent"], "lost");
    let read = format!("print(open(api.hf_hub_download(filename='{file}', **place)).read())");
    assert_eq!(
        client(&read).await.trim_end(),
        text(&newest).trim_end(),
        "a squash keeps the files"
    );
    client(
        "from huggingface_hub.errors import RevisionNotFoundError\n\
         try:\n    api.super_squash_history(branch='none', **place)\n    raise SystemExit('squashed')\n\
         except RevisionNotFoundError:\n    pass",
    )
    .await;
}

/// Id, title, authors and time of each commit, as git has them.
fn in_git(data: &Path) -> Vec<(String, String, Vec<String>, f64)> {
    let git = git2::Repository::open_bare(data.join("datasets/acme/registry/git"));
    let git = git.expect("a repository");
    let mut walk = git.revwalk().expect("a walk");
    walk.push_ref("refs/heads/main").expect("a branch");
    let shown = |id: git2::Oid| {
        let commit = git.find_commit(id).expect("a commit");
        let author = commit.author().name().expect("UTF-8").to_owned();
        let title = commit.summary().expect("UTF-8").expect("a title").to_owned();
        #[expect(clippy::cast_precision_loss, reason = "Python's time is a float")]
        let time = commit.time().seconds() as f64;
        (id.to_string(), title, vec![author], time)
    };
    walk.map(|id| shown(id.expect("an id"))).collect()
}
