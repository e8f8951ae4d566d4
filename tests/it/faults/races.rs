//! Releases that run at the same time on one repository.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use super::tell;
use super::truth::{Commit, Truth, place, truth};
use crate::support::hub_server::HubServer;
use crate::support::workspace::Workspace;

/// A model of which every version has a file of its own: two of them mixed are found out.
fn version(workspace: &Workspace, version: &str) {
    std::fs::remove_dir_all(workspace.path().join("model/only")).unwrap_or_default();
    workspace.write(&format!("model/only/{version}.txt"), format!("of {version}\n"));
    workspace.write("model/weights.bin", version.repeat(100_000));
    workspace.version(&format!("v{version}"));
}

fn workspace(server: &HubServer, of: &str) -> Workspace {
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    version(&workspace, of);
    workspace
}

async fn run(workspace: &Workspace, after: Duration, tag: &str) -> (Option<i32>, String) {
    tokio::time::sleep(after).await;
    let mut command = tokio::process::Command::from(workspace.command(&["release", "--tag", tag]));
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("the binary runs");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), format!("--- stdout\n{out}\n--- stderr\n{err}"))
}

/// The commit of a tag.
fn tagged<'t>(truth: &'t Truth, version: &str) -> Option<&'t Commit> {
    let id = truth.tags.get(&format!("v{version}"))?;
    truth.main.iter().find(|commit| commit.id == *id)
}

/// The versions whose own files a commit has.
fn has(commit: &Commit) -> Vec<&str> {
    let own = commit.files.keys().filter_map(|path| path.strip_prefix("only/"));
    own.map(|path| path.trim_end_matches(".txt")).collect()
}

/// Rounds of two versions at once; how the two runs ended.
async fn different_versions(rounds: u64) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for round in 0..rounds {
        let server = HubServer::start().await;
        let (old, new) = (workspace(&server, "1.0.0"), workspace(&server, "1.1.0"));
        let mut released = [("1.0.0", &old), ("1.1.0", &new)];
        // The repository is new, or has a version.
        let first = workspace(&server, "0.9.0");
        if round % 2 == 1 {
            assert_eq!(run(&first, Duration::ZERO, "v0.9.0").await.0, Some(0));
        }
        // The Hub has the lower one first, or the higher one.
        if round % 4 > 1 {
            released.reverse();
        }
        let offset = Duration::from_millis(fastrand::Rng::with_seed(round).u64(..400));
        let [(one, of_one), (two, of_two)] = released;
        let (tag_one, tag_two) = (format!("v{one}"), format!("v{two}"));
        let ((code_one, said_one), (code_two, said_two)) =
            tokio::join!(run(of_one, Duration::ZERO, &tag_one), run(of_two, offset, &tag_two));
        let case = format!("round {round}: {one} {said_one}\n{two} {said_two}");
        let now = truth(&place(&server));
        for (version, code, said) in [(one, code_one, &said_one), (two, code_two, &said_two)] {
            let there = tagged(&now, version);
            match code {
                Some(0) => assert_eq!(has(there.expect(&case)), [version], "{case}"),
                // A higher one was faster: the gate says so. Or both were at it.
                Some(1) => assert!(said.contains("version-older-than-published"), "{case}"),
                Some(2) => {
                    assert!(said.contains("somebody else commits to `main`"), "{case}");
                    assert!(said.contains("fix: run it again"), "{case}");
                    assert!(said.contains("nothing of v"), "{case}");
                }
                _ => panic!("{case}"),
            }
            assert!(code == Some(0) || there.is_none(), "{case}");
        }
        assert!(code_one == Some(0) || code_two == Some(0), "nobody won: {case}");
        for commit in &now.main {
            assert!(has(commit).len() <= 1, "a mix: {commit:?}: {case}");
        }
        // Who lost can try again.
        for (version, workspace, code) in [(one, of_one, code_one), (two, of_two, code_two)] {
            if code == Some(2) {
                let (again, said) = run(workspace, Duration::ZERO, &format!("v{version}")).await;
                let refused = said.contains("version-older-than-published");
                assert!(again == Some(0) || (again == Some(1) && refused), "{case}\n{said}");
            }
        }
        let end = |code: Option<i32>| code.map_or_else(String::new, |code| code.to_string());
        *ends.entry(format!("{} {}", end(code_one), end(code_two))).or_default() += 1;
    }
    ends
}

/// Rounds of one version twice.
async fn the_same_version(rounds: u64) {
    for round in 0..rounds {
        let server = HubServer::start().await;
        let one = workspace(&server, "1.0.0");
        if round % 2 == 1 {
            let first = workspace(&server, "0.9.0");
            assert_eq!(run(&first, Duration::ZERO, "v0.9.0").await.0, Some(0));
        }
        let mut two = one.copy();
        two.on_hub(&server.hub.url(), server.hub.token().expose());
        let offset = Duration::from_millis(fastrand::Rng::with_seed(round).u64(..400));
        let ((code_one, said_one), (code_two, said_two)) =
            tokio::join!(run(&one, Duration::ZERO, "v1.0.0"), run(&two, offset, "v1.0.0"));
        let case = format!("round {round}: {said_one}\n{said_two}");
        assert_eq!((code_one, code_two), (Some(0), Some(0)), "{case}");
        let now = truth(&place(&server));
        let releases = now.main.iter().filter(|commit| commit.title == "Release 1.0.0");
        assert_eq!(releases.count(), 1, "{case}");
        assert_eq!(has(tagged(&now, "1.0.0").expect(&case)), ["1.0.0"], "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_never_mix() {
    let ends = different_versions(8).await;
    tell(&format!("exit codes of two versions at once: {ends:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tag_twice_is_one_version() {
    the_same_version(6).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes; docs/publishing.md has the command"]
async fn many_rounds() {
    let ends = different_versions(100).await;
    tell(&format!("exit codes of two versions at once: {ends:?}"));
    the_same_version(100).await;
    tell("one tag twice: 100 rounds, each one commit and one tag");
}
