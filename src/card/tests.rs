use super::*;
use crate::evidence::{History, Released, Was};
use crate::hub::card_rules;
use crate::policy::{self, Policy};
use crate::release::Channel;

mod again;
mod emergency;

const POLICY: &str = r#"model:
  name: churn
  owner: acme
  description: Tells which customers will leave.
  library: xgboost
  task: tabular-classification
  license: apache-2.0
  language: ["no"]
  tags: [tabular, churn]
  datasets: [acme/telco]
  gates:
    benchmarks:
      - {metric: F1, file: m.json, pointer: /f1, min: 0.9, dataset: acme/telco, split: test}
      - {metric: loss, file: m.json, pointer: /loss, max: 0.5}
      - {metric: auc, file: m.json, pointer: /auc}
  card:
    limitations: {text: "Only *one* country.", by: A. Person, date: 2026-01-02}
    contact: {text: "ml@acme.example", by: A. Person, date: 2026-01-02}
"#;

/// Everything a card is made of.
struct Sample {
    policy: Policy,
    inventory: Inventory,
    evidence: Evidence,
    release: Release,
    target: Target,
    history: Vec<HistoryEntry>,
}

impl Sample {
    fn new(policy: &str, files: &[&str]) -> Self {
        let files: Vec<_> = files.iter().map(|name| (*name, &b"x"[..])).collect();
        Self::of(policy, &files)
    }

    fn of(policy: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let model = folder.path().join("model");
        std::fs::create_dir(&model).expect("writable");
        for (name, content) in files {
            std::fs::write(model.join(name), content).expect("writable");
        }
        let metrics = r#"{"f1": 0.93, "loss": 0.7, "auc": NaN}"#;
        std::fs::write(folder.path().join("m.json"), metrics).expect("writable");
        let policy = policy::parse("weighbridge.yml", policy, &[]).expect("valid");
        let evidence = crate::evidence::gather(folder.path(), "", &policy.models[0]);
        let inventory =
            crate::inventory::take(&model, "model", &[], &[], &|_| {}).expect("a folder");
        let version = "1.2.0".parse().expect("a version");
        let release = Release {
            tag: "v1.2.0".into(),
            model: "churn".into(),
            version,
            channel: Channel::Production,
        };
        let target = Target {
            stage: "production".into(),
            repo: "acme/churn".parse().expect("an id"),
            private: true,
            revision: "main".into(),
        };
        let history = vec![HistoryEntry {
            version: "1.1.0".parse().expect("a version"),
            date: Some(jiff::civil::date(2025, 12, 1)),
            notes: Some("### Added\n- a | b <script>\n".into()),
        }];
        Self { policy, inventory, evidence, release, target, history }
    }

    fn input(&self) -> CardInput<'_> {
        CardInput {
            model: &self.policy.models[0],
            release: Some(&self.release),
            target: Some(&self.target),
            inventory: &self.inventory,
            evidence: &self.evidence,
            history: &self.history,
            commit: Some("0123456789abcdef0123456789abcdef01234567"),
            repository: Some("acme/churn"),
            run_url: Some("https://github.com/acme/churn/actions/runs/7"),
            template: None,
            readme: None,
            kept: &[],
            emergency: None,
        }
    }
}

fn sample() -> Sample {
    Sample::new(POLICY, &["model.ubj", "a|b.json"])
}

#[test]
fn the_whole_card() {
    insta::assert_snapshot!(write(&sample().input()).expect("written"));
}

#[test]
fn the_hub_accepts_it_and_twice_it_is_the_same() {
    let first = write(&sample().input()).expect("written");
    assert_eq!(card_rules::check(&first), card_rules::CardCheck::default());
    assert_eq!(write(&sample().input()).expect("written"), first);
}

#[test]
fn without_a_version_it_says_so() {
    let sample = sample();
    let input =
        CardInput { release: None, target: None, commit: None, run_url: None, ..sample.input() };
    let card = write(&input).expect("written");
    assert!(card.contains("Not a released version"));
    assert!(card.contains("snapshot_download(\"acme/churn\", revision=\"main\")"));
    assert!(card.contains("- Commit: not known."));
}

