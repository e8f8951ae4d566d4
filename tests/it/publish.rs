//! What `release` publishes is what the Hub's official client downloads, by every transfer and over
//! several versions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use weighbridge::digest::Digest;
use weighbridge::rehearsal::Transfers;

use crate::support::counterpart::need;
use crate::support::front::{Fate, Front, Reply};
use crate::support::hub_server::{HubServer, succeed};
use crate::support::plain_client;
use crate::support::workspace::{POLICY, Run, Workspace};

const MIB: usize = 1024 * 1024;
const REPO: &str = "acme/churn";

/// A file as the official client downloaded it.
#[derive(Debug, Deserialize)]
struct Downloaded {
    sha256: String,
    lfs: bool,
}

async fn download(
    server: &HubServer,
    python: &Path,
    revision: &str,
) -> BTreeMap<String, Downloaded> {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/clients/snapshot.py");
    let mut command = server.client(python);
    let printed = succeed(command.arg(script).args([REPO, revision])).await;
    serde_json::from_str(&printed).expect("the script prints JSON")
}

/// A healthy model with two large files, one above the size that a Hub takes inline by far, which
/// the policy sends by this transfer.
fn large_model(server: &HubServer, transfer: &str) -> Workspace {
    let mut workspace = Workspace::healthy();
    workspace.sends_by(transfer);
    workspace.write("model/weights/a.bin", noise(1, 21 * MIB));
    workspace.write("model/weights/b.bin", noise(2, 11 * MIB));
    workspace.version("v1.0.0");
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace
}

fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    fastrand::Rng::with_seed(seed).fill(&mut noise);
    noise
}

/// The digests of the model's folder, by path in the repository.
fn on_disk(workspace: &Workspace) -> BTreeMap<String, String> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path: PathBuf = entry.expect("readable").path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
                let bytes = std::fs::read(&path).expect("readable");
                found.insert(name, Digest::of(&bytes).to_string());
            }
        }
    }
    let mut found = BTreeMap::new();
    let root = workspace.path().join("model");
    walk(&root, &root, &mut found);
    found
}

/// Runs without holding up the Hub, which lives in the same process.
fn release(workspace: &Workspace) -> Run {
    tokio::task::block_in_place(|| workspace.run(&["release"]))
}

/// Asserts that the files of a revision are the model's and weighbridge's own two.
async fn assert_published(
    server: &HubServer,
    python: &Path,
    revision: &str,
    model: &BTreeMap<String, String>,
) {
    let mut there = download(server, python, revision).await;
    for document in ["README.md", "weighbridge.json"] {
        let document = there.remove(document).expect("weighbridge's own file");
        assert!(!document.lfs, "the Hub reads this file, so it is a regular one");
    }
    // Later versions show how the metrics went.
    assert!(there.remove("weighbridge-history.svg").is_none_or(|chart| !chart.lfs));
    let digests: BTreeMap<String, String> =
        there.iter().map(|(path, file)| (path.clone(), file.sha256.clone())).collect();
    assert_eq!(&digests, model);
    for (path, file) in &there {
        assert_eq!(file.lfs, path.starts_with("weights/"), "{path}");
    }
}

async fn goes_through(test: &str, transfers: Transfers, policy: &str) -> Option<HubServer> {
    let python = need(test, "venv/bin/python")?;
    let server = HubServer::transferring(transfers).await;
    let workspace = large_model(&server, policy);
    release(&workspace).expect(0).says("acme/churn v1.0.0 published").says("34 MB sent");
    assert_published(&server, &python, "v1.0.0", &on_disk(&workspace)).await;
    assert_eq!(server.count("POST", "/commit/main"), 1);
    assert_eq!(server.count("POST", "/tag/"), 1);

    let before = server.hub.requests().len();
    release(&workspace).expect(0).says("already published, nothing written");
    let again = server.hub.requests().split_off(before);
    assert!(!again.is_empty() && again.iter().all(|one| one.method == "GET"), "{again:?}");
    Some(server)
}

