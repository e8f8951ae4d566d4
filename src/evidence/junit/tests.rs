use super::*;
use crate::digest::Digest;

fn file(text: &str) -> EvidenceFile {
    let sha256 = Digest::of(text.as_bytes());
    EvidenceFile { shown: "reports/junit.xml".into(), bytes: text.into(), sha256, modified: None }
}

fn read_in(folder: &std::path::Path, text: &str) -> Result<TestReport, Unreadable> {
    JUnit.read(&file(text), text, &Base::new(folder, ""))
}

fn read(text: &str) -> TestReport {
    read_in(std::path::Path::new("/nonexistent"), text).expect("readable")
}

fn why(text: &str) -> String {
    let unreadable = read_in(std::path::Path::new("/nonexistent"), text).expect_err("not a report");
    format!("{}: {}", unreadable.at, unreadable.why)
}

fn counts(report: &TestReport) -> (u64, u64, u64) {
    (report.passed, report.failed(), report.skipped)
}

#[test]
fn pytest_with_files_and_lines() {
    let report = read(include_str!("../../../tests/samples/junit/pytest-xunit1.xml"));
    assert_eq!(counts(&report), (3, 3, 2));
    assert_eq!(report.executed(), 6);
    let places: Vec<_> = report.failures.iter().map(|f| (f.kind, f.at.to_string())).collect();
    assert_eq!(
        places,
        [
            ("failure", "tests/test_model.py:11".to_owned()),
            ("failure", "tests/test_model.py:22".to_owned()),
            ("error", "tests/test_model.py:32".to_owned()),
        ]
    );
    assert_eq!(report.failures[0].name, "tests.test_model::test_floor[accuracy-0.97]");
    assert_eq!(
        report.failures[1].message,
        "RuntimeError: cannot open weights: <missing> & \"quoted\""
    );
}

#[test]
fn pytest_without_files_is_placed_by_its_traceback() {
    let report = read(include_str!("../../../tests/samples/junit/pytest-xunit2.xml"));
    assert_eq!(counts(&report), (3, 3, 2));
    assert_eq!(report.failures[0].at.to_string(), "tests/test_model.py:11");
}

/// What each sample holds: passed, failed, skipped, its commit, and its failures with their places.
type Sample = (&'static str, (u64, u64, u64), Option<&'static str>, &'static [&'static str]);

const PYTEST: &[&str] = &[
    "tests.test_model::test_floor[accuracy-0.97] at tests/test_model.py:11",
    "tests.test_model::test_loads at tests/test_model.py:22",
    "tests.test_model::test_uses_broken at tests/test_model.py:32",
];

const SAMPLES: &[Sample] = &[
    ("pytest-xunit1.xml", (3, 3, 2), None, PYTEST),
    ("pytest-xunit2.xml", (3, 3, 2), None, PYTEST),
    ("jest-junit.xml", (2, 1, 1), None, &["scores floor::scores floor at reports/junit.xml:6"]),
    (
        "mocha-junit-reporter.xml",
        (1, 1, 0),
        None,
        &["floor::scores deep floor at reports/junit.xml:10"],
    ),
    (
        "ctest.xml",
        (1, 2, 3),
        None,
        &["bad::bad at reports/junit.xml:15", "skipped::skipped at reports/junit.xml:29"],
    ),
    (
        "surefire.xml",
        (2, 2, 1),
        Some("0123456789abcdef0123456789abcdef01234567"),
        &[
            "org.acme.ScoreTest::floor at reports/junit.xml:8",
            "org.acme.ScoreTest::load at reports/junit.xml:16",
        ],
    ),
    ("gotestsum.xml", (1, 1, 1), None, &["acme.example/score::TestFloor at reports/junit.xml:8"]),
    ("nextest.xml", (2, 1, 0), None, &["score::tests::floor at reports/junit.xml:5"]),
    ("googletest.xml", (1, 2, 2), None, &["Score::Floor at src/score_test.cc:7"; 2]),
    ("nunit-converted.xml", (1, 1, 1), None, &["Acme.ScoreTest::Floor at reports/junit.xml:7"]),
];

#[test]
fn every_sample_is_counted() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/junit");
    for entry in std::fs::read_dir(folder).expect("readable") {
        let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
        let known = SAMPLES.iter().find(|(known, ..)| *known == name);
        let Some((_, expected, commit, failures)) = known else {
            assert_eq!(name, "README.md", "in no row of the table");
            continue;
        };
        let text = std::fs::read_to_string(format!("{folder}/{name}")).expect("readable");
        let report = read(&text);
        let shown =
            report.failures.iter().map(|failure| format!("{} at {}", failure.name, failure.at));
        let shown: Vec<_> = shown.collect();
        assert_eq!((counts(&report), report.commit.as_deref()), (*expected, *commit), "{name}");
        assert_eq!(shown, *failures, "{name}");
    }
}

#[test]
fn a_suite_that_failed_as_a_whole_is_a_failure() {
    let report = read(
        "<testsuites><testsuite name='s'><error message='cannot import'>x</error>\
         <testcase name='a'/></testsuite></testsuites>",
    );
    assert_eq!(counts(&report), (1, 1, 0));
    assert_eq!(
        (report.failures[0].kind, report.failures[0].message.as_str()),
        ("error", "cannot import")
    );
}

