use super::StatusChecks;
use crate::finding::Location;
use crate::gates::sample::Sample;
use crate::github::{Check, CheckOutcome, Checks, SourceFacts};
use crate::policy::source::Asked;

fn check(name: &str, outcome: CheckOutcome) -> Check {
    let commit = "1111111111111111111111111111111111111111".into();
    Check { name: name.into(), commit, outcome, of_run: false, own: false }
}

fn red() -> CheckOutcome {
    CheckOutcome::Red("timed_out".into())
}

fn weigh(required: &[&str], tagged: Vec<Check>, head: Vec<Check>) -> (Vec<String>, String) {
    let mut sample = Sample::new();
    let what = required.iter().map(|name| (*name).to_owned()).collect();
    let at = Location::line("weighbridge.yml", 3);
    sample.model().gates.source.status_checks = Some(Asked { what, stages: Vec::new(), at });
    sample.source =
        Some(SourceFacts { checks: Some(Ok(Checks { tagged, head })), ..SourceFacts::default() });
    sample.weigh(&StatusChecks)
}

#[test]
fn named_checks_are_green_on_the_commit_or_else_on_its_pull_request() {
    use CheckOutcome::{Green, Running, Skipped};
    let own = |name: &str, outcome| Check { own: true, ..check(name, outcome) };
    let cases = [
        (vec![check("test", Green)], vec![], Ok("1 of 1 green: test")),
        (vec![], vec![check("test", Green)], Ok("1 of 1 green: test")),
        (vec![check("test", Green)], vec![check("test", red())], Ok("1 of 1")),
        (vec![check("test", Green), check("lint", red())], vec![], Ok("1 of 1")),
        (vec![check("test", red())], vec![check("test", Green)], Err("ended with `timed_out`")),
        (vec![check("test", Green), check("test", red())], vec![], Err("timed_out")),
        (vec![check("test", Skipped)], vec![], Err("was skipped on 111111111111")),
        (vec![check("test", Running)], vec![], Err("has not ended")),
        (vec![], vec![], Err("did not run")),
        (vec![check("tests", Green)], vec![], Err("status-check-missing")),
        (vec![own("test", Running)], vec![], Err("is of this very run")),
        (vec![own("test", Running)], vec![check("test", Green)], Ok("1 of 1")),
    ];
    for (tagged, head, expected) in cases {
        let told = format!("{tagged:?} {head:?}");
        let (findings, note) = weigh(&["test"], tagged, head);
        match expected {
            Ok(says) => assert!(findings.is_empty() && note.contains(says), "{told} {findings:?}"),
            Err(says) => {
                assert!(findings.len() == 1 && findings[0].contains(says), "{told} {findings:?}");
            }
        }
    }
}

#[test]
fn without_names_all_that_ran_are_green() {
    use CheckOutcome::{Green, Skipped};
    let (findings, note) =
        weigh(&[], vec![check("a", Green), check("b", Skipped)], vec![check("c", Green)]);
    assert_eq!((findings.len(), note.as_str()), (0, "3 of 3 green"));
    let (findings, _) = weigh(&[], vec![check("a", Green)], vec![check("c", red())]);
    assert!(findings.len() == 1 && findings[0].contains("`c` ended"), "{findings:?}");
    let own = Check { own: true, ..check("release", red()) };
    let (findings, _) = weigh(&[], vec![own], Vec::new());
    assert!(findings[0].contains("no check ran"), "its own say nothing: {findings:?}");
}
