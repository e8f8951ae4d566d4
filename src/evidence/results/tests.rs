//! Every sample, as its tool wrote it, gives the values that stand in it.

use std::fmt::Write as _;

use super::*;
use crate::digest::Digest;
use crate::source::SourceFile;

mod bad_input;
mod samples;

use samples::{EXPECTED, LINEAGE, NO_RESULTS};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/evidence");

fn file(path: &str, bytes: &[u8]) -> EvidenceFile {
    EvidenceFile {
        shown: path.into(),
        bytes: bytes.to_owned(),
        sha256: Digest::of(bytes),
        modified: None,
    }
}

fn sample(path: &str) -> (EvidenceFile, Results) {
    let bytes = std::fs::read(format!("{SAMPLES}/{path}")).expect(path);
    let file = file(path, &bytes);
    let results = read(&file).unwrap_or_else(|why| panic!("{path}: {why}"));
    (file, results)
}

/// `metric [task|filter|label|dataset|split] = value ± stderr unit ↑ n at line`.
fn shown(file: &EvidenceFile, number: &Number) -> String {
    let mut text = number.metric.clone();
    let names = [
        ("task", &number.task),
        ("filter", &number.filter),
        ("label", &number.label),
        ("dataset", &number.dataset),
        ("split", &number.split),
    ];
    for (kind, name) in names {
        if let Some(name) = name {
            let _ = write!(text, " {kind}={name}");
        }
    }
    match &number.value {
        MetricValue::Number(value) => _ = write!(text, " = {value}"),
        other => _ = write!(text, " = {other:?}"),
    }
    if let Some(error) = number.stderr {
        let _ = write!(text, " ± {error}");
    }
    text.extend(number.unit.as_ref().map(|unit| format!(" {unit}")));
    text.extend(number.higher_is_better.map(|higher| if higher { " ↑" } else { " ↓" }));
    text.extend(number.samples.map(|samples| format!(" n={samples}")));
    if let Ok(text_of) = file.text() {
        let at = SourceFile::new(&file.shown, text_of).position(number.at);
        let _ = write!(text, " :{}", at.line);
    }
    text
}

#[test]
fn every_format_is_documented() {
    let page = include_str!("../../../docs/evidence.md");
    for (format, written_by) in formats() {
        assert!(page.contains(&format!("| `{format}` | {written_by} |")), "{format}: {written_by}");
    }
}

#[test]
fn every_sample_gives_its_values() {
    for (path, format, count, some) in EXPECTED {
        let (file, results) = sample(path);
        let numbers: Vec<_> = results.numbers.iter().map(|number| shown(&file, number)).collect();
        assert_eq!((results.format, numbers.len()), (*format, *count), "{path}: {numbers:#?}");
        for expected in *some {
            assert!(numbers.iter().any(|one| one == expected), "{path}: {expected}: {numbers:#?}");
        }
    }
}

#[test]
fn every_sample_tells_of_its_run() {
    for (path, ..) in EXPECTED {
        let Lineage { tool, run, commit, model, datasets } = sample(path).1.lineage;
        let parts = [("tool", tool), ("run", run), ("commit", commit), ("model", model)];
        let mut told: Vec<_> = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value?)))
            .collect();
        told.extend(datasets.iter().map(|name| format!("dataset={name}")));
        let expected = LINEAGE.iter().find(|(known, _)| known == path);
        assert_eq!(told.join(" "), expected.map_or("", |(_, told)| told), "{path}");
    }
}

