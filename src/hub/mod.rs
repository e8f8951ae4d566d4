//! The Hugging Face Hub in the Hub's own words.

mod api;
pub mod card_rules;
mod commit;
mod create;
mod download;
mod error;
pub mod front_matter;
mod history;
mod lfs;
pub mod licenses;
mod model_index;
pub mod query_files;
mod repo_id;
pub mod tables;
mod token;
mod upload;
mod weighed;
pub mod wire;
mod xet;
mod xet_watch;
pub mod yaml_dialect;
pub mod yaml_tree;

pub use api::Hub;
pub use commit::Operation;
pub use error::HubError;
pub use history::{Commits, Older};
pub use token::{InUse, Token};
pub use upload::{Blob, Origin, Sending, Uploaded, Watch, Way};

pub use repo_id::{BadRepoId, RepoId, Shelf};
