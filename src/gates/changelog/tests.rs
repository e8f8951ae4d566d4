use jiff::civil::date;

use super::*;
use crate::evidence::Evidence;
use crate::inventory::Inventory;
use crate::policy;
use crate::release::{GitFacts, GitTag, changes, read_tag};

const ONE: &str = "model: {name: churn, owner: acme}\n";

struct Case<'a> {
    policy: &'a str,
    changelog: Option<&'a str>,
    tag: Option<&'a str>,
    /// Tags that git has.
    tags: &'a [&'a str],
    rehearsal: bool,
}

fn case(changelog: &str) -> Case<'_> {
    let changelog = Some(changelog);
    Case { policy: ONE, changelog, tag: Some("v1.1.0"), tags: &["v1.1.0"], rehearsal: false }
}

impl Case<'_> {
    /// `level rule at: message → fix` of each finding, and the note.
    fn weigh(&self) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        if let Some(text) = self.changelog {
            std::fs::write(folder.path().join("CHANGELOG.md"), text).expect("written");
        }
        self.weigh_in(folder.path())
    }

    fn weigh_in(&self, folder: &std::path::Path) -> (Vec<String>, String) {
        let policy = policy::parse("weighbridge.yml", self.policy, &[]).expect("valid");
        let versioning = self.tag.map_or(Versioning::Untagged, |tag| read_tag(tag, &policy));
        let tag = |name: &&str| GitTag { name: (*name).into(), commit: String::new(), time: 0 };
        let git = GitFacts { tags: self.tags.iter().map(tag).collect(), ..GitFacts::default() };
        let model = &policy.models[0];
        let release = match &versioning {
            Versioning::Release(release) => Some(release),
            _ => None,
        };
        let load = Load {
            policy: &policy,
            model,
            versioning: &versioning,
            target: None,
            git: &git,
            changes: &changes(folder, "", &policy, model, &git, release),
            inventory: &Inventory::default(),
            evidence: &Evidence::default(),
            test_run: None,
            audit_log: None,
            published: None,
            source: None,
            card: "",
            readme: None,
            leaks: None,
            holder: None,
            rehearsal: self.rehearsal,
            today: date(2026, 1, 31),
            checkout: None,
        };
        let judgement = Changelogs.weigh(&load).expect("pure");
        let show = |finding: &Finding| {
            assert!(Changelogs.rules().contains(&finding.rule), "{} is declared", finding.rule.id);
            let (level, rule) = (finding.level.as_str(), finding.rule.id);
            format!("{level} {rule} {}: {} → {}", finding.at, finding.message, finding.fix)
        };
        (judgement.findings.iter().map(show).collect(), judgement.note)
    }
}

#[test]
fn an_entry_with_date_and_words_passes() {
    for (text, tag, note) in [
        (
            "## [1.1.0] - 2026-01-30\n- a\n## [1.0.0] - 2026-01-01\n- b\n",
            "v1.1.0",
            "1.1.0 of 2026-01-30",
        ),
        ("## 1.1.0 (2026-02-01)\n### Added\n- a\n", "v1.1.0", "1.1.0 of 2026-02-01"),
        (
            "## [Unreleased]\n- a\n## [1.0.0]\n- b\n",
            "v1.1.0-rc.1",
            "1.1.0-rc.1 by what stands under Unreleased",
        ),
        ("## [1.1.0] - soon\n- a\n", "v1.1.0-rc.1", "1.1.0"),
        // A patch of an old line comes later than the version above which it would stand.
        (
            "## 1.1.1 - 2026-01-30\n- a\n## 2.0.0 - 2026-01-29\n- b\n## 1.1.0 - 2026-01-01\n- c\n",
            "v1.1.1",
            "1.1.1 of 2026-01-30",
        ),
    ] {
        let (findings, said) = Case { tag: Some(tag), tags: &[], ..case(text) }.weigh();
        assert_eq!(findings, Vec::<String>::new(), "{text}");
        assert_eq!(said, format!("CHANGELOG.md: {note}"));
    }
    let untagged = Case { tag: None, ..case("## [Unreleased]\n- a\n") };
    assert_eq!(untagged.weigh(), (vec![], "CHANGELOG.md: something under Unreleased".into()));
}

