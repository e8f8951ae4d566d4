//! The embedded Hub: a loopback server with the Hub's own HTTP surface, so that a whole release
//! can be rehearsed with no account and no network. It is judged by the Hub's official clients,
//! which do their round trips against it unchanged (`tests/it/clients.rs`).
//!
//! ```text
//! <data>/
//!   models/<namespace>/<name>/git/           a bare git repository: commits, trees, tags, refs
//!   models/<namespace>/<name>/settings.json  what git does not know: visibility, gating
//!   datasets/<namespace>/<name>/             the same
//!   lfs/ab/cd/<sha256>                       large files that came by LFS
//!   xet/                                     large files that came by Xet: the official CAS server
//!   requests.log                             every request, for tests and for counting writes
//!   token                                    the default token, readable by its owner only
//!   tmp/                                     whatever is not finished; emptied at the start
//! ```
//!
//! Everything is written beside its place and renamed into it, and a branch moves only after all
//! that it names is there: killed at any moment, the Hub starts again in a state that some client
//! has seen. (Power loss is another matter: nothing is forced to the disk.)
//!
//! A Hub repository *is* a git repository; so this room uses git2, beside `release/`, which reads
//! the workspace's own history.
//!
//! Models and datasets; a dataset's card is not checked. Gated repositories, resource groups and web hooks are remembered or absent, not
//! enforced. The Xet server takes any bearer token, as the official simulation does, and a file's
//! SHA-256 in Xet storage is the one its uploader declared.

mod answer;
mod attributes;
mod auth;
mod branches;
mod card_data;
mod card_html;
mod commit;
mod discussions;
mod git;
mod info;
mod large;
mod lfs;
mod log;
mod migrate;
mod multipart;
mod ndjson;
mod oauth;
mod options;
mod page;
mod pointer;
mod pour;
mod preupload;
mod preview;
mod rate;
mod repos;
mod resolve;
mod server;
mod signed;
mod store;
mod tree;
mod xet;

pub use auth::{TokenRole, TokenScope, TokenSpec};
pub use log::LoggedRequest;
pub use oauth::TrustedPublisher;
pub use options::{HubError, HubOptions, RateLimit, ScanIssue, Transfers};
pub use preview::preview;
pub use server::EmbeddedHub;

#[cfg(test)]
mod tests;
