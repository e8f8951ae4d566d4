//! Real workflow files of the examples, run by `act` with the real container: a tag is released, a
//! poisoned pull request is blocked, a dispatch shows its plan, a token is refused. What each of them leaves is
//! searched for its secrets by [`Workflow::run`].

use serde_json::{Value, json};

use crate::support::action::{REPOSITORY, Repository, Workflow, keeping_reports, root};
use crate::support::counterpart::need;
use crate::support::front::{Fate, Front, Reply};
use crate::support::listener::Listener;
use crate::support::prism::Prism;
use crate::support::standing_hub::StandingHub;

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";
const GITHUB_TOKEN: &str = "ghs_notarealtoken";

/// Where the example's policy publishes.
const TARGET: &str = "acme/churn";

/// What every event says of the repository.
fn repository() -> Value {
    let (owner, name) = REPOSITORY.split_once('/').expect("owner/name");
    json!({
        "name": name,
        "full_name": REPOSITORY,
        "default_branch": "main",
        "owner": { "login": owner },
    })
}

fn tag_push(repository_at: &Repository, tag: &str) -> Value {
    json!({
        "ref": format!("refs/tags/{tag}"),
        "after": repository_at.git(["rev-parse", "HEAD"]),
        "repository": repository(),
        "pusher": { "name": "ada" },
    })
}

fn pull_request(repository_at: &Repository) -> Value {
    let side = |commit: &str, name: &str| {
        json!({
            "ref": name,
            "sha": repository_at.git(["rev-parse", commit]),
            "repo": repository(),
        })
    };
    json!({
        "action": "synchronize",
        "number": 7,
        "pull_request": {
            "number": 7,
            "head": side("HEAD", "warm-up"),
            "base": side("main", "main"),
        },
        "repository": repository(),
    })
}

/// The release of the tag v0.1.0.
fn on_tag<'a>(
    churn: &'a Repository,
    hub: &'a str,
    github: &'a str,
    secrets: Vec<(&'a str, &'a str)>,
) -> Workflow<'a> {
    Workflow {
        repository: churn,
        file: "release.yml",
        event: "push",
        payload: tag_push(churn, "v0.1.0"),
        environment: vec![("HF_ENDPOINT", hub), ("GITHUB_API_URL", github)],
        secrets,
        chooses_ref: false,
    }
}

