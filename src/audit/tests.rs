use std::path::Path;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::context::{Context, Environment};
use crate::digest::Digest;
use crate::finding::{
    Allowance, Finding, Level, Location, Outcome as GateOutcome, Overrides, Rule, Verdict, Weighing,
};
use crate::hub::RepoId;

const RULE: Rule = Rule {
    id: "unsafe-pickle",
    level: Level::Error,
    summary: "",
    reason: "",
    fix: "",
    example: "",
};

/// A verdict with so many findings that the policy allows, for this reason.
fn verdict(allowed: usize, reason: &str) -> Verdict {
    let overrides = Overrides {
        allowances: vec![Allowance {
            rule: "unsafe-pickle".into(),
            path: None,
            callable: None,
            sha256: None,
            reason: reason.into(),
            expires: date(2026, 12, 31),
            at: Location::release(),
        }],
        ..Overrides::default()
    };
    let finding = || Finding::new(&RULE, "os.system", Location::file("model/a.pkl"));
    let weighing = |gate, outcome, findings| Weighing { gate, outcome, findings };
    let findings = std::iter::repeat_with(finding).take(allowed).collect();
    let weighings = vec![
        weighing("scan", GateOutcome::Judged("1 file".into()), findings),
        weighing("tests", GateOutcome::Skipped("not required".into()), vec![]),
    ];
    Verdict::judge(weighings, &overrides, date(2026, 1, 1))
}

fn context() -> Context {
    let pairs = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "acme/churn"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/tags/v1.2.0"),
        ("GITHUB_RUN_ID", "7"),
        ("GITHUB_ACTOR", "ada"),
        ("GITHUB_TRIGGERING_ACTOR", "grace"),
    ];
    let env: Environment = pairs.into_iter().collect();
    Context::read(&env, None).expect("readable")
}

/// The record of a release of `version`, with these findings allowed for this reason.
fn record(version: &str, allowed: usize, reason: &str) -> Record {
    let repo: RepoId = "acme/churn".parse().expect("an id");
    let approval = Approval { by: "grace".into(), at: None, of: "pull request 5".into() };
    let emergency =
        Emergency { by: "ada".into(), reason: reason.into(), passed_over: vec!["review".into()] };
    Record::of(&Run {
        time: "2026-11-26T01:02:03.456Z".parse().expect("a time"),
        outcome: Outcome::Published,
        mode: "release",
        model: "churn",
        version,
        tag: "v1.2.0",
        context: &context(),
        commit: Some("0123456789abcdef0123456789abcdef01234567"),
        credential: Some("environment HF_TOKEN"),
        verdict: &verdict(allowed, reason),
        repo: &repo,
        branch: "main",
        hub_tag: "v1.2.0",
        before: None,
        after: Some("89abcdef0123456789abcdef0123456789abcdef"),
        manifest_digest: Digest::of(b"files"),
        record_digest: Some("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"),
        approvals: &[approval],
        emergency: Some(&emergency),
        failure: None,
    })
}

#[test]
fn the_shape_is_frozen() {
    let mut record = record("1.2.0", 1, "reviewed");
    record.weighbridge = "the program's version".into();
    insta::assert_snapshot!(Chain::default().line(&record.to_text()));
}

#[test]
fn a_kept_record_reads_back_as_it_was() {
    let kept = record("1.2.0", 2, "reviewed\nby two \"people\"");
    let text = kept.to_text();
    assert_eq!(Record::parse(format!("{text}\n").as_bytes()).expect("a record"), kept);
    assert_eq!(Record::parse(text.as_bytes()).expect("a record").id(), kept.id());
    for other in ["{}", "", "null", &text.replace("\"schema\":1", "\"schema\": 1")] {
        assert!(Record::parse(other.as_bytes()).is_err(), "{other}");
    }
    assert!(Record::parse(&vec![b' '; record::MAX_BYTES * 2]).is_err());
}

