//! Which files are documents: small texts that gates and card read besides the scanner. They are
//! kept from the one pass, so that what is judged is what was weighed.

/// Largest document that is kept, in bytes.
const LARGEST: u64 = 4 << 20;

/// Names at the top of the folder.
const NAMES: [&str; 14] = [
    "adapter_config.json",
    "config.json",
    "config_sentence_transformers.json",
    "generation_config.json",
    "hyperparams.yaml",
    "meta.json",
    "MLmodel",
    "model_index.json",
    "params.yaml",
    "pyproject.toml",
    "requirements.txt",
    "tokenizer_config.json",
    "trainer_state.json",
    "training_args.json",
];

/// Beginnings of names of licences and what goes with them, in capitals.
const LEGAL: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "USE_POLICY"];

/// Whether a file at a path of the folder, of so many bytes, is one.
pub(super) fn is_one(path: &str, size: u64) -> bool {
    let legal = || {
        let upper = path.to_ascii_uppercase();
        !path.contains('/') && LEGAL.iter().any(|start| upper.starts_with(start))
    };
    size <= LARGEST && (NAMES.contains(&path) || legal())
}
