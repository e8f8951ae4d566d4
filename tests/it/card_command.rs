//! `weighbridge card`: on the cards that real tools wrote, and on a model with a policy.

use std::fs;

use crate::support::action::root;
use crate::support::workspace::{POLICY, Workspace};

fn real_card(name: &str) -> String {
    fs::read_to_string(root().join(format!("tests/samples/cards/{name}.README.md")))
        .expect("is read")
}

/// Each card has exactly these defects beside what its author left to write.
#[test]
fn the_cards_of_real_tools_have_their_known_defects() {
    for (name, code, points, defects, unstated) in [
        (
            "transformers-trainer",
            1,
            29,
            &[
                "README.md:22:15\n  \"model-index[0].results[0].dataset.config\" must be a string\n  \
                 fix: remove the line of `config`, or give it a value",
                "README.md:23:14\n  \"model-index[0].results[0].dataset.split\" is the word None",
            ][..],
            3,
        ),
        (
            "peft-lora-local-base",
            0,
            5,
            &[
                "README.md:2:13\n  \"base_model\" is \"tf/out\", which looks like a folder of the training run",
            ],
            9,
        ),
        (
            "skops",
            0,
            29,
            &[
                "README.md\n  empty or missing yaml metadata in repo card\n  fix: begin the file with",
            ],
            2,
        ),
        ("sentence-transformers", 0, 20, &[], 2),
    ] {
        let workspace = Workspace::empty();
        workspace.write("README.md", real_card(name));
        let run = workspace.run(&["card", "--check"]).expect(code);
        for defect in defects {
            assert!(run.stdout.contains(defect), "{name}: {defect}\n{}", run.stdout);
        }
        let said = |rule: &str| run.stdout.matches(rule).count();
        assert_eq!(
            said("[card-invalid]") + said("[card-warning]"),
            defects.len(),
            "{}",
            run.stdout
        );
        assert_eq!(said("[card-section-unstated]"), unstated, "{}", run.stdout);
        assert!(run.stdout.contains(&format!("{points} of 100 points")), "{}", run.stdout);
    }
}

#[test]
fn what_a_tool_left_broken_is_mended_and_the_rest_keeps_its_bytes() {
    let workspace = Workspace::empty();
    let before = real_card("transformers-trainer");
    workspace.write("README.md", &before);
    workspace.run(&["card", "--write"]).expect(0).says("README.md written");
    let after = fs::read_to_string(workspace.path().join("README.md")).expect("is read");
    assert_eq!(after, before.replace("      config: null\n      split: None\n", ""));
    workspace.run(&["card", "--write"]).expect(0).says("stays as it is");
    // Only a person knows the base model, and what a card without metadata is about.
    for name in ["peft-lora-local-base", "skops", "sentence-transformers"] {
        workspace.write("README.md", real_card(name));
        workspace.run(&["card", "README.md", "--write"]).expect(0).says("stays as it is");
        let after = fs::read_to_string(workspace.path().join("README.md")).expect("is read");
        assert_eq!(after, real_card(name));
    }
}

#[test]
fn a_model_with_a_policy_gets_its_whole_card_between_markers() {
    let workspace = Workspace::healthy();
    workspace.run(&["card", "--write", "--preview", "card.html"]).expect(0);
    let card = fs::read_to_string(workspace.path().join("model/README.md")).expect("is written");
    assert!(card.starts_with("---\n") && card.contains("## How to load"), "{card}");
    let page = fs::read_to_string(workspace.path().join("card.html")).expect("is written");
    assert!(page.contains("<h1") && !page.contains("<script"), "{page}");
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http://127"), "{page}");
}

#[test]
fn a_generated_card_settles_and_replaces_no_text_of_a_person() {
    let workspace = Workspace::healthy();
    let readme = workspace.path().join("model/README.md");
    workspace.run(&["card", "--write"]).expect(0).says("written");
    let card = fs::read_to_string(&readme).expect("is written");
    assert!(!card.contains("| `README.md` |"), "{card}");
    workspace.run(&["card", "--write"]).expect(0).says("stays as it is");

    // Markers alone do not make it ours: the text between them may be a person's.
    for by_hand in [
        "# By hand\n",
        "# Mine\n<!-- weighbridge:begin usage -->\n<!-- weighbridge:end usage -->\n",
    ] {
        fs::write(&readme, by_hand).expect("written");
        workspace.run(&["card", "--write"]).expect(2).says("card: {source: …}");
        assert_eq!(fs::read_to_string(&readme).expect("is there"), by_hand);
        workspace.run(&["card"]).expect(0);
        workspace.run(&["card", "--write", "--force"]).expect(0);
        assert_eq!(fs::read_to_string(&readme).expect("is written"), card);
    }
}

#[test]
fn a_least_number_of_points_is_held() {
    let workspace = Workspace::empty();
    workspace.write("README.md", real_card("skops"));
    workspace.run(&["card", "--least", "29"]).expect(0);
    let refused = "29 points are fewer than the 30 that are asked for";
    workspace.run(&["card", "--least", "30"]).expect(1).says(refused);
}

#[test]
fn where_there_is_no_card_the_way_to_one_is_told() {
    let workspace = Workspace::empty();
    workspace.run(&["card"]).expect(2).says("cannot read the card").says("weighbridge.yml");
    workspace.write("README.md", [0xff, 0xfe, 0]);
    workspace.run(&["card", "--write"]).expect(2).says("UTF-8");
    assert_eq!(fs::read(workspace.path().join("README.md")).expect("is read"), [0xff, 0xfe, 0]);
}

