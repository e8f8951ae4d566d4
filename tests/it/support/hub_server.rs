//! An embedded Hub for a test, and the environment that points an official client at it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
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

    /// Stops the Hub; its folder stays as long as what is returned.
    pub(crate) async fn stop(self) -> TempDir {
        self.hub.stop().await;
        self.folder
    }

    /// Stops the Hub and starts another on the same folder.
    pub(crate) async fn restart(self) -> Self {
        self.hub.stop().await;
        let options = HubOptions::new(self.folder.path().join("data"));
        let hub = EmbeddedHub::start(options).await.expect("the Hub starts again");
        Self { hub, folder: self.folder }
    }

    /// Where the Hub keeps its repositories.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for the test's own files.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path).expect("makes a folder");
        path
    }

    /// A client's command, with an environment that knows this Hub and nothing of the user.
    pub(crate) fn client(&self, program: &Path) -> Command {
        client(program, self.folder.path(), &self.hub.url(), self.hub.token().expose())
    }

    /// How many requests had this method and a path that holds `part`.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let requests = self.hub.requests();
        requests.iter().filter(|one| one.method == method && one.path.contains(part)).count()
    }
}

/// A client's command, with an environment that knows one Hub and nothing of the user; what the
/// client keeps goes below `home`.
pub(crate) fn client(program: &Path, home: &Path, url: &str, token: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.join("home"))
        .env("HF_HOME", home.join("hf"))
        .env("HF_ENDPOINT", url)
        .env("HF_TOKEN", token)
        .env("HF_HUB_DISABLE_TELEMETRY", "1")
        .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// `weighbridge hub` as a process, to be killed.
pub(crate) struct HubProcess {
    process: Child,
    /// `host:port`.
    pub(crate) address: String,
    pub(crate) token: String,
}

impl HubProcess {
    /// Starts it on `data` and waits until it says where it is.
    pub(crate) async fn start(data: &Path) -> Self {
        // One stream, wherever the line is printed.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" hub --addr 127.0.0.1:0 --data \"$1\" 2>&1"])
            .arg(env!("CARGO_BIN_EXE_weighbridge"))
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("weighbridge hub starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        while let Some(line) = lines.next_line().await.expect("text") {
            if let Some((_, export)) = line.split_once("HF_ENDPOINT=http://")
                && let Some((address, token)) = export.split_once(" HF_TOKEN=")
            {
                let (address, token) = (address.to_owned(), token.trim().to_owned());
                // Whatever else it prints must find a reader.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Self { process, address, token };
            }
        }
        panic!("weighbridge hub said nothing of where it is");
    }

    /// Sends a request up to the middle of its body, and returns once the Hub is reading it.
    pub(crate) async fn half_a_request(&self, request: &str, half: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.expect("connects");
        let head = format!(
            "{request} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            self.address,
            self.token,
            half.len() * 2,
        );
        stream.write_all(head.as_bytes()).await.expect("sends");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.expect("answers");
        assert_eq!(&answer, b"HTTP/1.1 100", "{request}");
        stream.write_all(half).await.expect("sends");
        stream
    }

    /// Kills it as `kill -9` does.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.expect("can be killed");
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
