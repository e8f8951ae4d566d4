//! Every format, spoiled in every way: what comes out is the same numbers, a reason, or nothing
//! that any bound would take for a number.

use super::*;

/// A sample of each format; the text of the first that the table of expected values has.
fn one_of_each() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut found: Vec<(&str, &str, Vec<u8>)> = Vec::new();
    for (path, format, ..) in EXPECTED {
        if !found.iter().any(|(_, known, _)| known == format) {
            let bytes = std::fs::read(format!("{SAMPLES}/{path}")).expect(path);
            found.push((path, format, bytes));
        }
    }
    for (path, format, text) in [
        (
            "results.json",
            "lighteval",
            r#"{"config_general": {"model_name": "o/m"}, "results": {"t:0": {"acc": 0.5, "acc_stderr": 0.02}}}"#,
        ),
        (
            "weighbridge.json",
            "weighbridge-record",
            r#"{"manifest_digest": "0", "weighbridge": "0.1.0", "metrics": [{"name": "f1", "value": 0.9}]}"#,
        ),
        (
            "mlperf_log_summary.txt",
            "mlperf-inference",
            "MLPerf Results Summary\nScenario : Offline\nResult is : VALID\nMin latency (ns) : 10\n",
        ),
    ] {
        found.push((path, format, text.as_bytes().to_owned()));
    }
    let missing: Vec<_> = formats()
        .map(|(format, _)| format)
        .filter(|format| !found.iter().any(|(_, known, _)| known == format))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "formats without a sample");
    found
}

fn read_bytes(path: &str, bytes: &[u8]) -> Result<Results, String> {
    read(&file(path, bytes))
}

/// The numbers without their places.
fn values(results: &Results) -> Vec<(String, Option<String>, String)> {
    let of = |number: &Number| {
        (number.metric.clone(), number.task.clone(), format!("{:?}", number.value))
    };
    results.numbers.iter().map(of).collect()
}

fn finite(results: &Results) -> Vec<&str> {
    let numbers = results.numbers.iter();
    let finite = numbers.filter(|number| matches!(number.value, MetricValue::Number(_)));
    finite.map(|number| number.metric.as_str()).collect()
}

#[test]
fn a_mark_of_the_encoding_and_other_line_ends_change_nothing() {
    for (path, format, bytes) in one_of_each() {
        let Ok(text) = String::from_utf8(bytes.clone()) else { continue };
        let plain = read_bytes(path, &bytes).expect(path);
        assert_eq!(plain.format, format, "{path}");
        let dos = text.replace("\r\n", "\n").replace('\n', "\r\n");
        for other in [format!("\u{feff}{text}"), dos] {
            let read =
                read_bytes(path, other.as_bytes()).unwrap_or_else(|why| panic!("{path}: {why}"));
            assert_eq!((read.format, values(&read)), (format, values(&plain)), "{path}");
        }
    }
}

#[test]
fn other_encodings_and_nothing_at_all_say_so() {
    for (path, format, bytes) in one_of_each() {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let wide: Vec<u8> =
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let why = read_bytes(path, &wide).expect_err(format);
        assert!(why.contains("UTF-8") || why.contains("no format of results"), "{path}: {why}");
        assert_eq!(read_bytes(path, b"").expect_err(format), "it is empty", "{path}");
    }
}

/// Cut off anywhere, a file of one document is no file; in the rest, what is whole may count.
#[test]
fn what_was_cut_off_is_refused_or_has_no_other_numbers() {
    for (path, format, bytes) in one_of_each() {
        let whole = read_bytes(path, &bytes).expect(path);
        let known: std::collections::BTreeSet<_> =
            whole.numbers.iter().map(|number| number.metric.clone()).collect();
        for part in 1..20 {
            let cut = &bytes[..bytes.len() * part / 20];
            let Ok(read) = read_bytes(path, cut) else { continue };
            assert_ne!(path.rsplit('.').next(), Some("json"), "{path}: half a document was read");
            // A line of text may be cut within a name.
            let others = read
                .numbers
                .iter()
                .filter(|number| !known.iter().any(|name| name.starts_with(&number.metric)));
            assert_eq!(others.count(), 0, "{path} ({format}) after {part}/20");
        }
    }
}

