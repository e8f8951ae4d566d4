use globset::GlobBuilder;

use super::super::MetricValue;
use super::*;
use crate::policy::{Benchmark, Card, Gates, Place, Publish, TestsGate};

fn pattern(text: &str) -> Pattern {
    let glob = GlobBuilder::new(text).literal_separator(true).build().expect("a glob");
    Pattern { text: text.into(), glob: glob.compile_matcher() }
}

fn model(reports: &[&str], metrics: &[(&str, &str)]) -> Model {
    let benchmark = |(file, pointer): &(&str, &str)| Benchmark {
        metric: pointer.trim_start_matches('/').to_owned(),
        file: (*file).to_owned(),
        file_is_default: false,
        place: Place::Pointer((*pointer).to_owned()),
        min: None,
        max: None,
        warn_min: None,
        warn_max: None,
        target: None,
        direction: None,
        no_worse_than: None,
        max_gap: None,
        allow_partial: false,
        dataset: None,
        split: None,
        config: None,
        revision: None,
        hub_benchmark: None,
        at: Location::release(),
        at_min: Location::release(),
        at_max: Location::release(),
    };
    let tests = TestsGate {
        reports: reports.iter().map(|text| pattern(text)).collect(),
        ..TestsGate::default()
    };
    let benchmarks = metrics.iter().map(benchmark).collect();
    Model {
        name: "m".into(),
        at: Location::release(),
        path: "model".into(),
        description: None,
        library: None,
        task: None,
        license: None,
        language: Vec::new(),
        base_models: Vec::new(),
        datasets: Vec::new(),
        base_models_at: Location::release(),
        datasets_at: Location::release(),
        sensitive: false,
        tags: Vec::new(),
        include: Vec::new(),
        exclude: Vec::new(),
        stages: Vec::new(),
        gates: Gates { tests, benchmarks, ..Gates::default() },
        card: Card::default(),
        publish: Publish::default(),
    }
}

const GREEN: &str = "<testsuite><testcase name='a'/></testsuite>";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("inside")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }
    folder
}

#[test]
fn reports_are_found_by_pattern_in_order() {
    let folder = folder(&[
        ("r/b/junit.xml", GREEN),
        ("r/a/junit.xml", GREEN),
        ("r/a/other.txt", "no"),
        (".git/r/junit.xml", GREEN),
        ("exact.xml", GREEN),
    ]);
    let found = |patterns: &[&str]| {
        let evidence = gather(folder.path(), "sub", &model(patterns, &[]));
        assert!(evidence.unreadable.is_empty(), "{:?}", evidence.unreadable);
        evidence.tests.into_iter().map(|report| report.path).collect::<Vec<_>>()
    };
    assert_eq!(found(&["r/*/junit.xml"]), ["sub/r/a/junit.xml", "sub/r/b/junit.xml"]);
    assert_eq!(found(&["exact.xml", "**/a/*.xml"]), ["sub/exact.xml", "sub/r/a/junit.xml"]);
    assert_eq!(found(&["none/*.xml", "r/a/junit.xml", "r/a/*.xml"]), ["sub/r/a/junit.xml"]);
}

#[test]
fn unreadable_reports_do_not_hide_the_others() {
    let folder = folder(&[("a.xml", GREEN), ("b.xml", "<html/>"), ("c.xml", "plain")]);
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("d.xml")).expect("writable");
    let evidence = gather(folder.path(), "", &model(&["*.xml"], &[]));
    assert_eq!(evidence.tests.len(), 1);
    let at: Vec<_> = evidence.unreadable.iter().map(|file| file.at.to_string()).collect();
    assert_eq!(at, ["b.xml:1", "c.xml", "d.xml"]);
    assert!(evidence.unreadable[2].why.contains("outside the workspace"));
}

#[test]
fn metrics_come_with_place_digest_and_reason() {
    let folder = folder(&[("out/m.json", "{\n\"f1\": 0.9}")]);
    let names = [("out/m.json", "/f1"), ("out/m.json", "/auc"), ("out/none.json", "/f1")];
    let metrics = gather(folder.path(), "", &model(&[], &names)).metrics;
    assert_eq!(metrics[0].value, MetricValue::Number(0.9));
    assert_eq!(metrics[0].at.to_string(), "out/m.json:2:7");
    assert_eq!(metrics[0].sha256, Some(crate::digest::Digest::of(b"{\n\"f1\": 0.9}")));
    assert!(metrics[0].modified.is_some());
    assert!(matches!(&metrics[1].value, MetricValue::Missing(why) if why.contains("/auc")));
    assert_eq!(metrics[2].value, MetricValue::Missing("out/none.json: no such file".into()));
    assert_eq!(metrics[2].sha256, None);
}

#[test]
fn patterns_are_searched_only_below_what_they_spell() {
    assert_eq!(literal_folder("reports/unit/*.xml"), "reports/unit");
    assert_eq!(literal_folder("**/*.xml"), "");
    assert_eq!(literal_folder("a/b{c,d}/e.xml"), "a");
    assert_eq!(literal_folder("a/b.xml"), "a/b.xml");
}
