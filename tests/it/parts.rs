//! A release in parts: jobs of a matrix weigh and bring a share each, and the release that takes their
//! parts publishes what one job alone would have, without the files.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use weighbridge::digest::Digest;
use weighbridge::rehearsal::Transfers;

use crate::support::front::{Fate, Front};
use crate::support::hub_server::HubServer;
use crate::support::plain_client;
use crate::support::workspace::{POLICY, Run, Workspace};

const MIB: usize = 1024 * 1024;

/// A model with large and small files, whose weights are not in git.
fn model() -> Workspace {
    let workspace = Workspace::healthy();
    workspace.write(".gitignore", "model/weights/\nreports/weighbridge-part-*\nparts/\n");
    workspace.write("weighbridge.yml", format!("{POLICY}publish: {{keep: [\"assets/**\"]}}\n"));
    for (number, mib) in [7, 5, 3, 2, 2, 1].into_iter().enumerate() {
        workspace.write(&format!("model/weights/{number}.bin"), noise(number as u64, mib * MIB));
    }
    for number in 0..12 {
        workspace.write(&format!("model/weights/notes/{number}.txt"), format!("note {number}\n"));
    }
    let (header, data) = (r#"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, [0; 12]);
    let weights = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat();
    workspace.write("model/weights/model.safetensors", weights);
    workspace.write("model/README.md", "# Left by a training tool\n");
    workspace.version("v1.0.0");
    workspace
}

fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    fastrand::Rng::with_seed(seed).fill(&mut noise);
    noise
}

fn run(workspace: &Workspace, arguments: &[&str]) -> Run {
    tokio::task::block_in_place(|| workspace.run(arguments))
}

/// Stages all shares at the same time, each in a process of its own; the digests they give out.
fn stage(workspace: &Workspace, of: u16, more: &[&str]) -> Vec<String> {
    let jobs: Vec<_> = (1..=of)
        .map(|number| {
            let shard = format!("{number}/{of}");
            let reports = format!("jobs/{number}");
            let arguments =
                [&["stage", "--shard", &shard, "--report-dir", &reports][..], more].concat();
            let mut job = workspace.command(&arguments);
            job.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
        })
        .collect();
    tokio::task::block_in_place(|| {
        jobs.into_iter()
            .map(|job| {
                let output = job.wait_with_output().expect("it ends");
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                let why = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(0), "{said}\n{why}");
                let digest = said.lines().find_map(|line| line.trim().strip_prefix("digest "));
                digest.expect("the job tells its digest").to_owned()
            })
            .collect()
    })
}

