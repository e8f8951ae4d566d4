use super::Protection as Gate;
use crate::finding::Location;
use crate::gates::sample::Sample;
use crate::github::{Branch, Protection, SourceFacts, TagRules};
use crate::policy::source::{Asked, ProtectionGate};

#[test]
fn branch_and_tag_are_each_judged_by_their_rules() {
    let own = |rules: &[&str]| rules.iter().map(|rule| (*rule).to_owned()).collect();
    for (protected, branch, tag, rules) in [
        (true, &[][..], Some(&["update", "deletion", "creation"][..]), &[][..]),
        (false, &["pull_request"], Some(&["deletion", "update"]), &[]),
        (false, &["update"], None, &[]),
        (false, &["deletion"], None, &["branch-unprotected"]),
        (true, &[], Some(&["deletion"]), &["tag-unprotected"]),
        (true, &[], Some(&["update", "creation"]), &["tag-unprotected"]),
        (false, &[], Some(&[]), &["branch-unprotected", "tag-unprotected"]),
    ] {
        let mut sample = Sample::new();
        let what = ProtectionGate { branch: None, tag: tag.is_some() };
        let at = Location::line("weighbridge.yml", 3);
        sample.model().gates.source.protection = Some(Asked { what, stages: Vec::new(), at });
        let tag = tag.map(|rules| TagRules { rules: own(rules), rulesets: Vec::new() });
        let branch = Branch { name: "main".into(), protected, rules: own(branch) };
        sample.source = Some(SourceFacts {
            protection: Some(Ok(Protection { branch, tag })),
            ..SourceFacts::default()
        });
        let (findings, note) = sample.weigh(&Gate);
        let spoke: Vec<_> =
            findings.iter().filter_map(|finding| finding.split(' ').next()).collect();
        assert_eq!(spoke, rules, "{note}");
    }
}
