use super::*;
use crate::gates::card::Card;
use crate::gates::sample::Sample;

/// The findings about a README whose text is `body`; the evidence has f1 = 0.93.
fn of(body: &str) -> Vec<String> {
    of_readme(&format!("---\nlicense: mit\n---\n{body}"))
}

fn of_readme(readme: &str) -> Vec<String> {
    let mut sample = Sample::new();
    sample.readme = Some(SourceFile::new("README.md", readme));
    sample.model().card.source = CardSource::File("README.md".into());
    sample.evidence.beside = vec![("eval_accuracy".into(), 0.8125)];
    sample.weigh(&Card).0
}

#[test]
fn rounded_and_cut_numbers_are_the_same() {
    for (shown, value) in [
        ("0.79", 0.794),
        ("0.8", 0.794),
        ("79.4", 0.794),
        ("79.4%", 0.794),
        ("79%", 0.794),
        ("0.794", 79.4),
        ("79.4%", 79.4),
        ("0.79", 0.799),
        ("1.2e-3", 0.0012),
        ("-0.5", -0.54),
        ("0.1", 0.1),
        ("100.0", 1.0),
    ] {
        assert!(is_rounded(shown, value), "{shown} of {value}");
    }
    for (shown, value) in [
        ("0.80", 0.794),
        ("80%", 0.794),
        ("0.5", 0.005),
        ("0.5", -0.5),
        ("0.95", 0.944),
        ("x", 1.0),
    ] {
        assert!(!is_rounded(shown, value), "{shown} of {value}");
    }
}

#[test]
fn numbers_of_the_evidence_pass() {
    for body in [
        "It has an F1 of 0.93 and an accuracy of 81.3%.",
        "| model | F1 |\n|---|---|\n| churn | 93.0 |\n",
        "The paper reports an F1 of 0.99 ([Smith](https://example.com)).",
        "<!-- weighbridge:begin metrics -->\nF1: 0.1\n<!-- weighbridge:end metrics -->",
    ] {
        assert_eq!(of(body), Vec::<String>::new(), "{body}");
    }
}

#[test]
fn another_number_than_the_evidences_is_named_at_its_line() {
    assert_eq!(
        of("# Churn\n\nSee:\n\n- F1: 0.97\n"),
        ["card-number-differs at README.md:8: the card says f1 = 0.97; metrics.json:4:9 has 0.93"]
    );
}

#[test]
fn beside_the_right_number_others_are_comparisons() {
    assert_eq!(
        of("| model | F1 |\n|---|---|\n| ours | 0.93 |\n| old | 0.91 |\n| [theirs](x) | 0.95 |\n"),
        ["card-number-unsupported at README.md:7: no evidence has f1 = 0.91"]
    );
}

#[test]
fn numbers_from_nowhere_are_told_once_a_block() {
    let row = |n: u32| format!("| {n} | 0.{n} | 0.{n}5 |\n");
    let table =
        format!("| epoch | BLEU | ROUGE-L |\n|---|---|---|\n{}{}{}", row(1), row(2), row(3));
    assert_eq!(
        of(&table),
        ["card-number-unsupported at README.md:6: no evidence has bleu = 0.1, rougel = 0.15, \
          bleu = 0.2, rougel = 0.25 and 2 more"]
    );
}

#[test]
fn results_in_the_front_matter_are_judged_where_they_stay() {
    let index = "model-index:\n- name: churn\n  results:\n  - task: {type: a}\n    metrics:\n    - type: f1\n      value: 0.5\n";
    let readme = format!("---\nlicense: mit\n{index}---\n# Churn\n");
    // The finished card of the sample has no results: these would be replaced.
    assert_eq!(of_readme(&readme), Vec::<String>::new());
    let mut sample = Sample::new();
    sample.readme = Some(SourceFile::new("README.md", readme));
    sample.model().card.source = CardSource::File("README.md".into());
    sample.card = sample.card.replace("license: mit\n", &format!("license: mit\n{index}"));
    let found = sample.weigh(&Card).0;
    assert!(
        found.contains(
            &"card-number-differs at README.md:9:14: the card says f1 = 0.5; metrics.json:4:9 has 0.93"
                .to_owned()
        ),
        "{found:?}"
    );
}

#[test]
fn statements_are_held_against_the_evidence_too() {
    let mut sample = Sample::new();
    for statement in sample.model().card.statements.values_mut() {
        statement.text = "Below an F1 of 0.6 for the young.".into();
    }
    assert_eq!(
        sample.one(&Card, "card-number-unsupported"),
        "card-number-unsupported at weighbridge.yml:30:5: no evidence has f1 = 0.6"
    );
}
