//! What GitHub gets: requests that its official description accepts, in pages; and where it says
//! no, the same verdict without it.

use std::fmt::Write as _;

use serde_json::Value;
use weighbridge::github::{self, Annotation, AnnotationLevel, CheckRun};
use weighbridge::http::{self, Secret};

use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::github::{TOKEN, on_runner};
use crate::support::prism::Prism;
use crate::support::workspace::{Run, Workspace};

/// Files that are each one finding.
fn poison(workspace: &Workspace, count: usize) {
    for number in 0..count {
        let path = format!("model/extra/{number:03}.pkl");
        workspace.write(&path, b"cos\nsystem\n(S'id'\ntR.");
    }
}

fn check(workspace: &Workspace) -> Run {
    let run = tokio::task::block_in_place(|| workspace.run(&["check"]));
    let unmasked = run.all().replace(&format!("::add-mask::{TOKEN}"), "");
    assert!(!unmasked.contains(TOKEN), "the token was printed");
    run
}

fn annotations(asked: &Asked) -> &Vec<Value> {
    asked.json["output"]["annotations"].as_array().expect("annotations")
}

#[tokio::test(flavor = "multi_thread")]
async fn check_runs_fit_the_official_description() {
    let Some(prism) = Prism::start("github::check_runs_fit").await else { return };
    for (findings, pages) in [(0, 1), (50, 1), (51, 2), (120, 3)] {
        let front = Front::before(&prism.url, |_| Fate::Pass).await;
        let mut workspace = Workspace::healthy();
        poison(&workspace, findings);
        on_runner(&mut workspace, &front.url());
        let run = check(&workspace).expect(i32::from(findings > 0));
        assert!(!run.all().contains("no check run"), "{}", run.all());

        let asked = front.asked();
        let statuses: Vec<_> = asked.iter().map(|one| one.status).collect();
        assert!(
            statuses.iter().all(|status| status.is_some_and(|status| status < 300)),
            "{statuses:?}"
        );
        assert_eq!(front.count("POST", "/repos/acme/churn/check-runs"), 1);
        // The description's own example has the number 4.
        assert_eq!(front.count("PATCH", "/repos/acme/churn/check-runs/4"), pages - 1);
        let counts: Vec<_> = asked.iter().map(|one| annotations(one).len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), findings, "{counts:?}");
        assert!(counts.iter().all(|count| *count <= 50), "{counts:?}");
        let expected = if findings > 0 { "failure" } else { "success" };
        assert_eq!(asked[0].json["conclusion"], expected);
        assert_eq!(asked[0].json["head_sha"], workspace.head());
        if findings > 0 {
            let first = &annotations(&asked[0])[0];
            assert_eq!(first["path"], "model/extra/000.pkl");
            assert_eq!(first["annotation_level"], "failure");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_are_cut_to_what_github_takes() {
    let Some(prism) = Prism::start("github::long_texts").await else { return };
    let front = Front::before(&prism.url, |_| Fate::Pass).await;
    let long = |length: usize| "é<&\u{1F600}".repeat(length);
    let run = CheckRun {
        title: long(300),
        summary: long(40_000),
        passed: false,
        annotations: vec![Annotation {
            path: "a/b c#1.txt".into(),
            line: 1,
            level: AnnotationLevel::Warning,
            title: long(300),
            message: long(40_000),
        }],
    };
    let token = Secret::new(TOKEN).expect("a secret");
    let commit = "0123456789012345678901234567890123456789";
    let client = http::Client::new(http::ClientOptions::default()).expect("a client");
    let github = github::Client::new(&client, &front.url(), &token, "acme/churn");
    let github = github.expect("a client");
    github::create_check_run(&github, commit, "weighbridge", &run).await.expect("made");
    let output = &front.asked()[0].json["output"];
    assert!(output["summary"].as_str().is_some_and(|text| text.len() > 65_000));
    assert!(output["annotations"][0]["message"].as_str().is_some_and(|text| text.len() <= 65_536));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_leave_the_log_has_the_annotations() {
    let refusals = [
        (Fate::Answer(Reply::status(403)), "permissions: {checks: write}"),
        (Fate::Answer(Reply::status(404)), "permissions: {checks: write}"),
        (Fate::Answer(Reply::status(500)), "GitHub answered 500"),
        (Fate::Answer(Reply::status(422)), "GitHub answered 422"),
        (Fate::Answer(Reply::text("<html>")), "no check run"),
        (Fate::Reset, "no check run"),
    ];
    for (fate, says) in refusals {
        for poisoned in [0, 1] {
            let fate = fate.clone();
            let front = Front::before("http://127.0.0.1:1", move |_| fate.clone()).await;
            let mut workspace = Workspace::healthy();
            poison(&workspace, poisoned);
            on_runner(&mut workspace, &front.url());
            let run = check(&workspace).expect(i32::from(poisoned > 0)).says(says);
            assert_eq!(front.count("POST", "/check-runs"), 1, "GitHub was asked");
            let told = run.stdout.lines().filter(|line| line.starts_with("::error file=")).count();
            assert_eq!(told, poisoned, "{}", run.all());
            let summary = std::fs::read_to_string(workspace.home().join("summary.md"));
            assert!(summary.expect("a summary").contains("no check run"), "{says}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_github_changes_no_verdict() {
    let mut workspace = Workspace::healthy();
    // Nothing listens on port 1.
    on_runner(&mut workspace, "http://127.0.0.1:1");
    check(&workspace).expect(0).says("no check run");
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_and_summary_say_the_verdict() {
    let mut workspace = Workspace::healthy();
    poison(&workspace, 3);
    on_runner(&mut workspace, "http://127.0.0.1:1");
    check(&workspace).expect(1);
    let output = std::fs::read_to_string(workspace.home().join("output.txt")).expect("outputs");
    let value = |name: &str| {
        let (_, rest) = output.split_once(&format!("{name}<<")).expect("the output is there");
        let (delimiter, rest) = rest.split_once('\n').expect("a delimiter");
        rest.split_once(&format!("\n{delimiter}")).expect("an end").0.to_owned()
    };
    assert_eq!(
        [value("verdict"), value("version"), value("findings"), value("revision")],
        ["blocked", "1.0.0", "3", ""]
    );
    let report: Value =
        serde_json::from_slice(&std::fs::read(value("report")).expect("a report")).expect("JSON");
    assert_eq!(report["manifest_digest"], value("manifest-digest"));
    assert!(std::path::Path::new(&value("sarif")).is_file());

    // A folder of the workspace is told as it was given: a container has another name for it.
    workspace.set("INPUT_REPORT-DIR", "kept");
    check(&workspace).expect(1);
    let output = std::fs::read_to_string(workspace.home().join("output.txt")).expect("outputs");
    assert!(output.contains("\nkept/report.sarif\n"), "{output}");
    assert!(workspace.path().join("kept/report.sarif").is_file());

    let summary = std::fs::read_to_string(workspace.home().join("summary.md")).expect("a summary");
    assert!(summary.starts_with("## ❌ Blocked: churn v1.0.0\n"), "{summary}");
    for number in 0..3 {
        assert!(summary.contains(&format!("`model/extra/00{number}.pkl")), "{summary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_leaves_room_for_what_was_there() {
    let mut workspace = Workspace::healthy();
    poison(&workspace, 3);
    on_runner(&mut workspace, "http://127.0.0.1:1");
    let path = workspace.home().join("summary.md");
    for (before, says) in [
        (0, "`model/extra/002.pkl"),
        (900_000 - 1800, "3 more findings did not fit here"),
        (900_000 - 120, "The summary did not fit"),
    ] {
        let mut there = String::new();
        while there.len() < before {
            let _ = writeln!(there, "earlier");
        }
        there.truncate(before);
        std::fs::write(&path, &there).expect("writable");
        check(&workspace).expect(1);
        let whole = std::fs::read_to_string(&path).expect("a summary");
        let added = whole.strip_prefix(&there).expect("what was there stays");
        assert!(whole.len() <= 900_000, "{}", whole.len());
        assert!(added.contains(says), "{before}: {added}");
    }
}
