//! Versions say what changed, and step as far as that deserves.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::counterpart::need;
use crate::support::hub_server::{HubServer, succeed};
use crate::support::workspace::{POLICY, Run, Workspace};

/// Runs without holding up the Hub, which lives in the same process.
fn release(workspace: &Workspace) -> Run {
    tokio::task::block_in_place(|| workspace.run(&["release"]))
}

/// A safetensors file with one tensor of `rows` by two, all bytes `fill`.
fn safetensors(rows: usize, fill: u8) -> Vec<u8> {
    let head = json!({"dtype": "F32", "shape": [rows, 2], "data_offsets": [0, rows * 8]});
    let header = json!({ "head": head }).to_string();
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &vec![fill; rows * 8]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_steps_as_far_as_what_changed_deserves() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace.write("model/model.safetensors", safetensors(2, 0));
    workspace.version("v1.0.0");
    release(&workspace).expect(0);

    workspace.write("model/model.safetensors", safetensors(2, 1));
    workspace.version("v1.0.1");
    let run = release(&workspace).expect(1).says("version-bump-too-small");
    run.says("since 1.0.0 model.safetensors changed").says("git tag v1.1.0 && git push");
    workspace.version("v1.1.0");
    release(&workspace).expect(0).says("minor since 1.0.0: model.safetensors changed");

    workspace.write("model/model.safetensors", safetensors(3, 1));
    workspace.version("v1.2.0");
    let run = release(&workspace).expect(1).says("version-bump-too-small");
    run.says("`head` was F32 [2, 2], is F32 [3, 2]").says("git tag v2.0.0 && git push");

    workspace.write("model/model.safetensors", safetensors(2, 1));
    workspace.write("weighbridge.yml", POLICY.replace("Not for new", "Never for new"));
    workspace.version("v1.2.1");
    release(&workspace).expect(0).says("version-bump-too-large").says("git tag v1.1.1");
    workspace.write("weighbridge.yml", POLICY.replace("Not for new", "Not ever for new"));
    workspace.version("v1.2.2");
    let run = release(&workspace).expect(0).says("patch since 1.2.1: the files are the same");
    assert!(!run.all().contains("version-bump"), "{}", run.all());
    assert_eq!(server.count("POST", "/commit/main"), 4);
}

/// What the official client tells of `acme/churn`.
async fn told(server: &HubServer, python: &Path) -> Value {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/clients/changes.py");
    let printed = succeed(server.client(python).arg(script).arg("acme/churn")).await;
    serde_json::from_str(&printed).expect("the script prints JSON")
}

