#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use weighbridge::card::{self, CardInput};
use weighbridge::policy::{self, Model};
use weighbridge::{evidence, inventory};

/// Files by whose names something is read of the model, its pipeline or its history.
const NAMES: [&str; 14] = [
    "config.json",
    "adapter_config.json",
    "trainer_state.json",
    "params.yaml",
    "mergekit_config.yml",
    "MLmodel",
    "requirements.txt",
    "meta.yaml",
    "dvc.yaml",
    "dvc.lock",
    "model.pkl.dvc",
    "model.safetensors",
    "model.safetensors.index.json",
    "model.gguf",
];

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let text = "model: {name: m, owner: someone, path: .}\n\
                gates: {benchmarks: [{metric: f1, file: scores.csv, no-worse-than: {file: before.csv, confidence: 0.9}}]}";
    let mut policy = policy::parse("weighbridge.yml", text, &[]).expect("a small policy is sound");
    policy.models.remove(0)
});

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir_in("/dev/shm").expect("a folder in memory"));

// One file under one of the names, or the scores of examples beside those of before: gathered,
// weighed, and told of on a card, as `weighbridge check` does.
fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let folder = FOLDER.path();
    let mut written = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).expect("a folder in memory");
        written.push(folder.join(name));
    };
    match NAMES.get(usize::from(*choice) % (NAMES.len() + 1)) {
        Some(name) => put(name, rest),
        None => {
            let half = rest.len() / 2;
            put("scores.csv", &rest[..half]);
            put("before.csv", &rest[half..]);
        }
    }
    look(folder);
    for path in written {
        std::fs::remove_file(path).expect("just written");
    }
});

fn look(folder: &Path) {
    let evidence = evidence::gather(folder, "", &MODEL);
    let pinned = |_: &str| true;
    let inventory = inventory::take_with_pins(folder, "", &[], &[], &pinned, &|_| {});
    let inventory = inventory.expect("one file is no folder's limit");
    let known = inventory.known();
    assert!(known.model.len() <= 60 && known.training.len() <= 60);
    let input = CardInput {
        model: &MODEL,
        release: None,
        target: None,
        inventory: &inventory,
        evidence: &evidence,
        history: &[],
        commit: None,
        repository: None,
        run_url: None,
        template: None,
        readme: None,
        kept: &[],
    };
    let card = card::write(&input).expect("the built-in template is sound");
    assert_eq!(card::write(&input).expect("as before"), card);
}
