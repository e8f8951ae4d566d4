//! The embedded Hub as its own process, and what the official Python client sees on it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::action::done;

/// `weighbridge hub` on a free port, with an empty folder; stopped when dropped.
pub(crate) struct StandingHub {
    process: Child,
    _data: tempfile::TempDir,
    /// Its address.
    pub(crate) url: String,
    /// A token that may write.
    pub(crate) token: String,
}

impl StandingHub {
    /// Starts it and waits until it says where it is.
    pub(crate) fn start() -> Self {
        let data = tempfile::tempdir().expect("temporary folder");
        let mut process = Command::new(env!("CARGO_BIN_EXE_weighbridge"))
            .args(["hub", "--addr", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("weighbridge hub starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let export = lines
            .find_map(|line| Some(line.ok()?.split_once("export ")?.1.to_owned()))
            .expect("weighbridge hub prints `export HF_ENDPOINT=… HF_TOKEN=…`");
        // Whatever else it prints must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let value = |name: &str| {
            let words = export.split_whitespace().filter_map(|word| word.split_once('='));
            let found = words.filter(|(key, _)| *key == name).map(|(_, value)| value).next();
            found.expect("both variables are named").to_owned()
        };
        let (url, token) = (value("HF_ENDPOINT"), value("HF_TOKEN"));
        Self { process, _data: data, url, token }
    }

    /// Every repository, as the official client at `python` sees it: `{id: {private, tags: {name:
    /// commit}, branches, commits, files}}`, files and commits of `main`.
    pub(crate) fn repositories(&self, python: &Path) -> Value {
        let answer = self.ask(
            python,
            "\
repositories = {}
for found in api.list_models():
    refs = api.list_repo_refs(found.id)
    repositories[found.id] = {
        'private': found.private,
        'tags': {ref.name: ref.target_commit for ref in refs.tags},
        'branches': [ref.name for ref in refs.branches],
        'commits': [commit.commit_id for commit in api.list_repo_commits(found.id)],
        'files': sorted(api.list_repo_files(found.id)),
    }
print(json.dumps(repositories))",
            &[],
        );
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Downloads a version as the official client does; the folder it made below `into`.
    pub(crate) fn download(
        &self,
        python: &Path,
        repository: &str,
        tag: &str,
        into: &Path,
    ) -> PathBuf {
        let into = into.to_str().expect("UTF-8");
        let script = "print(api.snapshot_download(sys.argv[1], revision=sys.argv[2], local_dir=sys.argv[3]))";
        PathBuf::from(self.ask(python, script, &[repository, tag, into]).trim())
    }

    fn ask(&self, python: &Path, script: &str, arguments: &[&str]) -> String {
        let prelude = "import json, sys\nfrom huggingface_hub import HfApi\napi = HfApi()\n";
        let home = tempfile::tempdir().expect("temporary folder");
        done(
            Command::new(python)
                .arg("-c")
                .arg(format!("{prelude}{script}"))
                .args(arguments)
                .env("HF_ENDPOINT", &self.url)
                .env("HF_TOKEN", &self.token)
                .env("HF_HOME", home.path())
                .env("HF_HUB_DISABLE_TELEMETRY", "1"),
        )
    }
}

impl Drop for StandingHub {
    fn drop(&mut self) {
        // It may have ended by itself: nothing to stop then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
