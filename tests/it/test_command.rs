//! The policy's own test command: on this machine, in an image, and under events that forbid it.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::json;

use crate::support::counterpart;
use crate::support::workspace::{POLICY, Workspace};

/// A healthy model whose policy runs `command`; the report that lay there is gone.
fn workspace(command: &str, more: &str) -> Workspace {
    let workspace = Workspace::healthy();
    let tests = format!(
        "gates:\n  tests:\n    reports: [\"reports/*.xml\"]\n{more}    run: |\n      {}\n",
        command.replace('\n', "\n      ")
    );
    let policy = POLICY.replace("gates:\n  tests: {reports: [\"reports/*.xml\"]}\n", &tests);
    assert_ne!(policy, POLICY);
    workspace.write("weighbridge.yml", policy);
    std::fs::remove_file(workspace.path().join("reports/junit.xml")).expect("it lay there");
    workspace
}

/// A shell command that writes a report in which `body` stands.
fn writes(body: &str) -> String {
    format!(
        "mkdir -p reports\n\
         echo '<testsuite name=\"t\"><testcase classname=\"t\" name=\"a\">{body}</testcase></testsuite>' \
         > reports/junit.xml"
    )
}

#[test]
fn it_runs_before_the_model_is_weighed_and_its_report_is_judged() {
    let workspace = workspace(&format!("echo measuring\n{}", writes("")), "");
    let run = workspace.run(&["check"]).expect(0).says("measuring");
    assert!(
        run.stdout.contains("1 test in 1 report: all passed; the command took"),
        "{}",
        run.all()
    );
    assert!(!run.stdout.contains("measuring"), "the output is for people: {}", run.all());
}

#[test]
fn its_exit_code_and_its_report_both_count() {
    let failed = writes("<failure message=\"f1 is 0.81\"/>");
    for (command, said) in [
        (format!("{}\nexit 3", writes("")), "test-command-failed"),
        (failed, "t::a failed: f1 is 0.81"),
        ("true".to_owned(), "tests-missing"),
        ("no-such-program".to_owned(), "name an image that holds it"),
        (format!("{}\nkill -9 $$", writes("")), "was ended by signal 9"),
    ] {
        workspace(&command, "").run(&["check"]).expect(1).says(said);
    }
}

#[test]
fn a_report_from_before_is_not_its_own() {
    let workspace = workspace("true", "");
    let report = "<testsuite><testcase name=\"a\"/></testsuite>";
    workspace.write("reports/junit.xml", report);
    workspace.run(&["check"]).expect(1).says("test-report-not-written");
}

#[test]
fn signals_end_us_again_when_it_has_run() {
    let workspace = workspace(&writes(""), "");
    // Takes a while to be weighed; sparse.
    let large = std::fs::File::create(workspace.path().join("model/large.bin")).expect("writable");
    large.set_len(30 << 30).expect("a sparse file");
    for signal in ["TERM", "INT"] {
        let mut child = workspace.command(&["check"]).stderr(Stdio::piped()).spawn().expect("runs");
        let mut told = std::io::BufReader::new(child.stderr.take().expect("piped")).lines();
        assert!(told.next().expect("a line").expect("UTF-8").contains("tests: mkdir"));
        // The command itself is short: by then the weighing has begun.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.expect("kill").success());
        let said: Vec<_> = told.map_while(Result::ok).collect();
        let stopped = format!("weighbridge: stopped by SIG{signal}");
        assert!(said.contains(&stopped), "{said:?}");
        let ended = child.wait().expect("it ends").code();
        assert_eq!(ended, Some(if signal == "TERM" { 143 } else { 130 }));
    }
}

#[test]
fn a_cancelled_job_ends_it() {
    let workspace = workspace("echo begun\nexec sleep 60", "");
    let mut child = workspace.command(&["check"]).stderr(Stdio::piped()).spawn().expect("runs");
    let mut told = std::io::BufReader::new(child.stderr.take().expect("piped")).lines();
    assert!(told.any(|line| line.expect("UTF-8") == "begun"));
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", "TERM", &pid]).status();
    assert!(sent.expect("kill").success());
    let clock = std::time::Instant::now();
    assert_eq!(child.wait().expect("it ends").code(), Some(2));
    assert!(clock.elapsed().as_secs() < 30);
    assert!(told.any(|line| line.expect("UTF-8").contains("stopped while the tests ran")));
}