#[test]
fn a_record_stays_small_and_counts_what_it_leaves_out() {
    let small = record("1.2.0", 3, "reviewed");
    assert_eq!((small.allowed.len(), small.left_out), (3, 0));
    // Quotes are two bytes in JSON, and these letters four.
    let large = record("1.2.0", 5000, &"\"\u{1F600}\n".repeat(10_000));
    assert!(large.to_text().len() <= record::MAX_BYTES, "{}", large.to_text().len());
    assert_eq!(large.allowed.len() + large.left_out, 5000);
    assert!(large.allowed.len() > 10, "{}", large.allowed.len());
    assert!(large.allowed[0].reason.ends_with('…'));
    let mut chain = Chain::default();
    let line = chain.line(&large.to_text());
    assert!(!line.contains('\n'));
    assert!(chain.take(line.as_bytes()).is_ok());
}

#[test]
fn fields_of_a_newer_program_hold() {
    let mut chain = Chain::default();
    let newer =
        record("1.2.0", 0, "").to_text().replace("\"schema\":1", "\"schema\":2,\"more\":[]");
    let line = chain.line(&newer);
    assert!(chain.take(line.as_bytes()).is_ok());
}

/// A log of two months, its lines by file.
fn log(lines: usize) -> Vec<(&'static str, Vec<String>)> {
    let mut chain = Chain::default();
    let mut files: Vec<(&str, Vec<String>)> =
        vec![("2026-11.jsonl", vec![]), ("2026-12.jsonl", vec![])];
    for number in 0..lines {
        let line = chain.line(&record(&format!("1.{number}.0"), number % 3, "reviewed").to_text());
        chain.take(line.as_bytes()).expect("a line that holds");
        files[usize::from(number >= lines / 2)].1.push(line);
    }
    files
}

fn write(folder: &Path, files: &[(&str, Vec<String>)]) {
    for (name, lines) in files {
        let text = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>();
        std::fs::write(folder.join(name), text).expect("writable");
    }
}

/// Where verification says that the log breaks, as `file:line`.
fn breaks(folder: &Path) -> Option<String> {
    let found = verify_folder(folder, None, 0).expect("readable");
    let broken = found.broken?;
    let name = Path::new(&broken.file).file_name().expect("a file").to_string_lossy().into_owned();
    Some(format!("{name}:{}", broken.line))
}

/// The place of line `index` of the log, from 0.
fn place(files: &[(&str, Vec<String>)], index: usize) -> String {
    let first = files[0].1.len();
    if index < first {
        format!("{}:{}", files[0].0, index + 1)
    } else {
        format!("{}:{}", files[1].0, index - first + 1)
    }
}