/// What upload-artifact and download-artifact do: the part of every job, in a folder of its own.
fn download(workspace: &Workspace) -> PathBuf {
    let parts = workspace.path().join("parts");
    let _ = std::fs::remove_dir_all(&parts);
    for job in std::fs::read_dir(workspace.path().join("jobs")).expect("jobs") {
        let job = job.expect("an entry");
        for part in std::fs::read_dir(job.path()).expect("reports") {
            let part = part.expect("an entry");
            if part.path().is_dir() {
                copy(
                    &part.path(),
                    &parts.join("artifact-".to_owned() + &job.file_name().to_string_lossy()),
                );
            }
        }
    }
    parts
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

/// The release job has no weights.
fn remove_weights(workspace: &Workspace) {
    std::fs::remove_dir_all(workspace.path().join("model/weights")).expect("removed");
}

async fn served(server: &HubServer, path: &str) -> Vec<u8> {
    let url = format!("{}/acme/churn/resolve/v1.0.0/{path}", server.hub.url());
    let request = plain_client().get(url).bearer_auth(server.hub.token().expose());
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.expect("bytes").to_vec()
}

/// What a version holds.
async fn tree(server: &HubServer) -> Value {
    let url = format!("{}/api/models/acme/churn/tree/v1.0.0?recursive=true", server.hub.url());
    let request = plain_client().get(url).bearer_auth(server.hub.token().expose());
    let mut tree: Value = request.send().await.expect("an answer").json().await.expect("a tree");
    for entry in tree.as_array_mut().expect("entries") {
        // The Hub takes large files into Xet storage in its own time.
        entry.as_object_mut().expect("an entry").remove("xetHash");
    }
    tree
}

async fn same_as_one_job(transfers: Transfers, of: u16) {
    let mut workspace = model();
    let alone = HubServer::transferring(transfers).await;
    workspace.on_hub(&alone.hub.url(), alone.hub.token().expose());
    run(&workspace, &["release"]).expect(0).says("acme/churn v1.0.0 published");
    let expected = workspace.report();

    let server = HubServer::transferring(transfers).await;
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let digests = stage(&workspace, of, &[]);
    assert_eq!(server.count("POST", "/commit/"), 0, "nobody sees what was brought");
    download(&workspace);
    remove_weights(&workspace);
    let before = server.hub.requests().len();
    let digests = digests.join(" ");
    let arguments = ["release", "--parts", "parts", "--part-digests", &digests];
    run(&workspace, &arguments)
        .expect(0)
        .says("acme/churn v1.0.0 published")
        .says("0 B sent as large files");

    // The same bytes, for the same reasons.
    assert_eq!(tree(&server).await, tree(&alone).await);
    for path in ["README.md", "weighbridge.json", "weights/0.bin", "weights/notes/3.txt"] {
        assert!(served(&server, path).await == served(&alone, path).await, "{path} differs");
    }
    let report = workspace.report();
    for told in ["verdict", "manifest_digest", "gates", "findings", "metrics", "files"] {
        assert_eq!(report[told], expected[told], "{told}");
    }
    // Nothing but questions, one commit and one tag.
    let release = server.hub.requests().split_off(before);
    let count = |method: &str, part: &str| {
        release.iter().filter(|one| one.method == method && one.path.contains(part)).count()
    };
    assert_eq!((count("POST", "/commit/main"), count("POST", "/tag/")), (1, 1));
    assert_eq!((count("PUT", ""), count("GET", "/xet-write-token/")), (0, 0), "{release:?}");
    assert_eq!((count("POST", "/preupload/"), count("POST", "/objects/batch")), (1, 1));

    // Once more, from the first job on: green, and nothing is written.
    let before = server.hub.requests().len();
    run(&workspace, &arguments).expect(0).says("already published, nothing written");
    let again = server.hub.requests().split_off(before);
    assert!(!again.is_empty() && again.iter().all(|one| one.method == "GET"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_make_the_release_of_one_job_by_xet() {
    same_as_one_job(Transfers::Auto, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_make_the_release_of_one_job_in_lfs_parts() {
    same_as_one_job(Transfers::ForceMultipart { chunk: MIB as u64 }, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_is_brought_once_by_the_job_whose_share_it_is() {
    let mut workspace = model();
    let server = HubServer::transferring(Transfers::ForceBasic).await;
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    stage(&workspace, 4, &[]);
    assert_eq!(server.count("PUT", "/storage/basic/"), 7, "seven large files");
    assert_eq!(server.count("POST", "/preupload/"), 4);
    // A job that is run again sends nothing, and tells the same.
    let told = || {
        let part = "jobs/2/weighbridge-part-2-of-4/weighbridge-part-2-of-4.json";
        std::fs::read(workspace.path().join(part)).expect("a part")
    };
    let first = told();
    let again = ["stage", "--shard", "2/4", "--report-dir", "jobs/2"];
    run(&workspace, &again).expect(0).says("0 B brought as large files");
    assert_eq!(server.count("PUT", "/storage/basic/"), 7);
    assert_eq!(told(), first);

    // What a job may do with its token is not told in a part.
    for entry in
        std::fs::read_dir(workspace.path().join("jobs/2/weighbridge-part-2-of-4")).expect("a part")
    {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).into_owned();
            assert!(!text.contains(server.hub.token().expose()), "{}", path.display());
        }
    }
    // When the version is out, nothing is brought for it.
    download(&workspace);
    run(&workspace, &["release", "--parts", "parts"]).expect(0);
    let before = server.hub.requests().len();
    run(&workspace, &again).expect(0).says("published already, nothing brought");
    assert!(server.hub.requests().split_off(before).iter().all(|one| one.method == "GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_on_the_hub_is_not_released() {
    let mut workspace = model();
    let server = HubServer::start().await;
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    // The second job sent nothing.
    stage(&workspace, 2, &[]);
    let dry = ["stage", "--shard", "2/2", "--report-dir", "jobs/2", "--dry-run"];
    let requests = server.hub.requests().len();
    run(&workspace, &dry).expect(0);
    assert_eq!(server.hub.requests().len(), requests, "a dry run asks nothing");
    let parts = download(&workspace);
    let refused = |says: &str| {
        let refused = run(&workspace, &["release", "--parts", "parts"]).expect(2).says(says);
        assert!(refused.stderr.contains("run the stage job of the share"), "{}", refused.all());
        assert_eq!(server.count("POST", "/commit/"), 0);
        assert_eq!(server.count("POST", "/tag/"), 0);
    };
    refused("of the share 2/2: the Hub wants it in the commit");

    // Content that another wrote, of the same length.
    stage(&workspace, 2, &[]);
    download(&workspace);
    let kept = parts.join("artifact-1/files").join(Digest::of(b"note 3\n").to_string());
    let other = parts.join("artifact-2/files").join(Digest::of(b"note 3\n").to_string());
    let kept = if kept.exists() { kept } else { other };
    std::fs::write(kept, b"note 7\n").expect("written");
    refused("`weights/notes/3.txt` changed after it was weighed");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_that_the_hub_lost_are_named_with_their_share() {
    let mut workspace = model();
    let server = HubServer::transferring(Transfers::ForceBasic).await;
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    stage(&workspace, 2, &[]);
    download(&workspace);
    // A Hub that has none of it, and the first one's answers for all else.
    let other = HubServer::transferring(Transfers::ForceBasic).await;
    workspace.on_hub(&other.hub.url(), other.hub.token().expose());
    let run = run(&workspace, &["release", "--parts", "parts"]).expect(2);
    let run = run.says("it is not in the Hub's large-file storage");
    assert!(run.stderr.contains("run the stage job of the share"), "{}", run.all());
    assert_eq!(other.count("POST", "/commit/"), 0);
    assert_eq!(other.count("PUT", ""), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_scan_blocks_is_brought_nowhere() {
    let mut workspace = model();
    // `os.system("true")`, on loading.
    workspace.write("model/warmup.pkl", b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.");
    workspace.version("v1.0.0");
    let server = HubServer::start().await;
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let mut blocked = 0;
    for shard in ["1/3", "2/3", "3/3"] {
        let run = run(&workspace, &["stage", "--shard", shard, "--report-dir", "jobs"]);
        if run.code == 1 {
            blocked += 1;
            assert!(run.stdout.contains("model/warmup.pkl"), "{}", run.all());
            let part = format!("jobs/weighbridge-part-{}", shard.replace('/', "-of-"));
            assert!(!workspace.path().join(part).exists(), "a part of {shard}");
        } else {
            run.expect(0);
        }
    }
    assert_eq!(blocked, 1);

    // Allowed by the policy, it is for the other shares no allowance that covers nothing.
    let allow = "allow: [{rule: unsafe-pickle, path: model/warmup.pkl, reason: Known., expires: 2999-01-01}]\n";
    workspace.write("weighbridge.yml", format!("{POLICY}{allow}"));
    workspace.version("v1.0.0");
    for shard in ["1/3", "2/3", "3/3"] {
        let run =
            run(&workspace, &["stage", "--shard", shard, "--report-dir", "jobs", "--dry-run"]);
        let run = run.expect(0);
        assert!(!run.stdout.contains("covers no finding"), "{}", run.all());
    }
}

#[test]
fn parts_of_anything_else_are_refused() {
    let mut workspace = model();
    let stage = |workspace: &Workspace, more: &[&str]| {
        for shard in ["1/2", "2/2"] {
            let arguments =
                [&["stage", "--dry-run", "--report-dir", "parts", "--shard", shard], more].concat();
            workspace.run(&arguments).expect(0);
        }
    };
    let check = |workspace: &Workspace, says: &str| {
        let run = workspace.run(&["check", "--tag", "v1.0.0", "--parts", "parts"]).expect(2);
        let run = run.says("the parts make no release").says(says);
        assert!(run.stderr.contains("fix: "), "{}", run.all());
    };
    stage(&workspace, &[]);
    workspace.run(&["check", "--tag", "v1.0.0", "--parts", "parts"]).expect(0);
    workspace.run(&["check", "--parts", "parts"]).expect(2).says("no tag names one");

    // Another tag, another policy, another commit, another run.
    workspace.tag("v1.1.0");
    stage(&workspace, &["--tag", "v1.1.0"]);
    check(&workspace, "its tag is `v1.1.0`, and that of this one `v1.0.0`");
    stage(&workspace, &["--tag", "v1.0.0"]);
    workspace.write("weighbridge.yml", format!("{POLICY}\n"));
    check(&workspace, "its policy file is");
    workspace.commit();
    check(&workspace, "its source commit is");
    workspace.tag("v1.0.0");
    stage(&workspace, &["--tag", "v1.0.0"]);
    workspace.set("JENKINS_URL", "http://j").set("BUILD_URL", "http://j/job/7");
    workspace.set("WORKSPACE", workspace.path().to_str().expect("UTF-8").to_owned());
    check(&workspace, "its run is `none`, and that of this one `http://j/job/7`");
    stage(&workspace, &["--tag", "v1.0.0"]);
    workspace.run(&["check", "--tag", "v1.0.0", "--parts", "parts"]).expect(0);

    // One job that saw a longer file; one that did not come; nothing at all.
    workspace.write("model/weights/0.bin", noise(0, 8 * MIB));
    let second =
        ["stage", "--dry-run", "--report-dir", "parts", "--tag", "v1.0.0", "--shard", "2/2"];
    workspace.run(&second).expect(0);
    check(&workspace, "saw another folder than `weighbridge-part-1-of-2/");
    std::fs::remove_dir_all(workspace.path().join("parts/weighbridge-part-2-of-2")).expect("there");
    check(&workspace, "of the 2 shares, 2/2 did not come");
    std::fs::remove_dir_all(workspace.path().join("parts")).expect("there");
    check(&workspace, "cannot read `parts`");
}

#[test]
fn staging_needs_a_share_a_token_and_no_pull_request() {
    let mut workspace = model();
    workspace.run(&["stage", "--shard", "1/2"]).expect(2).says("there is no Hub token");
    workspace.run(&["stage", "--dry-run"]).expect(2).says("no share is named").says("--shard 3/8");
    for bad in ["0/2", "3/2", "1/257", "half"] {
        let run = workspace.run(&["stage", "--dry-run", "--shard", bad]).expect(2);
        run.says(&format!("`{bad}` names no share"));
    }
    workspace.run(&["rehearse", "--parts", "parts"]).expect(2).says("takes no parts");
    workspace.set("HF_TOKEN", "hf_canaryCanaryCanary").set("GITHUB_ACTIONS", "true");
    workspace.set("GITHUB_WORKSPACE", workspace.path().to_str().expect("UTF-8").to_owned());
    for event in ["pull_request", "pull_request_target"] {
        workspace.set("GITHUB_EVENT_NAME", event);
        let run = workspace.run(&["stage", "--shard", "1/2"]).expect(2);
        run.says(&format!("`stage` does not run under `{event}`"));
    }
}

/// Every job that can read artifacts could read it.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_run_gets_into_no_part() {
    let server = HubServer::start().await;
    for place in ["notes.txt", "README.md", "weights/one.csv"] {
        let mut workspace = model();
        let secret = "s.canaryOfTheVaultToken0000";
        workspace.on_hub(&server.hub.url(), server.hub.token().expose()).set("HF_TOKEN", secret);
        workspace.set("INPUT_HF-TOKEN", server.hub.token().expose());
        workspace.write(&format!("model/{place}"), format!("vault said {secret}\n"));
        let run = run(&workspace, &["stage", "--shard", "1/1", "--report-dir", "jobs"]).expect(2);
        let run = run.says("a secret of this very run stands in");
        assert!(!run.all().contains(secret), "{}", run.all());
        assert!(!workspace.path().join("jobs/weighbridge-part-1-of-1").exists());
    }
}

/// As a container action on GitHub: inputs for arguments, the part and its digest as outputs, and no
/// check run for a share.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_matrix_gives_out_its_part() {
    let mut workspace = model();
    let server = HubServer::start().await;
    let github = Front::before(&server.hub.url(), |_| Fate::Pass).await;
    let outputs = workspace.path().join("outputs");
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace
        .set("GITHUB_ACTIONS", "true")
        .set("GITHUB_EVENT_NAME", "push")
        .set("GITHUB_REF", "refs/tags/v1.0.0")
        .set("GITHUB_REPOSITORY", "acme/churn")
        .set("GITHUB_RUN_ID", "7")
        .set("GITHUB_API_URL", github.url())
        .set("GITHUB_TOKEN", "ghs_notarealtoken")
        .set("GITHUB_OUTPUT", outputs.to_str().expect("UTF-8"))
        .set("INPUT_MODE", "stage")
        .set("INPUT_SHARD", "2/3")
        .set("INPUT_REPORT-DIR", "weighed");
    workspace.set("GITHUB_WORKSPACE", workspace.path().to_str().expect("UTF-8").to_owned());
    run(&workspace, &[]).expect(0).says("share 2/3");
    let told = std::fs::read_to_string(&outputs).expect("outputs");
    let value = |name: &str| {
        let (_, rest) = told.split_once(&format!("\n{name}<<")).expect(name);
        rest.lines().nth(1).expect("a value").to_owned()
    };
    assert_eq!(value("part"), "weighed/weighbridge-part-2-of-3");
    let part = workspace.path().join(value("part")).join("weighbridge-part-2-of-3.json");
    let part: Value = serde_json::from_slice(&std::fs::read(part).expect("a part")).expect("JSON");
    assert_eq!(part["digest"], json!(value("part-digest")));
    assert_eq!(part["part"]["release"]["run"], "https://github.com/acme/churn/actions/runs/7");
    assert!(github.asked().is_empty(), "{:?}", github.asked());
}
