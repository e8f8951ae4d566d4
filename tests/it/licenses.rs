//! The licence of a base model is asked of the Hub that has it.

use crate::support::hub_server::HubServer;
use crate::support::workspace::{POLICY, Workspace};

/// Publishes `acme/base` under a licence.
fn publish_base(server: &HubServer, license: &str) {
    let mut base = Workspace::healthy();
    let policy = POLICY.replace("name: churn", "name: base");
    base.write("weighbridge.yml", policy.replace("apache-2.0", license));
    base.write("model/LICENSE", "As agreed.\nCopyright 2026 Acme\n");
    base.version("v1.0.0");
    base.on_hub(&server.hub.url(), server.hub.token().expose());
    base.run(&["release"]).expect(0).says("license-text-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hub_tells_of_a_base_model_binds_what_is_made_from_it() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.write(
        "weighbridge.yml",
        POLICY.replace("  name: churn", "  base-models: [acme/base]\n  name: churn"),
    );
    workspace.version("v1.0.0");
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    // Nobody can tell yet.
    workspace.run(&["release", "--dry-run"]).expect(0).says("base-license-unknown");
    tokio::task::block_in_place(|| publish_base(&server, "cc-by-nc-4.0"));
    let run = workspace.run(&["release"]).expect(1);
    let run = run.says("base-license-conflict").says("(its card on the Hub)");
    assert!(!run.all().contains("base-license-unknown"), "{}", run.all());
    assert_eq!(server.count("POST", "acme/churn/commit"), 0);
}

/// Whoever names it: what the card publishes was judged, and the finding is where it is named.
#[test]
fn every_base_model_on_the_card_is_judged() {
    let config = r#"{"_name_or_path": "meta-llama/Llama-3.1-8B"}"#;
    let adapter = r#"{"base_model_name_or_path": "meta-llama/Llama-3.1-8B"}"#;
    let merged = "---\nx: &x\n  base_model: [meta-llama/Llama-3.1-8B]\n<<: *x\n---\n# T\n";
    for (file, text, at) in [
        ("model/config.json", config, "model/config.json"),
        ("model/adapter_config.json", adapter, "model/adapter_config.json"),
        ("README.md", "---\nbase_model: meta-llama/Llama-3.1-8B\n---\n# T\n", "README.md:2"),
        ("README.md", merged, "README.md:3"),
    ] {
        let workspace = Workspace::healthy();
        workspace.write(file, text);
        let (mut policy, mut card) = (POLICY.to_owned(), "model/README.md");
        if file == "README.md" {
            policy.push_str("  source: README.md\n");
            card = file;
        }
        workspace.write("weighbridge.yml", policy);
        workspace.commit();
        let run = workspace.run(&["check"]).expect(1).says("base-license-conflict");
        let report = workspace.report().to_string();
        run.says("`meta-llama/Llama-3.1-8B` is under `llama3.1` (its makers)").says(at);
        assert!(report.contains("license-agreement-unmet"), "{report}");
        workspace.run(&["card", "--write"]);
        let card = std::fs::read_to_string(workspace.path().join(card)).expect("written");
        assert!(card.contains("Made from: `meta-llama/Llama-3.1-8B`"), "{card}");
        assert!(card.contains("\nbase_model:"), "{card}");
    }
}
