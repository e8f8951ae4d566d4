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

    // A metric that is no longer asked for is missed, and stops the release.
    workspace.write("weighbridge.yml", POLICY);
    workspace.version("v1.3.0");
    release(&workspace)
        .expect(1)
        .says("metric-dropped")
        .says("version 1.1.0 had acc (toy_arith), and this one does not");
    assert!(!server.hub.requests().iter().any(|one| one.path.contains("/tag/v1.3.0")));
    let allowed =
        "allow:\n  - {rule: metric-dropped, reason: Another task., expires: 2099-01-01}\n";
    workspace.write("weighbridge.yml", format!("{POLICY}{allowed}"));
    workspace.version("v1.3.0");
    release(&workspace).expect(0).says("allowed: metric-dropped");

    // A version is named: 0.92 is less than 1.0.0 had.
    let named = "    - {metric: accuracy, direction: higher, no-worse-than: {release: VERSION}}";
    for (version, before, code) in [("1.0.0", "0.95 in 1.0.0", 1), ("v1.3.0", "", 0)] {
        let policy = policy(&named.replace("VERSION", version));
        workspace.write("weighbridge.yml", format!("{policy}{allowed}"));
        workspace.version("v1.4.0");
        release(&workspace).expect(code).says(before);
    }
    workspace.write("weighbridge.yml", policy(&named.replace("VERSION", "9.9.9")));
    workspace.version("v1.5.0");
    release(&workspace).expect(0).says("version 9.9.9 has no release record on the Hub");
}

#[tokio::test(flavor = "multi_thread")]
async fn growth_is_measured_against_the_last_release() {
    let server = HubServer::start().await;
    let mut workspace = Workspace::healthy();
    workspace.on_hub(&server.hub.url(), server.hub.token().expose());
    let gate = "gates:\n  size: {max: 1MB, max-file: 200 kB, max-growth: 20%}";
    workspace.write("weighbridge.yml", POLICY.replace("gates:", gate));
    workspace.write("model/w.bin", vec![7; 100_000]);
    workspace.version("v1.0.0");
    release(&workspace).expect(0).says("kB of 1.0 MB; no earlier version");
    workspace.write("model/w.bin", vec![7; 115_000]);
    workspace.version("v1.1.0");
    release(&workspace).expect(0).says("kB in 1.0.0");
    workspace.write("model/w.bin", vec![7; 201_000]);
    workspace.version("v1.2.0");
    release(&workspace)
        .expect(1)
        .says("[size-growth] weighbridge.yml:11:50")
        .says("more than in version 1.1.0")
        .says("[file-above-max] model/w.bin");
    assert!(!server.hub.requests().iter().any(|one| one.path.contains("/tag/v1.2.0")));
}

/// The row of a metric in the JSON report.
fn row(workspace: &Workspace, name: &str) -> serde_json::Value {
    let report = workspace.report();
    let rows = report["metrics"].as_array().expect("metrics");
    rows.iter().find(|row| row["name"] == name).expect(name).clone()
}

#[track_caller]
fn near(value: &serde_json::Value, expected: f64) {
    let value = value.as_f64().expect("a number");
    assert!((value - expected).abs() < 1e-6 * expected.abs().max(1e-3), "{value}: {expected}");
}

/// Two runs of lm-evaluation-harness over the same questions. What the tests say of them was computed
/// with `scipy.stats`: `binomtest(7, 12)` and `ttest_ind(equal_var=False)`, one-sided.
#[test]
fn samples_of_lm_eval_are_compared_one_by_one() {
    let workspace = Workspace::healthy();
    let (now, before) = ("2026-11-25T19-29-57.521847", "2026-11-25T19-32-45.475350");
    let sample = |path: &str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/evidence/lm-eval");
        std::fs::read_to_string(format!("{root}/{path}")).expect(path)
    };
    for (folder, time, to) in [("now", now, "out"), ("before", before, "baseline")] {
        for name in [format!("results_{time}.json"), format!("samples_toy_arith_{time}.jsonl")] {
            workspace.write(&format!("{to}/{name}"), sample(&format!("{folder}/{name}")));
        }
    }
    let asked = format!(
        "    - {{metric: acc, file: 'out/results_*.json', no-worse-than: {{file: baseline/results_{before}.json, confidence: 0.95}}}}"
    );
    workspace.write("weighbridge.yml", policy(&asked));
    workspace.version("v1.0.0");
    let check = || workspace.run(&["check"]).expect(0);
    check().says("-0.1 since 0.5, worse").says("sign test over 20 examples, p = 0.387");
    let acc = row(&workspace, "acc");
    assert_eq!((&acc["test"]["method"], &acc["better"]), (&"sign".into(), &false.into()));
    near(&acc["test"]["p_value"], 0.387_207_03);
    near(&acc["test"]["stderr"], 0.176_217_57);
    // Behind a pointer stands the same.
    let by_pointer =
        asked.replace("no-worse-than", "pointer: '/results/toy_arith/acc,none', no-worse-than");
    workspace.write("weighbridge.yml", policy(&by_pointer));
    check();
    assert_eq!(row(&workspace, "acc")["test"], acc["test"]);
    workspace.write("weighbridge.yml", policy(&asked));

    // One question is another one.
    let samples = sample(&format!("before/samples_toy_arith_{before}.jsonl"));
    let path = format!("baseline/samples_toy_arith_{before}.jsonl");
    workspace.write(&path, samples.replacen("\"doc_hash\": \"1", "\"doc_hash\": \"f", 1));
    check().says("19 are in both, of 20 now and 20 before");
    let acc = row(&workspace, "acc");
    assert_eq!((&acc["test"]["method"], &acc["doubtful"]), (&"unpaired".into(), &true.into()));
    near(&acc["test"]["p_value"], 0.268_601_3);
    near(&acc["test"]["degrees_of_freedom"], 37.984_18);
    // Without the samples it is the same test, and nothing to remark.
    std::fs::remove_file(workspace.path().join(&path)).expect("removed");
    check();
    assert_eq!(row(&workspace, "acc")["doubtful"], false);
    assert_eq!(row(&workspace, "acc")["test"]["method"], "unpaired");
}