/// The check of a pull request.
fn on_pull_request<'a>(churn: &'a Repository, secrets: Vec<(&'a str, &'a str)>) -> Workflow<'a> {
    Workflow {
        repository: churn,
        file: "check.yml",
        event: "pull_request",
        payload: pull_request(churn),
        environment: vec![("GITHUB_API_URL", NOBODY)],
        secrets,
        chooses_ref: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_push_releases_the_model_in_the_container() {
    let test = "a_tag_push_releases_the_model_in_the_container";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let Some(prism) = Prism::start(test).await else { return };
    let github = Front::before(&prism.url, |_| Fate::Pass).await;
    tokio::task::block_in_place(|| release_twice(test, &python, &github));
}

fn release_twice(test: &str, python: &std::path::Path, github: &Front) {
    let hub = StandingHub::start();
    let api = github.url();
    let churn = Repository::of_example("churn");
    churn.git(["tag", "v0.1.0"]);
    let workflow = on_tag(
        &churn,
        &hub.url,
        &api,
        vec![("HF_TOKEN", &hub.token), ("GITHUB_TOKEN", GITHUB_TOKEN)],
    );

    let Some(run) = workflow.run(test) else { return };
    assert!(run.succeeded, "{}", run.log);
    assert!(run.log.contains("\"manifest_digest\": "), "the reports are printed:\n{}", run.log);
    let (_, summary) = run.log.split_once("Summary - ").expect("a job summary");
    for says in ["## ✅ Passed: churn v0.1.0", "| benchmarks | ✅ |", "is published"] {
        assert!(summary.contains(says), "{says}:\n{summary}");
    }

    // GitHub's own description takes the check run, on the commit that was weighed.
    let asked = github.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((asked[0].method.as_str(), asked[0].status), ("POST", Some(201)));
    assert!(asked[0].path.ends_with("/repos/acme/churn/check-runs"), "{}", asked[0].path);
    assert_eq!(asked[0].json["head_sha"], churn.git(["rev-parse", "HEAD"]));
    assert_eq!(asked[0].json["conclusion"], "success");
    let said = asked[0].json.to_string();
    Listener::of([hub.token.as_str(), GITHUB_TOKEN])
        .assert_silent("the check run", said.as_bytes());

    let seen = hub.repositories(python);
    let model = &seen[TARGET];
    let revision = model["tags"]["v0.1.0"].as_str().expect("the version's tag");
    assert_eq!(model["commits"][0], revision, "the tag is on the one commit: {model}");
    assert_eq!(model["private"], true);
    let files = ["LICENSE", "README.md", "config.json", "model.json", "weighbridge.json"];
    for file in files {
        assert!(model["files"].as_array().expect("files").contains(&json!(file)), "{model}");
    }

    // The workflow's next step prints the outputs.
    // The token is a person's, which is a warning.
    assert_eq!(run.told("verdict "), Some("pass with 1 findings"), "{}", run.log);
    assert!(run.log.contains("personal-token"), "{}", run.log);
    let version = format!("0.1.0 of {TARGET} at {revision}");
    assert_eq!(run.told("version "), Some(version.as_str()), "{}", run.log);
    let digest = run.told("content ").expect("manifest digest").trim_start_matches("sha256:");
    assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    let url = run.told("to see  ").expect("address");
    assert!(url.starts_with(&format!("{}/{TARGET}", hub.url)), "{url}");

    let into = tempfile::tempdir().expect("temporary folder");
    let copy = hub.download(python, TARGET, "v0.1.0", into.path());
    for file in ["model.json", "config.json", "LICENSE"] {
        let weighed = std::fs::read(churn.path().join("model").join(file)).expect(file);
        assert!(std::fs::read(copy.join(file)).expect(file) == weighed, "{file} arrived changed");
    }

    // The same tag again: green, and nothing is written.
    let again = workflow.run(test).expect("it ran before");
    assert!(again.succeeded, "{}", again.log);
    assert_eq!(hub.repositories(python), seen);
}

/// The Hub refuses the token and says it back, in every place where its words are read.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_repeats_the_token_it_refuses_is_not_quoted() {
    let test = "a_hub_that_repeats_the_token_it_refuses_is_not_quoted";
    let hub = StandingHub::start();
    let token = hub.token.clone();
    let front = Front::before(&hub.url, move |_| {
        let said = format!("the token {token} of Bearer {token} is not welcome");
        let body = json!({ "error": said }).to_string();
        let answer = Reply { body, ..Reply::status(401) }.header("x-error-message", said);
        Fate::Answer(answer.header("x-request-id", token.clone()))
    })
    .await;
    let endpoint = front.url();
    let churn = Repository::of_example("churn");
    churn.git(["tag", "v0.1.0"]);
    let workflow = on_tag(
        &churn,
        &endpoint,
        NOBODY,
        vec![("HF_TOKEN", &hub.token), ("GITHUB_TOKEN", GITHUB_TOKEN)],
    );
    let Some(run) = tokio::task::block_in_place(|| workflow.run(test)) else { return };
    assert!(!run.succeeded, "{}", run.log);
    assert!(run.log.contains("answered 401") && run.log.contains("***"), "{}", run.log);
    assert!(run.log.contains("give a valid token in the input `hf-token`"), "{}", run.log);
    assert!(!front.asked().is_empty());
}

#[test]
fn a_matrix_releases_the_model_in_parts() {
    let test = "a_matrix_releases_the_model_in_parts";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let hub = StandingHub::start();
    let churn = Repository::of_example("churn");
    let workflow = root().join("examples/matrix/.github/workflows/release.yml");
    let workflow = std::fs::read_to_string(workflow).expect("the example's workflow");
    // act keeps the outputs of one job of a matrix only (nektos/act#981).
    let (before, after) = workflow.split_once("          part-digests:").expect("they are given");
    let after = after.split_once('\n').expect("a line").1;
    let file = churn.path().join(".github/workflows/release.yml");
    std::fs::write(file, keeping_reports(&format!("{before}{after}"))).expect("work tree");
    let mut weights = vec![0; 3_000_000];
    fastrand::Rng::with_seed(7).fill(&mut weights);
    std::fs::write(churn.path().join("model/weights.bin"), &weights).expect("work tree");
    churn.commit("Train a larger model");
    churn.git(["tag", "v0.1.0"]);
    let workflow = on_tag(&churn, &hub.url, NOBODY, vec![("HF_TOKEN", &hub.token)]);

    let Some(run) = workflow.run(test) else { return };
    assert!(run.succeeded, "{}", run.log);
    for says in
        ["share 1/4", "share 4/4", "3.0 MB brought as large files", "0 B sent as large files"]
    {
        assert!(run.log.contains(says), "{says}:\n{}", run.log);
    }
    let seen = hub.repositories(&python);
    let model = &seen[TARGET];
    assert_eq!(model["tags"]["v0.1.0"], model["commits"][0], "the tag is on the commit: {model}");
    let into = tempfile::tempdir().expect("temporary folder");
    let copy = hub.download(&python, TARGET, "v0.1.0", into.path());
    for file in ["model.json", "config.json", "LICENSE", "weights.bin"] {
        let weighed = std::fs::read(churn.path().join("model").join(file)).expect(file);
        assert!(std::fs::read(copy.join(file)).expect(file) == weighed, "{file} arrived changed");
    }
}

