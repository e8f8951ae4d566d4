//! What the files themselves say of the model: what it is, which libraries wrote it, how it was
//! trained, what it was made from. Read from the documents and headers that the one pass has kept.
//!
//! A source is one file here and one line in [`SOURCES`]. Each says what its file says, in words as
//! they stand there; nothing is worked out, and no path of somebody's machine is passed on.

mod adapter;
mod base;
mod config;
mod diffusers;
mod document;
mod gguf;
mod merge;
mod mlflow;
mod requirements;
mod sentence_transformers;
mod settings;
mod spacy;
mod trainer;

pub use base::{Base, Relation};

use super::Inventory;

/// Every source, in the order in which what they say is shown.
const SOURCES: &[fn(&Inventory, &mut Known)] = &[
    config::read,
    diffusers::read,
    sentence_transformers::read,
    adapter::read,
    merge::read,
    gguf::read,
    spacy::read,
    mlflow::read,
    requirements::read,
    trainer::read,
    settings::read,
];

/// Most facts of each kind.
const MOST: usize = 60;

/// What the files say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What the model is: its architecture, context length, labels.
    pub model: Vec<Fact>,
    /// Libraries with their versions.
    pub software: Vec<Fact>,
    /// Settings and course of the training.
    pub training: Vec<Fact>,
    /// What it was made from.
    pub bases: Vec<Base>,
}

/// One thing that a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// What is said.
    pub value: String,
    /// The file, by its path in the repository.
    pub file: String,
}

impl Inventory {
    /// What the files say of the model.
    pub fn known(&self) -> Known {
        let mut known = Known::default();
        for source in SOURCES {
            source(self, &mut known);
        }
        for facts in [&mut known.model, &mut known.software, &mut known.training] {
            facts.truncate(MOST);
        }
        known.bases.truncate(MOST);
        known
    }
}

#[cfg(test)]
mod tests;