#[test]
fn it_gets_no_secret_and_cannot_read_ours() {
    let command = format!(
        "env\ncat /proc/$PPID/environ 2>&1 || true\necho token of the folder: ${{HF_TOKEN-none}}\n{}",
        writes("")
    );
    let mut workspace = workspace(&command, "");
    for name in ["HF_TOKEN", "INPUT_HF-TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_SECRET"]
    {
        workspace.set(name, "hf_canaryCanaryCanaryCanary");
    }
    workspace.set("GITHUB_OUTPUT", "/tmp/canaryCanary").set("PATH", path());
    let run = workspace.run(&["check"]).expect(0).says("token of the folder: none");
    assert!(!run.all().contains("canaryCanary"), "{}", run.all());
    assert!(run.stderr.contains("HF_HUB_DISABLE_IMPLICIT_TOKEN=1"), "{}", run.all());
}

#[test]
fn what_it_leaves_running_is_ended_and_so_is_what_takes_too_long() {
    // The loop would write into the model's folder while it is weighed.
    let left = format!(
        "(while sleep 0.2; do date > model/late; done) &\n\
         setsid sh -c 'while sleep 0.2; do date > model/late; done' > late.log 2>&1 &\n{}",
        writes("")
    );
    let workspace = workspace(&left, "");
    workspace.run(&["check"]).expect(0);
    let late = workspace.path().join("model/late");
    let _ = std::fs::remove_file(&late);
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(!late.exists(), "the loop runs on");

    let slow = self::workspace("echo begun\nsleep 60", "    timeout: 1\n");
    let clock = std::time::Instant::now();
    slow.run(&["check"]).expect(1).says("begun").says("it may take 1 second");
    assert!(clock.elapsed().as_secs() < 30, "it was waited for");
}

#[test]
fn no_line_of_it_is_a_command_to_the_runner() {
    let forged = format!("echo '::set-output name=a::b'\necho '::error::forged'\n{}", writes(""));
    let mut workspace = workspace(&forged, "");
    workspace.set("GITHUB_ACTIONS", "true").set("GITHUB_EVENT_NAME", "push").set("PATH", path());
    let run = workspace.run(&["check"]).expect(0);
    let (before, after) = run.stderr.split_once("\n::error::forged").expect("it is shown");
    let token = before.rsplit_once("::stop-commands::").expect("a fence").1;
    let token = token.lines().next().expect("a word");
    assert!(token.len() >= 32, "{token}");
    assert!(after.contains(&format!("\n::{token}::\n::endgroup::\n")), "{}", run.all());
    assert_eq!(run.stderr.matches(token).count(), 2);
}

#[test]
fn the_output_leaves_json_alone() {
    let workspace = workspace(&format!("echo measuring\n{}", writes("")), "");
    let run = workspace.run(&["check", "--format", "json"]).expect(0).says("measuring");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON alone");
    assert_eq!(report["verdict"], "pass");
}

#[test]
fn strangers_code_is_not_run() {
    let pull_request = |fork: bool| {
        let head = if fork { "stranger/churn" } else { "acme/churn" };
        json!({"number": 7, "repository": {"full_name": "acme/churn"}, "pull_request": {"number": 7,
            "head": {"sha": "0".repeat(40), "repo": {"full_name": head}},
            "base": {"sha": "1".repeat(40), "repo": {"full_name": "acme/churn"}}}})
    };
    let forks_too = "    on-forks: true\n";
    for (event, fork, more, runs) in [
        ("pull_request", false, "", true),
        ("pull_request", true, "", false),
        ("pull_request", true, forks_too, true),
        ("pull_request_target", false, "", false),
        ("pull_request_target", true, forks_too, false),
        ("push", false, "", true),
        ("workflow_run", false, forks_too, false),
        ("issue_comment", false, "", false),
    ] {
        let mut workspace = workspace(&format!("echo measuring\n{}", writes("")), more);
        // One that a stranger has committed stands for nothing.
        workspace.write("reports/junit.xml", "<testsuite><testcase name=\"a\"/></testsuite>");
        let payload = workspace.home().join("event.json");
        std::fs::write(&payload, pull_request(fork).to_string()).expect("writable");
        workspace
            .set("GITHUB_ACTIONS", "true")
            .set("GITHUB_EVENT_NAME", event)
            .set("GITHUB_EVENT_PATH", payload.display().to_string())
            .set("GITHUB_REPOSITORY", "acme/churn")
            .set("PATH", path());
        let run = workspace.run(&["check"]).expect(i32::from(!runs));
        assert_eq!(run.stderr.contains("\nmeasuring\n"), runs, "{event} {fork}: {}", run.all());
        assert_eq!(run.stdout.contains("tests-not-run"), !runs, "{event} {fork}: {}", run.all());
    }
}

