//! The main job: a whole release against the embedded Hub, and the same again.

use std::path::Path;

use crate::support::workspace::Workspace;

/// Requests that change something on a Hub.
fn writes(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| {
            ["PUT", "POST", "DELETE", "PATCH"].iter().any(|method| line.contains(method))
        })
        .filter(|line| {
            !["/preupload/", "/validate-yaml", "/paths-info/", "/objects/batch"]
                .iter()
                .any(|ask| line.contains(ask))
        })
        .collect()
}

fn log(data: &Path) -> String {
    std::fs::read_to_string(data.join("requests.log")).expect("the Hub logs its requests")
}

#[test]
fn a_second_rehearsal_is_green_and_writes_nothing() {
    let workspace = Workspace::healthy();
    let data = tempfile::tempdir().expect("a temporary folder");
    let arguments = ["rehearse", "--data", data.path().to_str().expect("UTF-8")];
    workspace.run(&arguments).expect(0).says("v1.0.0").says("acme/churn");
    let first = log(data.path());
    assert_eq!(
        writes(&first).iter().filter(|line| line.contains("/commit/")).count(),
        1,
        "{first}"
    );
    assert_eq!(writes(&first).iter().filter(|line| line.contains("/tag/")).count(), 1, "{first}");

    workspace.run(&arguments).expect(0).says("already published");
    let both = log(data.path());
    let second = both.strip_prefix(&first).expect("the log only grows");
    assert!(second.lines().count() > 0, "the second run asked the Hub");
    assert_eq!(writes(second), Vec::<&str>::new());
}

#[test]
fn other_bytes_under_the_same_tag_are_refused() {
    let workspace = Workspace::healthy();
    let data = tempfile::tempdir().expect("a temporary folder");
    let arguments = ["rehearse", "--data", data.path().to_str().expect("UTF-8")];
    workspace.run(&arguments).expect(0);
    let before = log(data.path());
    workspace.write("model/model.json", "{\"learner\": {\"other\": 1}}\n");
    workspace.run(&arguments).expect(1).says("version-already-published");
    let after = log(data.path());
    assert_eq!(
        writes(after.strip_prefix(&before).expect("the log only grows")),
        Vec::<&str>::new()
    );
}

#[test]
fn the_example_of_the_readme_goes_through_twice() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/churn");
    let workspace = Workspace::empty();
    let data = tempfile::tempdir().expect("a temporary folder");
    let arguments = [
        "rehearse",
        example.to_str().expect("UTF-8"),
        "--tag",
        "v0.1.0",
        "--data",
        data.path().to_str().expect("UTF-8"),
    ];
    workspace.run(&arguments).expect(0);
    let first = log(data.path());
    workspace.run(&arguments).expect(0);
    let both = log(data.path());
    assert_eq!(writes(both.strip_prefix(&first).expect("the log only grows")), Vec::<&str>::new());
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let workspace = Workspace::healthy();
    let data = tempfile::tempdir().expect("a temporary folder");
    let arguments = ["rehearse", "--dry-run", "--data", data.path().to_str().expect("UTF-8")];
    workspace.run(&arguments).expect(0).says("model.json").says("weighbridge.json");
    assert_eq!(writes(&log(data.path())), Vec::<&str>::new());
}

#[test]
fn a_poisoned_pickle_blocks_and_nothing_is_written() {
    let workspace = Workspace::healthy();
    workspace.write("model/extra.pkl", b"cos\nsystem\n(S'id'\ntR.");
    let data = tempfile::tempdir().expect("a temporary folder");
    let arguments = ["rehearse", "--data", data.path().to_str().expect("UTF-8")];
    workspace.run(&arguments).expect(1).says("unsafe-pickle").says("model/extra.pkl");
    assert_eq!(writes(&log(data.path())), Vec::<&str>::new());
}
