//! The container action under test: its image from this source, and `act` to run workflow files
//! that use it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde_json::Value;

use super::counterpart;
use super::listener::Listener;

/// The image that every test here runs.
pub(crate) const IMAGE: &str = "weighbridge-under-test";

/// How the example workflows name the action.
const PUBLISHED: &str = "weighbridge/weighbridge@0000000000000000000000000000000000000000";

/// What plays `actions/checkout` where it must be given a ref: the same work tree, at that ref.
const CHECKOUT: &str = "\
name: checkout
inputs:
  ref: {required: true}
runs:
  using: composite
  steps:
    - shell: sh
      env: {REF: '${{ inputs.ref }}'}
      run: git -c safe.directory='*' checkout --quiet --detach \"$REF\"
";

/// What plays `actions/upload-artifact` and `actions/download-artifact`, which would have to be
/// fetched: a folder that every job sees, with a folder in it for each artifact.
const ARTIFACTS: [(&str, &str); 2] = [
    (
        "actions/upload-artifact@",
        "\
name: upload-artifact
inputs:
  name: {required: true}
  path: {required: true}
  if-no-files-found: {}
  overwrite: {}
  retention-days: {}
runs:
  using: composite
  steps:
    - shell: sh
      env: {NAME: '${{ inputs.name }}', FROM: '${{ inputs.path }}'}
      run: mkdir \"/artifacts/$NAME\" && cp -R \"$FROM/.\" \"/artifacts/$NAME\"
",
    ),
    (
        "actions/download-artifact@",
        "\
name: download-artifact
inputs:
  pattern: {required: true}
  path: {required: true}
runs:
  using: composite
  steps:
    - shell: sh
      env: {PATTERN: '${{ inputs.pattern }}', INTO: '${{ inputs.path }}'}
      run: mkdir -p \"$INTO\" && cp -R /artifacts/$PATTERN \"$INTO\"
",
    ),
];

/// The last step of every workflow: what steps after weighbridge can read of its reports.
const SHOW_REPORTS: &str = "
      - name: Show what was reported
        if: ${{ always() }}
        run: find reported -type f -exec cat '{}' + || true
";

/// The repository that the events are about.
pub(crate) const REPOSITORY: &str = "acme/churn";

/// The root of the package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the image, once for all tests: the shipped binary, statically linked, in the final stage
/// of the shipped Dockerfile. `None` where this machine cannot.
pub(crate) fn image(test: &str) -> Option<&'static str> {
    static BUILT: OnceLock<()> = OnceLock::new();
    counterpart::need_docker(test)?;
    counterpart::need_musl(test)?;
    BUILT.get_or_init(|| {
        let context = tempfile::tempdir().expect("temporary folder");
        copy(&root().join("docker"), &context.path().join("docker"));
        let dist = context.path().join("dist");
        std::fs::create_dir(&dist).expect("temporary folder");
        std::fs::copy(static_binary(), dist.join("weighbridge")).expect("binary");
        let authorities = "/etc/ssl/certs/ca-certificates.crt";
        std::fs::copy(authorities, dist.join("ca-certificates.crt")).expect(authorities);
        done(
            Command::new("docker")
                .env("DOCKER_BUILDKIT", "0") // everywhere the builder that pulls nothing
                .args(["build", "--quiet", "--target", "prebuilt", "--tag", IMAGE, "--file"])
                .arg(root().join("Dockerfile"))
                .arg(context.path()),
        );
    });
    Some(IMAGE)
}

/// The shipped binary, built as the Dockerfile builds it.
fn static_binary() -> PathBuf {
    let target = "x86_64-unknown-linux-musl";
    let release = ["build", "--locked", "--release", "--bin", "weighbridge", "--target", target];
    done(Command::new(env!("CARGO")).current_dir(root()).args(release));
    root().join("target").join(target).join("release/weighbridge")
}

