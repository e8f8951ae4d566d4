//! pytest-json-report (`pytest --json-report`): a list of tests with an outcome each.
//! <https://github.com/numirias/pytest-json-report#format>

use super::{Base, EvidenceFile, TestFailure, TestReader, TestReport, Unreadable, first_lines};
use crate::finding::Location;
use crate::json::Value;
use crate::source::{Position, SourceFile};

/// A report of pytest-json-report.
pub(super) struct JsonReport;

impl TestReader for JsonReport {
    fn claims(&self, text: &str) -> bool {
        text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
    }

    fn read(&self, file: &EvidenceFile, text: &str, base: &Base) -> Result<TestReport, Unreadable> {
        let whole = Location::file(&file.shown);
        let unreadable = |why: &str| Unreadable { at: whole.clone(), why: why.into() };
        let root = Value::parse(text).map_err(|_| unreadable("not valid JSON"))?;
        let tests =
            root.get("tests").filter(|_| root.get("exitcode").is_some()).ok_or_else(|| {
                unreadable(
                    "JSON, but not what pytest-json-report writes: expected `tests` and `exitcode`",
                )
            })?;
        let source = SourceFile::new(&file.shown, text);
        let mut report = TestReport::of(file);
        for test in tests.list() {
            let at = || Location::at(&file.shown, source.position(test.place("nodeid")));
            match test.get("outcome").and_then(Value::text) {
                Some("passed" | "xpassed") => report.passed += 1,
                Some("skipped" | "xfailed" | "deselected") => report.skipped += 1,
                outcome => {
                    let kind = if outcome == Some("failed") { "failure" } else { "error" };
                    report.failed_with(failure(test, kind, base, at));
                }
            }
        }
        // A collection that broke, or an interrupted run, has no test to show for it.
        let code = root.get("exitcode").and_then(Value::number);
        if report.failed() == 0 && code.is_some_and(|code| code > 1.0 && (code - 5.0).abs() > 0.5) {
            return Err(unreadable(
                "pytest did not get through: its exit code says that it was interrupted or broke",
            ));
        }
        Ok(report)
    }
}

/// The stage that broke says why and where; without one, the report itself is the place.
fn failure(
    test: &Value,
    kind: &'static str,
    base: &Base,
    at: impl Fn() -> Location,
) -> TestFailure {
    let stages = ["setup", "call", "teardown"];
    let crash = stages.iter().find_map(|stage| test.get(stage)?.get("crash"));
    let place = crash.and_then(|crash| {
        let path = base.source(crash.get("path")?.text()?)?;
        // It is a line as editors count them, other than `lineno` of the test.
        let line = crash.get("lineno")?.number().filter(|line| (1.0..1e9).contains(line))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        Some(Location::at(path, Position { line: line as u32, column: 1 }))
    });
    let message = crash.and_then(|crash| crash.get("message")).and_then(Value::text);
    TestFailure {
        name: test.get("nodeid").and_then(Value::text).unwrap_or("a test without a name").into(),
        kind,
        message: first_lines(message.unwrap_or_default()),
        at: place.unwrap_or_else(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn read(text: &str) -> Result<TestReport, Unreadable> {
        let file = EvidenceFile {
            shown: "report.json".into(),
            bytes: text.into(),
            sha256: Digest::of(text.as_bytes()),
            modified: None,
        };
        JsonReport.read(&file, text, &Base::new(std::path::Path::new("/nonexistent"), ""))
    }

    #[test]
    fn what_pytest_wrote() {
        let report =
            read(include_str!("../../tests/samples/evidence/pytest-json-report/report.json"));
        let report = report.expect("a report");
        assert_eq!((report.passed, report.failed(), report.skipped), (3, 3, 2));
        let kinds: Vec<_> =
            report.failures.iter().map(|one| (one.name.as_str(), one.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("tests/test_model.py::test_floor[accuracy-0.97]", "failure"),
                ("tests/test_model.py::test_loads", "failure"),
                ("tests/test_model.py::test_uses_broken", "error"),
            ]
        );
        assert!(report.failures[0].message.starts_with("AssertionError: accuracy is 0.9474"));
    }

    #[test]
    fn what_is_no_report_or_no_whole_one() {
        for (text, why) in [
            ("{", "not valid JSON"),
            ("{\"tests\": []}", "not what pytest-json-report writes"),
            ("{\"exitcode\": 2, \"tests\": []}", "did not get through"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.why.contains(why), "{}", error.why);
        }
    }
}
