use super::Approval as Gate;
use crate::finding::Location;
use crate::gates::sample::Sample;
use crate::github::{Approval, SourceFacts};
use crate::policy::source::Asked;

fn weigh(approvals: Vec<Approval>, releasers: &[&str]) -> (Vec<String>, String) {
    let mut sample = Sample::new();
    let at = Location::line("weighbridge.yml", 3);
    let what = "production".to_owned();
    sample.model().gates.source.approval = Some(Asked { what, stages: Vec::new(), at });
    sample.source = Some(SourceFacts {
        releasers: releasers.iter().map(|who| (*who).to_owned()).collect(),
        approvals: Some(Ok(approvals)),
        ..SourceFacts::default()
    });
    sample.weigh(&Gate)
}

#[test]
fn somebody_else_lets_the_run_in() {
    let by = |by: &str| Approval {
        by: Some(by.into()),
        machine: false,
        approved: true,
        environments: vec!["lab".into(), "Production".into()],
    };
    let lab = Approval { environments: vec!["lab".into()], ..by("grace") };
    for (approvals, expected) in [
        (vec![by("grace")], Ok("production: grace")),
        (vec![by("ada"), by("grace")], Ok("production: grace")),
        (vec![by("Ada")], Err("approval-by-releaser")),
        // Who started a run again releases as much as who started it.
        (vec![by("linus")], Err("approval-by-releaser")),
        (vec![], Err("approval-missing")),
        (vec![lab], Err("approval-missing")),
        (vec![Approval { approved: false, ..by("grace") }], Err("approval-missing")),
        (vec![Approval { machine: true, ..by("grace") }], Err("approval-missing")),
        (vec![Approval { by: None, ..by("") }], Err("approval-missing")),
    ] {
        let told = format!("{approvals:?}");
        let (findings, note) = weigh(approvals, &["ada", "linus"]);
        match expected {
            Ok(says) => assert_eq!((findings.len(), note.as_str()), (0, says), "{told}"),
            Err(rule) => {
                assert!(
                    findings.len() == 1 && findings[0].starts_with(rule),
                    "{told} {findings:?}"
                );
            }
        }
    }
    // Where nobody is known to have started it, nobody is known to be another.
    let (findings, _) = weigh(vec![by("grace")], &[]);
    assert!(findings.len() == 1 && findings[0].starts_with("approval-unknown"), "{findings:?}");
}