#[test]
fn every_sample_is_in_one_table() {
    let mut wrong = Vec::new();
    for entry in walkdir::WalkDir::new(SAMPLES) {
        let entry = entry.expect("readable");
        if entry.file_type().is_dir() {
            continue;
        }
        let path = entry.path().strip_prefix(SAMPLES).expect("inside").to_str().expect("UTF-8");
        let expected = EXPECTED.iter().filter(|(known, ..)| *known == path).count();
        let ending = |ending: &str| path == ending || path.ends_with(&format!("/{ending}"));
        let others = NO_RESULTS.iter().filter(|(end, why)| ending(end) && !why.is_empty()).count();
        if expected + others != 1 {
            wrong.push(format!("{path}: {expected} and {others}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn numbers(name: &str, text: &str) -> Vec<String> {
    let file = file(name, text.as_bytes());
    let results = read(&file).unwrap_or_else(|why| panic!("{name}: {why}"));
    results.numbers.iter().map(|number| shown(&file, number)).collect()
}

#[test]
fn lighteval_with_its_directions_and_splits() {
    let text = r#"{"config_general": {"model_name": "o/m", "max_samples": 5},
 "results": {"leaderboard|arc:challenge|25": {"acc": 0.5, "acc_stderr": 0.02}, "all": {"acc": 0.5}},
 "config_tasks": {"leaderboard|arc:challenge": {"hf_repo": "ai2_arc", "evaluation_splits": ["test"],
 "effective_num_docs": 40, "metrics": [{"metric_name": "acc", "higher_is_better": true}]}}}"#;
    assert_eq!(
        numbers("results.json", text),
        [
            "acc task=leaderboard|arc:challenge|25 dataset=ai2_arc split=test = 0.5 ± 0.02 ↑ n=40 :2",
            "acc task=all = 0.5 :2"
        ]
    );
    let partial = read(&file("results.json", text.as_bytes())).expect("results").partial;
    assert_eq!(partial.as_deref(), Some("`max_samples: 5`: only a part was run"));
}

#[test]
fn mlperf_with_its_own_verdict() {
    let text = "================\nMLPerf Results Summary\n================\nSUT name : PySUT\nScenario : Offline\n\
                Mode     : PerformanceOnly\nSamples per second: 1234.5\nResult is : INVALID\n\
                Min latency (ns)                : 1000\n99.00 percentile latency (ns)   : 2000\n\
                ================\nTest Parameters Used\n================\nsamples_per_query : 24576\n\
                target_qps : 1\n";
    assert_eq!(
        numbers("mlperf_log_summary.txt", text),
        [
            "Samples per second task=Offline = 1234.5 :7",
            "Min latency task=Offline = 1000 ns :9",
            "99.00 percentile latency task=Offline = 2000 ns :10"
        ]
    );
    let partial = read(&file("mlperf_log_summary.txt", text.as_bytes())).expect("results").partial;
    assert_eq!(partial.as_deref(), Some("MLPerf's own verdict is INVALID"));
}

#[test]
fn tables_by_row_and_by_column() {
    assert_eq!(
        numbers(
            "by_group.csv",
            "metric,group,value,stderr,samples\nrecall,\"a, b\",0.9,0.01,40\nrecall,c,0.8,,\n"
        ),
        ["recall label=a, b = 0.9 ± 0.01 n=40 :2", "recall label=c = 0.8 :3"]
    );
    assert_eq!(
        numbers("log.tsv", "step\tloss\n0\t0.5\n1\tnan\n"),
        ["loss = NotFinite(\"NaN\") :3"]
    );
}

#[test]
fn examples_by_column_by_run_and_by_group() {
    let csv =
        "example_id,group,correct,loss,answer\n7,a,True,0.5,yes\n8,b,false,1.5,4\n9,a,TRUE,1,no\n";
    assert_eq!(
        numbers("predictions.csv", csv),
        [
            "correct label=a = 1 ± 0 n=2 :2",
            "correct label=b = 0 n=1 :2",
            "correct = 0.6666666666666666 ± 0.33333333333333337 n=3 :2",
            "loss label=a = 0.75 ± 0.25 n=2 :2",
            "loss label=b = 1.5 n=1 :2",
            "loss = 1 ± 0.28867513459481287 n=3 :2",
        ]
    );
    let jsonl = "\u{feff}{\"doc_id\": 0, \"doc\": {\"id\": 3}, \"filter\": \"none\", \"acc\": 1}\n\n\
                 {\"doc_id\": 0, \"filter\": \"strict\", \"acc\": 0.5}\n";
    assert_eq!(numbers("s.jsonl", jsonl), ["acc = 1 n=1 :1", "acc filter=strict = 0.5 n=1 :3"]);
    let json = r#"[{"example_id": "x", "right": true}, {"example_id": "y", "right": false}]"#;
    assert_eq!(numbers("s.json", json), ["right = 0.5 ± 0.5 n=2 :1"]);
    // A run has an id as well.
    let runs = "id,acc,right\na,0.99,1\nb,0.99,0\nc,0.60,1\n";
    let found = numbers("runs.csv", runs);
    assert!(found[0].contains("call the column `id` `example_id`"), "{found:?}");
    assert!(found[1].starts_with("right = 0.66666"), "{found:?}");
    let log = numbers("log.csv", "step,id,acc\n1,a,0.5\n2,b,0.9\n");
    assert!(log.contains(&"acc = 0.9 :3".to_owned()), "{log:?}");
    // Lines without ids are a log, of which the last counts.
    assert_eq!(numbers("log.jsonl", "{\"loss\": 2}\n{\"loss\": 1}\n"), ["loss = 1 :2"]);
    assert_eq!(numbers("one.jsonl", "{\"loss\": 2}\n"), ["loss = 2 :1"]);
}

#[test]
fn scores_that_are_none_are_told() {
    for (cell, said) in [
        ("NaN", "s = NotFinite(\"NaN\") :3"),
        ("inf", "s = NotFinite(\"Infinity\") :3"),
        ("good", "s = NotANumber(\"no number (example `b`)\") :3"),
        ("", "s = NotANumber(\"no number (example `b`)\") :3"),
    ] {
        assert_eq!(numbers("m.csv", &format!("id,s\na,1\nb,{cell}\nc,0\n")), [said], "{cell}");
    }
    let wide = format!("id{0}\n1{0}\n", (0..300).map(|n| format!(",{n}")).collect::<String>());
    for (text, why) in [
        ("id,s\na,1\na,0\n", "the id `a` stands in two rows"),
        ("id,s\na,1\n,0\n", "a row has no text or number as its `id`"),
        (wide.as_str(), "a row holds more than 256 columns"),
    ] {
        let error = read(&file("m.csv", text.as_bytes())).expect_err(text);
        assert!(error.contains(why), "{error}");
    }
    let broken = read(&file("m.jsonl", b"{\"id\": 1}\n{\"id\"\n")).expect_err("broken");
    assert_eq!(broken, "line 2: not valid JSON");
}

/// How many scores the number of a metric has, and whether it knows its error.
fn scored(name: &str, text: &str, metric: &str) -> (Option<u64>, Option<f64>) {
    let results = read(&file(name, text.as_bytes())).expect("results");
    let number = results.numbers.iter().find(|one| one.metric == metric).expect("the metric");
    (number.scores.as_ref().map(Scores::count), number.stderr)
}

#[test]
fn inspect_logs_with_the_scores_of_their_samples() {
    let text = include_str!("../../../tests/samples/evidence/inspect-ai/log-header-only.json");
    assert_eq!(scored("log.json", text, "accuracy"), (Some(4), Some(0.25)));
    let epochs = include_str!("../../../tests/samples/evidence/inspect-ai/log-two-epochs.json");
    assert_eq!(scored("log.json", epochs, "accuracy"), (Some(12), Some(0.125)));
    // Of scores whose mean is another number, none is taken.
    let other = text.replace("\"value\": 0.25", "\"value\": 0.26");
    assert_eq!(scored("log.json", &other, "accuracy").0, None);
    // Without reductions, the samples themselves.
    let log = |samples: &str| {
        format!(
            r#"{{"version": 2, "status": "success", "eval": {{"task": "t"}}, "results": {{"scores":
            [{{"name": "match", "scorer": "match", "metrics": {{"accuracy": {{"value": 0.5}}}}}}]}},
            "samples": [{samples}]}}"#
        )
    };
    let sample = |id: &str, value: &str| {
        format!(r#"{{"id": {id}, "epoch": 1, "scores": {{"match": {{"value": {value}}}}}}}"#)
    };
    for (one, other, count) in [
        (sample("1", "\"C\""), sample("\"b\"", "\"I\""), Some(2)),
        (sample("1", "1"), sample("2", "false"), Some(2)),
        (sample("1", "\"C\""), sample("1", "\"I\""), None),
        (sample("1", "\"good\""), sample("2", "\"I\""), None),
        (sample("1", "NaN"), sample("2", "\"I\""), None),
    ] {
        let text = log(&format!("{one}, {other}"));
        assert_eq!(scored("log.json", &text, "accuracy").0, count, "{text}");
    }
}