/// Every number in a document replaced.
fn with_numbers(value: &mut serde_json::Value, by: &dyn Fn(&str) -> serde_json::Value) {
    match value {
        serde_json::Value::Number(number) => *value = by(&number.to_string()),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| with_numbers(item, by)),
        serde_json::Value::Object(map) => {
            map.values_mut().for_each(|value| with_numbers(value, by));
        }
        _ => {}
    }
}

#[test]
fn what_is_no_finite_number_never_passes_for_one() {
    type By = fn(&str) -> serde_json::Value;
    let kinds: [(&str, By); 7] = [
        ("text", |number| number.into()),
        ("null", |_| serde_json::Value::Null),
        ("true", |_| true.into()),
        ("list", |_| serde_json::json!([])),
        ("map", |_| serde_json::json!({})),
        ("NaN", |_| "@NaN".into()),
        ("huge", |_| "@1e999".into()),
    ];
    for (path, format, bytes) in one_of_each() {
        let Ok(whole) = serde_json::from_slice::<serde_json::Value>(&bytes) else { continue };
        for (kind, by) in kinds {
            let mut spoiled = whole.clone();
            with_numbers(&mut spoiled, &by);
            let text =
                spoiled.to_string().replace("\"@NaN\"", "NaN").replace("\"@1e999\"", "1e999");
            let Ok(read) = read_bytes(path, text.as_bytes()) else { continue };
            // The action itself takes a number in quotes for one.
            let lenient = format == "github-action-benchmark" && kind == "text";
            if !lenient {
                assert_eq!(finite(&read), Vec::<&str>::new(), "{path} with {kind}");
            }
            let told = read.numbers.iter().all(|number| number.stderr.is_none_or(f64::is_finite));
            assert!(told, "{path} with {kind}");
        }
    }
}

#[test]
fn a_name_that_stands_twice_is_not_chosen_between() {
    for (path, text) in [("m.json", r#"{"f1": 0.5, "f1": 0.9}"#), ("m.csv", "f1,f1\n0.5,0.9\n")] {
        let results = read_bytes(path, text.as_bytes()).expect(path);
        let named =
            crate::policy::Named { key: "f1".into(), task: None, filter: None, label: None };
        let why = select(&results, &named, On::default()).expect_err(path);
        assert!(why.contains("`f1` is there 2 times"), "{path}: {why}");
    }
    for (path, text) in [("m.toml", "f1 = 0.5\nf1 = 0.9\n"), ("m.yaml", "f1: 0.5\nf1: 0.9\n")] {
        let read = read_bytes(path, text.as_bytes());
        assert!(read.is_err() || finite(&read.expect("read")).len() == 2, "{path}");
    }
}

#[test]
fn wrong_types_where_a_format_has_its_frame() {
    for (path, text) in [
        ("r.json", r#"{"results": 3, "configs": []}"#),
        ("r.json", r#"{"results": {"t": 3}, "configs": {"t": 4}, "n-samples": [1]}"#),
        ("r.json", r#"{"results": [], "config_general": "x"}"#),
        ("r.json", r#"{"version": 2, "status": 3, "eval": [], "results": {"scores": 3}}"#),
        ("r.json", r#"{"machine_info": 1, "benchmarks": {"a": 1}}"#),
        ("r.json", r#"{"machine_info": 1, "benchmarks": [{"stats": 3, "extra_info": 3}]}"#),
        ("r.json", r#"[{"name": 1, "unit": 2, "value": []}]"#),
        ("r.json", r#"{"info": {"run_id": 1}, "data": {"metrics": [3], "tags": 4}}"#),
        ("MLmodel", "flavors: 1\nmlflow_version: []\n"),
        ("r.json", r#"{"_wandb": {}, "a": {"b": {"c": [1]}}, "_type": 3}"#),
        ("r.json", r#"{"_evaluate_version": 3, "a": {"b": 1}}"#),
        ("r.json", r#"{"log_history": {"a": 1}, "global_step": []}"#),
        ("r.json", r#"{"manifest_digest": 1, "weighbridge": 2, "metrics": {"name": 3}}"#),
    ] {
        if let Ok(read) = read_bytes(path, text.as_bytes()) {
            assert_eq!(finite(&read), Vec::<&str>::new(), "{text}");
        }
    }
}
