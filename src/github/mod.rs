//! GitHub's API: check runs, and what GitHub knows of where a version comes from. The only user of
//! octocrab. One file a subject; every request goes through [`Client`].

mod access;
mod approvals;
mod branches;
mod checks;
mod client;
mod error;
mod facts;
mod protection;
mod pulls;
mod reviews;
mod status_checks;
mod tags;
mod teams;
mod writers;

pub use approvals::Approval;
pub use checks::{Annotation, AnnotationLevel, CheckRun, create_check_run};
pub use client::Client;
pub use error::{GitHubError, Permission};
pub use facts::{Asked, SourceFacts, Unknown, Wanted, WantedReview};
pub use protection::{Branch, Protection, TagRules};
pub use pulls::{Elsewhere, Origin, PullRequest};
pub use reviews::{Refused, Review, State, Vote};
pub use status_checks::{Asking, Check, Checks, Outcome as CheckOutcome};
pub use tags::{Signature, Tag};
pub use writers::{Stranger, Writers};
