use super::*;

const RULES: &[&str] = &["custom-class", "unsafe-pickle", "lfs-pointer"];
const SMALL: &str = "model: {name: churn, owner: acme}\n";

fn said(text: &str) -> String {
    match parse("weighbridge.yml", text, RULES) {
        Ok(_) => "fine".into(),
        Err(error) => error.to_string(),
    }
}

/// The problems' headlines, without excerpts.
pub(super) fn headlines(text: &str) -> Vec<String> {
    match parse("w", text, RULES) {
        Err(PolicyError::Invalid { problems, .. }) => problems
            .into_iter()
            .map(|problem| {
                let at = problem.at;
                let help = problem.help.unwrap_or_default();
                format!("{}:{} {} [{help}]", at.line, at.column, problem.message)
            })
            .collect(),
        other => panic!("expected problems, found {other:?}"),
    }
}

pub(super) fn valid(text: &str) -> Policy {
    parse("weighbridge.yml", text, RULES).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn two_keys_are_enough_and_the_defaults_are_careful() {
    let policy = valid(SMALL);
    let model = &policy.models[0];
    assert_eq!((model.path.as_str(), model.stages.len()), ("model", 1));
    assert_eq!(model.stages[0].visibility, Visibility::Private);
    assert_eq!(model.stages[0].name, "production");
    assert!(model.gates.tests.required && !model.gates.version.allow_older);
    assert_eq!(model.card.required.len(), 4);
    let reports = &model.gates.tests.reports;
    assert_eq!(reports.len(), 3);
    for found in ["reports/junit.xml", "reports/unit/a.xml", "test-results/x.xml", "junit-3.xml"] {
        assert!(reports.iter().any(|pattern| pattern.glob.is_match(found)), "{found}");
    }
    assert!(!reports.iter().any(|pattern| pattern.glob.is_match("model/junit.xml")));
}

#[test]
fn the_starter_is_valid() {
    assert_eq!(said(STARTER), "fine");
}

#[test]
fn structure_and_meaning_are_told_together() {
    insta::assert_snapshot!(said("modle: 1\nmodel:\n  name: churn\n  owner: acme\n  licence: mit\n  path: /srv/model\n  gates: {benchmarks: [{metric: f1, min: 2, max: 1}]}\nrules: {unsafe-pickel: off}\n"), @r"
    5 problems

    weighbridge.yml:1:1: `weighbridge.yml` has no key `modle`
         1 | modle: 1
           | ^^^^^
           = did you mean `model`?

    weighbridge.yml:5:3: `model` has no key `licence`
         5 |   licence: mit
           |   ^^^^^^^
           = did you mean `license`?

    weighbridge.yml:6:9: `/srv/model` is not a path below this file's folder
         6 |   path: /srv/model
           |         ^^^^^^^^^^
           = use a relative path without `..`

    weighbridge.yml:7:42: `min` (2) is greater than `max` (1): no value can pass
         7 |   gates: {benchmarks: [{metric: f1, min: 2, max: 1}]}
           |                                          ^
           = swap the two, or remove one

    weighbridge.yml:8:9: there is no rule `unsafe-pickel`
         8 | rules: {unsafe-pickel: off}
           |         ^^^^^^^^^^^^^
           = did you mean `unsafe-pickle`?
    ");
}

#[test]
fn all_types_that_are_wrong_come_at_once() {
    insta::assert_snapshot!(said("model:\n  name: 5\n  owner: acme\n  language: en\ntags: sometime\ngates:\n  tests: {required: yes}\n  hub-scan: {timeout: -1}\n  benchmarks:\n    - {metric: f1, min: .nan}\n    - {file: m.json}\ncard: []\n"), @r#"
    8 problems

    weighbridge.yml:2:9: `name` is the number `5`
         2 |   name: 5
           |         ^
           = expected a text: write `"5"`

    weighbridge.yml:4:13: `language` is the text `en`
         4 |   language: en
           |             ^^
           = expected a list: write `[en]`

    weighbridge.yml:5:7: `tags` is the text `sometime`
         5 | tags: sometime
           |       ^^^^^^^^
           = expected one of auto, plain, slash, at

    weighbridge.yml:7:21: `required` is the text `yes`
         7 |   tests: {required: yes}
           |                     ^^^
           = expected true or false: write `true`

    weighbridge.yml:8:23: `timeout` is `-1`
         8 |   hub-scan: {timeout: -1}
           |                       ^^
           = expected a whole number from 0

    weighbridge.yml:10:25: `min` is the number `NaN`
        10 |     - {metric: f1, min: .nan}
           |                         ^^^^
           = expected a finite number

    weighbridge.yml:11:7: `benchmarks` has no `metric`
        11 |     - {file: m.json}
           |       ^
           = add `metric: …`

    weighbridge.yml:12:7: `card` is a list
        12 | card: []
           |       ^
           = expected a map of keys and values
    "#);
}

#[test]
fn a_key_in_the_wrong_place_is_sent_home() {
    insta::assert_snapshot!(said("model: {name: churn}\nowner: acme\nbenchmarks: []\n"), @r"
    3 problems

    weighbridge.yml:1:8: nobody owns the model `churn`
         1 | model: {name: churn}
           |        ^
           = add `owner:`, the Hub user or organisation

    weighbridge.yml:2:1: `weighbridge.yml` has no key `owner`
         2 | owner: acme
           | ^^^^^
           = `owner` belongs under `model:` or `models:`

    weighbridge.yml:3:1: `weighbridge.yml` has no key `benchmarks`
         3 | benchmarks: []
           | ^^^^^^^^^^
           = `benchmarks` belongs under `gates:`
    ");
}

#[test]
fn syntax_errors_have_a_place() {
    insta::assert_snapshot!(said("model: [a\nname: b\n"), @r"
    1 problem

    weighbridge.yml:2:5: illegal placement of ':' indicator
         2 | name: b
           |     ^^^
           = what opens, closes and indents here or just above does not fit together
    ");
    insta::assert_snapshot!(said("model:\n  name: churn\n owner: acme\n"), @r"
    1 problem

    weighbridge.yml:3:2: while parsing a block mapping, did not find expected key
         3 |  owner: acme
           |  ^^^^^
           = what opens, closes and indents here or just above does not fit together
    ");
    insta::assert_snapshot!(said("model: {name: *nowhere}\n"), @r"
    1 problem

    weighbridge.yml:1:15: alias references unknown anchor
         1 | model: {name: *nowhere}
           |               ^^^^^^^^
           = what opens, closes and indents here or just above does not fit together
    ");
    insta::assert_snapshot!(said(""), @r"
    1 problem

    weighbridge.yml:1:1: the file is empty
           = begin with `model: {name: …, owner: …}`
    ");
}

#[test]
fn repeated_keys_are_each_named() {
    insta::assert_snapshot!(said("tags: auto\ntags: auto\nmodel:\n  name: a\n  owner: b\n  name: c\n"), @r"
    2 problems

    weighbridge.yml:2:1: `tags` is given twice
         2 | tags: auto
           | ^^^^
           = remove it, or the one on line 1

    weighbridge.yml:6:3: `name` is given twice
         6 |   name: c
           |   ^^^^
           = remove it, or the one on line 4
    ");
}

#[test]
fn what_a_file_says_cannot_forge_the_output() {
    let said = said("model:\n  name: \"a\\n::error::x\\u202E\"\n  owner: acme\n\u{202E}::set: 1\n");
    assert!(!said.contains('\u{202E}'), "{said}");
    assert!(said.lines().all(|line| !line.trim_start().starts_with("::")), "{said}");
    let long = said_of_long_line();
    assert!(long.lines().all(|line| line.chars().count() < 220), "{long}");
}

fn said_of_long_line() -> String {
    said(&format!(
        "model: {{name: churn, owner: acme, tags: [{}], licence: mit}}\n",
        "x, ".repeat(5_000)
    ))
}

#[test]
fn names_and_paths_that_cannot_be() {
    for (keys, expected) in [
        ("name: a/b, owner: o", "1:15 `a/b` cannot be a model name"),
        ("name: -a, owner: o", "1:15 `-a` cannot be a model name"),
        ("name: '', owner: o", "1:15 `` cannot be a model name"),
        ("name: a, owner: o/p", "1:25 `o/p` cannot be a Hub user"),
        ("name: a", "1:8 nobody owns the model `a`"),
        ("name: a, owner: o, path: ../x", "1:34 `../x` is not a path below"),
        ("name: a, owner: o, path: /x", "1:34 `/x` is not a path below"),
        ("name: a, owner: o, path: 'C:/x'", "1:34 `C:/x` is not a path below"),
        ("name: a, owner: o, path: 'm\\x'", "[write `m/x`]"),
        (
            "name: a, owner: o, task: tabular-clasification",
            "[did you mean `tabular-classification`?]",
        ),
        ("name: a, owner: o, language: [EN]", "[write `en`]"),
        ("name: a, owner: o, language: [english]", "`english` is not a language code"),
        ("name: a, owner: o, base-models: ['./base']", "`./base` is not a Hub id"),
        ("name: a, owner: o, datasets: [my data]", "`my data` is not a Hub id"),
        ("name: a, owner: o, license: ' '", "`license` is empty"),
        ("name: a, owner: o, include: ['a[']", "`a[` is not a glob"),
        ("name: a, owner: o, exclude: ['/a']", "`/a` can match no path"),
        ("name: a, owner: o, exclude: ['../a']", "`../a` can match no path"),
    ] {
        let problems = headlines(&format!("model: {{{keys}}}\n"));
        assert_eq!(problems.len(), 1, "{keys}: {problems:?}");
        assert!(problems[0].contains(expected), "{keys}: {problems:?}");
    }
}

#[test]
fn values_that_cannot_be() {
    for (section, expected) in [
        ("gates: {benchmarks: [{metric: a, pointer: $.a.b}]}", "[write `/a/b`]"),
        ("gates: {benchmarks: [{metric: a, pointer: /a~b}]}", "`~` stands alone"),
        (
            "gates: {benchmarks: [{metric: a, min: 2, max: 1}]}",
            "`min` (2) is greater than `max` (1)",
        ),
        ("gates: {benchmarks: [{metric: a, file: /m.json}]}", "`/m.json` is not a path below"),
        ("gates: {benchmarks: [{metric: a}, {metric: a, min: 1}]}", "`a` is bounded twice"),
        ("gates: {benchmarks: [{metric: ' '}]}", "`metric` is empty"),
        (
            "gates: {benchmarks: [{metric: a, hub-benchmark: {dataset: a b, task: t}}]}",
            "`a b` is not a Hub id",
        ),
        (
            "gates: {benchmarks: [{metric: a, hub-benchmark: {dataset: o/d, task: t}}, \
             {metric: b, hub-benchmark: {dataset: o/d, task: t}}]}",
            "two metrics are the result of `t` of o/d",
        ),
        ("gates: {benchmarks: [{metric: a, max: .inf}]}", "`max` is the number `inf`"),
        ("gates: {hub-scan: {timeout: 0}}", "`timeout` is 0 seconds"),
        ("gates: {licenses: {allowed: [Apache-2.0]}}", "[did you mean `apache-2.0`?]"),
        ("gates: {tests: {reports: ['{a']}}", "`{a` is not a glob"),
        ("card: {source: ../README.md}", "`../README.md` is not a path"),
        ("card: {template: /t}", "`/t` is not a path"),
        ("card: {bias: {text: ' ', by: A, date: 2026-01-01}}", "`text` is empty"),
        ("card: {bias: {text: x, by: A, date: 2026-02-30}}", "`2026-02-30` is not a date"),
        ("card: {required: [limitation]}", "[did you mean `limitations`?]"),
        ("allow: [{rule: unsafe-pickle, reason: '', expires: 2026-01-01}]", "`reason` is empty"),
        ("allow: [{rule: unsafe-pickle, expires: 2026-01-01}]", "has no `reason`"),
        ("allow: [{rule: unsafe-pickle, reason: x}]", "has no `expires`"),
        ("allow: [{rule: unsafe-pickle, reason: x, expires: soon}]", "`soon` is not a date"),
        (
            "allow: [{rule: nothing-like-it, reason: x, expires: 2026-01-01}]",
            "`weighbridge rules` lists them",
        ),
        ("rules: {unsafe-pickel: off}", "2:9 there is no rule `unsafe-pickel`"),
        ("rules: {unsafe-pickle: warn}", "[did you mean `warning`?]"),
        ("publish: {keep: ['a[']}", "`a[` is not a glob"),
        ("publish: {largest-commit: {files: 0}}", "`files` is 0"),
        ("publish: {largest-commit: {bytes: much}}", "`bytes` is no size: `much`"),
    ] {
        let problems = headlines(&format!("{SMALL}{section}\n"));
        assert_eq!(problems.len(), 1, "{section}: {problems:?}");
        assert!(problems[0].contains(expected), "{section}: {problems:?}");
    }
}

#[test]
fn models_must_be_told_apart() {
    insta::assert_snapshot!(said("tags: plain\nmodels:\n  - {name: a, owner: o, path: m/a}\n  - {name: a, owner: o, path: m/b}\n  - {name: b, owner: o, path: ./m/b/, repository: {name: A}}\n"), @r"
    3 problems

    weighbridge.yml:1:7: `plain` tags cannot say which of several models they release
         1 | tags: plain
           |       ^^^^^
           = write `slash` (name/v1.2.3) or `at` (name@v1.2.3)

    weighbridge.yml:4:12: two models are named `a`
         4 |   - {name: a, owner: o, path: m/b}
           |            ^
           = give each model its own name

    weighbridge.yml:5:5: `a` and `b` go to one repository, o/A
         5 |   - {name: b, owner: o, path: ./m/b/, repository: {name: A}}
           |     ^
           = put {name} into the repository's name
    ");
    assert!(said("model: {name: a, owner: o}\nmodels: []\n").contains("both `model` and `models`"));
    assert!(said("models: []\n").contains("no model is named"));
}

#[test]
fn stages_must_be_told_apart() {
    let with = |stages: &str| said(&format!("model: {{name: a, owner: o}}\nstages:\n{stages}"));
    let twice = with("  - {name: s, channels: [staging]}\n  - {name: s, channels: [staging]}\n");
    assert!(twice.contains("two stages are named `s`"));
    assert!(twice.contains("belongs to `s` already"));
    assert!(with("  - {name: s}\n  - {name: t}\n").contains("both take every channel left over"));
    assert!(with("  []\n").contains("`stages` is empty"));
    assert!(
        with("  - {name: s, channels: [staging], visibility: public}\n  - {name: t}\n")
            .contains("private for")
    );
    assert!(with("  - {name: s t}\n").contains("cannot be a stage name"));
    assert!(
        with("  - {name: s}\nrepository: {name: x}\n").contains("both `stages` and `repository`")
    );
    assert!(with("  - {name: s, namespace: a b}\n").contains("`a b` cannot be a Hub user"));
    let template = "model: {name: a, owner: o}\nrepository: {name: 'x-{nmae}'}\n";
    assert_eq!(
        headlines(template),
        ["2:20 `x-{nmae}` names no known placeholder by `{nmae}` [did you mean `{name}`?]"]
    );
    assert!(
        said("model: {name: a, owner: o}\nrepository: {name: '{name}--x'}\n")
            .contains("`--` and `..` may not be used")
    );
}

#[test]
fn a_models_keys_win_one_by_one() {
    let text = "models:\n  - {name: a, owner: o, path: a}\n  - name: b\n    owner: o\n    path: b\n    gates: {tests: {required: false}}\n    card: {source: README.md}\ngates:\n  tests: {reports: ['r/*.xml']}\n  benchmarks: [{metric: f1, min: 0.5}]\ncard: {required: [bias]}\n";
    let policy = valid(text);
    let [a, b] = &policy.models[..] else { panic!("two models") };
    assert!(a.gates.tests.required && !b.gates.tests.required);
    for model in [a, b] {
        assert_eq!(
            model.gates.tests.reports[0].text, "r/*.xml",
            "loosening one key keeps the rest"
        );
        assert_eq!(model.gates.benchmarks[0].at_min.line, Some(10));
        assert_eq!(model.gates.benchmarks[0].place.to_string(), "f1");
        assert_eq!(model.card.required, [Section::Bias]);
    }
    assert_eq!(b.card.source, CardSource::File("README.md".into()));
}

#[test]
fn anchors_and_yaml_1_2_words_are_read() {
    let policy = valid(
        "model: {name: a, owner: o, language: [no], gates: &g {tests: {required: false}}}\ngates: *g\nrules: {lfs-pointer: off}\n",
    );
    assert_eq!(policy.models[0].language, ["no"]);
    assert_eq!(policy.overrides.levels["lfs-pointer"], None);
}

#[test]
fn a_missing_file_brings_a_file_to_paste() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weighbridge.yml");
    let fix = || {
        crate::failure::Advise::fix(&load(&path, "weighbridge.yml", RULES).expect_err("none"))
            .expect("a fix")
    };
    assert!(fix().contains(STARTER));
    std::fs::write(folder.path().join("weighbridge.yaml"), SMALL).expect("written");
    assert!(fix().contains("there is a `weighbridge.yaml`"));
    std::fs::write(&path, SMALL).expect("written");
    assert!(load(&path, "weighbridge.yml", RULES).is_ok());
    std::fs::write(&path, vec![b'#'; 2 * 1024 * 1024]).expect("written");
    assert!(matches!(load(&path, "w", RULES), Err(PolicyError::Unreadable { .. })));
    std::fs::write(&path, [0xff, 0xfe]).expect("written");
    assert!(matches!(load(&path, "w", RULES), Err(PolicyError::Unreadable { .. })));
    assert!(matches!(load(folder.path(), "w", RULES), Err(PolicyError::Unreadable { .. })));
}

#[test]
fn the_schema_file_is_fresh() {
    let stored = include_str!("../../weighbridge.schema.json");
    assert!(stored == schema(), "refresh it: cargo run -- schema > weighbridge.schema.json");
}

#[test]
fn the_page_of_keys_is_fresh() {
    let stored = include_str!("../../docs/policy-keys.md");
    let refresh = "refresh it: cargo run -- schema --format markdown > docs/policy-keys.md";
    assert!(stored == keys_page(), "{refresh}");
}

#[test]
fn every_example_of_the_documentation_is_valid() {
    let text = include_str!("../../docs/policy.md");
    let blocks: Vec<_> =
        text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 5, "the page has examples");
    for block in blocks {
        // A block that shows one section stands on the smallest policy.
        let whole = block.contains("model:") || block.contains("models:");
        let policy = if whole { block.to_owned() } else { format!("{SMALL}{block}") };
        assert_eq!(said(&policy), "fine", "{block}");
    }
}

#[test]
fn every_key_is_documented() {
    let text = include_str!("../../docs/policy.md");
    let schema = schema_value();
    let sections = schema["$defs"].as_object().expect("definitions").values();
    for section in sections.chain([&schema]) {
        for key in section["properties"].as_object().into_iter().flat_map(|keys| keys.keys()) {
            assert!(text.contains(&format!("`{key}`")), "docs/policy.md does not name `{key}`");
        }
    }
}