#[test]
fn what_is_missing_wrong_or_twice() {
    let fine = "- a\n## [1.0.0] - 2026-01-01\n- b\n";
    for (text, expected, fix) in [
        (
            "# Changelog\n\n## [1.0.0] - 2026-01-01\n- b\n".to_owned(),
            "error changelog-entry-missing CHANGELOG.md:3: there is no entry for 1.1.0; the first of it is `1.0.0`",
            "add to `CHANGELOG.md`, above line 3:\n\n## [1.1.0] - 2026-01-31\n\n### Changed\n\n- …",
        ),
        (
            String::new(),
            "error changelog-entry-missing CHANGELOG.md:1: there is no entry for 1.1.0; the first of it is no version",
            "above line 1",
        ),
        (
            "# Changelog\n## [Unreleased]\n- a\n".into(),
            "error changelog-entry-missing CHANGELOG.md:2: what 1.1.0 changes stands under Unreleased",
            "rename the heading on line 2 of `CHANGELOG.md` to:\n\n## [1.1.0] - 2026-01-31",
        ),
        (
            "## [1.1.0] - 2026-01-31\n\n### Added\n\n## [1.0.0] - 2026-01-01\n- b\n".into(),
            "error changelog-entry-empty CHANGELOG.md:1: the entry for 1.1.0 says nothing",
            "say below line 1",
        ),
        // What the fix of a missing entry proposes, as it was pasted.
        (
            "## [1.1.0] - 2026-01-31\n\n### Changed\n\n- …\n<!-- say it -->\n".into(),
            "error changelog-entry-empty CHANGELOG.md:1: the entry for 1.1.0 says nothing",
            "say below line 1",
        ),
        // A later patch of the line below hides nothing.
        (
            "## [1.1.1] - 2025-01-20\n- a\n## [1.1.0] - 2025-12-01\n- b\n## [1.0.5] - 2026-01-15\n- c\n".into(),
            "warning changelog-date CHANGELOG.md:1: the entry for 1.1.1 is dated 2025-01-20, before that for 1.1.0 (2025-12-01)",
            "2026-01-31",
        ),
        (
            "## [1.2.0] - 2025-01-20\n- a\n## [1.1.1] - 2026-01-15\n- b\n## [1.1.0] - 2025-12-01\n- c\n".into(),
            "warning changelog-date CHANGELOG.md:1: the entry for 1.2.0 is dated 2025-01-20, before that for 1.1.0 (2025-12-01)",
            "2026-01-31",
        ),
        (
            format!("## [1.1.0]\n{fine}"),
            "warning changelog-date CHANGELOG.md:1: the entry for 1.1.0 has no date",
            "`## [1.1.0] - 2026-01-31`",
        ),
        (
            format!("## [1.1.0] - 31.01.2026\n{fine}"),
            "warning changelog-date CHANGELOG.md:1: the entry for 1.1.0 has no date but `31.01.2026`",
            "2026-01-31",
        ),
        (
            format!("## [1.1.0] - 2026-02-02\n{fine}"),
            "warning changelog-date CHANGELOG.md:1: the entry for 1.1.0 is dated 2026-02-02, and today is 2026-01-31",
            "2026-01-31",
        ),
        (
            "## [1.1.1] - 2025-12-31\n- a\n## [1.1.0] - 2026-01-01\n- b\n".into(),
            "warning changelog-date CHANGELOG.md:1: the entry for 1.1.1 is dated 2025-12-31, before that for 1.1.0 (2026-01-01)",
            "2026-01-31",
        ),
        (
            "## [1.0.0] - 2026-01-01\n- b\n## [1.1.0] - 2026-01-30\n- a\n".into(),
            "warning changelog-order CHANGELOG.md:3: 1.1.0 stands below 1.0.0",
            "newest version stands first",
        ),
        (
            format!("## [1.1.0] - 2026-01-30\n- a\n## [1.1.0] - 2026-01-30\n{fine}"),
            "error changelog-duplicate CHANGELOG.md:3: 1.1.0 has an entry on line 1 already",
            "make one entry of the two",
        ),
    ] {
        let tag = ["1.2.0", "1.1.1"].iter().find(|version| text.contains(**version));
        let tag = format!("v{}", tag.unwrap_or(&"1.1.0"));
        let (findings, _) = Case { tag: Some(&tag), ..case(&text) }.weigh();
        let [finding] = &findings[..] else { panic!("{text}: {findings:?}") };
        let (said, fixed) = finding.split_once(" → ").expect("a fix");
        assert_eq!(said, expected);
        assert!(fixed.contains(fix), "{fixed}");
    }
}

