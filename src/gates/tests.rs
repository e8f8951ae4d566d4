//! The tests ran, on this commit, and passed.

mod command;

use std::time::{Duration, SystemTime};

use super::{Gate, Judgement, Load};
use crate::evidence::TestReport;
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::test_run::End;

/// Judges JUnit reports.
pub struct Tests;

const MISSING: Rule = Rule {
    id: "tests-missing",
    level: Level::Error,
    summary: "no test report was found",
    reason: "A release nobody tested looks the same as one that was tested, until it fails.",
    fix: "write JUnit XML before this step (`pytest --junitxml=reports/junit.xml`) and name it in \
          `gates.tests.reports`, or state `gates.tests.required: false`",
    example: "gates: {tests: {reports: [reports/*.xml]}} with an empty folder `reports`",
};

const EMPTY: Rule = Rule {
    id: "tests-empty",
    level: Level::Error,
    summary: "the reports hold no test that ran",
    reason: "A filter that selects nothing, or a suite in which all is skipped, ends green too.",
    fix: "run the tests without the filter that leaves none, then run this step again",
    example: "<testsuite tests=\"0\"/>",
};

const FAILED: Rule = Rule {
    id: "test-failed",
    level: Level::Error,
    summary: "a test failed or broke",
    reason: "The tests state what the model must do; this one says that it does not.",
    fix: "mend the model or the test; run the tests again before this step",
    example: "<testcase name=\"test_floor\"><failure message=\"f1 is 0.81\"/></testcase>",
};

const UNREADABLE: Rule = Rule {
    id: "tests-unreadable",
    level: Level::Error,
    summary: "a file that should be a test report cannot be read as one",
    reason: "A report that was cut off may have lost its failures.",
    fix: "run the tests to their end and write the report again, or narrow the pattern in \
          `gates.tests.reports`",
    example: "<testsuite><testcase name=\"a\"> and then the end of the file",
};

const STALE: Rule = Rule {
    id: "evidence-stale",
    level: Level::Warning,
    summary: "a test report is older than the commit or its checkout",
    reason: "It cannot speak of code that did not exist when it was written.",
    fix: "run the tests in the same job, after the checkout and before this step",
    example: "a junit.xml restored from a cache of last week",
};

const OTHER_COMMIT: Rule = Rule {
    id: "evidence-other-commit",
    level: Level::Error,
    summary: "a test report names another commit",
    reason: "The tests that passed are not the tests of what would be released.",
    fix: "run the tests on this commit; `record_testsuite_property(\"commit\", …)` in pytest \
          writes which one",
    example: "<property name=\"commit\" value=\"0000000…\"/> while 1111111… is checked out",
};

/// Files that come with a checkout are written within this time of one another; only what is older
/// than the checkout by more was there before.
const CHECKOUT_TAKES: Duration = Duration::from_mins(1);

impl Gate for Tests {
    fn name(&self) -> &'static str {
        "tests"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![
            &MISSING,
            &EMPTY,
            &FAILED,
            &UNREADABLE,
            &STALE,
            &OTHER_COMMIT,
            &command::FAILED,
            &command::NOT_RUN,
            &command::NOT_WRITTEN,
        ]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let mut judgement = of_reports(load);
        if let Some(run) = load.test_run {
            let of_command = command::judge(run, &load.evidence.tests, load);
            judgement.skipped &= of_command.is_empty();
            judgement.findings.splice(0..0, of_command);
            judgement.note = format!("{}; {}", judgement.note, command::note(run));
        }
        Ok(judgement)
    }
}

