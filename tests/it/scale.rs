//! Many files and large ones: how often the Hub is asked, what stays in memory, and that a version too
//! large for one commit still appears at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use weighbridge::rehearsal::LoggedRequest;

use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::hub_server::HubServer;
use crate::support::workspace::{POLICY, Run, Workspace};
use crate::support::{intrude, plain_client};

/// Resident memory that a release may take, whatever it releases.
const MEMORY: u64 = 128 * 1024 * 1024;

/// A release, and the most memory that was resident in it, in bytes.
fn measured(workspace: &Workspace) -> (Run, u64) {
    use std::process::Stdio;
    let mut command = workspace.command(&["release"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let watch = std::thread::spawn(move || {
        let mut most = 0;
        // The file goes, or is empty, when the process ends.
        while let Some(now) = resident(Path::new(&status)) {
            most = most.max(now);
            std::thread::sleep(Duration::from_millis(2));
        }
        most
    });
    let output = child.wait_with_output().expect("it ends");
    let most = watch.join().expect("watched");
    assert!(most > 0, "nothing was measured");
    (Run::new(output), most)
}

/// The high-water mark of resident memory (proc(5), `VmHWM`).
fn resident(status: &Path) -> Option<u64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn count(requests: &[LoggedRequest], method: &str, part: &str) -> usize {
    requests.iter().filter(|one| one.method == method && one.path.contains(part)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_small_files_are_one_commit() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    for number in 0..10_000 {
        let path = format!("model/vocabulary/{:02}/{number}.txt", number % 100);
        workspace.write(&path, format!("word {number}\n"));
    }
    workspace.version("v1.0.0");
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let (run, memory) = tokio::task::block_in_place(|| measured(&workspace));
    run.expect(0).says("acme/churn v1.0.0 published");
    assert!(memory < MEMORY, "{} MiB were resident", memory >> 20);

    let requests = server.hub.requests();
    // The healthy model's three files, its card and its record.
    let files: usize = 10_000 + 3 + 2;
    assert_eq!(count(&requests, "POST", "/preupload/"), files.div_ceil(256));
    assert_eq!(count(&requests, "POST", "/commit/"), 1);
    assert_eq!(count(&requests, "POST", "/tag/"), 1);
    // The embedded Hub gives out 1,000 files a page, as the Hub does.
    let folders = 101; // They stand in the tree too.
    let pages = (files + 1 + folders).div_ceil(1000);
    assert_eq!(count(&requests, "GET", "recursive=true"), 1 + pages, "of nothing, and of all");

    let before = requests.len();
    let run = tokio::task::block_in_place(|| workspace.run(&["release"]));
    run.expect(0).says("already published, nothing written");
    let again = &server.hub.requests()[before..];
    assert!(again.len() <= pages * 2 + 5, "{}", again.len());
}

/// Files of a version of [`many_pieces`]: with the healthy model's three, card, record and
/// `.gitattributes`.
const WHOLE: usize = 40 + 3 + 2 + 1;

/// 40 files of 1 kB that a policy allows only 7 of in one commit.
fn many_pieces() -> Workspace {
    let workspace = Workspace::healthy();
    let policy = format!("{POLICY}publish: {{largest-commit: {{files: 7, bytes: 5kB}}}}\n");
    workspace.write("weighbridge.yml", policy);
    for number in 0..40 {
        workspace.write(&format!("model/part-{number}.txt"), format!("{number:>1000}"));
    }
    workspace.version("v1.0.0");
    workspace
}

/// The paths of a revision.
async fn paths(hub: &str, token: &str, revision: &str) -> BTreeSet<String> {
    let url = format!("{hub}/api/models/acme/churn/tree/{revision}?recursive=true");
    let answer = plain_client().get(url).bearer_auth(token).send().await.expect("an answer");
    let tree: Vec<Value> = answer.json().await.expect("JSON");
    tree.iter().filter_map(|entry| Some(entry["path"].as_str()?.to_owned())).collect()
}

async fn branches(hub: &str, token: &str) -> Vec<String> {
    let url = format!("{hub}/api/models/acme/churn/refs");
    let answer = plain_client().get(url).bearer_auth(token).send().await.expect("an answer");
    let refs: Value = answer.json().await.expect("JSON");
    let branches = refs["branches"].as_array().expect("branches").iter();
    branches.map(|branch| branch["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_one_commit_appears_at_once() {
    let server = HubServer::start().await;
    let (url, token) = (server.hub.url(), server.hub.token());
    // What `main` holds at each request that changes anything.
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let (hub, secret, told) = (url.clone(), token.expose().to_owned(), seen.clone());
    let script = move |asked: &Asked| {
        let changes = ["/commit/", "/branch/", "/tag/"];
        if asked.method == "POST" && changes.iter().any(|part| asked.path.contains(part)) {
            let here = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| {
                here.block_on(async {
                    let main = paths(&hub, &secret, "main").await;
                    told.lock().await.insert(main);
                });
            });
        }
        Fate::Pass
    };
    let front = Front::before(&url, script).await;
    let mut workspace = many_pieces();
    workspace.on_hub(&front.url(), token.expose());

    let plan = tokio::task::block_in_place(|| workspace.run(&["release", "--dry-run"])).expect(0);
    let plan =
        plan.says("several commits").says("weighbridge-pieces-v1.0.0").says("main to the last");
    assert!(!plan.all().contains("one commit"), "{}", plan.all());

    let run = tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);
    run.says("committing part 2 of ").says("acme/churn v1.0.0 published");
    let whole = paths(&url, token.expose(), "v1.0.0").await;
    assert_eq!(whole.len(), WHOLE, "{whole:?}");
    let empty = BTreeSet::from([".gitattributes".to_owned()]);
    assert_eq!(*seen.lock().await, BTreeSet::from([empty, whole.clone()]), "nothing in between");
    assert!(front.count("POST", "/commit/weighbridge-pieces-v1.0.0") >= 7);
    assert_eq!(front.count("POST", "/commit/main"), 0);
    assert_eq!(branches(&url, token.expose()).await, ["main"]);

    // The next version too, though the last one's files go one by one.
    seen.lock().await.clear();
    for number in 0..20 {
        std::fs::remove_file(workspace.path().join(format!("model/part-{number}.txt")))
            .expect("removed");
    }
    workspace.version("v1.1.0");
    tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0).says("20 deleted");
    let next = paths(&url, token.expose(), "main").await;
    assert!(!next.contains("part-0.txt") && next.contains("part-39.txt"), "{next:?}");
    assert_eq!(*seen.lock().await, BTreeSet::from([whole, next]));
    assert_eq!(branches(&url, token.expose()).await, ["main"]);
}

/// What may become of a request by which a version in pieces is built or shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_in_pieces_survives_lost_answers() {
    let lost = [
        ("reset", Fate::Reset),
        ("reset, done", Fate::ResetAfter),
        ("503", Fate::Answer(Reply::status(503).header("retry-after", "0"))),
        ("504, done", Fate::After(Reply::status(504))),
    ];
    let requests = [
        ("POST", "/branch/weighbridge-pieces-v1.0.0"),
        ("POST", "/commit/weighbridge-pieces-v1.0.0"),
        ("POST", "/branch/main"),
        ("DELETE", "/branch/weighbridge-pieces-v1.0.0"),
    ];
    for (method, part) in requests {
        for (name, fate) in &lost {
            let server = HubServer::start().await;
            let (url, token) = (server.hub.url(), server.hub.token());
            let (fate, seen) = (fate.clone(), AtomicUsize::new(0));
            let case = format!("{method} {part} {name}");
            // The second of the commits, the only one of the others.
            let nth = usize::from(part.contains("/commit/"));
            let script = move |asked: &Asked| {
                let meant = asked.method == method && asked.path.contains(part);
                let now = meant && seen.fetch_add(1, Ordering::SeqCst) == nth;
                if now { fate.clone() } else { Fate::Pass }
            };
            let front = Front::before(&url, script).await;
            let mut workspace = many_pieces();
            workspace.on_hub(&front.url(), token.expose());
            let first = tokio::task::block_in_place(|| workspace.run(&["release"]));
            let main = paths(&url, token.expose(), "main").await;
            assert!([1, WHOLE].contains(&main.len()), "{case}: {main:?}");
            if first.code != 0 {
                assert_eq!(first.code, 2, "{case}: {}", first.all());
                assert!(first.all().contains("run it again"), "{case}: {}", first.all());
            }
            workspace.on_hub(&url, token.expose());
            tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);
            for revision in ["main", "v1.0.0"] {
                let there = paths(&url, token.expose(), revision).await;
                assert_eq!(there.len(), WHOLE, "{case} {revision}");
            }
            assert_eq!(branches(&url, token.expose()).await, ["main"], "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moved_is_not_overwritten_by_a_large_version() {
    let server = HubServer::start().await;
    let (url, token) = (server.hub.url(), server.hub.token());
    let mut workspace = many_pieces();
    workspace.on_hub(&url, token.expose());
    tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);

    let (hub, secret) = (url.clone(), token.expose().to_owned());
    let script = move |asked: &Asked| {
        // Before the second part is committed.
        if asked.method == "POST" && asked.path.contains("/commit/weighbridge-pieces") {
            let here = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| assert!(here.block_on(intrude(&hub, &secret))));
        }
        Fate::Pass
    };
    let front = Front::before(&url, script).await;
    for number in 0..40 {
        workspace.write(&format!("model/part-{number}.txt"), format!("{number:>999}"));
    }
    workspace.version("v1.1.0");
    workspace.on_hub(&front.url(), token.expose());
    let run = tokio::task::block_in_place(|| workspace.run(&["release"])).expect(2);
    assert!(run.stderr.contains("somebody else commits to `main`"), "{}", run.all());
    assert!(paths(&url, token.expose(), "main").await.contains("note.txt"));
    assert_eq!(front.count("POST", "/branch/main"), 0);

    workspace.on_hub(&url, token.expose());
    tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0).says("1 deleted");
    assert_eq!(branches(&url, token.expose()).await, ["main"]);
}

/// 50 GB of zeros, which take no room on the disk and little in Xet's storage.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo test --release --test it -- --ignored scale::fifty`"]
async fn fifty_gigabytes_in_little_memory() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    // Not in git, as weights are.
    workspace.sends_by("xet");
    workspace.write(".gitignore", "model/weights.bin\n");
    workspace.version("v1.0.0");
    let path = workspace.write("model/weights.bin", b"");
    let file = std::fs::File::options().write(true).open(path).expect("writable");
    file.set_len(50_000_000_000).expect("a sparse file");
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let (run, memory) = tokio::task::block_in_place(|| measured(&workspace));
    run.expect(0).says("acme/churn v1.0.0 published");
    assert!(memory < MEMORY, "{} MiB were resident", memory >> 20);
}
