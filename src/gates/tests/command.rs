//! The policy's own test command: it ran, ended well, and wrote the reports that are judged.

use super::{counted, rough};
use crate::evidence::TestReport;
use crate::finding::{Finding, Level, Location, Rule};
use crate::gates::Load;
use crate::test_run::{End, Refusal, TestRun};

pub(super) const FAILED: Rule = Rule {
    id: "test-command-failed",
    level: Level::Error,
    summary: "the test command did not end well",
    reason: "A suite that broke before its end may have written a report in which nothing failed.",
    fix: "run the command of `gates.tests.run` by hand in the policy's folder, and mend what it says",
    example: "run: pytest --junitxml=reports/junit.xml, ended with exit code 4",
};

pub(super) const NOT_RUN: Rule = Rule {
    id: "tests-not-run",
    level: Level::Error,
    summary: "the test command may not be run for this event",
    reason: "The code of a fork's pull request is a stranger's; `pull_request_target`, `workflow_run` and comments \
             would run it beside the repository's own secrets.",
    fix: "run this check on `pull_request`; for forks state `gates.tests.on-forks: true`, best with an \
          `image`, or let somebody who has read the change push it to a branch of the repository",
    example: "on: pull_request_target",
};

pub(super) const NOT_WRITTEN: Rule = Rule {
    id: "test-report-not-written",
    level: Level::Error,
    summary: "the test command left an old report untouched",
    reason: "The report tells of another run than the one that just ended.",
    fix: "let the command write the report (`pytest --junitxml=reports/junit.xml`), and remove what was \
          committed or restored under that name",
    example: "a reports/junit.xml in git, and a command without --junitxml",
};

/// What the command itself says, whatever stands in its reports.
pub(super) fn judge(run: &TestRun, reports: &[TestReport], load: &Load<'_>) -> Vec<Finding> {
    if let End::Refused(refusal) = run.end {
        return vec![not_run(run, refusal, load)];
    }
    let old = reports.iter().filter_map(|report| not_written(run, report));
    failed(run).into_iter().chain(old).collect()
}

/// How it ended, for the gate's line in the table.
pub(super) fn note(run: &TestRun) -> String {
    let took = rough(run.took);
    match run.end {
        End::Exit(0) => format!("the command took {took}"),
        End::Refused(_) => "the command was not run".to_owned(),
        _ => format!("the command {}", ended(run)),
    }
}

fn not_run(run: &TestRun, refusal: Refusal, load: &Load<'_>) -> Finding {
    let why = match refusal {
        Refusal::PullRequestTarget => "this is `pull_request_target`",
        Refusal::Fork => "the pull request comes from a fork",
        Refusal::Anybody => "anybody can cause this event, and it has the repository's own rights",
        Refusal::Unknown => "it is not known who can cause this event",
    };
    let message = format!("the test command was not run: {why}");
    let finding = Finding::new(&NOT_RUN, message, run.settings.at.clone());
    // Reports that lie there are none of this command's: a stranger may have committed them.
    if load.model.gates.tests.required {
        return finding;
    }
    Finding { level: Level::Note, ..finding }
}

fn failed(run: &TestRun) -> Option<Finding> {
    if run.end == End::Exit(0) {
        return None;
    }
    let last = run.last_line.as_deref().map(|line| line.chars().take(300).collect::<String>());
    let last = last.map(|line| format!(": {line}")).unwrap_or_default();
    let message = format!("the test command {}{last}", ended(run));
    let finding = Finding::new(&FAILED, message, run.settings.at.clone());
    Some(match run.end {
        // <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02>
        End::Exit(127) => finding.with_fix(
            "a program of the command was not found: name an image that holds it \
             (`gates: {tests: {image: python:3.12-slim}}`), or install it in a step before this one",
        ),
        End::TimedOut => {
            finding.with_fix("make the tests faster, or give them longer: `gates.tests.timeout: SECONDS`")
        }
        _ => finding,
    })
}

