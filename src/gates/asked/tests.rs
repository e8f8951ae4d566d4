use crate::finding::Location;
use crate::gates::sample::Sample;
use crate::gates::{Gate, approval, protection, review, status_checks, tag_signature};
use crate::github::{SourceFacts, Unknown, Wanted, WantedReview};
use crate::policy::source::{Asked, ProtectionGate, ReviewGate, SourceGates, TagSignatureGate};

const GATES: [(&dyn Gate, &str); 5] = [
    (&review::Review, "review-unknown"),
    (&status_checks::StatusChecks, "status-checks-unknown"),
    (&tag_signature::TagSignature, "tag-signature-unknown"),
    (&approval::Approval, "approval-unknown"),
    (&protection::Protection, "protection-unknown"),
];

#[expect(clippy::unnecessary_wraps, reason = "as the policy has it")]
fn asked<T>(what: T, stages: &[&str]) -> Option<Asked<T>> {
    let stages = stages.iter().map(|stage| (*stage).to_owned()).collect();
    Some(Asked { what, stages, at: Location::line("weighbridge.yml", 3) })
}

/// Every gate is asked for, of some stages.
fn all(stages: &[&str]) -> SourceGates {
    SourceGates {
        review: asked(
            ReviewGate { approvals: 1, team: None, branch: None, machines: vec![] },
            stages,
        ),
        status_checks: asked(Vec::new(), stages),
        tag_signature: asked(TagSignatureGate { annotated: true, signed: false }, stages),
        approval: asked("production".into(), stages),
        protection: asked(ProtectionGate { branch: None, tag: true }, stages),
    }
}

fn unknown() -> SourceFacts {
    let wanted = Wanted {
        review: Some(WantedReview::default()),
        checks: true,
        tag: true,
        approvals: true,
        protection: Some((None, true)),
    };
    SourceFacts::unknown(&wanted, &Unknown { why: "nobody there".into(), fix: "f".into() })
}

#[test]
fn what_is_not_asked_is_skipped_and_what_cannot_be_asked_blocks() {
    for (gate, rule) in GATES {
        let weigh = |gates: SourceGates, source: Option<SourceFacts>| {
            let mut sample = Sample::new();
            sample.model().gates.source = gates;
            sample.source = source;
            sample.weigh(gate)
        };
        let skipped = |note: &str| (Vec::new(), note.to_owned());
        let off = weigh(SourceGates::default(), Some(unknown()));
        assert_eq!(off, skipped("not asked for"));
        let no_version = weigh(all(&[]), None);
        assert_eq!(no_version, skipped("known when a version is released"));
        let other = weigh(all(&["lab", "canary"]), Some(unknown()));
        assert_eq!(other, skipped("asked of lab, canary; this version goes to production"));
        for stages in [&[][..], &["production"]] {
            let (findings, _) = weigh(all(stages), Some(unknown()));
            assert_eq!(findings, [format!("{rule} at weighbridge.yml:3: nobody there")]);
            // Facts that do not hold what the gate needs are no pass either.
            let (findings, _) = weigh(all(stages), Some(SourceFacts::default()));
            assert_eq!(findings, [format!("{rule} at weighbridge.yml:3: GitHub was not asked")]);
        }
    }
}

#[test]
fn an_emergency_can_name_every_gate_or_never() {
    use crate::finding::{NEVER_PASSED_OVER, PASSED_OVER};
    for gate in crate::gates::ALL {
        let name = gate.name();
        let both = (PASSED_OVER.contains(&name), NEVER_PASSED_OVER.contains(&name));
        assert!(both.0 != both.1, "`{name}` is in one of the two lists");
    }
}