#[test]
fn the_attributes_place_a_test_when_no_traceback_does() {
    let case = r#"<testcase classname="a" name="b" file="src/a.js" line="8"><failure>no</failure></testcase>"#;
    let report = read(&format!("<testsuite>{case}</testsuite>"));
    assert_eq!(report.failures[0].at.to_string(), "src/a.js:8");
    let report = read(&format!("<testsuite name='pytest'>{case}</testsuite>"));
    assert_eq!(report.failures[0].at.to_string(), "src/a.js:9", "pytest counts from 0");
}

#[test]
fn a_class_name_places_a_test_when_its_module_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("tests")).expect("writable");
    std::fs::write(folder.path().join("tests/test_m.py"), "").expect("writable");
    let xml = "<testsuite name='pytest'><testcase classname='tests.test_m.TestA' name='b'>\
               <error/></testcase></testsuite>";
    let report = read_in(folder.path(), xml).expect("readable");
    assert_eq!(report.failures[0].at.to_string(), "tests/test_m.py");
}

#[test]
fn without_any_place_the_report_itself_is_named() {
    let report = read("<testsuite>\n\n<testcase name='b'><error/></testcase></testsuite>");
    assert_eq!(report.failures[0].at.to_string(), "reports/junit.xml:3");
    assert_eq!(
        (report.failures[0].message.as_str(), report.failures[0].kind),
        ("no message", "error")
    );
    let hostile = "<testsuite><testcase name='x' file='../../etc/passwd' line='1'><failure/>\
                   </testcase></testsuite>";
    assert_eq!(read(hostile).failures[0].at.to_string(), "reports/junit.xml:1");
}

#[test]
fn suites_in_suites_and_totals_that_lie() {
    let report = read(
        "<?xml version='1.0'?><testsuites tests='99' failures='0'><testsuite><testsuite>\
         <testcase name='a'/><testcase name='b' status='notrun'/></testsuite>\
         <testcase name='c'><skipped/></testcase></testsuite>\
         <testcase name='d'><failure message='m'/><error message='n'/></testcase></testsuites>",
    );
    assert_eq!(counts(&report), (1, 2, 2));
}

#[test]
fn a_failure_in_the_output_of_a_test_is_none() {
    let report = read(
        "<testsuite><testcase name='a'><system-out><![CDATA[<failure/>]]></system-out>\
         <properties><property name='sha' value='0123456789abcdef'/></properties></testcase>\
         <system-err><failure/></system-err></testsuite>",
    );
    assert_eq!(counts(&report), (1, 0, 0));
    assert_eq!(report.commit, None, "a test's own property names no commit");
}

#[test]
fn the_commit_is_read_from_the_suite() {
    let with = |name: &str, value: &str| {
        read(&format!(
            "<testsuite><properties><property name='{name}' value='{value}'/></properties></testsuite>"
        ))
        .commit
    };
    let sha = "0123456789ABCDEF0123456789abcdef01234567";
    assert_eq!(with("git-commit", sha), Some(sha.to_lowercase()));
    assert_eq!(with("revision", "0123456"), Some("0123456".into()));
    assert_eq!(with("sha", "main"), None);
    assert_eq!(with("dataset", sha), None);
}

#[test]
fn entities_are_not_expanded() {
    let report = read(
        "<!DOCTYPE t [<!ENTITY lol 'lollol'><!ENTITY f SYSTEM 'file:///etc/passwd'>]>\
         <testsuite><testcase name='a&lol;'><failure>x &f; &#65; &amp; y</failure></testcase></testsuite>",
    );
    assert_eq!(report.failures[0].name, "a&lol;");
    assert_eq!(report.failures[0].message, "x &f; A & y");
}

#[test]
fn what_is_no_report_says_why() {
    assert!(why("").contains("no element at all"));
    assert!(why("<testsuite tests='3' failures='2'/>").contains("tells of 2 failed tests"));
    assert!(why("<html></html>").contains("the root element is `html`"));
    assert!(why("<testsuite>\n<testcase name='a'>").contains("2: cut off"));
    assert!(why("<testsuite><testcase></testsuite>").contains("not valid XML"));
    assert!(why("<testsuite/><testsuite/>").contains("a second root"));
    assert!(why("<testsuite><testcase><testcase/></testcase></testsuite>").contains("inside a"));
    assert!(why(&"<testsuite>".repeat(100)).contains("nested deeper"));
}

#[test]
fn floods_are_counted_and_cut() {
    let case = "<testcase name='a'><failure message='m'/></testcase>";
    let report = read(&format!("<testsuite>{}</testsuite>", case.repeat(3_000)));
    assert_eq!((report.failures.len(), report.failed()), (1_000, 3_000));
    let long = "line\n".repeat(100_000);
    let report = read(&format!(
        "<testsuite><testcase name='a'><failure>{long}tests/a.py:7: E</failure></testcase></testsuite>"
    ));
    assert_eq!(report.failures[0].message, ["line"; 5].join("\n"));
    assert_eq!(report.failures[0].at.to_string(), "tests/a.py:7", "the tail is kept");
}

proptest::proptest! {
    #[test]
    fn hostile_text_is_judged(text in "(<|>|/|testsuite|testcase|failure|&|;|!\\[CDATA\\[|\\]\\]|=|'|\"|é| |\\?xml|!DOCTYPE|--|name|\n){0,40}") {
        let base = Base::new(std::path::Path::new("/nonexistent"), "");
        let _ = JUnit.read(&file(&text), &text, &base);
        let inside = format!("<testsuite><testcase>{text}</testcase></testsuite>");
        let _ = JUnit.read(&file(&inside), &inside, &base);
    }
}
