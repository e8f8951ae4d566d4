//! Numbers from the files of real tools, and versions that are compared with those before them.

use crate::support::hub_server::HubServer;
use crate::support::workspace::{POLICY, Run, Workspace};

const RESULTS: &str =
    include_str!("../samples/evidence/lm-eval/results_2026-11-23T07-04-37.791062.json");

/// The healthy policy with these benchmarks.
fn policy(benchmarks: &str) -> String {
    let (head, tail) = POLICY.split_once("  benchmarks:\n").expect("benchmarks");
    let (_, tail) = tail.split_once('\n').expect("one line");
    format!("{head}  benchmarks:\n{benchmarks}\n{tail}")
}

fn release(workspace: &Workspace) -> Run {
    tokio::task::block_in_place(|| workspace.run(&["release"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_compared_with_the_last_release() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    workspace.write("out/model/results_1.json", RESULTS);
    workspace.write(
        "weighbridge.yml",
        policy(
            "    - {metric: accuracy, min: 0.9, direction: higher, no-worse-than: {tolerance: 1%}}\n    \
             - {metric: acc, file: out/**/results_*.json, task: toy_arith, no-worse-than: {confidence: 0.95}}",
        ),
    );
    workspace.version("v1.0.0");
    // On a pull request the Hub is not asked.
    let run = tokio::task::block_in_place(|| workspace.run(&["check"]));
    run.expect(0)
        .says("acc (toy_arith) is compared with the last release when a release is weighed");
    release(&workspace).expect(0).says("acc (toy_arith) = 0.3 ± 0.1051");

    // Within the tolerance of accuracy; of acc, 20 samples cannot show that it got worse.
    workspace.write("metrics.json", "{\"accuracy\": 0.945}\n");
    workspace.write(
        "out/model/results_1.json",
        RESULTS.replace("\"acc,none\": 0.3", "\"acc,none\": 0.2"),
    );
    workspace.version("v1.1.0");
    release(&workspace)
        .expect(0)
        .says("accuracy = 0.945, -0.005 since 0.95")
        .says("-0.1 since 0.3");

    // Beyond both.
    workspace.write("metrics.json", "{\"accuracy\": 0.92}\n");
    let worse = RESULTS
        .replace("\"acc,none\": 0.3", "\"acc,none\": 0.0")
        .replace("\"acc_stderr,none\": 0.105", "\"acc_stderr,none\": 0.005");
    workspace.write("out/model/results_1.json", &worse);
    workspace.write("model/config.json", "{\"model_type\": \"xgboost\", \"depth\": 4}\n");
    workspace.version("v1.2.0");
    release(&workspace)
        .expect(1)
        .says("accuracy is 0.92 (metrics.json:1:14), worse than 0.945 in 1.1.0 (-0.025; 0.00945 is allowed")
        .says("acc (toy_arith) is 0 (out/model/results_1.json:7:")
        .says("with 95% confidence by at least");
    assert!(!server.hub.requests().iter().any(|one| one.path.contains("/tag/v1.2.0")));

    // A metric that is no longer asked for is missed.
    workspace.write("weighbridge.yml", POLICY);
    workspace.version("v1.3.0");
    release(&workspace).expect(0).says("version 1.1.0 had acc, and this one does not");
}

#[test]
fn names_that_fit_several_numbers_are_not_guessed() {
    let workspace = Workspace::healthy();
    workspace.write("out/a/results_1.json", RESULTS);
    workspace.write("out/b/results_2.json", RESULTS);
    let said = |benchmark: &str| {
        workspace.write("weighbridge.yml", policy(benchmark));
        workspace.version("v1.0.0");
        workspace.run(&["check"])
    };
    let file = "file: out/a/results_1.json";
    said(&format!("    - {{metric: exact_match, {file}, min: 0}}"))
        .expect(1)
        .says("`exact_match` is there 2 times: tell them apart by")
        .says("`filter` (flexible, strict)");
    said(&format!("    - {{metric: f1, {file}, min: 0}}"))
        .expect(1)
        .says("read as lm-eval, it has")
        .says("`acc_norm`");
    said("    - {metric: acc, file: 'out/*/results_*.json', min: 0}")
        .expect(1)
        .says("2 files that match `out/*/results_*.json` have acc");
    said(&format!("    - {{metric: exact_match, {file}, filter: strict, min: 0}}")).expect(0);
}

#[test]
fn a_part_of_a_run_does_not_count() {
    let workspace = Workspace::healthy();
    workspace.write("r.json", RESULTS.replace("\"limit\": null", "\"limit\": 10.0"));
    let benchmark = "    - {metric: acc, file: r.json, min: 0.1, allow-partial: PARTIAL}";
    workspace.write("weighbridge.yml", policy(&benchmark.replace("PARTIAL", "false")));
    workspace.version("v1.0.0");
    workspace.run(&["check"]).expect(1).says("metric-partial-run").says("`limit: 10`");
    workspace.write("weighbridge.yml", policy(&benchmark.replace("PARTIAL", "true")));
    workspace.version("v1.0.0");
    workspace.run(&["check"]).expect(0);
}
