//! Canaries: tokens with a song of their own go through every mode and every error path, and are looked
//! for afterwards, in every form, wherever a person or a machine could read them: what was printed, the
//! job summary, outputs, report files, anything left on disk, check runs, addresses, process lists.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use weighbridge::http::Secret;
use weighbridge::rehearsal::{TokenRole, TokenSpec};

use crate::support::counterpart::need_core_files;
use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::github::{FakeGitHub, Memory};
use crate::support::hub_server::HubServer;
use crate::support::listener::Listener;
use crate::support::plain_client;
use crate::support::workspace::{POLICY, Workspace};

// In pieces, so that the search for secrets does not find them here.
const HUB_TOKEN: &str = concat!("hf", "_CanarySingsOfTheHub7Xq2Lw9Zk4Tn8");
const GITHUB_TOKEN: &str = concat!("ghs", "_CanarySingsOfGitHub5Rv3Jb6Md1Pf0");
const REQUEST_TOKEN: &str = "CanarySingsOfTheRunner8Gc4Hy7Ws2Qa5";

const CANARIES: [&str; 3] = [HUB_TOKEN, GITHUB_TOKEN, REQUEST_TOKEN];

/// Asserts that no form of any canary is in a text.
#[track_caller]
fn assert_silent(place: &str, text: &[u8]) {
    static LISTENER: LazyLock<Listener> = LazyLock::new(|| Listener::of(CANARIES));
    LISTENER.assert_silent(place, text);
}

#[test]
fn a_canary_that_sings_is_heard() {
    let heard =
        |text: &str| std::panic::catch_unwind(|| assert_silent("a text", text.as_bytes())).is_err();
    assert!(!heard("nothing"));
    assert!(heard(&format!("<{HUB_TOKEN}>")));
    assert!(heard(&HUB_TOKEN[10..24]));
    assert!(heard(&STANDARD.encode(format!("user:{HUB_TOKEN}"))));
    assert!(heard(&STANDARD.encode(format!("x:{HUB_TOKEN}\n"))));
    assert!(heard(&hex::encode(HUB_TOKEN)));
}

/// A job on GitHub with every token there is, before a Hub that is spoilt by `script`.
struct Job {
    workspace: Workspace,
    hub: HubServer,
    front: Front,
    github: Front,
}