#[test]
fn runs_that_were_cut_short_say_so() {
    let lm_eval = |limit: &str, done: u32| {
        format!(
            r#"{{"results": {{"t": {{"acc,none": 0.5}}}}, "configs": {{}}, "config": {{"limit": {limit}}},
            "n-samples": {{"t": {{"original": 20, "effective": {done}}}}}}}"#
        )
    };
    let inspect = |status: &str| {
        format!(
            r#"{{"version": 2, "status": "{status}", "eval": {{"task": "t"}}, "results": {{"total_samples": 4, "completed_samples": 4, "scores": []}}}}"#
        )
    };
    for (text, partial) in [
        (lm_eval("null", 20), None),
        (lm_eval("10", 10), Some("`limit: 10`: only a part of each task was run")),
        (lm_eval("null", 10), Some("10 of 20 samples of `t` were run")),
        (inspect("success"), None),
        (inspect("error"), Some("its status is `error`, not `success`")),
        (
            r#"{"info": {"run_id": "r", "status": "RUNNING"}, "data": {"metrics": {}}}"#.into(),
            Some("its status is RUNNING, not FINISHED"),
        ),
    ] {
        let results = read(&file("r.json", text.as_bytes())).expect("results");
        assert_eq!(results.partial.as_deref(), partial, "{text}");
    }
}