/// What the reports say, whoever had them written.
fn of_reports(load: &Load<'_>) -> Judgement {
    let reports = &load.evidence.tests;
    let unreadable = &load.evidence.unreadable;
    if reports.is_empty() && unreadable.is_empty() {
        return without_reports(load);
    }
    let mut findings: Vec<_> = unreadable
        .iter()
        .map(|file| {
            let message = format!("not readable as a test report: {}", file.why);
            Finding::new(&UNREADABLE, message, file.at.clone())
        })
        .collect();
    let executed: u64 = reports.iter().map(TestReport::executed).sum();
    if let Some(first) = reports.first().filter(|_| executed == 0) {
        let message = format!(
            "{} executed no test{}",
            counted(reports.len() as u64, "report"),
            skipped_note(reports)
        );
        findings.push(Finding::new(&EMPTY, message, Location::file(&first.path)));
    }
    for report in reports {
        findings.extend(failures(report));
        findings.extend(stale(report, load));
        findings.extend(other_commit(report, load));
    }
    Judgement { note: note(reports), findings, skipped: false }
}

fn without_reports(load: &Load<'_>) -> Judgement {
    let settings = &load.model.gates.tests;
    let patterns: Vec<_> = settings.reports.iter().map(|pattern| pattern.text.as_str()).collect();
    let note = if patterns.is_empty() {
        "no report is configured".to_owned()
    } else {
        format!("no file matches {}", patterns.join(", "))
    };
    let refused = load.test_run.is_some_and(|run| matches!(run.end, End::Refused(_)));
    if !settings.required || refused {
        return Judgement { note, findings: Vec::new(), skipped: true };
    }
    let message = format!("{note}, and tests are required");
    let findings = vec![Finding::new(&MISSING, message, settings.at.clone())];
    Judgement { note, findings, skipped: false }
}

fn failures(report: &TestReport) -> Vec<Finding> {
    let mut findings: Vec<_> = report
        .failures
        .iter()
        .map(|failure| {
            let verb = if failure.kind == "error" { "broke" } else { "failed" };
            let message = format!("{} {verb}: {}", failure.name, failure.message);
            Finding::new(&FAILED, message, failure.at.clone())
        })
        .collect();
    if report.failures_beyond > 0 {
        let message = format!("{} more tests failed in this report", report.failures_beyond);
        findings.push(Finding::new(&FAILED, message, Location::file(&report.path)));
    }
    findings
}

fn stale(report: &TestReport, load: &Load<'_>) -> Option<Finding> {
    let modified = report.modified?;
    if load.test_run.is_some_and(|run| !matches!(run.end, End::Refused(_))) {
        return None; // Whether the command has written it, `command` says.
    }
    let committed = load
        .git
        .head_time
        .and_then(|seconds| u64::try_from(seconds).ok())
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    let older_than = |moment: Option<SystemTime>, slack: Duration| {
        let age = moment?.duration_since(modified).ok()?;
        (age > slack).then_some(age)
    };
    let (age, what) = older_than(committed, Duration::ZERO)
        .map(|age| (age, "the commit that is checked out"))
        .or_else(|| older_than(load.checkout, CHECKOUT_TAKES).map(|age| (age, "the checkout")))?;
    let message = format!("the report is {} older than {what}", rough(age));
    Some(Finding::new(&STALE, message, Location::file(&report.path)))
}

fn other_commit(report: &TestReport, load: &Load<'_>) -> Option<Finding> {
    let (named, head) = (report.commit.as_deref()?, load.git.head.as_deref()?);
    if head.starts_with(named) || named.starts_with(head) {
        return None;
    }
    let message = format!("the report is of commit {named}, but {head} is checked out");
    Some(Finding::new(&OTHER_COMMIT, message, Location::file(&report.path)))
}

/// The line for the table: "12 tests in 2 reports: 10 passed, 2 failed, 3 skipped".
fn note(reports: &[TestReport]) -> String {
    let sum = |count: fn(&TestReport) -> u64| reports.iter().map(count).sum::<u64>();
    let (passed, failed) = (sum(|report| report.passed), sum(TestReport::failed));
    let tests = counted(passed + failed, "test");
    let verdict = match failed {
        0 => "all passed".to_owned(),
        _ => format!("{passed} passed, {failed} failed"),
    };
    format!(
        "{tests} in {}: {verdict}{}",
        counted(reports.len() as u64, "report"),
        skipped_note(reports)
    )
}

fn skipped_note(reports: &[TestReport]) -> String {
    match reports.iter().map(|report| report.skipped).sum::<u64>() {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    }
}

