//! Bad input: each a clear error, and nothing written.

use std::os::unix::fs::symlink;

use crate::support::workspace::{POLICY, Workspace};

#[test]
fn no_policy_file() {
    let workspace = Workspace::empty();
    let run = workspace.run(&["check"]).expect(2).says("weighbridge.yml");
    assert!(run.stderr.contains("model:"), "the fix shows a policy to paste:\n{}", run.stderr);
}

#[test]
fn broken_policy_names_line_and_column() {
    let workspace = Workspace::healthy();
    workspace.write("weighbridge.yml", POLICY.replace("license:", "licence:"));
    workspace.run(&["check"]).expect(2).says("weighbridge.yml:8:3").says("license");
    workspace.write("weighbridge.yml", "model: [unclosed\n");
    workspace.run(&["check"]).expect(2).says("weighbridge.yml:");
    workspace.write("weighbridge.yml", POLICY.replace("min: 0.9", "min: high"));
    workspace.run(&["check"]).expect(2).says("weighbridge.yml:13:");
}

#[test]
fn empty_artifact_folder() {
    let workspace = Workspace::healthy();
    std::fs::remove_dir_all(workspace.path().join("model")).expect("removed");
    workspace.run(&["check"]).expect(2).says("model");
    std::fs::create_dir(workspace.path().join("model")).expect("made");
    workspace.run(&["check"]).expect(2).says("model");
}

/// The runner takes a line for a command that begins with `::`, blanks before it or not, and one that
/// has `##[` anywhere.
#[test]
fn nothing_in_a_policy_is_a_command() {
    let workspace = Workspace::healthy();
    let policy = std::fs::read_to_string(workspace.path().join("weighbridge.yml")).expect("there");
    for forged in ["##[set-output name=verdict]passed", "\"\\n::set-output name=verdict::passed\""]
    {
        workspace.write("weighbridge.yml", format!("{policy}bogus: 1 {forged}\n"));
        for mode in [&["check"][..], &["explain"], &["explain", "--format", "json"]] {
            let run = workspace.run(mode).expect(2).says("bogus");
            assert!(!run.all().contains("##["), "{}", run.all());
            let is_command = |line: &str| line.trim_start().starts_with("::set-output");
            assert!(!run.all().lines().any(is_command), "{}", run.all());
        }
    }
    // What is shown of a policy that is fine.
    let named = policy.replace("name: churn", "name: churn\n  summary: \"##[error]forged\"");
    workspace.write("weighbridge.yml", named);
    for format in ["text", "json"] {
        let run = workspace.run(&["explain", "--format", format]);
        assert!(!run.all().contains("##["), "{}", run.all());
    }
}

#[test]
fn bad_tags() {
    let workspace = Workspace::healthy();
    let data = tempfile::tempdir().expect("a temporary folder");
    let data = data.path().to_str().expect("UTF-8");
    for tag in ["latest", "v1.2", "v1.2.3rc1", "other/v1.0.0", "v1.0.0\n::error::x"] {
        let run = workspace
            .run(&["rehearse", "--tag", tag, "--data", data])
            .expect(1)
            .says("tag-unreadable");
        assert!(
            !run.all().lines().any(|line| line.trim_start().starts_with("::error::x")),
            "{}",
            run.all()
        );
    }
}

#[test]
fn release_without_a_token_or_a_hub() {
    let mut workspace = Workspace::healthy();
    // Nothing listens on port 1.
    workspace.set("HF_ENDPOINT", "http://127.0.0.1:1").set("INPUT_TIMEOUT", "1");
    workspace.run(&["release"]).expect(2).says("hf-token");
    workspace.set("HF_TOKEN", "hf_notarealtokenbutlongenoughtobeone");
    let run = workspace.run(&["release", "--timeout", "1"]).expect(2).says("127.0.0.1:1");
    assert!(!run.all().contains("notarealtoken"), "the token was printed:\n{}", run.all());
}

#[test]
fn hostile_names() {
    let workspace = Workspace::healthy();
    let model = workspace.path().join("model");
    let long = "x".repeat(255);
    for name in ["a\n::error::forged", "%0A::error::x", "\u{202E}gpj.exe", long.as_str()] {
        let path = model.join(name);
        std::fs::write(&path, "text").expect("the file system takes it");
        let run = workspace.run(&["check"]);
        assert!(run.code < 2, "{}", run.all());
        assert!(
            !run.all().lines().any(|line| line.trim_start().starts_with("::error")),
            "{}",
            run.all()
        );
        assert!(!run.stdout.contains('\u{202E}'), "{}", run.all());
        std::fs::remove_file(path).expect("removed");
    }
}

#[test]
fn links_that_leave_or_loop() {
    for (target, name) in [("/etc/passwd", "leaves"), ("loop", "loop"), ("gone", "dangles")] {
        let workspace = Workspace::healthy();
        symlink(target, workspace.path().join("model").join(name)).expect("linked");
        workspace.run(&["check"]).expect(1).says(&format!("model/{name}"));
    }
}

#[test]
fn an_empty_file_is_weighed() {
    let workspace = Workspace::healthy();
    workspace.write("model/empty.txt", "");
    let run = workspace.run(&["check"]);
    assert!(run.code < 2, "{}", run.all());
}

#[test]
fn twenty_sparse_gigabytes_in_constant_memory() {
    let workspace = Workspace::healthy();
    let file = std::fs::File::create(workspace.path().join("model/weights.bin")).expect("made");
    file.set_len(20 << 30).expect("sparse");
    let program = std::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -v 1500000; exec \"$0\" scan model --format json",
            env!("CARGO_BIN_EXE_weighbridge"),
        ])
        .current_dir(workspace.path())
        .output()
        .expect("runs");
    let report: serde_json::Value = serde_json::from_slice(&program.stdout).expect("JSON");
    let files = report["files"].as_array().expect("files");
    assert!(files.iter().any(|file| file["size"] == 20_u64 << 30), "{files:?}");
}
