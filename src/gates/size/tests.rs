use jiff::civil::date;

use super::*;
use crate::digest::Digest;
use crate::evidence::{Evidence, Last};
use crate::inventory::Artifact;
use crate::policy;
use crate::rel_path::RelPath;
use crate::release::{Channel, GitFacts, Published, Release};
use crate::scan::Format;

fn artifact(path: &str, size: u64) -> Artifact {
    Artifact {
        path: RelPath::parse(path).expect("a path"),
        place: crate::inventory::Place::OnDisk(path.into()),
        shown: format!("model/{path}"),
        size,
        sha256: Digest::of(b""),
        md5: None,
        seals: std::sync::Arc::default(),
        git_oid: String::new(),
        sample: Vec::new(),
        format: Format::TEXT,
        detections: Vec::new(),
        tensors: None,
        text: None,
    }
}

/// What came before 1.1.0.
enum Before {
    NotAsked,
    Nothing,
    NoRecord,
    Bytes(u64),
}

/// `rule at: message` of each finding under `gates: {size: …}`; the note comes last.
fn weigh(size: &str, files: Vec<Artifact>, before: &Before) -> (Vec<String>, String) {
    let text = format!("model: {{name: churn, owner: acme}}\ngates:\n  size: {size}\n");
    let policy = policy::parse("w.yml", &text, &[]).expect("valid");
    let version = semver::Version::new(1, 1, 0);
    let release = Release {
        tag: "v1.1.0".into(),
        model: "churn".into(),
        channel: Channel::of(&version),
        version,
    };
    let mut published = Published::default();
    if matches!(before, Before::NoRecord | Before::Bytes(_)) {
        published.versions.push(semver::Version::new(1, 0, 0));
    }
    let last = match before {
        Before::Bytes(bytes) => Some(Last { bytes: Some(*bytes), ..Last::default() }),
        _ => None,
    };
    let load = Load {
        policy: &policy,
        model: &policy.models[0],
        versioning: &Versioning::Release(release),
        target: None,
        git: &GitFacts::default(),
        changes: &crate::release::Changes::default(),
        inventory: &Inventory { files, ..Inventory::default() },
        evidence: &Evidence { last, ..Evidence::default() },
        test_run: None,
        audit_log: None,
        published: (!matches!(before, Before::NotAsked)).then_some(&published),
        source: None,
        card: "",
        readme: None,
        leaks: None,
        holder: None,
        rehearsal: false,
        today: date(2026, 1, 2),
        checkout: None,
    };
    let judgement = Size.weigh(&load).expect("pure gates do not fail");
    let show = |finding: &Finding| {
        assert!(Size.rules().contains(&finding.rule), "{} is declared", finding.rule.id);
        format!("{} at {}: {}", finding.rule.id, finding.at, finding.message)
    };
    (judgement.findings.iter().map(show).collect(), judgement.note)
}

#[test]
fn budgets_hold_up_to_themselves() {
    let budgets = "{max: 1500, warn-max: 1.4 kB, max-file: 1kB}";
    let files = |first| vec![artifact("a.bin", first), artifact("b/c.bin", 400)];
    for (first, expected) in [
        (1000, &[][..]),
        (
            1001,
            &[
                "size-doubtful at w.yml:3:31: the files of `model` have 1.4 kB, 1 B more than 1.4 kB (w.yml:3:31)",
                "file-above-max at model/a.bin: `model/a.bin` has 1.0 kB, 1 B more than 1.0 kB (w.yml:3:49)",
            ],
        ),
        (
            1101,
            &[
                "size-above-max at w.yml:3:15: the files of `model` have 1.5 kB, 1 B more than 1.5 kB (w.yml:3:15)",
                "file-above-max at model/a.bin: `model/a.bin` has 1.1 kB, 101 B more than 1.0 kB (w.yml:3:49)",
            ],
        ),
    ] {
        let (findings, note) = weigh(budgets, files(first), &Before::NotAsked);
        assert_eq!(findings, expected);
        assert!(note.ends_with(" kB of 1.5 kB"), "{note}");
    }
}

#[test]
fn growth_is_that_since_the_last_release() {
    let now = || vec![artifact("a.bin", 1200)];
    for (growth, before, rule, noted) in [
        ("20%", Before::Bytes(1000), "", "1.2 kB, 1.0 kB in 1.0.0"),
        (
            "19%",
            Before::Bytes(1000),
            "size-growth at w.yml:3:22: the files have 1.2 kB, 200 B more than in version 1.0.0; 190 B may be added (19%, w.yml:3:22)",
            "",
        ),
        ("200B", Before::Bytes(1000), "", ""),
        ("199", Before::Bytes(1000), "size-growth", ""),
        ("0%", Before::Bytes(1300), "", ""),
        ("0%", Before::Nothing, "", "no earlier version"),
        ("0%", Before::NotAsked, "", "growth is compared when a release is weighed"),
        ("0%", Before::NoRecord, "size-not-compared at w.yml:3:22: version 1.0.0 on the Hub", ""),
    ] {
        let (findings, note) = weigh(&format!("{{max-growth: {growth}}}"), now(), &before);
        assert_eq!(findings.is_empty(), rule.is_empty(), "{findings:?}");
        assert!(findings.iter().all(|said| said.starts_with(rule)), "{findings:?}");
        assert!(note.contains(noted), "{note}");
    }
}

#[test]
fn the_limits_of_the_hub_always_hold() {
    let gigabyte = 1_000_000_000;
    for (size, rule) in [(200, ""), (201, "hub-file-large"), (501, "hub-file-limit")] {
        let (findings, _) =
            weigh("{}", vec![artifact("m.gguf", size * gigabyte)], &Before::NotAsked);
        assert_eq!(findings.is_empty(), rule.is_empty(), "{findings:?}");
        assert!(findings.iter().all(|said| said.starts_with(rule)), "{findings:?}");
    }
    let crowd = |folder: &'static str, count: usize| {
        (0..count).map(move |index| artifact(&format!("{folder}{index}"), 1))
    };
    let fits: Vec<_> = crowd("a/", 10_000).chain(crowd("", 9_999)).collect();
    assert_eq!(weigh("{}", fits, &Before::NotAsked).0, Vec::<String>::new());
    let crowded = crowd("a/", 10_001).chain(crowd("", 10_000)).collect();
    assert_eq!(
        weigh("{}", crowded, &Before::NotAsked).0,
        [
            "hub-folder-crowded at model: `model` has 10001 entries",
            "hub-folder-crowded at model/a: `model/a` has 10001 entries"
        ]
    );
    let many = (0..11)
        .flat_map(|folder| (0..9_100).map(move |index| artifact(&format!("{folder}/{index}"), 1)));
    let (findings, _) = weigh("{}", many.collect(), &Before::NotAsked);
    assert_eq!(findings, ["hub-many-files at model: `model` has 100100 files"]);
}

#[test]
fn sizes_that_are_none_are_told() {
    for size in ["{max: 2G}", "{max-file: -1}", "{max-growth: 20 per cent}", "{warn-max: 10%}"] {
        let text = format!("model: {{name: churn, owner: acme}}\ngates:\n  size: {size}\n");
        let error = policy::parse("w.yml", &text, &[]).expect_err(size).to_string();
        assert!(error.contains("is no size") && error.contains("500MB"), "{error}");
    }
}
