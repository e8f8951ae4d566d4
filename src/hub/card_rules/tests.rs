use super::*;

fn errors(yaml: &str) -> Vec<String> {
    let check = check(&format!("---\n{yaml}\n---\n# T\n"));
    check.errors.into_iter().map(|problem| problem.message).collect()
}

fn warnings(yaml: &str) -> Vec<String> {
    let check = check(&format!("---\n{yaml}\n---\n# T\n"));
    check.warnings.into_iter().map(|problem| problem.message).collect()
}

#[track_caller]
fn refused(yaml: &str, with: &str) {
    let errors = errors(yaml);
    assert!(errors.iter().any(|error| error.contains(with)), "{yaml:?} gave {errors:?}");
}

#[track_caller]
fn accepted(yaml: &str) {
    assert_eq!(errors(yaml), Vec::<String>::new(), "{yaml:?}");
}

#[test]
fn a_good_card_is_silent() {
    let card = "---\nlicense: apache-2.0\nlanguage:\n- en\n- code\n- yue\ntags: [churn]\n\
                datasets: acme/data_v1.2\nbase_model: [gpt2, acme/x]\npipeline_tag: other\n\
                model-index:\n- name: m\n  results:\n  - task: {type: text-classification}\n    \
                dataset: {type: imdb, name: IMDb, config: plain}\n    metrics:\n    \
                - {type: accuracy, value: 0.9}\nour_own_key: 1\n---\n";
    assert_eq!(check(card), CardCheck::default());
}

#[test]
fn a_missing_block_is_a_remark() {
    for card in ["# T\n", "---\nlicense: mit\n", "---\n---\n"] {
        let check = check(card);
        assert!(check.errors.is_empty() && check.warnings.len() == 1, "{card:?}: {check:?}");
    }
}

#[test]
fn the_block_must_be_a_map() {
    refused("", "invalid metadata");
    refused("# only a comment", "invalid metadata");
    refused("just words", "invalid metadata");
    refused("- license: mit", "must be of type object");
    refused("a: [1", "Invalid YAML");
    refused("a: !!python/tuple [1]", "unknown tag");
}

#[test]
fn licences_come_from_the_list() {
    accepted("license: [apache-2.0, cc-by-4.0]");
    refused("license: Apache-2.0", "did you mean \"apache-2.0\"?");
    refused("license: gpl-3.0-or-later", "did you mean \"gpl-3.0\"?");
    refused("license: [mit, nonsense]", "\"license[1]\" is \"nonsense\"");
    refused("license:", "must be a string");
    let other = warnings("license: other\nlicense_name: acme-1");
    assert_eq!(other, ["\"license: other\" needs \"license_link\" beside it"]);
}

#[test]
fn languages_are_codes() {
    accepted("language: en");
    accepted("language: [multilingual, code, \"no\", zha]");
    for bad in ["zh-CN", "es-ES", "noinfo", "English", "jp", "true", "[en, null]", ""] {
        refused(&format!("language: {bad}"), "ISO 639");
    }
    refused("language: zh-CN", "did you mean \"zh\"?");
}

#[test]
fn datasets_and_base_models_are_ids() {
    refused("datasets: our internal data, 2024", "use an id from https://hf.co/datasets");
    refused("datasets: [./data]", "\"datasets[0]\"");
    refused("base_model: /home/u/model", "use an id from https://hf.co/models");
    refused("base_model: a/b/c", "is not valid");
    refused("base_model:", "must be a string");
    accepted("base_model: tf/out");
    assert!(warnings("base_model: tf/out")[0].contains("looks like a folder"));
    assert!(warnings("base_model: acme/checkpoint-500")[0].contains("looks like a folder"));
    assert!(warnings("base_model: acme/model").is_empty());
}

#[test]
fn tasks_widgets_and_tags() {
    accepted("pipeline_tag: tabular");
    assert!(warnings("pipeline_tag: text-clasification")[0].contains("text-classification"));
    refused("widget: {text: hi}", "\"widget\" must be an array");
    accepted("widget: [{text: hi}]");
    assert_eq!(warnings("tags: one"), ["\"tags\" should be a list"]);
}

#[test]
fn model_index_is_checked_to_the_leaf() {
    refused("model-index: not correct", "\"model-index\" must be an array");
    let with = |dataset: &str| {
        format!(
            "model-index:\n- name: m\n  results:\n  - task: {{type: t}}\n    dataset: {dataset}\n    \
             metrics: [{{type: a, value: 1}}]"
        )
    };
    refused(
        &with("{type: imdb, name: I, config: null}"),
        "\"model-index[0].results[0].dataset.config\" must be a string",
    );
    refused(&with("{type: my own data, name: I}"), "results[0].dataset.type\" with value");
    refused(&with("{type: imdb}"), "\"model-index[0].results[0].dataset.name\" is required");
    refused("model-index: [{name: m}]", "\"model-index[0].results\" is required");
    refused("model-index: [x]", "\"model-index[0]\" must be of type object");
    assert!(warnings(&with("{type: imdb, name: I, split: None}"))[0].contains("the word None"));
}

#[test]
fn doubled_keys_are_refused_where_they_stand() {
    let check = check("\n---\nlicense: mit\ntags: []\nlicense: mit\n---\n");
    assert_eq!(check.errors.len(), 1);
    assert_eq!(check.errors[0].at, Some(Position { line: 5, column: 1 }));
    refused("a:\n- {b: 1, b: 2}", "duplicated mapping key \"b\"");
    refused("[a]: 1", "used as a key");
}

#[test]
fn words_that_read_differently_are_named() {
    let found = warnings("language: no\nrevision: 123e4\nwhen: 2025-01-15\nok: \"012\"");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("unquoted no is false to Python (YAML 1.1) and text to the Hub"));
}

#[test]
fn real_generated_cards_give_their_known_defects() {
    let trainer =
        check(include_str!("../../../tests/samples/cards/transformers-trainer.README.md"));
    assert_eq!(trainer.errors.len(), 1);
    assert!(trainer.errors[0].message.contains("dataset.config\" must be a string"));
    assert_eq!(trainer.errors[0].at, Some(Position { line: 22, column: 15 }));
    let peft = check(include_str!("../../../tests/samples/cards/peft-lora-local-base.README.md"));
    assert!(peft.errors.is_empty());
    assert!(peft.warnings[0].message.contains("\"tf/out\""));
    let st = check(include_str!("../../../tests/samples/cards/sentence-transformers.README.md"));
    assert_eq!(st, CardCheck::default());
    let skops = check(include_str!("../../../tests/samples/cards/skops.README.md"));
    assert!(skops.errors.is_empty() && skops.warnings.len() == 1);
}

#[test]
fn a_giant_block_is_refused_and_floods_are_cut() {
    refused(&"a".repeat(MAX_BLOCK + 1), "up to 1 MiB is read");
    let flood = vec!["no"; 500].join(", ");
    assert_eq!(warnings(&format!("x: [{flood}]")).len(), MAX_PROBLEMS);
}

proptest::proptest! {
    #[test]
    fn nothing_panics(body in "(?s).{0,200}") {
        check(&body);
        check(&format!("---\n{body}\n---\n"));
    }

    #[test]
    fn nothing_like_yaml_panics(body in "[a-c:\\-\\[\\]{}&*!|>'\"# \n~0-9]{0,120}") {
        check(&format!("---\n{body}\n---\n"));
    }
}
