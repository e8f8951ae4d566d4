//! What is released in the tests of faults: small files with all that makes a release go wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use tempfile::TempDir;
use weighbridge::digest::Digest;
use weighbridge::rehearsal::{HubOptions, Transfers};

use crate::support::hub_server::HubServer;
use crate::support::workspace::{POLICY, Workspace, copy_folder};

const KIB: usize = 1024;
/// Bytes of a part.
const CHUNK: u64 = 128 * KIB as u64;

/// What is released, and how it goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) transfer: Transfers,
    /// Whether another version is there already, with a file that goes and one that changes.
    pub(super) next: bool,
    /// Whether the policy allows no commit that holds all of it.
    pub(super) pieces: bool,
}

pub(super) const XET: Transfers = Transfers::Auto;
pub(super) const PARTS: Transfers = Transfers::ForceMultipart { chunk: CHUNK };
pub(super) const ALL: [Setting; 6] = [
    Setting { transfer: XET, next: false, pieces: false },
    Setting { transfer: PARTS, next: false, pieces: false },
    Setting { transfer: XET, next: true, pieces: false },
    Setting { transfer: PARTS, next: true, pieces: false },
    Setting { transfer: PARTS, next: false, pieces: true },
    Setting { transfer: PARTS, next: true, pieces: true },
];

impl Setting {
    /// The version that is released.
    pub(super) fn version(self) -> &'static str {
        if self.next { "1.1.0" } else { "1.0.0" }
    }

    fn options(self, options: &mut HubOptions) {
        options.lfs_transfer = self.transfer;
        options.lfs_threshold = 64 * KIB as u64;
    }

    /// A Hub on a folder of its own, as the template has it.
    pub(super) async fn hub(self, template: &Template) -> HubServer {
        HubServer::with(|options| {
            self.options(options);
            copy_folder(&template.data.path().join("data"), &options.data);
        })
        .await
    }
}

/// A setting before the release, to be copied.
pub(super) struct Template {
    pub(super) setting: Setting,
    pub(super) workspace: Workspace,
    data: TempDir,
    /// SHA-256 of every file of the version as a release without faults published it, once there was
    /// one.
    published: OnceLock<BTreeMap<String, String>>,
}

impl Template {
    pub(super) async fn of(setting: Setting) -> Self {
        let server = HubServer::with(|options| setting.options(options)).await;
        let mut workspace = Workspace::healthy();
        // By Xet where the Hub has it.
        let most = if setting.pieces { ", largest-commit: {files: 3}" } else { "" };
        let policy = format!("{POLICY}publish: {{transfer: xet{most}}}\n");
        workspace.write("weighbridge.yml", policy);
        workspace.write("model/weights/b.bin", noise(2, 200 * KIB));
        if setting.next {
            workspace.write("model/weights/a.bin", noise(3, 250 * KIB));
            workspace.write("model/goes.txt", "no part of the next version\n");
            workspace.version("v1.0.0");
            let token = server.hub.token();
            let mut first = workspace.copy();
            first.on_hub(&server.hub.url(), token.expose());
            tokio::task::block_in_place(|| first.run(&["release"])).expect(0);
            std::fs::remove_file(workspace.path().join("model/goes.txt")).expect("removed");
        }
        workspace.write("model/weights/a.bin", noise(1, 300 * KIB));
        workspace.version(&format!("v{}", setting.version()));
        workspace
            .set("HF_TOKEN", server.hub.token().expose())
            .set("HF_XET_CLIENT_RETRY_BASE_DELAY", "100ms");
        let data = server.stop().await;
        Self { setting, workspace, data, published: OnceLock::new() }
    }

    /// Whether these are the version's files, weighbridge's own, and no others. The first ones that
    /// are asked for are those of a release without faults, which all others have to be the same as.
    pub(super) fn is(&self, files: &BTreeMap<String, String>) -> bool {
        if let Some(published) = self.published.get() {
            return files == published;
        }
        self.is_but_for_words(files) && self.published.set(files.clone()).is_ok()
    }

    /// The same, whatever weighbridge's own files say: whose token it is and which versions there are
    /// stands in them as the Hub was heard to say it.
    pub(super) fn is_but_for_words(&self, files: &BTreeMap<String, String>) -> bool {
        let mut rest = files.clone();
        let own = ["README.md", "weighbridge.json"].iter().all(|own| rest.remove(*own).is_some());
        rest.remove(".gitattributes");
        rest.remove("weighbridge-history.svg");
        own && rest == self.digests()
    }

    /// SHA-256 of every file of the version, by path in the repository.
    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        let root = self.workspace.path().join("model");
        let mut found = BTreeMap::new();
        digests(&root, &root, &mut found);
        found
    }
}

fn digests(folder: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            digests(&path, root, found);
        } else {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).expect("readable");
            found.insert(name, Digest::of(&bytes).to_string());
        }
    }
}

/// Bytes that no compression and no other file helps with.
pub(super) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    fastrand::Rng::with_seed(seed).fill(&mut noise);
    noise
}
