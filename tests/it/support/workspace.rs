//! A source repository in a temporary folder, and the real binary run in it with a clean
//! environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A repository with a model that passes every gate, until a test spoils it.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// A policy that the files of [`Workspace::healthy`] satisfy.
pub(crate) const POLICY: &str = r#"model:
  name: churn
  owner: acme
  path: model
  description: Tells who will leave.
  library: xgboost
  task: tabular-classification
  license: apache-2.0
  language: [en]
gates:
  tests: {reports: ["reports/*.xml"]}
  benchmarks:
    - {metric: accuracy, file: metrics.json, pointer: /accuracy, min: 0.9}
card:
  intended-use: {text: Ranking customers for a call., by: Ada, date: 2026-01-02}
  training-data: {text: One year of contracts., by: Ada, date: 2026-01-02}
  limitations: {text: Not for new customers., by: Ada, date: 2026-01-02}
  bias: {text: Not measured by group., by: Ada, date: 2026-01-02}
"#;

impl Workspace {
    /// An empty folder that is no git repository.
    pub(crate) fn empty() -> Self {
        let folder = || tempfile::tempdir().expect("a temporary folder");
        Self { folder: folder(), home: folder(), variables: Vec::new() }
    }

    /// The same repository in a folder of its own.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self { variables: self.variables.clone(), ..Self::empty() };
        copy_folder(self.path(), copy.path());
        copy
    }

    /// A healthy model, committed and tagged `v1.0.0`.
    pub(crate) fn healthy() -> Self {
        let workspace = Self::empty();
        workspace.write("weighbridge.yml", POLICY);
        workspace.write("model/config.json", "{\"model_type\": \"xgboost\"}\n");
        workspace.write("model/model.json", "{\"learner\": {}, \"version\": [3, 0, 0]}\n");
        let license = concat!(include_str!("../../../LICENSE"), "\nCopyright 2026 Acme\n");
        workspace.write("model/LICENSE", license);
        workspace.write("metrics.json", "{\n  \"accuracy\": 0.95\n}\n");
        workspace.write(
            "reports/junit.xml",
            r#"<testsuites><testsuite name="t"><testcase classname="t" name="ok"/></testsuite></testsuites>"#,
        );
        workspace.version("v1.0.0");
        workspace
    }

    /// Has the policy fix how large files are sent.
    pub(crate) fn sends_by(&self, transfer: &str) {
        let policy = format!("{POLICY}publish: {{transfer: {transfer}}}\n");
        self.write("weighbridge.yml", policy);
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The user's home, apart from the repository.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The commit that is checked out.
    pub(crate) fn head(&self) -> String {
        let repository = git2::Repository::open(self.path()).expect("a repository");
        let head = repository.head().and_then(|head| head.peel_to_commit()).expect("a commit");
        head.id().to_string()
    }

    /// The JSON report of the last run.
    pub(crate) fn report(&self) -> serde_json::Value {
        let path = self.home.path().join(".cache/weighbridge/reports/report.json");
        serde_json::from_slice(&std::fs::read(path).expect("a report")).expect("JSON")
    }

    /// Writes a file below the folder.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("writable");
        std::fs::write(&path, content).expect("writable");
        path
    }

    /// Commits everything.
    pub(crate) fn commit(&self) {
        self.commit_saying("Train");
    }

    /// Commits everything with a message.
    pub(crate) fn commit_saying(&self, message: &str) {
        let repository = git2::Repository::init(self.path()).expect("a repository");
        let mut index = repository.index().expect("an index");
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).expect("added");
        index.write().expect("written");
        let tree = repository.find_tree(index.write_tree().expect("a tree")).expect("a tree");
        let who = git2::Signature::now("Ada", "ada@example.org").expect("a name");
        let head = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<_> = head.iter().collect();
        repository.commit(Some("HEAD"), &who, &who, message, &tree, &parents).expect("committed");
    }

    /// Tags the head.
    pub(crate) fn tag(&self, name: &str) {
        let repository = git2::Repository::open(self.path()).expect("a repository");
        let head = repository
            .head()
            .and_then(|head| head.peel(git2::ObjectType::Commit))
            .expect("a commit");
        repository.tag_lightweight(name, &head, true).expect("tagged");
    }

    /// Commits what was changed and tags it: a version to release. Evidence is made again, as a
    /// pipeline does after every checkout.
    pub(crate) fn version(&self, tag: &str) {
        self.commit();
        self.tag(tag);
        self.make_evidence();
    }

    fn make_evidence(&self) {
        for evidence in ["metrics.json", "reports/junit.xml"] {
            let path = self.path().join(evidence);
            let text = std::fs::read(&path).expect("just written");
            std::fs::write(path, text).expect("writable");
        }
    }

    /// Lets the runs that follow publish on a Hub.
    pub(crate) fn on_hub(&mut self, url: &str, token: &str) -> &mut Self {
        self.set("HF_ENDPOINT", url).set("HF_TOKEN", token)
    }

    /// Sets a variable for the runs that follow.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Runs weighbridge in the folder with nothing in its environment but what was set.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::new(self.command(arguments).output().expect("the binary runs"))
    }

    /// As [`Self::run`], to be started by the test.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weighbridge"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("TMPDIR", std::env::temp_dir())
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Copies what is in one folder into another.
pub(crate) fn copy_folder(from: &Path, into: &Path) {
    std::fs::create_dir_all(into).expect("writable");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        let (from, into) = (entry.path(), into.join(entry.file_name()));
        if entry.file_type().expect("readable").is_dir() {
            copy_folder(&from, &into);
        } else {
            std::fs::copy(from, into).expect("copied");
        }
    }
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Run {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            code: output.status.code().expect("not killed by a signal"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Both streams, for messages.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }

    /// Asserts the exit code, showing everything when it differs.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.all());
        self
    }

    /// Asserts that a text was said on either stream.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "not said: {text}\n{}",
            self.all()
        );
        self
    }
}