#[test]
fn a_template_of_ones_own() {
    let sample = sample();
    let with = |template| write(&CardInput { template: Some(template), ..sample.input() });
    let card = with("# Mine: {{ name }}\n\n{{ '<b>' }} {{ metrics[0].name }}\n").expect("written");
    let end = format!("---\n\n# Mine: churn\n\n\\<b\\> F1\n\n{WHOLE}\n");
    assert!(card.ends_with(&end), "{card}");
    let card = with("{% extends \"weighbridge\" %}{% block history %}## Past\n{% endblock %}");
    let card = card.expect("written");
    assert!(
        card.contains("## Past") && card.contains("## Results") && !card.contains("## Versions")
    );
    let unknown = with("{{ nmae }}").expect_err("strict").to_string();
    assert!(unknown.contains("undefined") && unknown.contains("the card template:1"), "{unknown}");
    assert!(with("{% for x in metrics %}").is_err());
    let endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
    assert!(with(endless).is_err(), "bounded in work");
    assert!(with("{% include \"/etc/passwd\" %}").is_err());
}

#[test]
fn the_chart_says_what_it_leaves_out() {
    let version = |text: &str| text.parse().expect("a version");
    let benchmarks: Vec<_> =
        (0..13).map(|at| format!("{{metric: m{at}, file: m.json, pointer: /f1}}")).collect();
    let policy = format!(
        "model: {{name: churn, owner: acme, gates: {{benchmarks: [{}]}}}}",
        benchmarks.join(", ")
    );
    let mut sample = Sample::new(&policy, &["model.ubj"]);
    let chart_of =
        |sample: &Sample, release| chart(&sample.policy.models[0], release, &sample.evidence);
    assert_eq!(chart_of(&sample, Some(&sample.release)), None, "nothing came before");
    sample.evidence.history = History {
        releases: vec![Released {
            version: version("1.0.0"),
            values: vec![Some(Was { value: 0.9, unit: None }); 13],
        }],
        unread: vec![version("1.1.0")],
        older: 4,
    };
    let svg = chart_of(&sample, Some(&sample.release)).expect("two versions have numbers");
    assert_eq!(svg.matches("class=\"name\"").count(), 12);
    assert_eq!(chart_of(&sample, None), None, "what is no release has no place in the row");
    let card = write(&sample.input()).expect("written");
    let said = "12 of 13 metrics are drawn. Versions before these: 4. \
                No release record to read: 1.1.0.](weighbridge-history.svg)";
    assert!(card.contains(said), "{card}");
    assert!(card.contains("| Metric | Value | Verdict | Bound |"), "1.0.0 is not the last release");
    let kept = CardInput { readme: Some("# By hand\n"), ..sample.input() };
    assert!(write(&kept).expect("written").contains(said));
}

#[test]
fn numbers_in_other_units_are_no_change() {
    let policy = "model: {name: churn, owner: acme, gates: {benchmarks: [{metric: latency, \
                  file: m.json, key: f1, direction: lower}, {metric: loss, file: m.json, \
                  pointer: /loss, dataset: a/b, config: de, split: test, \
                  revision: 0123456789abcdef0123456789abcdef01234567}]}}";
    let mut sample = Sample::new(policy, &["model.ubj"]);
    let unit = |unit: &str| Some(unit.to_owned());
    sample.evidence.metrics[0].number.as_mut().expect("named").unit = unit("s");
    let version = |minor, value, unit: Option<String>| Released {
        version: semver::Version::new(1, minor, 0),
        values: vec![Some(Was { value, unit }), Some(Was { value: 0.9, unit: None })],
    };
    let releases = vec![version(0, 1100.0, unit("ms")), version(1, 1200.0, unit("ms"))];
    sample.evidence.history = History { releases, ..History::default() };
    let card = write(&sample.input()).expect("written");
    assert!(card.contains("| latency | 0.93 s | not bounded | other unit | 1200 ms |"), "{card}");
    assert!(card.contains("| a/b (de, test, revision 0123456789ab) |"), "{card}");
    let svg = chart(&sample.policy.models[0], Some(&sample.release), &sample.evidence);
    let svg = svg.expect("of the loss");
    assert_eq!(svg.matches("<polyline").count(), 1, "{svg}");
    assert!(svg.contains("latency: 2 values are in another unit, and not drawn."), "{svg}");

    // What has the same unit is drawn, and what is not known to have another.
    sample.evidence.history.releases.push(version(2, 1.5, unit("s")));
    sample.evidence.history.releases.push(version(3, 1.4, None));
    let card = write(&sample.input()).expect("written");
    assert!(card.contains("| latency | 0.93 s | not bounded | \\-0.47, better | 1.4 |"), "{card}");
    assert!(card.contains("latency from 1.5 to 0.93 s"), "{card}");
}