/// All lines, and how to cut them into the same files again.
fn edited(
    files: &[(&'static str, Vec<String>)],
    edit: impl FnOnce(&mut Vec<String>),
) -> Vec<(&'static str, Vec<String>)> {
    let mut lines: Vec<_> = files.iter().flat_map(|(_, lines)| lines.clone()).collect();
    edit(&mut lines);
    let rest = lines.split_off(files[0].1.len().min(lines.len()));
    vec![(files[0].0, lines), (files[1].0, rest)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_change_of_one_byte_is_found_in_its_line(
        lines in 2usize..8, at in any::<prop::sample::Index>(), to in any::<u8>(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let files = log(lines);
        write(folder.path(), &files);
        prop_assert_eq!(breaks(folder.path()), None);
        let sizes = files.iter().map(|(_, lines)| lines.iter().map(|line| line.len() + 1).sum());
        let sizes: Vec<usize> = sizes.collect();
        let at = at.index(sizes.iter().sum());
        let (file, offset) = if at < sizes[0] { (0, at) } else { (1, at - sizes[0]) };
        let path = folder.path().join(files[file].0);
        let mut bytes = std::fs::read(&path).expect("readable");
        prop_assume!(bytes[offset] != to);
        let line = bytes[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
        bytes[offset] = to;
        std::fs::write(&path, bytes).expect("writable");
        prop_assert_eq!(breaks(folder.path()), Some(format!("{}:{line}", files[file].0)));
    }

    #[test]
    fn lines_that_go_come_twice_or_change_places_are_found(
        lines in 3usize..9, one in any::<prop::sample::Index>(), two in any::<prop::sample::Index>(),
    ) {
        let files = log(lines);
        let found = |edit: &dyn Fn(&mut Vec<String>)| {
            let folder = tempfile::tempdir().expect("a folder");
            write(folder.path(), &edited(&files, edit));
            breaks(folder.path())
        };
        // Of the last line nothing is missed: `the_end_cannot_be_cut_off_unseen`.
        let gone = one.index(lines - 1);
        let removed = |all: &mut Vec<String>| drop(all.remove(gone));
        prop_assert_eq!(found(&removed), Some(place(&files, gone)));

        let double = one.index(lines);
        let doubled = |all: &mut Vec<String>| all.insert(double, all[double].clone());
        let expected = place(&files, double + 1);
        prop_assert_eq!(found(&doubled), Some(expected));

        let (low, high) = (one.index(lines - 1), two.index(lines));
        prop_assume!(low < high);
        let swapped = |all: &mut Vec<String>| all.swap(low, high);
        prop_assert_eq!(found(&swapped), Some(place(&files, low)));
    }

    #[test]
    fn no_line_is_too_much(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[{}\":,a-z0-9]{0,200}") {
        for line in [bytes.as_slice(), text.as_bytes(), format!("{{\"sequence\":1,\"previous\":\"{text}").as_bytes()] {
            prop_assert!(Chain::default().take(line).is_err());
            prop_assert!(Chain::before(line).is_err());
        }
    }
}

#[test]
fn a_line_that_was_written_again_is_found_at_the_next() {
    let files = log(6);
    let folder = tempfile::tempdir().expect("a folder");
    let forged = edited(&files, |lines| {
        // Number, predecessor and id fit: only who comes after knows better.
        let chain = Chain::before(lines[3].as_bytes()).expect("a line");
        lines[3] = chain.line(&record("6.6.6", 0, "").to_text());
    });
    write(folder.path(), &forged);
    let found = verify_folder(folder.path(), None, 0).expect("readable");
    assert_eq!(breaks(folder.path()), Some("2026-12.jsonl:2".into()));
    let told = found.broken.expect("broken").to_string();
    let honest = Digest::of(files[1].1[0].as_bytes()).to_string();
    assert!(told.contains(&honest) && told.contains("that line was changed"), "{told}");
    assert_eq!(found.chain.records(), 4);
}

#[test]
fn the_end_cannot_be_cut_off_unseen() {
    let files = log(6);
    let folder = tempfile::tempdir().expect("a folder");
    let head = Digest::of(files[1].1[2].as_bytes());
    write(folder.path(), &files);
    let whole = verify_folder(folder.path(), Some(head), 2).expect("readable");
    assert_eq!((whole.holds, whole.chain.head(), whole.passed()), (Some(true), Some(head), true));
    let numbers: Vec<_> = whole.newest.iter().map(|entry| entry.sequence).collect();
    assert_eq!(numbers, [5, 6]);
    write(folder.path(), &edited(&files, |lines| drop(lines.pop())));
    let cut = verify_folder(folder.path(), Some(head), 0).expect("readable");
    assert_eq!((cut.broken.is_none(), cut.holds, cut.passed()), (true, Some(false), false));
}

#[test]
fn what_is_no_log_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("README.md"), "# Log\n").expect("writable");
    let empty = verify_folder(folder.path(), None, 0).expect_err("no log");
    assert!(matches!(empty, LogError::Empty(_)));
    assert!(verify_folder(&folder.path().join("gone"), None, 0).is_err());

    for (text, says) in [
        (String::new(), "does not end in a line break"),
        ("\n".into(), "does not begin with"),
        (log(2)[0].1[0].clone(), "cut off"),
        (format!("{}\n", "x".repeat(100_000)), "longer than"),
        (log(2)[1].1.join("\n") + "\n", "record 1 is missing"),
    ] {
        std::fs::write(folder.path().join("2026-11.jsonl"), &text).expect("writable");
        let found = verify_folder(folder.path(), None, 0).expect("readable");
        let broken = found.broken.expect("broken").to_string();
        assert!(broken.contains("2026-11.jsonl:1: ") && broken.contains(says), "{broken}");
    }
}
