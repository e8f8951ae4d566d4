//! What a model was made from, as its files name it.

use crate::hub::{RepoId, card_rules};

/// A base model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its id on the Hub.
    pub id: RepoId,
    /// How the model came from it, where the files tell.
    pub relation: Option<Relation>,
    /// The file that names it, by its path in the repository.
    pub file: String,
    /// Whether the file names it as what the model was made from. What a configuration was once
    /// loaded from is less.
    pub is_stated: bool,
}

/// How a model came from another, in the Hub's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Weights that are added to it.
    Adapter,
    /// Trained further.
    Finetune,
    /// Its weights mixed with others'.
    Merge,
    /// With fewer bits.
    Quantized,
}

impl Relation {
    /// As `base_model_relation` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adapter => "adapter",
            Self::Finetune => "finetune",
            Self::Merge => "merge",
            Self::Quantized => "quantized",
        }
    }
}

/// First parts of paths, which are no owners.
const FOLDERS: [&str; 19] = [
    "artifacts",
    "checkpoints",
    "ckpt",
    "content",
    "data",
    "home",
    "mnt",
    "model",
    "models",
    "opt",
    "out",
    "output",
    "outputs",
    "results",
    "root",
    "runs",
    "tmp",
    "weights",
    "workspace",
];

/// The Hub id that a text is, or whose address it is; `None` for what may be a path, which tells
/// of no model that others could know.
pub(super) fn id(text: &str) -> Option<RepoId> {
    let text = text.trim();
    let of_hub = ["https://huggingface.co/", "https://hf.co/", "https://www.huggingface.co/"];
    let address = of_hub.iter().find_map(|hub| text.strip_prefix(hub));
    let id: RepoId = address.unwrap_or(text).trim_end_matches('/').parse().ok()?;
    let namespace = id.namespace().to_ascii_lowercase();
    let is_path =
        FOLDERS.contains(&namespace.as_str()) || card_rules::looks_like_a_folder(&id.to_string());
    (address.is_some() || !is_path).then_some(id)
}