#[test]
fn later_versions_are_no_history() {
    let mut sample = sample();
    let before = write(&sample.input()).expect("written");
    sample.history.push(HistoryEntry {
        version: "1.3.0".parse().expect("a version"),
        date: None,
        notes: Some("- later".into()),
    });
    assert_eq!(write(&sample.input()).expect("written"), before);
}

const README: &str = "---\n# by hand\nlicense: mit\nthumbnail: a.png\nwhen: 2025-01-15\ntags: [mine]\n\
                      model-index:\n- name: old\n  results:\n  - task: {type: tabular-classification}\n    \
                      dataset: {type: acme/telco, name: T, split: test, config: null}\n    \
                      metrics: [{type: f1, value: 0.1}]\n  - task: {type: other}\n    \
                      dataset: {type: x, name: X, config: null, split: None}\n    \
                      metrics: [{type: a, value: 1}]\n---\n# By hand\n\nMy words. <b>kept</b>\n";

#[test]
fn a_readme_is_kept_and_added_to() {
    let sample = sample();
    let write =
        |readme| write(&CardInput { readme: Some(readme), ..sample.input() }).expect("written");
    let once = write(README);
    assert_eq!(write(&once), once, "the second run changes nothing");
    assert_eq!(card_rules::check(&once), card_rules::CardCheck::default());
    let (data, body) = read(&once).expect("front matter");
    assert!(
        body.starts_with(
            "\n# By hand\n\nMy words. <b>kept</b>\n\n<!-- weighbridge:begin summary -->"
        )
    );
    assert_eq!(data.get("license"), Some(&Data::text("apache-2.0")), "the policy states it");
    assert_eq!(data.get("thumbnail"), Some(&Data::text("a.png")), "a person wrote it");
    assert_eq!(
        data.get("when"),
        Some(&Data::text("2025-01-15")),
        "text to the Hub, so text to all"
    );
    assert_eq!(data.get("tags"), Some(&Data::texts(["mine", "tabular", "churn"])));
    let index = once.split("model-index:").nth(1).expect("results");
    assert!(index.contains("value: 0.93") && !index.contains("value: 0.1"), "replaced: {index}");
    assert!(index.contains("\"old\"") && index.contains("\"X\""), "kept: {index}");
    assert!(!once.contains("null") && !index.contains("None"), "repaired");
}

#[test]
fn a_readme_that_cannot_be_read_is_left_to_the_gate() {
    let sample = sample();
    for broken in [
        "---\na: [1\n---\n# T\n",
        "---\n- a\n---\n# T\n",
        "---\n\n---\n# T\n",
        "\u{FEFF}\r\n---\n- a\n---\n",
    ] {
        let card = write(&CardInput { readme: Some(broken), ..sample.input() }).expect("written");
        assert_eq!(card, broken);
        assert!(!card_rules::check(&card).errors.is_empty());
    }
    let none =
        write(&CardInput { readme: Some("# Only text"), ..sample.input() }).expect("written");
    assert!(none.starts_with("---\n") && none.contains("\n# Only text\n"));
    let marker = "# T\n<!-- weighbridge:begin files -->\n";
    let error = write(&CardInput { readme: Some(marker), ..sample.input() }).expect_err("unpaired");
    assert!(error.to_string().contains("line 2"));
    assert!(error.fix().expect("a fix").contains("weighbridge:end files"));
}