#[test]
fn a_stage_may_require_more_statements_than_the_others() {
    let workspace = Workspace::healthy();
    let stages = "stages: [{name: production, required: [ai-act]}]\n";
    workspace.write("weighbridge.yml", format!("{POLICY}{stages}"));
    workspace.version("v1.0.0");
    workspace.run(&["check", "--tag", "v1.0.0"]).expect(1).says("“EU AI Act” is not stated");
    let stated = "  ai-act: {text: No systemic risk., by: Ada, date: 2026-01-02}\n";
    workspace.write("weighbridge.yml", format!("{POLICY}{stated}{stages}"));
    workspace.version("v1.0.0");
    workspace.run(&["check", "--tag", "v1.0.0"]).expect(0);
    workspace.run(&["card", "--write"]).expect(0);
    let card = fs::read_to_string(workspace.path().join("model/README.md")).expect("is written");
    assert!(card.contains("*Stated by Ada on 2026-01-02; no legal advice.*"), "{card}");
}

/// The shapes of the Hub's Python client's own test cards, and others that people have.
#[test]
fn every_shape_of_card_is_judged_and_mending_it_is_no_harm() {
    let results = "model-index:\n- name: m\n  results:\n  - task: {type: t}\n    dataset: {name: d, type: a/d}\n";
    let metrics = "    metrics: [{type: acc, value: 0.9}]\n";
    for (shape, card, code, says) in [
        ("a list", "---\n[]\n---\n\n# A\n".to_owned(), 1, "[card-invalid]"),
        ("a bare word", "---\nword\n---\n".to_owned(), 1, "[card-invalid]"),
        ("no metadata", "# A\n\nProse.\n".to_owned(), 0, "empty or missing yaml metadata"),
        ("nothing", String::new(), 0, "empty or missing yaml metadata"),
        ("Windows", "---\r\nlicense: mit\r\n---\r\n\r\n# A\r\n".to_owned(), 0, "\u{2713} licence"),
        ("a mark first", "\u{feff}---\nlicense: mit\n---\n# A\n".to_owned(), 0, "\u{2713} licence"),
        ("a template", "---\n{{card_data}}\n---\n\n# {{ name }}\n".to_owned(), 1, "[card-invalid]"),
        ("a placeholder", "---\n{card_data}\n---\n\n# A\n".to_owned(), 0, "0 of 100 points"),
        ("results", format!("---\n{results}{metrics}---\n# A\n"), 0, "\u{2713} results"),
        ("results without numbers", format!("---\n{results}---\n# A\n"), 1, "[card-invalid]"),
        ("a pipeline of 2020", "---\npipeline:\n- fill-mask\nlanguage: danish\n---\n".to_owned(), 1, "language"),
        ("right to left", "---\nlanguage: fa\n---\n\n# \u{645}\u{62f}\u{644}\n\n## \u{645}\u{62d}\u{62f}\u{648}\u{62f}\u{6cc}\u{62a}\n".to_owned(), 0, "of 100 points"),
        ("never closed", "---\nlicense: mit\n\n# A\n".to_owned(), 0, "empty or missing yaml metadata"),
        ("a bomb", format!("---\n{}x: *a9\n---\n", (0..10).fold("a0: &a0 [l]\n".to_owned(), |text, n| format!("{text}a{}: &a{} [*a{n}, *a{n}, *a{n}, *a{n}, *a{n}, *a{n}, *a{n}, *a{n}, *a{n}]\n", n + 1, n + 1))), 1, "[card-invalid]"),
    ] {
        let workspace = Workspace::empty();
        let path = workspace.write("README.md", &card);
        let run = workspace.run(&["card"]);
        assert_eq!(run.code, code, "{shape}: {}", run.all());
        assert!(run.stdout.contains(says), "{shape}: {}", run.all());
        // None of them has a fault that could be mended without knowing more.
        workspace.run(&["card", "--write", "--preview", "page.html"]).expect(code);
        assert_eq!(fs::read_to_string(path).expect("is read"), card, "{shape}");
    }
}

#[test]
fn what_the_files_say_stands_on_the_card_and_counts() {
    let workspace = Workspace::healthy();
    let points = |run: &str| -> u32 {
        let before = run.split(" of 100 points").next().expect("points");
        before.split_whitespace().last().expect("a number").parse().expect("a number")
    };
    let before = points(&workspace.run(&["card"]).expect(0).stdout);
    let sample = "tests/samples/evidence/transformers-trainer/trainer_state.json";
    let state = fs::read(root().join(sample)).expect("a sample");
    workspace.write("model/trainer_state.json", state);
    let labels = r#"{"model_type": "bert", "id2label": {"0": "stays", "1": "<b>leaves</b>"}}"#;
    workspace.write("model/config.json", labels);
    let run = workspace.run(&["card", "--write", "--preview", "card.html"]).expect(0);
    assert_eq!(points(&run.stdout), before + 4, "the training procedure: {}", run.stdout);
    let page = fs::read_to_string(workspace.path().join("card.html")).expect("is written");
    assert!(page.contains("Technical details") && page.contains("Training settings"), "{page}");
    assert!(page.contains("churn</") && !page.contains("{name}"), "its id stands above: {page}");
    assert!(page.contains("2: stays, &lt;b&gt;leaves&lt;/b&gt;"), "{page}");
    assert!(!page.contains("checkpoint-9"), "a path of the training run");
}
