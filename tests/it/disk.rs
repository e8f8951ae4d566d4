//! A disk that breaks while a model is weighed or sent: the file is named, and nothing is published.

use std::path::PathBuf;
use std::process::Command;

use weighbridge::rehearsal::Transfers;

use crate::support::action::done;
use crate::support::hub_server::HubServer;
use crate::support::workspace::{Run, Workspace};

/// Compiles what makes one file fail.
fn broken_disk(folder: &tempfile::TempDir) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparts/broken_disk.c");
    let library = folder.path().join("broken_disk.so");
    // Whoever links Rust has a C compiler.
    let mut compiler = Command::new("cc");
    done(compiler.args(["-shared", "-fPIC", "-O1", source, "-ldl", "-o"]).arg(&library));
    library
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_named_and_stops_the_release() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = broken_disk(&folder);
    let cases = [
        // Weighed at the first opening, sent at the second.
        ("model/weights.bin", "1", "read", 1, "Input/output error"),
        ("model/weights.bin", "1", "open", 1, "Permission denied"),
        ("model/weights.bin", "2", "read", 2, "Input/output error"),
        ("model/weights.bin", "2", "open", 2, "Permission denied"),
        ("model/vocabulary.txt", "2", "read", 2, "Input/output error"),
        ("model/vocabulary.txt", "2", "open", 2, "Permission denied"),
    ];
    for transfers in [Transfers::Auto, Transfers::ForceMultipart { chunk: 5 << 20 }] {
        for (file, at, how, code, says) in cases {
            let server = HubServer::transferring(transfers).await;
            let mut workspace = Workspace::healthy();
            workspace.sends_by("xet");
            workspace.write("model/weights.bin", vec![7; 12 << 20]);
            workspace.write("model/vocabulary.txt", "word\n".repeat(500_000));
            workspace.version("v1.0.0");
            workspace.on_hub(&server.hub.url(), server.hub.token().expose());
            let whole = workspace.path().join(file).canonicalize().expect("a path");
            let mut command = workspace.command(&["release"]);
            command
                .env("LD_PRELOAD", &library)
                .env("BROKEN_FILE", whole)
                .env("BROKEN_AT", at)
                .env("BROKEN_HOW", how);
            let output = tokio::task::block_in_place(|| command.output().expect("it runs"));
            let run = Run::new(output);
            let case = format!("{transfers:?} {file} {at} {how}\n{}", run.all());
            assert_eq!(run.code, code, "{case}");
            let name = file.trim_start_matches("model/");
            let told = run.all();
            assert!(told.lines().any(|line| line.contains(name) && line.contains(says)), "{case}");
            assert_eq!(server.count("POST", "/tag/"), 0, "{case}");
            let commits = server.hub.requests().into_iter();
            let made = commits.filter(|one| one.path.contains("/commit/") && one.status == 200);
            assert_eq!(made.count(), 0, "{case}");
        }
    }
}
