//! An embedded Hub for a test, and the environment that points an official client at it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::process::Command;
use weighbridge::rehearsal::{EmbeddedHub, HubOptions, Transfers};

/// A Hub in a folder of its own.
pub(crate) struct HubServer {
    pub(crate) hub: EmbeddedHub,
    folder: TempDir,
}

impl HubServer {
    /// Starts with the Hub's own defaults.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts with one transfer for all large files.
    pub(crate) async fn transferring(transfers: Transfers) -> Self {
        Self::with(|options| options.lfs_transfer = transfers).await
    }

    /// Starts with options of the test's own.
    pub(crate) async fn with(change: impl FnOnce(&mut HubOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = HubOptions::new(folder.path().join("data"));
        change(&mut options);
        let hub = EmbeddedHub::start(options).await.expect("the Hub starts");
        Self { hub, folder }
    }

    /// Stops the Hub and starts another on the same folder.
    pub(crate) async fn restart(self) -> Self {
        self.hub.stop().await;
        let options = HubOptions::new(self.folder.path().join("data"));
        let hub = EmbeddedHub::start(options).await.expect("the Hub starts again");
        Self { hub, folder: self.folder }
    }

    /// A folder for the test's own files.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path).expect("makes a folder");
        path
    }

    /// A client's command, with an environment that knows this Hub and nothing of the user.
    pub(crate) fn client(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.scratch("home"))
            .env("HF_HOME", self.scratch("hf"))
            .env("HF_ENDPOINT", self.hub.url())
            .env("HF_TOKEN", self.hub.token().expose())
            .env("HF_HUB_DISABLE_TELEMETRY", "1")
            .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// How many requests had this method and a path that holds `part`.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let requests = self.hub.requests();
        requests.iter().filter(|one| one.method == method && one.path.contains(part)).count()
    }
}

/// Runs a command that must succeed; its standard output.
pub(crate) async fn succeed(command: &mut Command) -> String {
    let output: Output = command.output().await.expect("the program starts");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// A model folder with what makes uploads hard: a file above 20 MB, an empty file, nested folders,
/// names that need escaping.
pub(crate) fn model_folder(path: &Path) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut weights = vec![0; 21 * 1024 * 1024];
    random.fill(&mut weights);
    let files: [(&str, &[u8]); 6] = [
        ("README.md", b"---\nlicense: mit\nlibrary_name: xgboost\n---\n# A model\n"),
        ("config.json", b"{\"layers\": 2}\n"),
        ("notes/zero.txt", b""),
        ("notes/deep/caf\u{e9} [1] #2 100%.txt", b"odd names travel too\n"),
        ("small.bin", b"large by its name only"),
        ("weights.safetensors", &weights),
    ];
    for (name, bytes) in files {
        let file = path.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("makes a folder");
        fs::write(file, bytes).expect("writes");
    }
}