impl Job {
    async fn new(script: impl Fn(&Asked) -> Fate + Send + Sync + 'static) -> Self {
        let hub = HubServer::with(|options| {
            options.tokens = vec![TokenSpec {
                token: Secret::new(HUB_TOKEN).expect("not empty"),
                user: "ada".into(),
                name: "canary".into(),
                role: TokenRole::Maker,
                orgs: vec!["acme".into()],
                created_at: jiff::Timestamp::now().to_string(),
            }];
        })
        .await;
        let front = Front::before(&hub.hub.url(), script).await;
        let github = Front::before(&hub.hub.url(), |asked| {
            let answer = if asked.path.contains("/check-runs") { r#"{"id":1}"# } else { "{}" };
            Fate::Answer(Reply::text(answer))
        })
        .await;
        let mut workspace = Workspace::healthy();
        workspace.write(
            "model/weights/a.bin",
            (0..300_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>(),
        );
        workspace.version("v1.0.0");
        for folder in ["tmp", "runner"] {
            fs::create_dir_all(workspace.home().join(folder)).expect("writable");
        }
        let home = |name: &str| workspace.home().join(name).display().to_string();
        let (temp, runner, output, summary) =
            (home("tmp"), home("runner"), home("output"), home("summary"));
        let (here, head) = (workspace.path().display().to_string(), workspace.head());
        for (name, value) in [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_EVENT_NAME", "push".to_owned()),
            ("GITHUB_REF", "refs/tags/v1.0.0".to_owned()),
            ("GITHUB_REF_TYPE", "tag".to_owned()),
            ("GITHUB_REPOSITORY", "acme/churn".to_owned()),
            ("GITHUB_SHA", head),
            ("GITHUB_WORKSPACE", here),
            ("GITHUB_API_URL", github.url()),
            ("GITHUB_OUTPUT", output),
            ("GITHUB_STEP_SUMMARY", summary),
            ("RUNNER_TEMP", runner),
            ("TMPDIR", temp),
            ("INPUT_GITHUB-TOKEN", GITHUB_TOKEN.to_owned()),
            ("INPUT_HF-TOKEN", HUB_TOKEN.to_owned()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/id-token", github.url())),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
            ("HF_ENDPOINT", front.url()),
        ] {
            workspace.set(name, value);
        }
        Self { workspace, hub, front, github }
    }

    /// Runs, and looks everywhere. The exit code.
    fn run(&self, what: &str, arguments: &[&str]) -> i32 {
        let mut command = self.workspace.command(arguments);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let watched = watch_process_list(child.id());
        let output = child.wait_with_output().expect("it ends");
        let lists = watched.join().expect("the process list is readable");
        assert!(!lists.is_empty(), "{what}: nobody looked at the process list");
        for list in &lists {
            assert_silent(&format!("{what}: a process list"), list);
        }
        for (name, stream) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            // What the runner takes as a command and never shows.
            let text = String::from_utf8_lossy(stream);
            let shown: Vec<_> =
                text.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
            assert_silent(&format!("{what}: {name}"), shown.join("\n").as_bytes());
        }
        for folder in [self.workspace.path(), self.workspace.home()] {
            look_below(folder, &mut |path, text| {
                assert_silent(&format!("{what}: {}", path.display()), text);
            });
        }
        for asked in self.github.asked() {
            let said = format!("{} {}", asked.path, asked.json);
            assert_silent(&format!("{what}: a request to GitHub"), said.as_bytes());
        }
        for asked in self.front.asked() {
            assert_silent(&format!("{what}: an address"), asked.path.as_bytes());
            let body = asked.json.to_string();
            assert_silent(&format!("{what}: a body"), body.as_bytes());
        }
        output.status.code().expect("not killed by a signal")
    }
}

/// The arguments of a process and of those it starts, read as often as it goes, until it ends.
fn watch_process_list(id: u32) -> std::thread::JoinHandle<Vec<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut seen = BTreeSet::new();
        let alive = |id: u32| {
            fs::read_to_string(format!("/proc/{id}/stat"))
                .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
        };
        while alive(id) {
            let mut ids = vec![id];
            while let Some(id) = ids.pop() {
                if let Ok(arguments) = fs::read(format!("/proc/{id}/cmdline")) {
                    seen.insert(arguments);
                }
                let below = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
                let below = below.unwrap_or_default();
                ids.extend(below.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        seen.into_iter().collect()
    })
}

fn look_below(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            look_below(&path, look);
        } else {
            look(&path, &fs::read(&path).unwrap_or_default());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_keeps_its_tokens() {
    let job = Job::new(|_| Fate::Pass).await;
    tokio::task::block_in_place(|| {
        for (arguments, code) in [
            (&["check"][..], 0),
            (&["check", "--format", "json"], 0),
            (&["explain"], 0),
            (&["catalogue"], 0),
            (&["rules"], 0),
            (&["scan", "model"], 0),
            (&["card"], 0),
            (&["rehearse"], 0),
            (&["stage", "--shard", "1/1", "--report-dir", "parts"], 0),
            (&["release", "--dry-run"], 0),
            (&["release", "--dry-run", "--format", "json"], 0),
            (&["release"], 0),
            (&["release"], 0),
            (&["release", "--tag", "v9.9.9"], 1),
            (&["release", "--policy", "gone.yml"], 2),
            (&["release", "--hf-endpoint", "http://127.0.0.1:9"], 2),
        ] {
            assert_eq!(job.run(&arguments.join(" "), arguments), code, "{arguments:?}");
        }
    });
    // Somebody did look at something: the tokens were used.
    assert!(job.hub.count("POST", "/commit/") > 0);
    assert!(job.github.count("POST", "/check-runs") > 0);
}

/// A Hub that says back what it was told, in every place where we look for its words.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_repeats_tokens_is_not_quoted() {
    let parrot = |status: u16| {
        let said = format!("the token {HUB_TOKEN} of Bearer {HUB_TOKEN} is not welcome");
        Reply { body: serde_json::json!({ "error": said }).to_string(), ..Reply::status(status) }
            .header("x-error-message", said)
            .header("x-error-code", HUB_TOKEN)
            .header("x-request-id", HUB_TOKEN)
            .header("retry-after", "0")
    };
    let everywhere =
        ["/refs", "/preupload/", "/commit/", "/tag/", "/whoami", "/tree/", "/repos/create"];
    let often = everywhere.iter().flat_map(|place| [400, 403, 404].map(|status| (*place, status)));
    let once = [401, 409, 412, 429, 500, 504].map(|status| ("/commit/", status));
    for (place, status) in often.chain(once) {
        let job = Job::new(move |asked| {
            let at = asked.path.contains(place);
            if at { Fate::Answer(parrot(status)) } else { Fate::Pass }
        })
        .await;
        let run = || job.run(&format!("{status} at {place}"), &["release"]);
        let code = tokio::task::block_in_place(run);
        assert!(matches!(code, 0 | 2), "{status} at {place}: exit {code}");
    }
    // Not an error by its status, but by what it is.
    for body in [
        format!("<html>{HUB_TOKEN}"),
        format!("{{\"name\": {{\"{HUB_TOKEN}\": 1}}"),
        format!("\"{HUB_TOKEN}\""),
    ] {
        let job = Job::new(move |_| Fate::Answer(Reply::text(&body))).await;
        let code = tokio::task::block_in_place(|| job.run("nonsense", &["release"]));
        assert_eq!(code, 2);
    }
    let away = format!("http://127.0.0.1:9/{HUB_TOKEN}?token={HUB_TOKEN}");
    let job =
        Job::new(move |_| Fate::Answer(Reply::status(307).header("location", away.clone()))).await;
    assert_eq!(tokio::task::block_in_place(|| job.run("a redirect", &["release"])), 2);
}

/// Who acts may have any name. What is written for good has no token in it, wherever that came in.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_for_good_has_no_token_for_a_name() {
    let mut job = Job::new(|_| Fate::Pass).await;
    let hub = job.hub.hub.url();
    let get = async |path: &str| {
        let request = plain_client().get(format!("{hub}{path}")).bearer_auth(HUB_TOKEN);
        request.send().await.expect("answers").text().await.expect("a body")
    };
    let registry =
        serde_json::json!({"name": "registry", "organization": "acme", "type": "dataset"});
    let made = plain_client().post(format!("{hub}/api/repos/create")).bearer_auth(HUB_TOKEN);
    assert_eq!(made.json(&registry).send().await.expect("answers").status(), 200);
    let policy = POLICY.replace("gates:\n", "gates:\n  approval: {environment: production}\n");
    let policy = format!("{policy}audit-log: {{repository: acme/registry}}\n");
    job.workspace.write("weighbridge.yml", policy);
    job.workspace.version("v1.0.0");
    let head = job.workspace.head();

    let fake = FakeGitHub::start().await;
    let approvals = vec![[GITHUB_TOKEN, "approved", "production"]];
    fake.know(Memory { approvals, ..Memory::default() });
    job.github = Front::before(&fake.url, |asked| match asked.method.as_str() {
        "POST" => Fate::Answer(Reply::text(r#"{"id":1}"#)),
        _ => Fate::Pass,
    })
    .await;
    let api = job.github.url();
    job.workspace
        .set("GITHUB_SHA", head)
        .set("GITHUB_RUN_ID", "7")
        .set("GITHUB_API_URL", api)
        .set("GITHUB_ACTOR", HUB_TOKEN)
        .set("GITHUB_TRIGGERING_ACTOR", REQUEST_TOKEN);
    assert_eq!(tokio::task::block_in_place(|| job.run("names", &["release"])), 0);

    let record = get("/acme/churn/resolve/v1.0.0/weighbridge.json").await;
    let tree = get("/api/datasets/acme/registry/tree/main/audit").await;
    let tree: serde_json::Value = serde_json::from_str(&tree).expect("JSON");
    let log = tree[0]["path"].as_str().expect("a file");
    let log = get(&format!("/datasets/acme/registry/resolve/main/{log}")).await;
    for (place, text) in [("the record", &record), ("the log", &log)] {
        assert_silent(place, text.as_bytes());
        let written: serde_json::Value = serde_json::from_str(text).expect(place);
        assert_eq!(written["actor"], "***", "{place}: {written}");
    }
    assert!(record.contains(r#""by": "***""#) && log.contains(r#""by":"***""#), "{record}\n{log}");
    for path in ["/api/models/acme/churn/commits/main", "/acme/churn/resolve/v1.0.0/README.md"] {
        assert_silent(path, get(path).await.as_bytes());
    }

    // On the card it blocks: whoever wrote it there has to know.
    job.workspace.write("model/config.json", "{}\n");
    job.workspace.commit_saying(&format!("feat: train with {REQUEST_TOKEN}"));
    job.workspace.version("v1.1.0");
    let head = job.workspace.head();
    job.workspace.set("GITHUB_SHA", head).set("GITHUB_REF", "refs/tags/v1.1.0");
    let run = tokio::task::block_in_place(|| job.workspace.run(&["release"])).expect(1);
    let run = run.says("a secret of this very run stands here");
    let shown =
        run.all().lines().filter(|line| !line.starts_with("::add-mask::")).collect::<String>();
    assert_silent("what is said of a commit", shown.as_bytes());
    assert_silent("the commits", get("/api/models/acme/churn/commits/main").await.as_bytes());
}

/// A crash leaves no core file: the memory of this process is for nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_no_memory_behind() {
    let job = Job::new(|_| Fate::Hold(Duration::from_secs(20))).await;
    let crash = |mut command: Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a shell");
        // By then it waits for the Hub's answer.
        std::thread::sleep(Duration::from_secs(3));
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::ABORT).expect("it runs");
        child.wait().expect("it ends")
    };
    tokio::task::block_in_place(|| {
        let mut control = Command::new("sh");
        control
            .args(["-c", "ulimit -c $(ulimit -Hc); exec sleep 20"])
            .current_dir(job.workspace.home());
        // One that leaves its memory behind wherever that is possible at all.
        let test = "canary::a_crash_leaves_no_memory_behind";
        if need_core_files(test, crash(control).core_dumped()).is_none() {
            return;
        }
        let run = job.workspace.command(&["release"]);
        let mut ours = Command::new("sh");
        ours.args(["-c", "ulimit -c $(ulimit -Hc); exec \"$0\" release"])
            .arg(run.get_program())
            .current_dir(job.workspace.path())
            .env_clear()
            // Shells pass no names with dashes on.
            .env("HF_TOKEN", HUB_TOKEN)
            .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ours = crash(ours);
        assert_eq!(ours.signal(), Some(6), "{ours:?}");
        assert!(!ours.core_dumped(), "{ours:?}");
    });
}
