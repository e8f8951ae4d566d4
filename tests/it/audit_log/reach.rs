//! A log that cannot be reached, answers that are lost, and runs that are killed before their record.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{hub, lines, logged, records, run};
use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::hub_server::HubServer;
use crate::support::workspace::{Run, Workspace};

/// Asked of the log's repository.
fn of_log(asked: &Asked) -> bool {
    asked.path.contains("/datasets/")
}

fn is_append(asked: &Asked) -> bool {
    asked.method == "POST" && of_log(asked) && asked.path.contains("/commit/")
}

/// A Hub that does not wait between the tries of a client.
fn refuses(status: u16) -> Fate {
    Fate::Answer(Reply::status(status).header("retry-after", "0"))
}

/// What a release did without its log: it is out, and its record is kept.
async fn kept(server: &HubServer, workspace: &mut Workspace) {
    let version = &workspace.report()["publication"]["tag"];
    assert_eq!(*version, "v1.0.0", "it is out");
    let audit = workspace.report()["audit"].clone();
    assert_eq!(audit["appended"], false);
    let path = audit["kept"].as_str().expect("a path").to_owned();
    let kept: Value = serde_json::from_slice(&std::fs::read(&path).expect("kept")).expect("JSON");
    assert_eq!(kept, audit["record"]);
    assert_eq!(lines(server).await, Vec::<String>::new());
    workspace.set("HF_ENDPOINT", server.hub.url());
    run(workspace, &["audit-log", "append", &path]).expect(0).says("record 1 is in the log");
    run(workspace, &["audit-log", "append", &path]).expect(0).says("was in the log already");
    assert_eq!(lines(server).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_not_lost_with_its_log() {
    type Script = fn(&Asked) -> Fate;
    let scripts: [(&str, bool, &str, Script); 6] = [
        (
            "answered 500",
            true,
            "absent",
            |asked| if of_log(asked) { refuses(500) } else { Fate::Pass },
        ),
        (
            "answered 403",
            true,
            "absent",
            |asked| if of_log(asked) { refuses(403) } else { Fate::Pass },
        ),
        ("there is no repository", true, "absent", |asked| {
            if of_log(asked) { refuses(404) } else { Fate::Pass }
        }),
        ("may not write", true, "absent", |asked| {
            let writes = is_append(asked) || asked.path.ends_with("/auth-check/write");
            if writes { refuses(403) } else { Fate::Pass }
        }),
        // What nobody could see coming.
        ("answered 500", false, "unknown", |asked| {
            if is_append(asked) { refuses(500) } else { Fate::Pass }
        }),
        ("other runs added to the log", false, "absent", |asked| {
            if is_append(asked) { refuses(412) } else { Fate::Pass }
        }),
    ];
    let cases = scripts.into_iter().map(|(why, foreseen, known, script)| async move {
        let server = hub().await;
        let front = Front::before(&server.hub.url(), script).await;
        let mut workspace = logged(&server, "churn");
        let home = |name: &str| workspace.home().join(name).display().to_string();
        let (summary, output) = (home("summary.md"), home("output.txt"));
        let (reports, place) =
            (home(".cache/weighbridge/reports"), workspace.path().display().to_string());
        workspace
            .set("HF_ENDPOINT", front.url())
            .set("GITHUB_ACTIONS", "true")
            .set("GITHUB_EVENT_NAME", "push")
            .set("GITHUB_WORKSPACE", place)
            .set("GITHUB_STEP_SUMMARY", summary.clone())
            .set("GITHUB_OUTPUT", output.clone())
            .set("INPUT_REPORT-DIR", reports);
        let ended = run(&workspace, &["release", "--tag", "v1.0.0"]).expect(0).says(why);
        assert_eq!(ended.stdout.contains("audit-log-unreachable"), foreseen, "{}", ended.all());
        let warned = |line: &str| line.starts_with("::warning title=weighbridge::the audit log in");
        assert!(ended.stdout.lines().any(warned), "{}", ended.all());
        let summary = std::fs::read_to_string(summary).expect("a summary");
        let has = if known == "absent" { "does not have" } else { "is not known to have" };
        assert!(summary.contains(&format!("{has} the record of this run")), "{summary}");
        assert_eq!(workspace.report()["audit"]["known"], known);
        let outputs = std::fs::read_to_string(output).expect("outputs");
        let path = workspace.report()["audit"]["kept"].as_str().expect("a path").to_owned();
        assert!(outputs.contains(&format!("\n{path}\n")), "{outputs}");
        kept(&server, &mut workspace).await;
    });
    futures_util::future::join_all(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_may_let_nothing_out_without_a_record() {
    let server = HubServer::start().await;
    let workspace = logged(&server, "churn");
    let policy =
        std::fs::read_to_string(workspace.path().join("weighbridge.yml")).expect("a policy");
    workspace
        .write("weighbridge.yml", format!("{policy}rules: {{audit-log-unreachable: error}}\n"));
    workspace.version("v1.0.0");
    run(&workspace, &["release"]).expect(1).says("there is no repository datasets/acme/registry");
    assert_eq!(server.count("POST", "/commit/"), 0);
    assert_eq!(workspace.report()["audit"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_add_nothing_twice() {
    let fates: [fn() -> Fate; 4] = [
        || Fate::ResetAfter,
        || Fate::Cut,
        || Fate::After(Reply::status(504).header("retry-after", "0")),
        || Fate::Late(Reply::status(504).header("retry-after", "0"), Duration::from_millis(300)),
    ];
    for fate in fates {
        let server = hub().await;
        let seen = AtomicUsize::new(0);
        let front = Front::before(&server.hub.url(), move |asked| {
            let first = is_append(asked) && seen.fetch_add(1, Ordering::SeqCst) == 0;
            if first { fate() } else { Fate::Pass }
        })
        .await;
        let mut workspace = logged(&server, "churn");
        workspace.set("HF_ENDPOINT", front.url());
        run(&workspace, &["release"]).expect(0).says("audit log: record 1 in");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(lines(&server).await.len(), 1);
        run(&workspace, &["audit-log", "verify"]).expect(0).says("1 records");
    }
}

/// A front that spoils how the log is read after a record was committed: the first `times` answers.
async fn hides_what_it_took(server: &HubServer, times: usize, fate: Fate) -> Front {
    let (took, left) = (AtomicBool::new(false), AtomicUsize::new(times));
    Front::before(&server.hub.url(), move |asked| {
        if is_append(asked) {
            took.store(true, Ordering::SeqCst);
            return Fate::Pass;
        }
        let reads = of_log(asked) && asked.path.contains("/resolve/");
        let one_less = |left: usize| left.checked_sub(1);
        let spoils = reads
            && took.load(Ordering::SeqCst)
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        if spoils { fate.clone() } else { Fate::Pass }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_shown_late_is_waited_for_and_added_once() {
    let cases = [
        // The end of the log is read after each look at the commit.
        (3, Fate::Answer(Reply::status(404))),
        (3, Fate::Answer(Reply::text("another file\n"))),
        (8, refuses(500)),
        (1, Fate::Cut),
    ];
    let cases = cases.into_iter().map(|(times, fate)| async move {
        let server = hub().await;
        let front = hides_what_it_took(&server, times, fate).await;
        let mut workspace = logged(&server, "churn");
        workspace.set("HF_ENDPOINT", front.url());
        run(&workspace, &["release"]).expect(0).says("audit log: record 1 in");
        assert_eq!(lines(&server).await.len(), 1);
        assert_eq!(front.count("POST", "/datasets/acme/registry/commit/"), 1);
    });
    futures_util::future::join_all(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_of_a_record_is_said() {
    // Taken and never shown; sent, and nothing more is heard.
    let other = || Fate::Answer(Reply::text("another file\n"));
    let cases = ["unseen", "unknown"].into_iter().map(|known| async move {
        let server = hub().await;
        let front = if known == "unseen" {
            hides_what_it_took(&server, usize::MAX, other()).await
        } else {
            let sent = AtomicBool::new(false);
            Front::before(&server.hub.url(), move |asked| match asked {
                asked if is_append(asked) && !sent.swap(true, Ordering::SeqCst) => Fate::ResetAfter,
                asked if of_log(asked) && sent.load(Ordering::SeqCst) => refuses(500),
                _ => Fate::Pass,
            })
            .await
        };
        let mut workspace = logged(&server, "churn");
        workspace.set("HF_ENDPOINT", front.url());
        let ended = run(&workspace, &["release"]).expect(0);
        // Wherever its lines are broken.
        let said = ended.all().split_whitespace().collect::<Vec<_>>().join(" ");
        for words in ["is not known to have the record of this run", "which looks first"] {
            assert!(said.contains(words), "{known}: {said}");
        }
        may_be_there(&server, &mut workspace, known).await;
        assert_eq!(front.count("POST", "/datasets/acme/registry/commit/"), 1, "{known}");
    });
    futures_util::future::join_all(cases).await;
}

/// The record of a run is told as `known`, is kept, and is not added again where it is there.
async fn may_be_there(server: &HubServer, workspace: &mut Workspace, known: &str) {
    let audit = workspace.report()["audit"].clone();
    assert_eq!((&audit["appended"], &audit["known"]), (&json!(false), &json!(known)));
    let kept = audit["kept"].as_str().expect("a path").to_owned();
    if known == "unseen" {
        assert!(audit["why"].as_str().expect("why").contains("in the commit"), "{audit}");
    }
    workspace.set("HF_ENDPOINT", server.hub.url());
    run(workspace, &["audit-log", "append", &kept]).expect(0).says("was in the log already");
    assert_eq!(lines(server).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_a_run_that_waits_for_its_record_hears_what_is_known() {
    let server = hub().await;
    let front = Front::before(&server.hub.url(), |asked| {
        if is_append(asked) { Fate::HoldAfter(Duration::from_mins(1)) } else { Fate::Pass }
    })
    .await;
    let mut workspace = logged(&server, "churn");
    workspace.set("HF_ENDPOINT", front.url());
    let mut command = tokio::process::Command::from(workspace.command(&["release"]));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().expect("the binary starts");
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("it runs");
    let ended = tokio::spawn(child.wait_with_output());
    while lines(&server).await.is_empty() {
        assert!(!ended.is_finished(), "it ended before its record");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kill_process(id, Signal::TERM).expect("it runs");
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it ends");
    let ended = Run::new(ended.expect("no panic").expect("it ran")).expect(0);
    ended.says("it is not known whether it was added: somebody asked to stop");
    may_be_there(&server, &mut workspace, "unknown").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_before_its_record_is_made_up_for() {
    let server = hub().await;
    let front = Front::before(&server.hub.url(), |asked| {
        if is_append(asked) { Fate::Hold(Duration::from_mins(1)) } else { Fate::Pass }
    })
    .await;
    let mut workspace = logged(&server, "churn");
    workspace.set("HF_ENDPOINT", front.url());
    let mut command = tokio::process::Command::from(workspace.command(&["release"]));
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = quiet.kill_on_drop(true).spawn().expect("the binary starts");
    while front.count("POST", "/datasets/acme/registry/commit/") == 0 {
        assert!(process.try_wait().expect("asked").is_none(), "it ended before its record");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    process.kill().await.expect("can be killed");
    assert_eq!(lines(&server).await, Vec::<String>::new());

    workspace.set("HF_ENDPOINT", server.hub.url());
    run(&workspace, &["release"]).expect(0).says("already published").says("audit log: record 1");
    let found = &records(&server).await[0];
    assert_eq!((&found["outcome"], &found["version"]), (&json!("found"), &json!("1.0.0")));
    assert_eq!(found["after"], workspace.report()["publication"]["revision"]);
    run(&workspace, &["release"]).expect(0).says("already published");
    assert_eq!(lines(&server).await.len(), 1, "one is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_failed_half_way_says_so() {
    let server = hub().await;
    let front = Front::before(&server.hub.url(), |asked| {
        if asked.path.contains("/tag/") { refuses(403) } else { Fate::Pass }
    })
    .await;
    let mut workspace = logged(&server, "churn");
    workspace.set("HF_ENDPOINT", front.url());
    run(&workspace, &["release"]).expect(2).says("without the tag").says("audit log: record 1");
    workspace.set("HF_ENDPOINT", server.hub.url());
    run(&workspace, &["release"]).expect(0);
    let records = records(&server).await;
    let outcomes: Vec<_> = records.iter().map(|record| &record["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "published"]);
    assert!(records[0]["failure"].as_str().is_some_and(|why| why.contains("403")));
    assert_eq!(records[0]["after"], records[1]["after"]);
    run(&workspace, &["audit-log", "verify"]).expect(0).says("2 records");
}