#[test]
fn results_of_a_person_stay_beside_ours_on_the_same_data() {
    let result = |metrics: &str| {
        format!(
            "---\nmodel-index:\n- name: churn\n  results:\n  - task:\n      type: \
             tabular-classification\n    dataset:\n      type: acme/churn\n      name: C\n      split: \
             test\n    metrics:\n{metrics}---\n# T\n"
        )
    };
    let policy = "model: {name: churn, owner: acme, task: tabular-classification}\ngates:\n  benchmarks:\n    \
                  - {metric: f1, file: m.json, pointer: /f1, dataset: acme/churn, split: test}\n";
    let mut sample = Sample::of(policy, &[("m.ubj", b"x")]);
    let text = "{\"f1\": 0.5}";
    let base = tempfile::tempdir().expect("a folder");
    std::fs::write(base.path().join("m.json"), text).expect("written");
    sample.evidence = crate::evidence::gather(base.path(), "", &sample.policy.models[0]);
    let written = |metrics: &str| {
        let readme = result(metrics);
        write(&CardInput { readme: Some(&readme), ..sample.input() }).expect("written")
    };
    let card = written(
        "    - {type: f1, name: F1, value: 0.1}\n    - {type: f1, value: 0.2}\n    \
         - {type: recall, name: Recall, value: 0.3}\n    - {type: f1, name: F1 of seniors, value: 0.4}\n",
    );
    for (value, stays) in
        [("0.1", false), ("0.2", false), ("0.3", true), ("0.4", true), ("0.5", true)]
    {
        assert_eq!(card.contains(&format!("value: {value}\n")), stays, "{value}: {card}");
    }
    let card = written("    - {type: f1, name: F1, value: 0.1}\n");
    assert_eq!(
        card.matches("metrics:\n").count() - card.matches("\nmetrics:\n").count(),
        1,
        "{card}"
    );
}

#[test]
fn a_file_that_the_hub_keeps_is_not_replaced_by_one_for_the_counter() {
    let sample =
        Sample::of("model: {name: churn, owner: acme, library: xgboost}", &[("m.ubj", b"x")]);
    assert!(query_file(&sample.input()).is_some());
    let kept = ["config.json".to_owned()];
    assert_eq!(query_file(&CardInput { kept: &kept, ..sample.input() }), None);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn text_from_outside_forges_no_structure(
        notes in "(\\||\n|#|-|`|<|>|\\[|\\]|!|\\*|a|b| |<!--|\\{\\{|\\{%){0,30}",
        metric in "[|`<>\\[\\]*_#a-c !\\-]{1,12}",
    ) {
        let mut sample = sample();
        let plain = outline(&write(&sample.input()).expect("written"));
        sample.history[0].notes = Some(format!("- x{notes}"));
        sample.evidence.metrics[0].name.clone_from(&metric);
        sample.policy.models[0].gates.benchmarks[0].metric = metric;
        let card = write(&sample.input()).expect("written");
        proptest::prop_assert_eq!(outline(&card), plain, "{}", card);
    }
}

fn real(path: &str) -> Vec<u8> {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    std::fs::read(samples.join(path)).expect("a sample")
}

#[test]
fn a_fine_tuned_classifier_tells_of_itself() {
    let config = String::from_utf8(real("evidence/transformers-trainer/config.json"));
    let config = config.expect("text").replacen('{', "{\"_name_or_path\": \"acme/tiny-base\",", 1);
    let sample = Sample::of(
        "model: {name: mood, owner: acme, library: transformers, task: text-classification}",
        &[
            ("config.json", config.as_bytes()),
            ("model.safetensors", &real("artifacts/tiny-bert.safetensors")),
            ("trainer_state.json", &real("evidence/transformers-trainer/trainer_state.json")),
            ("params.yaml", &real("evidence/dvc/params.yaml")),
        ],
    );
    let target = Target { repo: "acme/mood".parse().expect("an id"), ..sample.target.clone() };
    let input = CardInput { target: Some(&target), ..sample.input() };
    let card = write(&input).expect("written");
    assert_eq!(card_rules::check(&card), card_rules::CardCheck::default());
    insta::assert_snapshot!(card);
}

