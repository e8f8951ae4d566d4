//! Which servers may be told a token: what the policy names, whatever a step before has left in the
//! environment. Nobody else hears a word, not even of a refusal.

use crate::support::front::{Fate, Front};
use crate::support::github::on_runner;
use crate::support::hub_server::HubServer;
use crate::support::workspace::Workspace;

/// A healthy model whose policy names a Hub.
fn pinned(endpoint: &str) -> Workspace {
    let workspace = Workspace::healthy();
    let path = workspace.path().join("weighbridge.yml");
    let policy = std::fs::read_to_string(path).expect("a policy");
    workspace.write("weighbridge.yml", format!("{policy}hub: {{endpoint: \"{endpoint}\"}}\n"));
    workspace.version("v1.0.0");
    workspace
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_to_no_hub_that_a_variable_names() {
    let server = HubServer::start().await;
    let ours = Front::before(&server.hub.url(), |_| Fate::Pass).await;
    let theirs = Front::before(&server.hub.url(), |_| Fate::Pass).await;
    let (pin, other) = (ours.url(), theirs.url());
    let plain = "cannot be the Hub that is told a token: secrets do not go over plain http";
    let alone = "and a token may go to https://huggingface.co alone";
    let pinned_alone =
        format!("names the Hub {other}, and a token may go to {pin} alone (`hub:` at");
    for (by_policy, variable, input, says) in [
        (false, "https://hub.example", "", alone),
        (false, "https://huggingface.co.example/", "", alone),
        (false, "http://huggingface.co", "", plain),
        (false, "http://192.0.2.7:8420", "", plain),
        (false, "https://ada:secret@hub.example", "", "it carries a user or a password"),
        (false, "huggingface.co", "", "it is no address"),
        (false, "", "https://hub.example", "`hf-endpoint` names the Hub https://hub.example"),
        (true, &other, "", &pinned_alone),
        (true, "", &other, &pinned_alone),
        (true, "https://huggingface.co", "", "names the Hub https://huggingface.co"),
    ] {
        let mut workspace = if by_policy { pinned(&pin) } else { Workspace::healthy() };
        workspace
            .on_hub(variable, server.hub.token().expose())
            .set("INPUT_HF-ENDPOINT", input)
            .set("INPUT_SHARD", "1/1");
        for mode in [
            &["release"][..],
            &["release", "--dry-run"],
            &["stage", "--shard", "1/1"],
            &["audit-log", "verify", "--repository", "acme/registry"],
        ] {
            let run = tokio::task::block_in_place(|| workspace.run(mode)).expect(2);
            let run = run.says(says).says("unset it");
            assert!(!run.all().contains("secret@"), "{}", run.all());
        }
    }
    assert_eq!((ours.asked().len(), theirs.asked().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policys_hub_is_the_one_without_being_named_again() {
    let server = HubServer::start().await;
    let ours = Front::before(&server.hub.url(), |_| Fate::Pass).await;
    let theirs = Front::before(&server.hub.url(), |_| Fate::Pass).await;
    let mut workspace = pinned(&ours.url());
    // The runner says that nobody gave the input; a step before cannot say it in its place.
    workspace
        .on_hub("", server.hub.token().expose())
        .set("INPUT_HF-ENDPOINT", "")
        .set("INPUT_HF_ENDPOINT", theirs.url());
    let run = |workspace: &Workspace| tokio::task::block_in_place(|| workspace.run(&["release"]));
    run(&workspace).expect(0).says("acme/churn v1.0.0 published");
    assert!(ours.count("POST", "/commit/") > 0);
    workspace.set("HF_ENDPOINT", format!("{}/", ours.url()));
    run(&workspace).expect(0);
    assert_eq!(theirs.asked().len(), 0);
}

/// A proxy would read what goes to a server of this machine, which is not encrypted.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_this_machine_goes_through_no_proxy() {
    let server = HubServer::start().await;
    let proxy = Front::before(&server.hub.url(), |_| Fate::Pass).await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose()).set("NO_PROXY", "");
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        workspace.set(variable, proxy.url());
    }
    tokio::task::block_in_place(|| workspace.run(&["release"])).expect(0);
    assert_eq!(server.count("POST", "/tag/"), 1);
    assert_eq!(proxy.asked().len(), 0);
}

#[test]
fn githubs_token_does_not_go_over_plain_http() {
    let mut workspace = Workspace::healthy();
    on_runner(&mut workspace, "http://192.0.2.7");
    let run = workspace.run(&["check"]).expect(0);
    run.says("no check run").says("secrets do not go over plain http");
}
