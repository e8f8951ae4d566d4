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
        let tag = tag.map(|rules| TagRules { rules: own(rules), ..TagRules::default() });
        let branch = Branch { name: "main".into(), protected, rules: own(branch), holds: true };
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

#[test]
fn what_protects_the_branch_protects_only_what_is_on_it() {
    let mut sample = Sample::new();
    let at = Location::line("weighbridge.yml", 3);
    let what = ProtectionGate { branch: None, tag: true };
    sample.model().gates.source.protection = Some(Asked { what, stages: Vec::new(), at });
    let rules = ["pull_request".to_owned()].into();
    let branch = Branch { name: "main".into(), protected: true, rules, holds: false };
    let unread = vec!["refs/tags/[v".to_owned()];
    let tag = Some(TagRules { unread, ..TagRules::default() });
    sample.source = Some(SourceFacts {
        commit: "3333333333333333333333333333333333333333".into(),
        protection: Some(Ok(Protection { branch, tag })),
        ..SourceFacts::default()
    });
    let (findings, _) = sample.weigh(&Gate);
    assert!(findings[0].starts_with("commit-off-branch"), "{findings:?}");
    assert!(findings[0].ends_with("333333333333 is not on the branch `main`"), "{findings:?}");
    assert!(findings[1].ends_with("taken to protect nothing: refs/tags/[v"), "{findings:?}");
}
