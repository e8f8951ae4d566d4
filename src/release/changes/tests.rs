use git2::{Repository, Signature};

use super::*;

const ONE: &str = "model: {name: churn, owner: o}\n";
const TWO: &str = "models:\n  - {name: a, owner: o, path: models/a/out}\n  - {name: b, owner: o, path: models/b/out}\n";

/// A repository whose commits each write one file, with tags `name=index of the commit`.
fn repository(commits: &[(&str, &str)], tags: &[(&str, usize)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = Repository::init(folder.path()).expect("a repository");
    let mut made = Vec::new();
    for (number, (path, message)) in commits.iter().enumerate() {
        let on_disk = folder.path().join(path);
        std::fs::create_dir_all(on_disk.parent().expect("below")).expect("made");
        std::fs::write(&on_disk, number.to_string()).expect("written");
        let mut index = repository.index().expect("an index");
        index.add_path(Path::new(path)).expect("added");
        let tree = repository.find_tree(index.write_tree().expect("a tree")).expect("a tree");
        let time = git2::Time::new(1_700_000_000 + i64::try_from(number).expect("small"), 0);
        let who = Signature::new("Ada", "ada@example.org", &time).expect("a name");
        let parent = repository.head().ok().map(|head| head.peel_to_commit().expect("a commit"));
        let parents: Vec<_> = parent.iter().collect();
        let id = repository.commit(Some("HEAD"), &who, &who, message, &tree, &parents);
        made.push(id.expect("committed"));
    }
    for (name, index) in tags {
        let commit = repository.find_object(made[*index], None).expect("a commit");
        repository.tag_lightweight(name, &commit, false).expect("tagged");
    }
    folder
}

fn of(folder: &Path, policy: &str, model: usize, tag: Option<&str>) -> Changes {
    let policy = crate::policy::parse("weighbridge.yml", policy, &[]).expect("valid");
    let git = GitFacts::read(folder).expect("facts");
    let release = tag.map(|tag| match read_tag(tag, &policy) {
        Versioning::Release(release) => release,
        other => panic!("{other:?}"),
    });
    changes(folder, "", &policy, &policy.models[model], &git, release.as_ref())
}

/// `since: subjects`, without the kinds.
fn told(commits: &Commits) -> String {
    let notes = commits.notes(str::to_owned).unwrap_or_default();
    let items = notes.lines().filter_map(|line| line.strip_prefix("- "));
    let texts = items.filter_map(|item| item.rsplit_once(" (")).map(|(text, _)| text);
    let since = commits.since.as_deref().unwrap_or("-");
    format!("{since}: {}", texts.collect::<Vec<_>>().join(", "))
}

#[test]
fn commits_since_the_version_before() {
    let commits = [("f", "one"), ("f", "two"), ("f", "three"), ("f", "four")];
    let tags = [("v1.0.0", 0), ("v1.1.0-rc.1", 1), ("other", 2), ("v1.1.0", 3)];
    let folder = repository(&commits, &tags);
    for (tag, expected) in [
        (Some("v1.1.0"), "v1.0.0: four, three, two"),
        (Some("v1.1.0-rc.2"), "v1.1.0-rc.1: four, three"),
        (Some("v1.0.0"), "-: four, three, two, one"),
        (None, "v1.1.0: "),
    ] {
        assert_eq!(told(&of(folder.path(), ONE, 0, tag).commits), expected, "{tag:?}");
    }
}

#[test]
fn of_several_models_each_has_its_own_commits() {
    let commits = [
        ("models/a/train.py", "a one"),
        ("models/b/train.py", "b one"),
        ("models/a/out/m.bin", "a two"),
        ("README.md", "nobody's"),
    ];
    let folder = repository(&commits, &[("a/v1.0.0", 0)]);
    let two = |model, tag| told(&of(folder.path(), TWO, model, Some(tag)).commits);
    assert_eq!(two(0, "a/v1.1.0"), "a/v1.0.0: a two");
    assert_eq!(two(1, "b/v1.0.0"), "-: b one");
    let inside = of(&folder.path().join("models/b"), ONE, 0, None);
    assert_eq!(told(&inside.commits), "-: b one", "a policy in a folder is about that folder");
}

#[test]
fn the_largest_folder_that_holds_no_other_model() {
    for (paths, expected) in [
        ("a b", "a"),
        ("models/a/out models/b/out", "models/a"),
        ("models/a models/a/other", "models/a"),
        ("model", ""),
    ] {
        let list: String = paths
            .split(' ')
            .enumerate()
            .map(|(index, path)| format!("  - {{name: m{index}, owner: o, path: {path}}}\n"))
            .collect();
        let policy = crate::policy::parse("p", &format!("models:\n{list}"), &[]).expect("valid");
        assert_eq!(own_folder(&policy.models[0].path, &policy), expected, "{paths}");
    }
}

#[test]
fn a_history_that_is_cut_off_tells_nothing() {
    let folder = repository(&[("f", "one"), ("f", "two")], &[]);
    let repository = Repository::open(folder.path()).expect("a repository");
    let head = repository.head().expect("a head").target().expect("a commit");
    std::fs::write(folder.path().join(".git/shallow"), format!("{head}\n")).expect("written");
    let changes = of(folder.path(), ONE, 0, Some("v1.0.0"));
    assert_eq!(changes.sent(&Version::new(1, 0, 0)), None);
    assert!(changes.commits.told().contains("fetch-depth: 0"), "{}", changes.commits.told());
}

#[test]
fn the_changelog_is_named_or_beside_the_policy_or_at_the_root() {
    let folder = repository(&[("sub/f", "one")], &[]);
    let sub = folder.path().join("sub");
    let found = |policy: &str| {
        let changes = of(&sub, policy, 0, None);
        let versions = changes.changelog.map(|log| log.entries.len());
        (changes.path, versions)
    };
    assert_eq!(found(ONE), ("CHANGELOG.md".into(), None));
    std::fs::write(folder.path().join("CHANGELOG.md"), "## 1.0.0\n").expect("written");
    assert_eq!(found(ONE), ("CHANGELOG.md".into(), Some(1)));
    std::fs::write(sub.join("CHANGELOG.md"), "## 1.1.0\n## 1.0.0\n").expect("written");
    assert_eq!(found(ONE).1, Some(2));
    let named = format!("{ONE}gates: {{changelog: {{file: docs/NEWS.md}}}}\n");
    assert_eq!(found(&named), ("docs/NEWS.md".into(), None));
}

#[test]
fn what_goes_to_the_hub_is_bounded_and_hides_nothing() {
    let folder = repository(&[("f", "fix: a <b> |c|")], &[]);
    let sent = |changelog: Option<&str>, tag: &str| {
        if let Some(text) = changelog {
            std::fs::write(folder.path().join("CHANGELOG.md"), text).expect("written");
        }
        let version = tag.trim_start_matches('v').parse().expect("a version");
        of(folder.path(), ONE, 0, Some(tag)).sent(&version)
    };
    let made = sent(None, "v1.0.0").expect("of commits");
    assert!(made.starts_with("### Fixed\n\n- a \\<b\\> \\|c\\| ("), "{made}");

    let log = "## [Unreleased]\n- soon\n## 1.1.0\n- a\u{202E}\u{7}\tb\n## 1.0.0\n";
    assert_eq!(sent(Some(log), "v1.1.0").as_deref(), Some("- a\u{FFFD}\u{FFFD}    b"));
    assert_eq!(sent(None, "v1.0.0"), None, "an entry that says nothing");
    assert_eq!(sent(None, "v1.1.0-rc.1").as_deref(), Some("- a\u{FFFD}\u{FFFD}    b"));
    assert_eq!(sent(None, "v1.2.0-rc.1").as_deref(), Some("- soon"));

    let endless = format!("## 1.0.0\n{}", "- a line that goes on and on\n".repeat(300_000));
    let sent = sent(Some(&endless), "v1.0.0").expect("cut");
    assert!(sent.len() <= MOST_SENT + 10 && sent.ends_with('…'), "{}", sent.len());
}
