use jiff::civil::date;

use super::*;
use crate::failure::Failure;
use crate::finding::{Level, Location, Overrides, Rule};
use crate::policy;

const POLICY: &str = "model:\n  name: churn\n  owner: acme\n  gates:\n    benchmarks:\n      \
                      - {metric: f1, file: m.json, pointer: /f1, min: 0.9}\n      \
                      - {metric: auc, file: m.json, pointer: /auc, max: 1}\n";

const RULE: Rule = Rule {
    id: "unsafe-pickle",
    level: Level::Error,
    summary: "",
    reason: "",
    fix: "",
    example: "",
};

/// A record of one real folder, with a verdict of three gates and one allowance.
fn sample() -> ReleaseRecord {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("model")).expect("writable");
    std::fs::write(folder.path().join("model/a.txt"), "hello\n").expect("writable");
    std::fs::write(folder.path().join("m.json"), "{\"f1\": 0.93, \"auc\": NaN}").expect("writable");
    let policy = policy::parse("weighbridge.yml", POLICY, &["unsafe-pickle"]).expect("valid");
    let model = &policy.models[0];
    let inventory =
        crate::inventory::take(&folder.path().join("model"), "model", &[], &[], &|_| {})
            .expect("a folder with files");
    let evidence = crate::evidence::gather(folder.path(), "", model);
    let release = crate::release::Release {
        tag: "churn/v1.2.0-rc.1".into(),
        model: "churn".into(),
        version: "1.2.0-rc.1".parse().expect("a version"),
        channel: crate::release::Channel::Staging,
    };
    let at = Location::file("model/a.pkl");
    let overrides = Overrides {
        allowances: vec![crate::finding::Allowance {
            rule: "unsafe-pickle".into(),
            path: None,
            callable: None,
            sha256: None,
            reason: "reviewed".into(),
            expires: date(2026, 12, 31),
            at: Location::release(),
        }],
        ..Overrides::default()
    };
    let weighing = |gate, outcome, findings| Weighing { gate, outcome, findings };
    let verdict = Verdict::judge(
        vec![
            weighing(
                "scan",
                Outcome::Judged("1 file".into()),
                vec![Finding::new(&RULE, "os.system", at)],
            ),
            weighing("tests", Outcome::Skipped("not required".into()), vec![]),
            weighing("card", Outcome::Broken(Failure::new("no disk")), vec![]),
        ],
        &overrides,
        date(2026, 1, 1),
    );
    record(&RecordInput {
        model,
        release: Some(&release),
        target: None,
        commit: Some("0123456789abcdef0123456789abcdef01234567"),
        repository: Some("acme/churn"),
        run_url: None,
        actor: Some("someone"),
        verdict: &verdict,
        source: None,
        evidence: &evidence,
        inventory: &inventory,
        documents: &[("README.md", Digest::of(b"# Churn\n"))],
    })
}

#[test]
fn the_shape_is_frozen() {
    let mut record = sample();
    record.weighbridge = "the program's version".into();
    insta::assert_snapshot!(String::from_utf8(record.to_bytes()).expect("UTF-8"));
}

#[test]
fn what_is_written_reads_back_and_twice_the_same() {
    let first = sample();
    let bytes = first.to_bytes();
    assert_eq!(ReleaseRecord::parse(&bytes).expect("a record"), first);
    assert_eq!(sample().to_bytes(), bytes);
    assert_eq!(first.metrics[1].value, None, "NaN is no number");
}

#[test]
fn records_of_other_programs() {
    let mut newer = sample();
    newer.schema = 2;
    assert!(matches!(ReleaseRecord::parse(&newer.to_bytes()), Err(RecordError::Newer(2))));
    let mut with_more = serde_json::to_value(sample()).expect("data");
    with_more["signature"] = "later".into();
    assert!(ReleaseRecord::parse(with_more.to_string().as_bytes()).is_ok());
    assert!(matches!(ReleaseRecord::parse(b"{}"), Err(RecordError::Shape(_))));
    assert!(matches!(ReleaseRecord::parse(b"\xFF"), Err(RecordError::Shape(_))));
    assert!(matches!(
        ReleaseRecord::parse(&vec![b' '; MAX_BYTES + 1]),
        Err(RecordError::TooLarge(_))
    ));
}