/// A repository as a runner has it: a checkout of an example, with one commit.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// From `examples/<name>`: committed, then cloned, so that every file is as new as a checkout.
    pub(crate) fn of_example(name: &str) -> Self {
        let seed = Self { folder: tempfile::tempdir().expect("temporary folder") };
        copy(&root().join("examples").join(name), seed.path());
        let workflows = seed.path().join(".github/workflows");
        for workflow in std::fs::read_dir(workflows).expect("workflows") {
            let path = workflow.expect("entry").path();
            let text = std::fs::read_to_string(&path).expect("workflow");
            std::fs::write(&path, keeping_reports(&text)).expect("temporary folder");
        }
        seed.git(["init", "--quiet", "--initial-branch=main"]);
        seed.commit("Train the model");
        let clone = Self { folder: tempfile::tempdir().expect("temporary folder") };
        clone.git(["clone", "--quiet", seed.path().to_str().expect("UTF-8"), "."]);
        let origin = format!("https://github.com/{REPOSITORY}");
        clone.git(["remote", "set-url", "origin", &origin]);
        clone
    }

    /// The work tree.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--message", message]);
    }

    /// Runs git; what it prints.
    pub(crate) fn git<const N: usize>(&self, arguments: [&str; N]) -> String {
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        let mut git = Command::new("git");
        git.current_dir(self.path()).args(who).args(arguments);
        done(&mut git).trim().to_owned()
    }
}

/// One run of a workflow file.
pub(crate) struct Workflow<'a> {
    /// Where it runs.
    pub(crate) repository: &'a Repository,
    /// File name in `.github/workflows`.
    pub(crate) file: &'a str,
    /// Event name, as under `on:`.
    pub(crate) event: &'a str,
    /// What GitHub would deliver.
    pub(crate) payload: Value,
    /// Variables of every step.
    pub(crate) environment: Vec<(&'a str, &'a str)>,
    /// Secrets, by name.
    pub(crate) secrets: Vec<(&'a str, &'a str)>,
    /// Whether the workflow checks out a ref of its own choice. `act` plays `actions/checkout` only
    /// for the event's ref and would fetch the action from GitHub for any other.
    pub(crate) chooses_ref: bool,
}

/// A workflow whose reports end in a folder of the work tree and are printed at the end.
pub(crate) fn keeping_reports(workflow: &str) -> String {
    let steps = workflow.split("\n      - ").map(|step| {
        let is_ours = step.contains("uses: weighbridge/") && !step.contains("report-dir:");
        let with = "\n        with:\n";
        if is_ours {
            assert!(step.contains(with), "the action has inputs: {step}");
            return step.replacen(with, &format!("{with}          report-dir: reported\n"), 1);
        }
        step.to_owned()
    });
    let steps: Vec<_> = steps.collect();
    format!("{}{SHOW_REPORTS}", steps.join("\n      - ").trim_end())
}

/// How a workflow run ended.
pub(crate) struct Run {
    /// Whether the job succeeded.
    pub(crate) succeeded: bool,
    /// Everything it printed, secrets unmasked: log, annotations, outputs, summary, reports.
    pub(crate) log: String,
}