#[test]
fn models_that_share_a_command_share_its_run() {
    let workspace = Workspace::healthy();
    let model = |name: &str| {
        POLICY.split_once("gates:").expect("sections").0.lines().skip(1).fold(
            format!("  - name: {name}\n"),
            |text, line| match line.trim() {
                "name: churn" => text,
                line => format!("{text}    {line}\n"),
            },
        )
    };
    let card = POLICY.split_once("card:").expect("sections").1;
    let command = format!("echo ran >> count\n{}", writes("")).replace('\n', "\n      ");
    workspace.write(
        "weighbridge.yml",
        format!(
            "models:\n{}{}gates:\n  tests:\n    reports: [\"reports/*.xml\"]\n    run: |\n      {command}\ncard:{card}",
            model("churn"),
            model("fraud"),
        ),
    );
    workspace.run(&["check"]).expect(0);
    let count = std::fs::read_to_string(workspace.path().join("count")).expect("it ran");
    assert_eq!(count, "ran\n");
}

#[test]
fn in_an_image_it_sees_the_workspace_and_nothing_else() {
    let test = "in_an_image_it_sees_the_workspace_and_nothing_else";
    if counterpart::need_docker(test).is_none() {
        return;
    }
    let command = format!(
        "pwd\nenv\nls /work /var/run/docker.sock 2>&1 | tail -n 2\nid -u\necho two >&2\n{}",
        writes("")
    );
    let image = "    image: weighbridge-test-runner\n";
    let mut healthy = workspace(&command, image);
    healthy.set("HF_TOKEN", "hf_canaryCanaryCanaryCanary");
    let run = healthy.run(&["check"]).expect(0).says("\ntwo\n");
    assert!(!run.all().contains("canaryCanary"), "{}", run.all());
    let folder = healthy.path().canonicalize().expect("it is there");
    assert!(run.stderr.contains(&format!("\n{}\n", folder.display())), "{}", run.all());
    assert!(run.stderr.contains("cannot access '/var/run/docker.sock'"), "{}", run.all());

    workspace("sleep 60", &format!("{image}    timeout: 1\n"))
        .run(&["check"])
        .expect(1)
        .says("it may take 1 second");
    workspace("exit 5", image).run(&["check"]).expect(1).says("ended with exit code 5");
    workspace("true", "    image: localhost:1/no/such:image\n")
        .run(&["check"])
        .expect(2)
        .says("the image `localhost:1/no/such:image` cannot be had")
        .says("correct `gates.tests.image`");

    // None of them is left.
    let left = std::process::Command::new("docker")
        .args(["ps", "--all", "--quiet", "--filter", "label=io.github.weighbridge.tests"])
        .output()
        .expect("docker");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[test]
fn without_an_engine_an_image_is_no_use() {
    let mut workspace = workspace("true", "    image: python:3.12-slim\n");
    let nowhere: PathBuf = workspace.home().join("no.sock");
    workspace.set("DOCKER_HOST", format!("unix://{}", nowhere.display()));
    workspace.run(&["check"]).expect(2).says("no Docker engine answers at").says("start Docker");
    workspace.set("DOCKER_HOST", "tcp://10.0.0.1:2375");
    workspace.run(&["check"]).expect(2).says("not a socket of this machine");
}

fn path() -> String {
    std::env::var("PATH").expect("a PATH")
}
