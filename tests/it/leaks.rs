//! Secrets in what git tracks block, at their line, and are shown nowhere.

use crate::support::workspace::{POLICY, Run, Workspace};

/// In pieces, so that this file is no finding.
fn token() -> String {
    ["hf", "_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3f"].concat()
}

/// `rule at path:line:column` of each finding on secrets.
fn said(workspace: &Workspace) -> Vec<String> {
    let report = workspace.report();
    let findings = report["findings"].as_array().expect("findings").iter();
    let of_secrets =
        findings.filter(|one| one["rule"].as_str().is_some_and(|rule| rule.contains("secret")));
    let show = |one: &serde_json::Value| {
        let at = &one["location"];
        let path = at["path"].as_str().unwrap_or_default();
        format!("{} {path}:{}:{}", one["rule"], at["line"], at["column"]).replace('"', "")
    };
    of_secrets.map(show).collect()
}

/// Version 1.0.1 is blocked by these findings on secrets, and the token is shown nowhere.
#[track_caller]
fn blocked(workspace: &Workspace, by: &[&str]) -> Run {
    let run = workspace.run(&["check", "--tag", "v1.0.1"]).expect(1);
    let mut found = said(workspace);
    found.sort();
    assert_eq!(found, by, "{}", run.all());
    assert!(!run.all().contains(&token()[3..]), "{}", run.all());
    assert!(!workspace.report().to_string().contains(&token()[3..]));
    run
}

#[test]
fn a_token_anywhere_in_the_repository_blocks_at_its_line() {
    let token = token();
    let workspace = Workspace::healthy();
    workspace.write(
        ".github/workflows/train.yml",
        format!("jobs:\n  train:\n    steps:\n      - run: hf auth login --token {token}\n"),
    );
    workspace.write("notebooks/a.ipynb", format!("{{\"cells\": [\"{token}\"]}}\n"));
    workspace.write("model/notes.txt", format!("{token}\n"));
    workspace.version("v1.0.1");
    // Nobody publishes these.
    workspace.write("untracked.env", &token);
    workspace.write("data.bin", format!("\0{token}"));
    let run = blocked(
        &workspace,
        &[
            "secret-in-file model/notes.txt:1:1",
            "secret-in-repository .github/workflows/train.yml:4:36",
            "secret-in-repository notebooks/a.ipynb:1:13",
        ],
    );
    assert!(run.all().contains("revoke it where it was issued"), "{}", run.all());
}

/// As trainers write their arguments beside the weights, token and all.
#[test]
fn a_token_in_a_file_of_the_model_that_is_no_text_blocks() {
    let token = token();
    let workspace = Workspace::healthy();
    let mut arguments = b"\x80\x02}U\x09hub_tokenU".to_vec();
    arguments.push(u8::try_from(token.len()).expect("short"));
    arguments.extend_from_slice(token.as_bytes());
    arguments.extend_from_slice(b"s.");
    workspace.write("model/training_args.bin", arguments);
    let latin = [b"caf\xe9 ".as_slice(), token.as_bytes(), b"\n"].concat();
    workspace.write("model/notes.txt", latin);
    // Over the border of two reads.
    let far = [vec![0xff; 64 * 1024 - 9], token.clone().into_bytes(), vec![0xff; 9000]].concat();
    workspace.write("model/cache.dat", far);
    workspace.version("v1.0.1");
    blocked(
        &workspace,
        &[
            "secret-in-file model/cache.dat:null:null",
            "secret-in-file model/notes.txt:null:null",
            "secret-in-file model/training_args.bin:null:null",
        ],
    );
}

#[test]
fn a_made_up_one_can_be_allowed_and_a_real_one_on_the_card_cannot_hide() {
    let workspace = Workspace::healthy();
    workspace.write("tests/fixtures/login.txt", token());
    let allow = "allow:\n  - {rule: secret-in-repository, path: 'tests/fixtures/**', reason: Made up., expires: 2999-12-31}\n";
    workspace.write("weighbridge.yml", format!("{POLICY}{allow}"));
    workspace.version("v1.0.1");
    workspace.run(&["check", "--tag", "v1.0.1"]).expect(0);
    let stated = format!("Ranking customers; log in with {}.", token());
    let policy = POLICY.replace("Ranking customers for a call.", &stated);
    workspace.write("weighbridge.yml", format!("{policy}{allow}"));
    workspace.version("v1.0.2");
    let run = workspace.run(&["check", "--tag", "v1.0.2"]).expect(1);
    let found = said(&workspace);
    assert!(
        found.iter().any(|one| one.starts_with("secret-in-repository weighbridge.yml:")),
        "{found:?}"
    );
    assert!(found.iter().any(|one| one.starts_with("secret-in-card README.md:")), "{found:?}");
    assert!(!run.all().contains(&token()[3..]), "{}", run.all());
}

#[test]
fn from_a_folder_inside_of_the_repository_all_of_it_is_searched() {
    let inner = Workspace::healthy();
    let outer = Workspace::empty();
    crate::support::workspace::copy_folder(inner.path(), &outer.path().join("models/churn"));
    std::fs::remove_dir_all(outer.path().join("models/churn/.git")).expect("a repository");
    outer.write("deploy/secrets.sh", format!("export T={}\n", token()));
    outer.write("models/churn/train.py", format!("T = '{}'\n", token()));
    outer.commit();
    let run = outer.command(&["check"]).current_dir(outer.path().join("models/churn")).output();
    assert_eq!(run.expect("runs").status.code(), Some(1));
    let mut found = said(&outer);
    found.sort();
    assert_eq!(
        found,
        ["secret-in-repository ../../deploy/secrets.sh:1:10", "secret-in-repository train.py:1:6"]
    );
}
