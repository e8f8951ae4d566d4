//! What a card shows of the releases before it: from the records on the Hub, the same each time.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::front::{Asked, Fate, Front, Reply};
use crate::support::hub_server::HubServer;
use crate::support::plain_client;
use crate::support::workspace::{POLICY, Run, Workspace};

const REPO: &str = "acme/churn";
const CHART: &str = "weighbridge-history.svg";

/// A model with three metrics, of which one has a direction.
fn workspace(server: &HubServer) -> Workspace {
    let mut workspace = Workspace::healthy();
    let more = "min: 0.9, direction: higher}\n    - {metric: latency, file: metrics.json, max: 90}\n    \
                - {metric: size, file: metrics.json, max: 9}";
    let policy = POLICY.replace("min: 0.9}", more);
    let policy = policy.replace("gates:\n", "gates:\n  version: {allow-older: true}\n");
    workspace.write("weighbridge.yml", policy);
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace
}

/// Commits and tags a version with these numbers.
fn version(workspace: &Workspace, tag: &str, accuracy: f64, latency: u32) {
    let metrics = format!("{{\"accuracy\": {accuracy}, \"latency\": {latency}, \"size\": 3}}\n");
    workspace.write("metrics.json", metrics);
    workspace.write("model/model.json", format!("{{\"learner\": {{}}, \"of\": \"{tag}\"}}\n"));
    workspace.version(tag);
}

fn release(workspace: &Workspace, tag: &str) -> Run {
    tokio::task::block_in_place(|| workspace.run(&["release", "--tag", tag]))
}

/// A file of a revision, and the content type it is answered with to a page that shows it.
async fn file(server: &HubServer, revision: &str, path: &str) -> Option<(String, String)> {
    let address = format!("{}/{REPO}/resolve/{revision}/{path}", server.hub.url());
    let request = plain_client().get(address).bearer_auth(server.hub.token().expose());
    let answer = request.header("sec-fetch-dest", "image").send().await.expect("answers");
    if answer.status() == 404 {
        return None;
    }
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    Some((answer.text().await.expect("text"), kind))
}

async fn text(server: &HubServer, revision: &str, path: &str) -> String {
    file(server, revision, path).await.expect(path).0
}

/// The row of a metric in a card's table.
fn row<'a>(card: &'a str, metric: &str) -> &'a str {
    let start = format!("| {metric} |");
    card.lines().find(|line| line.starts_with(&start)).expect("a row")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_release_shows_what_became_of_the_first() {
    let server = HubServer::start().await;
    let workspace = workspace(&server);
    version(&workspace, "v1.0.0", 0.95, 12);
    release(&workspace, "v1.0.0").expect(0).says("published");
    let asked = server.count("GET", "/weighbridge.json");
    assert_eq!(asked, 1, "only whether the new branch holds this version already");
    let card = text(&server, "v1.0.0", "README.md").await;
    assert!(
        card.contains("| Metric | Value | Verdict | Bound |") && !card.contains(CHART),
        "{card}"
    );
    assert!(file(&server, "v1.0.0", CHART).await.is_none());

    version(&workspace, "v1.1.0", 0.96, 20);
    release(&workspace, "v1.1.0").expect(0).says("published");
    let card = text(&server, "v1.1.0", "README.md").await;
    assert!(card.contains("| Metric | Value | Verdict | Change | In 1.0.0 | Bound |"), "{card}");
    assert!(
        row(&card, "accuracy")
            .starts_with("| accuracy | 0.96 | passed | \\+0.01, better | 0.95 | ≥ 0.9 |")
    );
    assert!(
        row(&card, "latency").starts_with("| latency | 20 | passed | \\+8 | 12 |"),
        "no direction is known"
    );
    assert!(row(&card, "size").starts_with("| size | 3 | passed | ±0, same | 3 |"));
    let alt = "Versions 1.0.0 to 1.1.0: accuracy from 0.95 to 0.96, latency from 12 to 20, size from 3 to 3.";
    assert!(card.contains(&format!("![{alt}]({CHART})")), "{card}");
    let (svg, kind) = file(&server, "v1.1.0", CHART).await.expect("beside the card");
    assert!(svg.contains("<title>1.1.0: 0.96</title>") && kind == "image/svg+xml", "{kind}: {svg}");
    let page = plain_client().get(format!("{}/{REPO}/tree/v1.1.0", server.hub.url()));
    let page = page.send().await.expect("answers").text().await.expect("text");
    assert!(page.contains("<img src=\"data:image/svg+xml;base64,"), "the page shows it");

    let before = server.hub.requests().len();
    release(&workspace, "v1.1.0").expect(0).says("already published, nothing written");
    let again = server.hub.requests().split_off(before);
    assert!(!again.is_empty() && again.iter().all(|one| one.method == "GET"), "{again:?}");
}