#[test]
fn a_pull_request_with_a_poisoned_pickle_is_blocked() {
    let test = "a_pull_request_with_a_poisoned_pickle_is_blocked";
    let churn = Repository::of_example("churn");
    churn.git(["switch", "--quiet", "--create", "warm-up"]);
    // `os.system("true")`, on loading.
    std::fs::write(
        churn.path().join("model/warmup.pkl"),
        b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.",
    )
    .expect("work tree");
    churn.commit("Warm the model up");
    let workflow = on_pull_request(&churn, Vec::new());

    let Some(run) = workflow.run(test) else { return };
    assert!(!run.succeeded, "{}", run.log);
    let annotation = |line: &&str| {
        line.contains("::error ")
            && line.contains("file=model/warmup.pkl")
            && line.contains("pickle")
    };
    assert!(run.log.lines().any(|line| annotation(&line)), "{}", run.log);
}

#[test]
fn the_action_runs_the_tests_in_an_image_of_their_own() {
    let test = "the_action_runs_the_tests_in_an_image_of_their_own";
    let churn = Repository::of_example("churn");
    let policy = churn.path().join("weighbridge.yml");
    let reports = "    reports: [\"reports/*.xml\"]\n";
    let with_command = |command: &str, image: &str| {
        let whole = std::fs::read_to_string(&policy).expect("policy");
        let (before, after) = whole.split_once(reports).expect("the example names its reports");
        let after = after.split_once("  benchmarks:").expect("the example has benchmarks").1;
        let run = format!("    run: \"{command}\"\n{image}");
        std::fs::write(&policy, format!("{before}{reports}{run}  benchmarks:{after}"))
            .expect("work tree");
        churn.commit("Run the tests");
    };
    let workflow = on_pull_request(&churn, vec![("HF_TOKEN", "hf_canaryCanaryCanaryCanary")]);

    // Through the engine's socket, in a container beside the action's, on the same work tree.
    let command = "ls weighbridge.yml; env; echo '::error::forged'; echo '<testsuite><testcase \
                   name=\\\"in-image\\\"/></testsuite>' > reports/junit.xml";
    with_command(command, "    image: weighbridge-test-runner\n");
    let Some(run) = workflow.run(test) else { return };
    assert!(run.succeeded, "{}", run.log);
    // The example's own report has eight; act works on a copy of the work tree.
    assert!(run.log.contains("1 test in 1 report: all passed; the command took"), "{}", run.log);

    // The action's own image has no shell.
    with_command("true", "");
    let run = workflow.run(test).expect("it ran before");
    assert!(!run.succeeded, "{}", run.log);
    assert!(run.log.contains("`sh` cannot be started"), "{}", run.log);
    assert!(run.log.contains("name an image that holds what the tests need"), "{}", run.log);
}

#[test]
fn a_dispatch_shows_the_plan_and_writes_nothing() {
    let test = "a_dispatch_shows_the_plan_and_writes_nothing";
    let Some(python) = need(test, "venv/bin/python") else { return };
    let hub = StandingHub::start();
    let churn = Repository::of_example("churn");
    churn.git(["tag", "v0.1.0"]);
    let workflow = Workflow {
        repository: &churn,
        file: "dispatch.yml",
        event: "workflow_dispatch",
        payload: json!({
            "ref": "refs/heads/main",
            "inputs": { "mode": "release", "tag": "v0.1.0", "dry-run": "true" },
            "repository": repository(),
        }),
        environment: vec![("HF_ENDPOINT", &hub.url), ("GITHUB_API_URL", NOBODY)],
        secrets: vec![("HF_TOKEN", &hub.token)],
        chooses_ref: true,
    };

    let Some(run) = workflow.run(test) else { return };
    assert!(run.succeeded, "{}", run.log);
    assert!(run.log.contains(TARGET) && run.log.contains("model.json"), "{}", run.log);
    assert_eq!(hub.repositories(&python), json!({}));
}
