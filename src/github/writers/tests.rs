use super::*;

fn commit(author: Option<&str>, email: &str, message: &str) -> Listed {
    let account = |login: Option<&str>| Some(Account { login: login.map(str::to_owned) });
    let person =
        |email: &str| Some(Person { name: Some(" Grace ".into()), email: Some(email.into()) });
    Listed {
        sha: "c".into(),
        commit: Git {
            author: person(email),
            committer: person("noreply@github.com"),
            message: message.into(),
        },
        author: account(author),
        committer: account(Some("web-flow")),
    }
}

/// Logins, numbers, and strangers with whether GitHub is asked about them.
fn found(commits: &[Listed]) -> (Vec<String>, Vec<u64>, Vec<(String, bool)>) {
    let mut found = Found::default();
    commits.iter().for_each(|commit| found.signatures(commit));
    commits.iter().for_each(|commit| found.co_authors(commit));
    let strangers = found.unknown.into_values().map(|(stranger, ask)| (stranger.name, ask));
    let Writers { logins, ids, .. } = found.writers;
    (logins.into_iter().collect(), ids.into_iter().collect(), strangers.collect())
}

#[test]
fn everybody_behind_a_commit_is_a_writer_or_told_to_be_unknown() {
    let by = |trailer: &str| commit(Some("ada"), "ada@acme.com", &format!("Fix\n\n{trailer}\n"));
    for (trailer, logins, ids, strangers) in [
        ("Signed-off-by: Grace <g@acme.com>", &["ada"][..], &[][..], &[][..]),
        ("Co-authored-by: Grace <G@acme.com>", &["ada"], &[], &[("Grace", true)]),
        ("  co-AUTHORED-by:Grace<g@acme.com>", &["ada"], &[], &[("Grace", true)]),
        ("Co-authored-by: Grace", &["ada"], &[], &[("Grace", false)]),
        ("Co-authored-by:", &["ada"], &[], &[("somebody", false)]),
        // Of an address that is known, or that GitHub gave.
        ("Co-authored-by: Ada L. <ADA@acme.com>", &["ada"], &[], &[]),
        ("Co-authored-by: G <7+Grace@users.noreply.github.com>", &["ada", "grace"], &[7], &[]),
        ("Co-authored-by: G <grace@users.noreply.github.com>", &["ada", "grace"], &[], &[]),
        ("Co-authored-by: G <x+g@users.noreply.github.com>", &["ada"], &[], &[("G", true)]),
        ("Co-authored-b\u{e9}: Grace <g@acme.com>", &["ada"], &[], &[]),
    ] {
        let (is_logins, is_ids, is_strangers) = found(&[by(trailer)]);
        let is_strangers: Vec<_> =
            is_strangers.iter().map(|(name, ask)| (name.as_str(), *ask)).collect();
        assert_eq!(
            (is_logins, is_ids, &*is_strangers),
            {
                let logins = logins.iter().map(|login| (*login).to_owned()).collect();
                (logins, ids.to_vec(), strangers)
            },
            "{trailer}"
        );
    }
}

#[test]
fn a_commit_of_no_account_is_by_a_stranger_once() {
    let by = |email: &str| commit(None, email, "");
    let (logins, _, strangers) = found(&[by("g@laptop"), by("G@laptop"), by("g@desktop")]);
    assert!(logins.is_empty());
    assert_eq!(strangers, [("Grace".into(), false), ("Grace".into(), false)]);
    // GitHub itself commits, and is no author.
    assert_eq!(found(&[by("noreply@github.com")]).2.len(), 1);
    // Only GitHub's own host tells an account by an address.
    assert_eq!(found(&[by("7+grace@users.noreply.evil.example")]).2.len(), 1);
}
