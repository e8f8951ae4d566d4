use super::*;

const RULES: &[&str] = &["unsafe-pickle", "lfs-pointer"];
const SMALL: &str = "model: {name: churn, owner: acme}\n";

fn said(text: &str) -> String {
    match parse("weighbridge.yml", text, RULES) {
        Ok(_) => "fine".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn two_keys_are_enough_and_the_defaults_are_careful() {
    let policy = parse("weighbridge.yml", SMALL, RULES).expect("valid");
    let model = &policy.models[0];
    assert_eq!((model.path.as_str(), model.stages.len()), ("model", 1));
    assert_eq!(model.stages[0].visibility, Visibility::Private);
    assert!(model.gates.tests.required);
    assert_eq!(model.card.required.len(), 4);
}

#[test]
fn the_starter_is_valid() {
    assert_eq!(said(STARTER), "fine");
}

#[test]
fn all_structural_problems_come_at_once() {
    insta::assert_snapshot!(said("modle: 1\nmodel:\n  name: 5\n  owner: acme\n  licence: mit\ntags: sometimes\ngates:\n  tests: {required: maybe}\n"), @r"
    5 problems

    weighbridge.yml:1:1: `weighbridge.yml` has no key `modle`
         1 | modle: 1
           | ^
           = did you mean `model`?

    weighbridge.yml:3:9: `name` is the number `5`
         3 |   name: 5
           |         ^
           = expected a text

    weighbridge.yml:5:3: `model` has no key `licence`
         5 |   licence: mit
           |   ^
           = did you mean `license`?

    weighbridge.yml:6:7: `tags` is the text `sometimes`
         6 | tags: sometimes
           |       ^
           = expected one of auto, plain, slash, at

    weighbridge.yml:8:21: `required` is the text `maybe`
         8 |   tests: {required: maybe}
           |                     ^
           = expected true or false
    ");
}

#[test]
fn impossible_values_are_named_with_their_place() {
    let text = "model: {name: churn, owner: acme, path: ../x}\ngates:\n  benchmarks:\n    - {metric: a, file: m.json, pointer: a, min: 2, max: 1}\nallow:\n  - {rule: unsafe-pickel, reason: ' ', expires: soon}\n";
    let said = said(text);
    for part in [
        "1:41: `../x` is not a path below",
        "4:42: `a` is not a JSON Pointer",
        "`min` (2) is greater than `max` (1)",
        "there is no rule `unsafe-pickel`",
        "did you mean `unsafe-pickle`?",
        "`reason` is empty",
        "`soon` is not a date",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
}

#[test]
fn syntax_errors_and_duplicates_have_a_place() {
    assert!(said("model: [a\n").starts_with("1 problem\n\nweighbridge.yml:"));
    assert!(
        said("tags: auto\ntags: plain\nmodel: {name: a, owner: b}\n")
            .contains("weighbridge.yml:2:1")
    );
    assert!(said("").contains("weighbridge.yml:1:1"));
}

#[test]
fn models_stages_and_names_must_be_told_apart() {
    let two = "models:\n  - {name: a, owner: o}\n  - {name: a, owner: o}\n";
    assert!(said(two).contains("two models are named `a`"));
    let both = "model: {name: a, owner: o}\nmodels: []\n";
    assert!(said(both).contains("both `model` and `models`"));
    let stages = "model: {name: a, owner: o}\nstages:\n  - {name: s, channels: [staging]}\n  - {name: s, channels: [staging]}\n";
    assert!(said(stages).contains("two stages are named `s`"));
    assert!(said(stages).contains("belongs to `s` already"));
    let template = "model: {name: a, owner: o}\nrepository: {name: '{nmae}'}\n";
    assert!(said(template).contains("{name}, {stage} and {major}"));
}

#[test]
fn a_model_may_have_sections_of_its_own() {
    let text = "models:\n  - {name: a, owner: o}\n  - {name: b, owner: o, gates: {tests: {required: false}}}\ngates: {tests: {reports: ['r/*.xml']}}\n";
    let policy = parse("weighbridge.yml", text, RULES).expect("valid");
    assert!(policy.models[0].gates.tests.required);
    assert!(!policy.models[1].gates.tests.required);
    assert_eq!(policy.models[0].gates.tests.reports.len(), 1);
}

#[test]
fn explain_names_every_origin() {
    let policy =
        parse("weighbridge.yml", "model: {name: churn, owner: acme, license: mit}\n", RULES)
            .expect("valid");
    let row = |key: &str| policy.explained.iter().find(|row| row.key == key).expect(key).clone();
    assert_eq!(row("model.license").origin, "weighbridge.yml:1:44");
    assert_eq!(row("gates.tests.required").origin, "default");
    assert!(explain(&policy).lines().count() > 10);
}

#[test]
fn the_schema_file_is_fresh() {
    let stored = include_str!("../../weighbridge.schema.json");
    assert_eq!(stored, schema(), "refresh it: cargo run -- schema > weighbridge.schema.json");
}
