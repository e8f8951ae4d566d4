//! The Hugging Face Hub in the Hub's own words.

pub mod card_rules;
pub mod front_matter;
pub mod licenses;
mod model_index;
mod repo_id;
pub mod tables;
pub mod yaml_dialect;
pub mod yaml_tree;

pub use repo_id::{BadRepoId, RepoId};