/// Checks a tag out, as a CI does, and makes the evidence again.
fn check_out(workspace: &Workspace, tag: &str) {
    let repository = git2::Repository::open(workspace.path()).expect("a repository");
    let commit = repository.revparse_single(tag).expect("a tag");
    let force = &mut git2::build::CheckoutBuilder::new();
    repository.checkout_tree(&commit, Some(force.force())).expect("checked out");
    repository.set_head_detached(commit.id()).expect("detached");
    for evidence in ["metrics.json", "reports/junit.xml"] {
        let made = std::fs::read(workspace.path().join(evidence)).expect("checked out");
        workspace.write(evidence, made);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn later_versions_change_nothing_of_an_earlier_one() {
    let (first, second) = (HubServer::start().await, HubServer::start().await);
    let mut workspace = workspace(&first);
    let documents = async |server: &HubServer| {
        let mut found = BTreeMap::new();
        for path in ["README.md", CHART, "weighbridge.json"] {
            found.insert(path, text(server, "v1.1.0", path).await);
        }
        found
    };
    for (tag, accuracy) in [("v1.0.0", 0.95), ("v1.1.0", 0.96), ("v1.2.0", 0.97)] {
        version(&workspace, tag, accuracy, 12);
        release(&workspace, tag).expect(0);
    }
    // The same three in another order, with every tag known from the start.
    workspace.on_hub(&second.hub.url(), second.hub.token().expose());
    for tag in ["v1.0.0", "v1.2.0", "v1.1.0"] {
        check_out(&workspace, tag);
        release(&workspace, tag).expect(0).says("published");
    }
    assert_eq!(documents(&first).await, documents(&second).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_asked_for_once_each_and_one_that_is_gone_is_said() {
    let server = HubServer::start().await;
    let mut workspace = workspace(&server);
    for (minor, accuracy) in [(0, 0.95), (1, 0.96), (2, 0.94), (3, 0.97)] {
        version(&workspace, &format!("v1.{minor}.0"), accuracy, 12);
        release(&workspace, &format!("v1.{minor}.0")).expect(0);
    }
    let refs = plain_client().get(format!("{}/api/models/{REPO}/refs", server.hub.url()));
    let refs = refs.bearer_auth(server.hub.token().expose()).send().await.expect("answers");
    let refs: Value = serde_json::from_slice(&refs.bytes().await.expect("a body")).expect("JSON");
    let tags = refs["tags"].as_array().expect("tags");
    let commit = |name: &str| {
        let tag = tags.iter().find(|tag| tag["name"] == name).expect("a tag");
        tag["targetCommit"].as_str().expect("a commit").to_owned()
    };
    let withheld = format!("/{}/weighbridge.json", commit("v1.1.0"));
    let front = async |reply: Reply| {
        let withheld = withheld.clone();
        let answer = move |asked: &Asked| {
            let is_withheld = asked.path.ends_with(&withheld);
            if is_withheld { Fate::Answer(reply.clone()) } else { Fate::Pass }
        };
        Front::before(&server.hub.url(), answer).await
    };
    version(&workspace, "v1.4.0", 0.98, 12);
    // A record that cannot be had today is no record that is not there: the card would say so for good.
    for status in [403, 429] {
        let front = front(Reply::status(status).header("retry-after", "0")).await;
        workspace.on_hub(&front.url(), server.hub.token().expose());
        release(&workspace, "v1.4.0").expect(2).says(&status.to_string());
        assert!(file(&server, "v1.4.0", "README.md").await.is_none(), "nothing is published");
    }
    let front = front(Reply::status(404)).await;
    workspace.on_hub(&front.url(), server.hub.token().expose());
    release(&workspace, "v1.4.0").expect(0).says("published");
    for tag in ["v1.0.0", "v1.1.0", "v1.2.0"] {
        let record = format!("/{}/weighbridge.json", commit(tag));
        let asked = front.asked().iter().filter(|one| one.path.ends_with(&record)).count();
        assert_eq!(asked, 1, "{tag}");
    }
    let (svg, card) =
        (text(&server, "main", CHART).await, text(&server, "main", "README.md").await);
    for said in [&svg, &card] {
        assert!(said.contains("No release record to read: 1.1.0."), "{said}");
    }
    let points: Vec<_> = svg.matches("<circle").collect();
    assert_eq!(points.len(), 3 * 4, "three metrics of four versions");
    assert!(
        row(&card, "accuracy").contains("| 0.98 | passed | \\+0.01, better | 0.97 |"),
        "{card}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_a_hub_benchmark_are_published_and_taken_back() {
    let server = HubServer::start().await;
    let workspace = workspace(&server);
    let policy =
        std::fs::read_to_string(workspace.path().join("weighbridge.yml")).expect("a policy");
    let mapped = "direction: higher, hub-benchmark: {dataset: openai/gsm8k, task: gsm8k}";
    workspace.write("weighbridge.yml", policy.replace("direction: higher", mapped));
    version(&workspace, "v1.0.0", 0.95, 12);
    release(&workspace, "v1.0.0").expect(0);
    release(&workspace, "v1.0.0").expect(0).says("already published, nothing written");
    let written = text(&server, "main", ".eval_results/weighbridge.yaml").await;
    assert!(written.contains("openai/gsm8k") && written.contains("value: 0.95"), "{written}");

    // What is kept is what others put there.
    workspace.write("weighbridge.yml", policy + "publish: {keep: [\".eval_results/**\"]}\n");
    version(&workspace, "v1.1.0", 0.96, 12);
    release(&workspace, "v1.1.0").expect(0).says("1 deleted");
    assert!(file(&server, "main", ".eval_results/weighbridge.yaml").await.is_none());
}