fn counted(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

fn rough(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => counted(seconds, "second"),
        seconds @ 120..7_200 => counted(seconds / 60, "minute"),
        seconds @ 7_200..172_800 => counted(seconds / 3_600, "hour"),
        seconds => counted(seconds / 86_400, "day"),
    }
}

#[cfg(test)]
mod speaks {
    use super::*;
    use crate::evidence::{TestFailure, Unreadable};
    use crate::gates::sample::Sample;

    #[test]
    fn nothing_when_all_is_well() {
        let (findings, note) = Sample::new().weigh(&Tests);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(note, "3 tests in 1 report: all passed, 1 skipped");
    }

    #[test]
    fn of_missing_reports_unless_they_may_be() {
        let mut sample = Sample::new();
        sample.evidence.tests.clear();
        assert_eq!(
            sample.one(&Tests, "tests-missing"),
            "tests-missing at weighbridge.yml:10:3: no report is configured, and tests are required"
        );
        sample.model().gates.tests.required = false;
        assert!(sample.weigh(&Tests).0.is_empty());
    }

    #[test]
    fn of_reports_without_tests() {
        let mut sample = Sample::new();
        sample.evidence.tests[0].passed = 0;
        assert_eq!(
            sample.one(&Tests, "tests-empty"),
            "tests-empty at junit.xml: 1 report executed no test, 1 skipped"
        );
    }

    #[test]
    fn of_each_failure_at_its_place() {
        let mut sample = Sample::new();
        sample.evidence.tests[0].failures.push(TestFailure {
            name: "t::floor".into(),
            kind: "failure",
            message: "f1 is 0.81".into(),
            at: Location::line("tests/t.py", 11),
        });
        assert_eq!(
            sample.one(&Tests, "test-failed"),
            "test-failed at tests/t.py:11: t::floor failed: f1 is 0.81"
        );
        sample.evidence.tests[0].failures_beyond = 5;
        let (findings, note) = sample.weigh(&Tests);
        assert_eq!(findings[1], "test-failed at junit.xml: 5 more tests failed in this report");
        assert_eq!(note, "9 tests in 1 report: 3 passed, 6 failed, 1 skipped");
    }

    #[test]
    fn of_unreadable_reports_not_of_missing_ones() {
        let mut sample = Sample::new();
        sample.evidence.tests.clear();
        let at = Location::line("junit.xml", 3);
        sample.evidence.unreadable.push(Unreadable { at, why: "cut off".into() });
        assert_eq!(
            sample.one(&Tests, "tests-unreadable"),
            "tests-unreadable at junit.xml:3: not readable as a test report: cut off"
        );
    }

    #[test]
    fn of_stale_reports() {
        let mut sample = Sample::new();
        let second = |n| SystemTime::UNIX_EPOCH + Duration::from_secs(n);
        sample.evidence.tests[0].modified = Some(second(1_700_000_000 - 7_300));
        assert_eq!(
            sample.one(&Tests, "evidence-stale"),
            "evidence-stale at junit.xml: the report is 2 hours older than the commit that is \
             checked out"
        );
        sample.evidence.tests[0].modified = Some(second(1_700_000_500));
        assert!(sample.weigh(&Tests).0.is_empty(), "newer than the commit");
        sample.checkout = Some(second(1_700_000_550));
        assert!(sample.weigh(&Tests).0.is_empty(), "came with the checkout");
        sample.checkout = Some(second(1_700_000_600));
        assert!(
            sample.one(&Tests, "evidence-stale").ends_with("100 seconds older than the checkout")
        );
    }

    #[test]
    fn of_reports_of_another_commit() {
        let mut sample = Sample::new();
        sample.evidence.tests[0].commit = Some("0123456".into());
        assert!(sample.weigh(&Tests).0.is_empty(), "a short id of this commit");
        sample.evidence.tests[0].commit = Some("fedcba9".into());
        assert!(sample.one(&Tests, "evidence-other-commit").contains("is of commit fedcba9"));
    }
}
