//! Which files are documents: small texts that gates and card read besides the scanner. They are
//! kept from the one pass, so that what is judged is what was weighed.

/// Largest document that is kept, in bytes.
const LARGEST: u64 = 4 << 20;

/// Paths in the folder.
const NAMES: [&str; 20] = [
    "adapter_config.json",
    "config.json",
    "config_sentence_transformers.json",
    "diffusion_pytorch_model.safetensors.index.json",
    "generation_config.json",
    "hyperparams.yaml",
    "mergekit_config.yml",
    "meta.json",
    "MLmodel",
    "model.safetensors.index.json",
    "model_index.json",
    "params.yaml",
    "pyproject.toml",
    "requirements.txt",
    "sentence_bert_config.json",
    "tokenizer_config.json",
    "trainer_state.json",
    "training_args.json",
    "transformer/diffusion_pytorch_model.safetensors.index.json",
    "unet/diffusion_pytorch_model.safetensors.index.json",
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