#[test]
fn no_changelog_is_fine_until_the_policy_asks_for_one() {
    let (findings, note) = Case { changelog: None, ..case("") }.weigh();
    assert_eq!(findings, Vec::<String>::new());
    assert!(note.contains("no CHANGELOG.md"), "{note}");
    for asked in ["required: true", "file: CHANGELOG.md"] {
        let policy = format!("{ONE}gates: {{changelog: {{{asked}}}}}\n");
        for (tag, heading) in
            [(Some("v1.1.0"), "## [1.1.0] - 2026-01-31"), (None, "## [Unreleased]")]
        {
            let (findings, _) = Case { policy: &policy, changelog: None, tag, ..case("") }.weigh();
            let [finding] = &findings[..] else { panic!("{findings:?}") };
            assert!(finding.starts_with("error changelog-missing weighbridge.yml: "), "{finding}");
            assert!(finding.contains(&format!("# Changelog\n\n{heading}\n")), "{finding}");
        }
    }
}

type Make<'a> = &'a dyn Fn(&std::path::Path);

#[test]
fn what_is_no_file_of_the_repository_is_told_and_not_read() {
    let outside = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(outside.path(), "## [1.1.0] - 2026-01-30\n- a secret\n").expect("written");
    let link = |to: &std::path::Path, at: &std::path::Path| {
        std::os::unix::fs::symlink(to, at).expect("linked");
    };
    let cases: [(Make<'_>, &str); 4] = [
        (&|at| link(outside.path(), at), "the path leads outside the workspace"),
        (&|at| link(std::path::Path::new("gone.md"), at), "no such file"),
        (&|at| link(std::path::Path::new(".git/config"), at), "the path leads into .git"),
        (&|at| std::fs::create_dir(at).expect("made"), "not a regular file"),
    ];
    for (make, why) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".git")).expect("made");
        std::fs::write(folder.path().join(".git/config"), "token").expect("written");
        make(&folder.path().join("CHANGELOG.md"));
        let (findings, note) = case("").weigh_in(folder.path());
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        let said = format!(
            "error changelog-unreadable CHANGELOG.md: `CHANGELOG.md` is not read: {why} → "
        );
        assert!(finding.starts_with(&said), "{finding}");
        assert!(note.ends_with(why), "{note}");
    }
}

#[test]
fn a_rehearsal_may_make_its_version_up() {
    let made_up = Case { rehearsal: true, tags: &[], ..case("## [1.0.0] - 2026-01-01\n- b\n") };
    let (findings, _) = made_up.weigh();
    assert!(
        findings.len() == 1 && findings[0].starts_with("note changelog-entry-missing"),
        "{findings:?}"
    );
    let (findings, _) = Case { tags: &["v1.1.0"], ..made_up }.weigh();
    assert!(findings[0].starts_with("error changelog-entry-missing"), "{findings:?}");
}

#[test]
fn of_several_models_each_has_its_own_entries() {
    let two = "models:\n  - {name: a, owner: o, path: a}\n  - {name: b, owner: o, path: b}\n";
    let text = "## b 1.1.0 - 2026-01-30\n- of b\n## a 1.0.0 - 2026-01-01\n- of a\n";
    let of = |tag| Case { policy: two, tag: Some(tag), tags: &[], ..case(text) }.weigh().0;
    assert_eq!(of("a/v1.0.0"), Vec::<String>::new());
    let findings = of("a/v1.1.0");
    let fix = "add to `CHANGELOG.md`, above line 3:\n\n## a 1.1.0 - 2026-01-31\n";
    assert!(findings.len() == 1 && findings[0].contains(fix), "{findings:?}");
}

#[test]
fn a_changelog_of_megabytes_is_read_in_bounds() {
    let mut text = "## [1.1.0] - 2026-01-30\n".to_owned();
    text.push_str(&"- \u{202E}::error::x\r<script>\n".repeat(300_000));
    text.push_str("## [1.1.0] - 2026-01-30\n");
    let (findings, _) = case(&text).weigh();
    assert_eq!(findings, Vec::<String>::new(), "what is behind 4 MiB is not read");
    let headings = "## [1.1.0] - 2026-01-30\n- a\n".repeat(100_000);
    assert_eq!(case(&headings).weigh().0.len(), MOST_TOLD);
}