#[test]
fn what_it_was_made_from_is_said_by_the_policy_or_by_a_file() {
    let adapter = r#"{"base_model_name_or_path": "meta/base"}"#;
    let own = r#"{"_name_or_path": "acme/churn"}"#;
    let path = r#"{"base_model_name_or_path": "tf/out", "_name_or_path": "/home/ada/out"}"#;
    for (policy, file, text, metadata, line) in [
        (
            "",
            "adapter_config.json",
            adapter,
            "base_model:\n  - meta/base\nbase_model_relation: adapter\n",
            "- Made from: `meta/base` (adapter), as `adapter_config.json` says\n",
        ),
        (
            ", base-models: [meta/Base]",
            "adapter_config.json",
            adapter,
            "base_model:\n  - meta/Base\nbase_model_relation: adapter\n",
            "- Made from: `meta/Base` (adapter)\n",
        ),
        (
            ", base-models: [us/them]",
            "adapter_config.json",
            adapter,
            "base_model:\n  - us/them\n",
            "- Made from: `us/them`\n",
        ),
        ("", "config.json", own, "", ""),
        ("", "adapter_config.json", path, "", ""),
        ("", "config.json", path, "", ""),
    ] {
        let policy = format!("model: {{name: churn, owner: acme{policy}}}");
        let sample = Sample::of(&policy, &[(file, text.as_bytes())]);
        let card = write(&sample.input()).expect("written");
        assert!(card.contains(metadata) && card.contains(line), "{card}");
        assert_eq!(card.contains("base_model:"), !metadata.is_empty(), "{card}");
        assert_eq!(card.contains("base_model_relation"), metadata.contains("relation"), "{card}");
        assert_eq!(card.contains("Made from"), !line.is_empty(), "{card}");
        assert!(!card.contains("tf/out") && !card.contains("/home"), "{card}");
        let readme = "---\nbase_model: by/hand\n---\n# T\n";
        let kept = write(&CardInput { readme: Some(readme), ..sample.input() }).expect("written");
        let by_policy = policy.contains("base-models");
        assert_eq!(kept.contains("base_model: by/hand\n"), !by_policy, "{kept}");
        assert_eq!(kept.contains("- Made from: `by/hand`\n"), !by_policy, "{kept}");
        assert!(by_policy || !kept.contains("base_model_relation"), "another's: {kept}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn what_files_say_forges_no_structure(
        nasty in "(\\||\n|\r|#|-|`|<|>|\\[|\\]|!|\\*|a|b| |<!--|-->|\\{\\{|\\{%|\u{202E}|\u{1b}){0,30}",
    ) {
        let card = |text: &str| {
            let config = serde_json::json!({
                "model_type": text, "architectures": [text], "id2label": {"0": text, "1": "b"},
                "transformers_version": text, "sklearn": {"environment": [format!("{text}={text}")]},
            });
            let params = serde_json::json!({ text: text });
            let files = [("config.json", config.to_string()), ("params.yaml", params.to_string())];
            let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
            write(&Sample::of(POLICY, &files).input()).expect("written")
        };
        let plain = outline(&card("x"));
        let card = card(&format!("x{nasty}"));
        proptest::prop_assert_eq!(outline(&card), plain, "{}", card);
    }
}

/// The card's headings and the cells of its tables.
fn outline(card: &str) -> (Vec<String>, usize) {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let body = front_matter::split(card).expect("front matter").body;
    let (mut headings, mut cells, mut inside) = (Vec::new(), 0, false);
    for event in Parser::new_ext(body, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                inside = true;
                headings.push(String::new());
            }
            Event::Text(text) if inside => {
                let title: String = headings.pop().unwrap_or_default();
                headings.push(title + &text);
            }
            Event::End(pulldown_cmark::TagEnd::Heading(_)) => inside = false,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::Html(html) if html.trim() == WHOLE => {}
            Event::Html(html) | Event::InlineHtml(html) => panic!("{html} in {card}"),
            _ => {}
        }
    }
    (headings, cells)
}
