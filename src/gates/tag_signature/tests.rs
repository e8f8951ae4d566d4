use super::TagSignature;
use crate::finding::Location;
use crate::gates::sample::Sample;
use crate::github::{Signature, SourceFacts, Tag};
use crate::policy::source::{Asked, TagSignatureGate};

const COMMIT: &str = "1111111111111111111111111111111111111111";

fn weigh(signed: bool, tag: Option<Tag>) -> (Vec<String>, String) {
    let mut sample = Sample::new();
    let what = TagSignatureGate { annotated: true, signed };
    let at = Location::line("weighbridge.yml", 3);
    sample.model().gates.source.tag_signature = Some(Asked { what, stages: Vec::new(), at });
    sample.source =
        Some(SourceFacts { commit: COMMIT.into(), tag: Some(Ok(tag)), ..SourceFacts::default() });
    sample.weigh(&TagSignature)
}

#[test]
fn a_tag_is_what_the_policy_asks_for() {
    let signature = |verified, reason: &str| Some(Signature { verified, reason: reason.into() });
    let annotated = |signature| Tag {
        name: "v1.0.0".into(),
        commit: COMMIT.into(),
        annotated: true,
        made_as: Some("v1.0.0".into()),
        signature,
    };
    let light = Tag { annotated: false, made_as: None, ..annotated(None) };
    let moved = Tag { commit: "2".repeat(40), ..annotated(None) };
    let valid = annotated(signature(true, "valid"));
    let renamed = Tag { made_as: Some("v0.9.0".into()), ..valid };
    for (signed, tag, rules) in [
        (false, Some(annotated(None)), &[][..]),
        (false, Some(annotated(signature(false, "unsigned"))), &[]),
        (true, Some(annotated(signature(true, "valid"))), &[]),
        (true, Some(annotated(signature(false, "unknown_key"))), &["tag-not-signed"]),
        (true, Some(annotated(None)), &["tag-not-signed"]),
        (false, Some(light.clone()), &["tag-not-annotated"]),
        (true, Some(light), &["tag-not-annotated"]),
        (false, Some(moved.clone()), &["tag-elsewhere"]),
        (true, Some(moved), &["tag-elsewhere", "tag-not-signed"]),
        (true, Some(renamed.clone()), &["tag-of-another-name"]),
        (false, Some(renamed), &["tag-of-another-name"]),
        (false, None, &["tag-not-on-github"]),
    ] {
        let (findings, note) = weigh(signed, tag);
        let spoke: Vec<_> =
            findings.iter().filter_map(|finding| finding.split(' ').next()).collect();
        assert_eq!(spoke, rules, "{note}");
    }
}