#[test]
fn a_small_loss_on_the_same_examples_blocks() {
    let workspace = Workspace::healthy();
    let scores = |wrong: usize| {
        let rows = (0..200).map(|id| {
            let group = if id % 2 == 0 { "a" } else { "b" };
            format!("q{id},{group},{}\n", if id < wrong { "False" } else { "True" })
        });
        format!("id,group,correct\n{}", rows.collect::<String>())
    };
    workspace.write("baseline.csv", scores(40));
    workspace.write("predictions.csv", scores(46));
    let asked = "    - {metric: correct, file: predictions.csv, direction: higher, max-gap: 0.1, no-worse-than: {file: baseline.csv, confidence: 0.95}}";
    workspace.write("weighbridge.yml", policy(asked));
    workspace.version("v1.0.0");
    // Two separate means of 200 each are 0.04 ± 0.04 apart; six changes to the worse and none to
    // the better are no chance.
    let run = workspace.run(&["check"]).expect(1);
    assert!(!run.stdout.contains("metric-gap"), "{}", run.stdout);
    run.says("metric-worse").says("sign test over 200 examples, p = 0.016");
    assert_eq!(
        row(&workspace, "correct")["bound"],
        "no worse than `baseline.csv` by 0, gap 0 ≤ 0.1"
    );
    workspace.write("baseline.csv", scores(40).replace("q199,", "q200,"));
    workspace
        .run(&["check"])
        .expect(0)
        .says("199 are in both")
        .says("unpaired, 200 and 200 samples");
    workspace.write("baseline.csv", scores(40).replace("q199,", "q198,"));
    workspace.run(&["check"]).expect(0).says("the id `q198` stands in two rows");
}

#[test]
fn latency_and_memory_have_budgets_in_their_units() {
    let workspace = Workspace::healthy();
    let bench = include_str!("../samples/evidence/pytest-benchmark/benchmark.json");
    let smaller =
        include_str!("../samples/evidence/github-action-benchmark/smaller_is_better.json");
    workspace.write("bench.json", bench);
    workspace.write("smaller.json", smaller);
    workspace.write("baseline.json", smaller.replace("\"ms\"", "\"s\"").replace("512", "600"));
    let compared = "direction: lower, no-worse-than: {file: baseline.json, tolerance: 10%}";
    let asked = format!(
        "    - {{metric: latency, file: bench.json, key: median, task: test_infer_small, max: 0.001}}\n    \
         - {{metric: p95 latency, file: smaller.json, max: 12, {compared}}}\n    \
         - {{metric: peak memory, file: smaller.json, max: 600, warn-max: 500, {compared}}}"
    );
    workspace.write("weighbridge.yml", policy(&asked));
    workspace.version("v1.0.0");
    workspace
        .run(&["check"])
        .expect(1)
        .says("p95 latency = 12.4 ms\n      (≤ 12 ms, no worse than `baseline.json` by 10%)")
        .says("p95 latency is 12.4 ms (smaller.json:5:14), above the highest allowed 12")
        .says("p95 latency is in ms (smaller.json:5:")
        .says("peak memory = 512 Megabytes, -88 since 600, better");
    let rows = ["latency (test_infer_small)", "p95 latency", "peak memory"].map(|name| {
        let row = row(&workspace, name);
        (row["passed"].clone(), row["doubtful"].clone(), row["better"].clone())
    });
    let [yes, no, none] = [true.into(), false.into(), serde_json::Value::Null];
    assert_eq!(
        rows,
        [
            (yes.clone(), no.clone(), none.clone()),
            (no.clone(), no, none),
            (yes.clone(), yes.clone(), yes)
        ]
    );
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