#[test]
fn a_run_of_wandb_across_blocks_cut_off_and_damaged() {
    let whole = std::fs::read(format!("{SAMPLES}/wandb-run/run.wandb")).expect("the sample");
    let of = |bytes: &[u8]| read(&file("run.wandb", bytes));
    // One byte less than the last record: the exit is gone, the summary is not.
    let cut = of(&whole[..whole.len() - 1]).expect("what is whole");
    assert_eq!(cut.numbers.len(), 5);
    assert!(cut.partial.expect("partial").contains("cut off"));
    let mut damaged = whole.clone();
    damaged[1000] ^= 1;
    assert!(of(&damaged).expect_err("damaged").contains("checksum"));

    // A summary item too long for a block, cut into pieces as the format says.
    let json = format!("\"{}\"", "x".repeat(70_000));
    let item = [tagged(1, b"long"), tagged(16, json.as_bytes())].concat();
    let number = [tagged(1, b"after"), tagged(16, b"0.75")].concat();
    let long = tagged(3, &[tagged(1, &item), tagged(1, &number)].concat());
    let mut file_of = wandb_head();
    let mut rest = &long[..];
    let mut first = true;
    while !rest.is_empty() || first {
        let room = 32_768 - file_of.len() % 32_768 - 7;
        let (piece, left) = rest.split_at(room.min(rest.len()));
        let kind = match (first, left.is_empty()) {
            (true, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
            (false, true) => 4,
        };
        push_piece(&mut file_of, kind, piece);
        (rest, first) = (left, false);
    }
    push_piece(&mut file_of, 1, &tagged(18, &[]));
    let results = of(&file_of).expect("results");
    assert_eq!(results.partial, None);
    let names: Vec<_> =
        results.numbers.iter().map(|one| (one.metric.as_str(), &one.value)).collect();
    assert_eq!(names, [("after", &MetricValue::Number(0.75))]);
}

fn wandb_head() -> Vec<u8> {
    b":W&B\xe1\xbe\x00".to_vec()
}

fn push_piece(file: &mut Vec<u8>, kind: u8, piece: &[u8]) {
    let mut sum = flate2::Crc::new();
    sum.update(&[kind]);
    sum.update(piece);
    file.extend(sum.sum().to_le_bytes());
    file.extend(u16::try_from(piece.len()).expect("a piece").to_le_bytes());
    file.push(kind);
    file.extend(piece);
}

fn tagged(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for mut value in [number << 3 | 2, bytes.len() as u64] {
        while value >= 0x80 {
            out.push(u8::try_from(value & 0x7f).expect("7 bits") | 0x80);
            value >>= 7;
        }
        out.push(u8::try_from(value).expect("7 bits"));
    }
    out.extend(bytes);
    out
}

#[test]
fn what_cannot_be_read_says_why() {
    for (name, text, why) in [
        ("m.json", "{\"a\": 1", "not valid JSON"),
        ("m.yaml", "a: [1", "not valid YAML, line"),
        ("m.toml", "a = ", "not valid TOML"),
        ("m.csv", "a,b\n1\n", "not a table"),
        ("m.csv", "a,b\n", "the table has no rows"),
        ("m.json", "", "it is empty"),
        ("m.txt", "accuracy 0.9", "in no format of results that is known"),
        ("m.json", &format!("[{}1]", "1,".repeat(2_100_000)), "lead to the number with `pointer`"),
        ("m.json", &"[".repeat(1000), "nests too deeply"),
    ] {
        let error = read(&file(name, text.as_bytes())).expect_err(name);
        assert!(error.contains(why), "{name}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics(
        name in proptest::sample::select(vec!["m.json", "m.jsonl", "m.yaml", "m.toml", "m.csv", "m.tsv", "MLmodel", "x/metrics/a", "r.wandb"]),
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        rows in "id,s\n([ab0-9NaT,.\n]{0,40})",
        text in "[\\[\\]{}\",:0-9a-e_\\n\\- .]{0,80}",
    ) {
        let _ = read(&file(name, &bytes));
        let _ = read(&file(name, text.as_bytes()));
        let _ = read(&file("m.csv", rows.as_bytes()));
        let _ = read(&file(name, &[b":W&B\xe1\xbe\x00".as_slice(), &bytes].concat()));
    }
}