/// The message of a tag on the Hub, which no client shows, and the card of that version.
fn on_the_hub(server: &HubServer, tag: &str) -> (String, String) {
    let folder = server.scratch("data").join("models/acme/churn/git");
    let repository = git2::Repository::open(folder).expect("a Hub repository is a git one");
    let tag = repository.find_reference(&format!("refs/tags/{tag}")).expect("a tag");
    let tree = tag.peel_to_tree().expect("a tree");
    let card = tree.get_name("README.md").expect("a card").to_object(&repository).expect("there");
    let card = card.as_blob().expect("a file").content().to_vec();
    let message = tag
        .peel_to_tag()
        .expect("annotated")
        .message()
        .expect("UTF-8")
        .expect("a message")
        .to_owned();
    (message, String::from_utf8(card).expect("UTF-8"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_tells_what_changed() {
    let Some(python) = need("changes::the_hub_tells_what_changed", "venv/bin/python") else {
        return;
    };
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let entry = "### Added\n\n- Scores for new customers.";
    workspace.write("CHANGELOG.md", format!("# Changelog\n\n## [1.0.0] - 2025-01-05\n\n{entry}\n"));
    workspace.version("v1.0.0");
    release(&workspace).expect(0).says("CHANGELOG.md: 1.0.0 of 2025-01-05");

    std::fs::remove_file(workspace.path().join("CHANGELOG.md")).expect("removed");
    workspace.write("model/model.json", "{\"learner\": {\"next\": 1}, \"version\": [3, 0, 0]}\n");
    workspace.commit_saying("feat(model): one more <b>class</b>\n\n::error::in the body");
    workspace.write("notes.txt", "1");
    workspace.commit_saying("::error::forged \u{202E} [a](http://b)");
    workspace.write("notes.txt", "2");
    workspace.commit_saying("fix!: give probabilities");
    workspace.version("v1.1.0");
    let run = release(&workspace).expect(0).says("notes of 4 commits since v1.0.0");
    assert!(!run.all().lines().any(|line| line.trim_start().starts_with("::error")));

    let told = told(&server, &python).await;
    assert_eq!(told["tags"], json!({"v1.1.0": 0, "v1.0.0": 1}));
    let origin = |tag: &str| format!("Published by weighbridge from the tag `{tag}`.");
    assert_eq!(
        told["commits"][1],
        json!(["Release 1.0.0", format!("{entry}\n\n{}", origin("v1.0.0"))])
    );
    let (title, message) = (&told["commits"][0][0], told["commits"][0][1].as_str().expect("text"));
    assert_eq!(title, "Release 1.1.0");
    let (made, rest) = message.split_once("\n\nPublished").expect("an origin");
    assert_eq!(format!("Published{rest}"), origin("v1.1.0"));
    let items: Vec<_> = made
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.rsplit_once(" (").map_or(line, |(text, _)| text))
        .collect();
    assert_eq!(
        items,
        [
            "### Breaking",
            "- give probabilities",
            "### Added",
            "- model: one more \\<b\\>class\\</b\\>",
            "### Other",
            "- Train",
            "- ::error::forged \u{FFFD} \\[a\\](http\\://b)",
        ]
    );

    let (message, card) = on_the_hub(&server, "v1.0.0");
    assert_eq!(message.trim_end(), format!("Release 1.0.0\n\n{entry}"));
    assert!(card.contains("Scores for new customers."), "{card}");
    let (message, card) = on_the_hub(&server, "v1.1.0");
    assert_eq!(message.trim_end(), format!("Release 1.1.0\n\n{made}"));
    assert!(card.contains("one more \\<b\\>class\\</b\\>"), "{card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_nobody_noted_is_not_published() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace.write("CHANGELOG.md", "# Changelog\n\n## [0.9.0] - 2025-01-05\n- First.\n");
    workspace.commit_saying("feat: a\n::error::forged \u{7}");
    workspace.tag("v1.0.0");
    workspace.version("v1.0.0");
    let run = release(&workspace).expect(1).says("changelog-entry-missing");
    let run = run.says("CHANGELOG.md:3").says("## [1.0.0] - 2").says("### Added");
    assert!(!run.all().lines().any(|line| line.trim_start().starts_with("::error")));
    assert!(!run.all().contains('\u{7}'), "{}", run.all());
    assert_eq!(server.count("POST", "/commit/"), 0);
}

#[test]
fn a_name_off_the_convention_blocks_a_pull_request() {
    let workspace = Workspace::healthy();
    let gates = "gates:\n  naming: {convention: \"{team}-{name}-v{major}\"}\n";
    workspace.write("weighbridge.yml", POLICY.replace("gates:\n", gates));
    let run = workspace.run(&["check"]).expect(1).says("name-off-convention");
    run.says("weighbridge.yml").says("<team>-churn-v{major}");
    let repository = "repository: {name: \"risk-{name}-v{major}\"}\n";
    let policy = POLICY.replace("gates:\n", &format!("{repository}{gates}"));
    workspace.write("weighbridge.yml", &policy);
    workspace.run(&["check"]).expect(0).says("acme/risk-churn-v1, asked is {team}-{name}-v{major}");
    workspace.write("weighbridge.yml", policy.replace("{team}-{name}", "{team}{name}"));
    workspace.run(&["check"]).expect(2).says("nothing after `{team}`");
}
