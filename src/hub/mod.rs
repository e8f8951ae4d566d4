//! The Hugging Face Hub in the Hub's own words.

pub mod card_rules;
mod repo_id;

pub use repo_id::{BadRepoId, RepoId};