#[tokio::test(flavor = "multi_thread")]
async fn by_xet() {
    let done = goes_through("publish::by_xet", Transfers::Auto, "xet").await;
    let Some(server) = done else { return };
    assert_eq!(server.count("GET", "/xet-write-token/"), 1);
    assert_eq!(server.count("PUT", "/storage/"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_one_put() {
    // A Hub that knows no Xet, whatever the policy would like.
    for policy in ["auto", "xet", "lfs"] {
        let done = goes_through("publish::by_one_put", Transfers::ForceBasic, policy).await;
        let Some(server) = done else { return };
        assert_eq!(server.count("PUT", "/storage/basic/"), 2, "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_lfs_as_the_policy_says() {
    let done = goes_through("publish::by_lfs", Transfers::Auto, "lfs").await;
    let Some(server) = done else { return };
    assert_eq!(server.count("GET", "/xet-write-token/"), 0);
    assert_eq!(server.count("PUT", "/storage/"), 2);
}

/// New files go by LFS and new versions of them by Xet, once the Hub has them in Xet storage.
#[tokio::test(flavor = "multi_thread")]
async fn each_file_goes_as_it_goes_fastest() {
    let Some(python) = need("publish::each_file", "venv/bin/python") else { return };
    let server = HubServer::transferring(Transfers::Auto).await;
    let workspace = large_model(&server, "auto");
    let first = "sending 2 large files by LFS: nothing like them is there";
    let run = release(&workspace).expect(0).says("34 MB sent");
    assert!(run.stderr.contains(first), "{}", run.all());
    assert_eq!(server.count("GET", "/xet-write-token/"), 0);
    assert_eq!(server.count("PUT", "/storage/"), 2);
    moved_to_xet(&server, "weights/a.bin").await;
    moved_to_xet(&server, "weights/b.bin").await;
    assert_published(&server, &python, "v1.0.0", &on_disk(&workspace)).await;

    let mut changed = noise(1, 21 * MIB);
    changed[7 * MIB..7 * MIB + 1000].fill(0);
    workspace.write("model/weights/a.bin", changed);
    workspace.write("model/weights/c.bin", noise(3, 11 * MIB));
    workspace.version("v1.1.0");
    let plan = tokio::task::block_in_place(|| workspace.run(&["release", "--dry-run"])).expect(0);
    assert!(plan.all().contains("by Xet: what changed in it"), "{}", plan.all());
    let run = release(&workspace).expect(0);
    for line in [
        "sending 1 large file by LFS: nothing like them is there (weights/c.bin)",
        "sending 1 large file by Xet: what changed in them (weights/a.bin)",
        "the Hub wants 12 MB of them, by basic",
        "the Hub wants 22 MB of them, by xet",
    ] {
        assert!(run.stderr.contains(line), "{line}: {}", run.all());
    }
    assert_eq!(server.count("GET", "/xet-write-token/"), 1);
    assert_eq!(server.count("PUT", "/storage/"), 3);
    assert_published(&server, &python, "v1.1.0", &on_disk(&workspace)).await;
}

/// A name says that there was a version before; only its bytes say whether that is of any use.
#[tokio::test(flavor = "multi_thread")]
async fn weights_that_were_trained_anew_go_by_lfs() {
    let server = HubServer::transferring(Transfers::Auto).await;
    let mut workspace = large_model(&server, "xet");
    let weights = noise(4, 65 * MIB);
    workspace.write("model/weights/a.bin", &weights);
    workspace.version("v1.0.0");
    release(&workspace).expect(0);
    workspace.sends_by("auto");

    let looks = || server.count("GET", "/resolve/");
    let write = |workspace: &Workspace, model: &[u8], tag: &str| {
        workspace.write("model/weights/a.bin", model);
        workspace.version(tag);
    };
    let goes = |workspace: &Workspace, way: &str, windows: usize| {
        let before = looks();
        let run = release(workspace).expect(0);
        assert!(run.stderr.contains(way), "{way}: {}", run.all());
        assert!(!run.stderr.contains("could not be looked into"), "{}", run.all());
        let looks = looks() - before;
        // A few more are on their way by then, and records and cards are read too.
        let about = windows..=windows + 14;
        assert!(about.contains(&looks), "{looks} windows were looked at, and {windows} decide");
    };
    // Shifted by what came in at its beginning.
    write(&workspace, &[noise(5, 1000), weights].concat(), "v1.1.0");
    goes(&workspace, "by Xet: what changed in them (weights/a.bin)", 8);

    write(&workspace, &noise(6, 65 * MIB), "v1.2.0");
    let others = Reply { status: 206, ..Reply::text(&"x".repeat(4096)) };
    let others = others.header("content-range", "bytes 0-4095/68157440");
    for reply in [Reply::status(503), Reply::text("all of it"), others] {
        let what = reply.status;
        let hub = server.hub.url();
        let front = Front::before(&hub, move |asked| {
            let looks = asked.path.contains("/resolve/") && asked.path.ends_with("a.bin");
            if looks { Fate::Answer(reply.clone()) } else { Fate::Pass }
        });
        workspace.set("HF_ENDPOINT", front.await.url());
        let plan = tokio::task::block_in_place(|| workspace.run(&["release", "--dry-run"]));
        let said = plan.expect(0).all();
        for words in ["version of weights/a.bin could not be looked into", "by Xet: what changed"] {
            assert!(said.contains(words), "{what}: {said}");
        }
    }
    workspace.set("HF_ENDPOINT", server.hub.url());
    goes(&workspace, "by LFS: little was found of their last versions (weights/a.bin)", 16);
    assert_eq!(server.count("GET", "/xet-write-token/"), 2);
    assert!(server.count("PUT", "/storage/") > 0);
}

/// Waits until the Hub has moved a file that came by LFS.
async fn moved_to_xet(server: &HubServer, path: &str) {
    let url = format!("{}/api/models/{REPO}/tree/main?recursive=true", server.hub.url());
    for _ in 0..60 {
        // The Hub moves files when nobody asks it anything.
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        let request = plain_client().get(&url).bearer_auth(server.hub.token().expose());
        let tree = request.send().await.expect("an answer").text().await.expect("text");
        let tree: Vec<serde_json::Value> = serde_json::from_str(&tree).expect("JSON");
        if tree.iter().any(|file| file["path"] == path && file["xetHash"].is_string()) {
            return;
        }
    }
    panic!("{path} is not in Xet storage");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_sent_once() {
    let server = HubServer::transferring(Transfers::ForceBasic).await;
    let workspace = large_model(&server, "auto");
    workspace.write("model/weights/b.bin", noise(1, 21 * MIB));
    workspace.version("v1.0.0");
    release(&workspace).expect(0).says("22 MB sent");
    assert_eq!(server.count("PUT", "/storage/basic/"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_parts() {
    let chunk = 5 * MIB as u64;
    let transfers = Transfers::ForceMultipart { chunk };
    let done = goes_through("publish::in_parts", transfers, "auto").await;
    let Some(server) = done else { return };
    assert_eq!(server.count("PUT", "/storage/part/"), 5 + 3);
    assert_eq!(server.count("POST", "/storage/complete/"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_sends_what_changed_and_removes_what_went() {
    let Some(python) = need("publish::a_new_version", "venv/bin/python") else { return };
    let server = HubServer::transferring(Transfers::ForceBasic).await;
    let workspace = large_model(&server, "auto");
    release(&workspace).expect(0);
    let first = on_disk(&workspace);

    workspace.write("model/config.json", "{\"model_type\": \"xgboost\", \"depth\": 3}\n");
    workspace.write("model/weights/c.bin", noise(3, 11 * MIB));
    std::fs::remove_file(workspace.path().join("model/weights/b.bin")).expect("removed");
    workspace.version("v1.1.0");
    release(&workspace).expect(0).says("5 written, 3 unchanged, 1 deleted; 12 MB sent");

    assert_published(&server, &python, "v1.1.0", &on_disk(&workspace)).await;
    assert_published(&server, &python, "main", &on_disk(&workspace)).await;
    assert_published(&server, &python, "v1.0.0", &first).await;
    assert_eq!(server.count("PUT", "/storage/basic/"), 3, "a and b, then only c");
    assert_eq!(server.count("POST", "/commit/main"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_keeps_stays() {
    let Some(python) = need("publish::what_the_policy_keeps", "venv/bin/python") else { return };
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace.write("model/assets/logo.svg", "<svg/>");
    workspace.write("model/assets.txt", "goes");
    workspace.version("v1.0.0");
    release(&workspace).expect(0);

    workspace.write("weighbridge.yml", format!("{POLICY}publish: {{keep: [\"assets/**\"]}}\n"));
    std::fs::remove_dir_all(workspace.path().join("model/assets")).expect("removed");
    std::fs::remove_file(workspace.path().join("model/assets.txt")).expect("removed");
    workspace.version("v1.1.0");
    release(&workspace).expect(0).says("1 deleted");
    let there = download(&server, &python, "v1.1.0").await;
    assert!(there.contains_key("assets/logo.svg") && !there.contains_key("assets.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_ours_are_neither_weighed_nor_kept() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    std::fs::remove_file(workspace.path().join("model/config.json")).expect("removed");
    workspace.write("model/README.md", "# Left by a training tool\n");
    workspace.write("weighbridge.yml", format!("{POLICY}publish: {{keep: [\"*.json\"]}}\n"));
    workspace.version("v1.0.0");
    release(&workspace).expect(0);
    let record = workspace.report();
    let first = served(&server, "v1.0.0", "weighbridge.json").await.expect("a record");
    let first: serde_json::Value = serde_json::from_str(&first).expect("JSON");
    assert!(!first["files"].to_string().contains("README.md"), "{first}");
    assert!(first["written"].to_string().contains("config.json"), "{first}");

    // The same bytes again: what is told is what stands on the Hub.
    release(&workspace).expect(0).says("already published, nothing written");
    let again = workspace.report();
    let told = |report: &serde_json::Value| report["publication"]["record_digest"].clone();
    assert!(told(&record).is_string());
    assert_eq!(told(&record), told(&again));
    assert_eq!(again["publication"]["files"]["deleted"], 0);

    // A version that needs no `config.json` of ours does not keep the last one's.
    workspace.write(
        "weighbridge.yml",
        format!("{POLICY}publish: {{keep: [\"*.json\"], query-file: false}}\n"),
    );
    workspace.version("v1.1.0");
    release(&workspace).expect(0).says("1 deleted");
    assert!(served(&server, "v1.1.0", "config.json").await.is_none());
}

/// A file as the Hub gives it out.
async fn served(server: &HubServer, revision: &str, path: &str) -> Option<String> {
    let url = format!("{}/acme/churn/resolve/{revision}/{path}", server.hub.url());
    let request = plain_client().get(url).bearer_auth(server.hub.token().expose());
    let answer = request.send().await.expect("an answer");
    match answer.status().as_u16() {
        404 => None,
        _ => Some(answer.text().await.expect("text")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prerelease_goes_to_its_own_branch() {
    let Some(python) = need("publish::a_prerelease", "venv/bin/python") else { return };
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace.write("model/old.txt", "no part of what comes");
    workspace.version("v1.0.0");
    release(&workspace).expect(0);
    // A branch starts with the files of `main`.
    std::fs::remove_file(workspace.path().join("model/old.txt")).expect("removed");
    workspace.write("model/model.json", "{\"learner\": {\"next\": 1}, \"version\": [3, 0, 0]}\n");
    workspace.version("v1.1.0-rc.1");
    // The commit has one version tag only: the newest.
    release(&workspace).expect(0).says("acme/churn v1.1.0-rc.1 published");
    let main = download(&server, &python, "main").await;
    let staging = download(&server, &python, "staging").await;
    assert_ne!(main["model.json"].sha256, staging["model.json"].sha256);
    assert_published(&server, &python, "v1.1.0-rc.1", &on_disk(&workspace)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_the_hub_would_not_read_is_not_published() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace.write("model/.gitattributes", "*.md filter=lfs diff=lfs merge=lfs -text\n");
    workspace.version("v1.0.0");
    release(&workspace).expect(0);
    workspace.write("model/model.json", "{\"learner\": {}, \"version\": [3, 0, 1]}\n");
    workspace.version("v1.1.0");
    let run = release(&workspace).expect(2);
    assert!(run.stderr.contains("README.md"), "{}", run.all());
    assert!(run.stderr.contains(".gitattributes"), "{}", run.all());
    assert_eq!(server.count("POST", "/commit/main"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_damaged_on_its_way_is_asked_for_again() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace.version("v1.0.0");
    release(&workspace).expect(0);
    let record = served(&server, "v1.0.0", "weighbridge.json").await.expect("a record");
    let damaged = record.replace("0.95", "0.15");
    assert_ne!(damaged, record);
    // The first is read off the branch; metrics are compared with the second, that of the version.
    let records = AtomicUsize::new(0);
    let front = Front::before(&server.hub.url(), move |asked| {
        let is_second =
            asked.path.contains("weighbridge.json") && records.fetch_add(1, Ordering::Relaxed) == 1;
        if is_second { Fate::Answer(Reply::text(&damaged)) } else { Fate::Pass }
    })
    .await;
    workspace.set("HF_ENDPOINT", front.url());
    workspace.write("model/config.json", "{\"depth\": 3}\n");
    workspace.version("v1.1.0");
    release(&workspace).expect(0);
    for file in ["README.md", "weighbridge.json", "weighbridge-history.svg"] {
        let text = served(&server, "v1.1.0", file).await.expect("published");
        assert!(text.contains("0.95") && !text.contains("0.15"), "{file}: {text}");
    }
}

/// A record of tens of thousands of files is too large for a commit, and a pattern may have any.
#[tokio::test(flavor = "multi_thread")]
async fn what_weighbridge_writes_may_be_a_large_file() {
    let Some(python) = need("publish::what_weighbridge_writes", "venv/bin/python") else { return };
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace.write("model/.gitattributes", "*.json filter=lfs diff=lfs merge=lfs -text\n");
    workspace.version("v1.0.0");
    release(&workspace).expect(0);
    for (version, learner) in [("v1.1.0", "first"), ("v1.2.0", "second")] {
        workspace.write("model/model.json", format!("{{\"learner\": \"{learner}\"}}\n"));
        workspace.version(version);
        let commits = server.count("POST", "/commit/main");
        release(&workspace).expect(0).says(&format!("acme/churn {version} published"));
        assert_eq!(server.count("POST", "/commit/main"), commits + 1);
        let there = download(&server, &python, version).await;
        assert!(there["weighbridge.json"].lfs && !there["README.md"].lfs, "{there:?}");
        release(&workspace).expect(0).says("already published, nothing written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_may_take_the_place_of_a_file() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let model = workspace.path().join("model");
    for (version, policy) in [("v1.0.0", ""), ("v2.0.0", "publish: {largest-commit: {files: 2}}\n")]
    {
        workspace.write("weighbridge.yml", format!("{POLICY}{policy}"));
        workspace.write("model/tokenizer", "a file\n");
        workspace.version(version);
        release(&workspace).expect(0);
        std::fs::remove_file(model.join("tokenizer")).expect("there");
        workspace.write("model/tokenizer/vocab.txt", "in a folder\n");
        let next = version.replace(".0.0", ".1.0");
        workspace.version(&next);
        release(&workspace).expect(0);
        let there = served(&server, &next, "tokenizer/vocab.txt").await;
        assert_eq!(there.as_deref(), Some("in a folder\n"));
        std::fs::remove_dir_all(model.join("tokenizer")).expect("there");
    }
}