fn ended(run: &TestRun) -> String {
    let took = rough(run.took);
    match run.end {
        End::Exit(code) => format!("ended with exit code {code} after {took}"),
        End::Signal(signal) => format!("was ended by signal {signal} after {took}"),
        End::TimedOut => {
            let limit = counted(run.settings.timeout.as_secs(), "second");
            format!("was ended: it may take {limit}")
        }
        End::Refused(_) => "was not run".to_owned(),
    }
}

fn not_written(run: &TestRun, report: &TestReport) -> Option<Finding> {
    if run.stood.get(&report.path).copied() != Some(report.modified?) {
        return None;
    }
    let message = "the test command left this report as it was before";
    Some(Finding::new(&NOT_WRITTEN, message, Location::file(&report.path)))
}

#[cfg(test)]
mod speaks {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::gates::sample::Sample;
    use crate::gates::tests::Tests;
    use crate::policy::TestCommand;

    fn second(n: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(n)
    }

    /// A run that wrote its report anew.
    fn sample(end: End) -> Sample {
        let mut sample = Sample::new();
        sample.evidence.tests[0].modified = Some(second(1_700_001_003));
        sample.test_run = Some(TestRun {
            settings: TestCommand {
                command: "pytest".into(),
                image: None,
                timeout: Duration::from_mins(1),
                on_forks: false,
                at: Location::line("weighbridge.yml", 11),
            },
            end,
            took: Duration::from_secs(4),
            last_line: Some("2 failed".into()),
            stood: [("junit.xml".to_owned(), second(1_600_000_000))].into(),
        });
        sample
    }

    #[test]
    fn of_a_good_end_in_the_note_alone() {
        let (findings, note) = sample(End::Exit(0)).weigh(&Tests);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(note, "3 tests in 1 report: all passed, 1 skipped; the command took 4 seconds");
    }

    #[test]
    fn of_every_bad_end() {
        for (end, said) in [
            (End::Exit(1), "ended with exit code 1 after 4 seconds: 2 failed"),
            (End::Signal(9), "was ended by signal 9 after 4 seconds: 2 failed"),
            (End::TimedOut, "was ended: it may take 60 seconds: 2 failed"),
        ] {
            assert_eq!(
                sample(end).one(&Tests, "test-command-failed"),
                format!("test-command-failed at weighbridge.yml:11: the test command {said}")
            );
        }
    }

    #[test]
    fn of_a_failure_that_left_no_report_before_it_speaks_of_the_report() {
        let mut sample = sample(End::Exit(127));
        sample.evidence.tests.clear();
        let (findings, note) = sample.weigh(&Tests);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("test-command-failed"), "{findings:?}");
        assert!(findings[1].starts_with("tests-missing"), "{findings:?}");
        assert_eq!(
            note,
            "no report is configured; the command ended with exit code 127 after 4 seconds"
        );
    }

    #[test]
    fn of_reports_that_the_command_did_not_write() {
        let mut sample = sample(End::Exit(0));
        // Older than the commit too: said once.
        sample.evidence.tests[0].modified = Some(second(1_600_000_000));
        assert_eq!(
            sample.one(&Tests, "test-report-not-written"),
            "test-report-not-written at junit.xml: the test command left this report as it was before"
        );
    }

    #[test]
    fn of_refusals_whatever_reports_lie_there() {
        let level = |sample: &Sample| {
            let judgement = sample.judge(&Tests);
            let mine = judgement.findings.into_iter().find(|finding| finding.rule == &NOT_RUN);
            mine.expect("it is told").level
        };
        let mut sample = sample(End::Refused(Refusal::Fork));
        assert_eq!(
            sample.one(&Tests, "tests-not-run"),
            "tests-not-run at weighbridge.yml:11: the test command was not run: the pull request comes \
             from a fork"
        );
        assert_eq!(level(&sample), Level::Error);
        sample.evidence.tests.clear();
        assert_eq!(sample.weigh(&Tests).0.len(), 1, "the missing report is no fault of theirs");
        sample.model().gates.tests.required = false;
        assert_eq!(level(&sample), Level::Note);
    }
}