impl Workflow<'_> {
    /// Runs it with [`IMAGE`] for the action, and looks for its secrets in all that it leaves. `None` where
    /// this machine cannot.
    pub(crate) fn run(&self, test: &str) -> Option<Run> {
        // Two runs of one workflow would take each other's containers.
        static ALONE: Mutex<()> = Mutex::new(());
        let act = counterpart::need(test, "venv/bin/act")?;
        let image = image(test)?;
        let alone = ALONE.lock();

        let scratch = tempfile::tempdir().expect("temporary folder");
        let action = scratch.path().join("action");
        std::fs::create_dir(&action).expect("temporary folder");
        std::fs::write(action.join("action.yml"), action_with(image)).expect("temporary folder");
        let event = scratch.path().join("event.json");
        std::fs::write(&event, self.payload.to_string()).expect("temporary folder");

        let mut command = Command::new(act);
        command
            .current_dir(self.repository.path())
            .env("XDG_CACHE_HOME", scratch.path())
            .env("XDG_CONFIG_HOME", scratch.path())
            .env("HOME", scratch.path())
            .arg(self.event)
            .args(["--workflows", &format!(".github/workflows/{}", self.file)])
            .arg("--eventpath")
            .arg(event)
            .args(["--platform", "ubuntu-latest=weighbridge-test-runner", "--network", "host"])
            .args(["--pull=false", "--action-offline-mode", "--rm", "--actor", "ada"])
            // A secret that is printed must be seen here, not hidden by act.
            .arg("--insecure-secrets")
            .arg("--local-repository")
            .arg(format!("{PUBLISHED}={}", action.display()));
        let mut stand_in = |action: &str, source: &str| {
            let folder = scratch.path().join(action.replace(['/', '@'], "-"));
            std::fs::create_dir(&folder).expect("temporary folder");
            std::fs::write(folder.join("action.yml"), source).expect("temporary folder");
            let stands_in = format!("{}={}", self.pinned(action)?, folder.display());
            command.args(["--local-repository", &stands_in]);
            Some(())
        };
        if self.chooses_ref {
            stand_in("actions/checkout@", CHECKOUT).expect("the workflow checks out");
        }
        let exchanges = ARTIFACTS.map(|(action, source)| stand_in(action, source));
        if self.chooses_ref {
            command.arg("--bind");
        }
        let artifacts = scratch.path().join("artifacts");
        if exchanges.iter().any(Option::is_some) {
            std::fs::create_dir(&artifacts).expect("temporary folder");
            let volume = format!("--volume {}:/artifacts", artifacts.display());
            command.args(["--container-options", &volume]);
        }
        for (name, value) in &self.environment {
            command.args(["--env", &format!("{name}={value}")]);
        }
        for (name, value) in &self.secrets {
            command.args(["--secret", &format!("{name}={value}")]);
        }
        let output = command.stdin(Stdio::null()).output().expect("act runs");
        drop(alone);
        let log = [output.stdout, output.stderr].concat();
        let log = String::from_utf8_lossy(&log).into_owned();
        let listener = Listener::of(self.secrets.iter().map(|(_, value)| *value));
        listener.assert_silent("the log", log.as_bytes());
        each_file(&artifacts, &mut |path| {
            let bytes = std::fs::read(path).expect("an artifact");
            listener.assert_silent(&path.display().to_string(), &bytes);
        });
        Some(Run { succeeded: output.status.success(), log })
    }

    /// An action with its commit, as the workflow names it, if it does.
    fn pinned(&self, action: &str) -> Option<String> {
        let path = self.repository.path().join(".github/workflows").join(self.file);
        let source = std::fs::read_to_string(path).expect("workflow");
        source.split_whitespace().find(|word| word.starts_with(action)).map(str::to_owned)
    }
}

impl Run {
    /// What a step printed after `label `.
    pub(crate) fn told(&self, label: &str) -> Option<&str> {
        let lines = self.log.lines().filter_map(|line| line.split_once("  | "));
        lines.filter_map(|(_, text)| text.strip_prefix(label)).map(str::trim).next_back()
    }
}

/// `action.yml` as a release ships it: with the built image in the place of the Dockerfile.
fn action_with(image: &str) -> String {
    let source = std::fs::read_to_string(root().join("action.yml")).expect("action.yml");
    assert!(source.contains("\n  image: Dockerfile\n"), "action.yml builds from the Dockerfile");
    source.replace("\n  image: Dockerfile\n", &format!("\n  image: docker://{image}\n"))
}

/// Every file below a folder, if it is there.
/// Every file below a folder.
pub(crate) fn each_file(folder: &Path, look: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("entry").path();
        if path.is_dir() { each_file(&path, look) } else { look(&path) }
    }
}

/// Copies a folder, without what git would not have.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("temporary folder");
    for entry in std::fs::read_dir(from).expect("folder") {
        let entry = entry.expect("entry");
        let (name, path) = (entry.file_name(), entry.path());
        if [OsStr::new("__pycache__"), OsStr::new(".pytest_cache")].contains(&name.as_os_str()) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).expect("copy");
        }
    }
}

/// Runs a command that must succeed; its standard output.
pub(crate) fn done(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
