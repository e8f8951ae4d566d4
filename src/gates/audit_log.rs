//! The audit log: whether this run's record will find its place. Asked before the release, which
//! nothing can undo.

use super::{Gate, Judgement, Load};
use crate::audit::Reach;
use crate::failure::Failure;
use crate::finding::{Finding, Level, NOT_ASKED, Rule};

const UNREACHABLE: Rule = Rule {
    id: "audit-log-unreachable",
    level: Level::Warning,
    summary: "the audit log of the policy cannot be added to",
    reason: "The release would be out, and the log would not know of it: its record is then kept in the \
             report folder, and somebody has to add it.",
    fix: "create the repository once (`hf repos create acme/registry --repo-type dataset --private`), let \
          the token write to it, and see whether the log is whole: `weighbridge audit-log verify`; to \
          let nothing out without a record: `rules: {audit-log-unreachable: error}`",
    example: "`audit-log: {repository: acme/registry}`, and a token that may write to the model alone",
};

/// The audit log gate.
pub struct AuditLog;

impl Gate for AuditLog {
    fn name(&self) -> &'static str {
        "audit-log"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&UNREACHABLE]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let Some(log) = &load.policy.audit_log else {
            return Ok(Judgement::skipped(NOT_ASKED));
        };
        let Some(reach) = load.audit_log else {
            return Ok(Judgement::skipped("a release looks at it"));
        };
        let repository = &log.repository;
        let why = match reach {
            Reach::Ready(records) => {
                let note = format!("{repository} can be added to, {records} records");
                return Ok(Judgement::new(note, Vec::new()));
            }
            Reach::Missing => {
                format!("there is no repository {repository}, or the token may not see it")
            }
            Reach::ReadOnly => format!("the token may not write to {repository}"),
            Reach::Broken(broken) => format!("the log in {repository} is broken: {broken}"),
            Reach::Unreachable(why) => why.clone(),
        };
        let finding = Finding::new(&UNREACHABLE, why, log.at.clone());
        Ok(Judgement::new("cannot be added to", vec![finding]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Broken, Flaw};
    use crate::gates::sample::Sample;
    use crate::policy::{self, FOLDER};
    use crate::source::Position;
    use crate::{finding::Location, hub::Shelf};

    #[test]
    fn what_cannot_be_added_to_is_said_before_the_release() {
        let mut sample = Sample::new();
        assert_eq!(sample.weigh(&AuditLog), (vec![], NOT_ASKED.into()));
        let repository =
            "acme/registry".parse().map(|id: crate::hub::RepoId| id.on(Shelf::Datasets));
        sample.policy.audit_log = Some(policy::AuditLog {
            repository: repository.expect("an id"),
            path: FOLDER.into(),
            at: Location::at("weighbridge.yml", Position { line: 7, column: 1 }),
        });
        assert_eq!(sample.weigh(&AuditLog), (vec![], "a release looks at it".into()));
        let broken = Broken { file: "audit/2026-11.jsonl".into(), line: 3, flaw: Flaw::Unended };
        for (reach, says) in [
            (Reach::Ready(12), None),
            (Reach::Missing, Some("no repository datasets/acme/registry")),
            (Reach::ReadOnly, Some("may not write to datasets/acme/registry")),
            (Reach::Broken(broken), Some("audit/2026-11.jsonl:3")),
            (Reach::Unreachable("it answered 500".into()), Some("it answered 500")),
        ] {
            sample.audit_log = Some(reach);
            match says {
                None => {
                    let note = "datasets/acme/registry can be added to, 12 records";
                    assert_eq!(sample.weigh(&AuditLog), (vec![], note.into()));
                }
                Some(says) => {
                    let finding = sample.one(&AuditLog, "audit-log-unreachable");
                    assert!(finding.contains(says), "{finding}");
                    assert!(finding.contains("weighbridge.yml:7"), "{finding}");
                }
            }
        }
    }
}
