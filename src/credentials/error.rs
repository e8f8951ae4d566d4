//! Why a source gave no token, and what to do about it. No variant holds what a server said:
//! answers of those who hand out secrets may hold some.

use crate::failure::{Advise, Failure};
use crate::finding::Location;
use crate::http::HttpError;

/// A source that gave no token.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The job has not what the source needs: the next source is asked.
    #[error("{why}")]
    Absent {
        /// What is not there.
        why: String,
        /// How it would be.
        fix: String,
    },
    /// The source is there and says no.
    #[error("{what}")]
    Refused {
        /// What it refuses, in our own words and known fields of its answer.
        what: String,
        /// What to do.
        fix: String,
    },
    /// A server did not answer as it should. The error is of a discreet client.
    #[error("cannot {doing}")]
    Request {
        /// What was being done, as "cannot …" continues.
        doing: String,
        /// Why.
        source: HttpError,
    },
    /// A secret could not be masked, so it was not used.
    #[error("a secret could not be masked")]
    Unmasked(#[source] Failure),
    /// No source of the policy is there in this job.
    #[error("there is no Hub token{}", listed(.passed))]
    Nowhere {
        /// All of them.
        passed: Vec<PassedOver>,
    },
    /// What went wrong in a source that the policy names.
    #[error("the source `{name}`{} gives no token", place(.at.as_ref()))]
    Source {
        /// Its key in the policy.
        name: &'static str,
        /// Where the policy names it.
        at: Option<Location>,
        /// Why.
        source: Box<CredentialError>,
    },
}

/// A source that this job does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Its key in the policy.
    pub name: &'static str,
    /// What is not there.
    pub why: String,
    /// How it would be.
    pub fix: String,
}

fn listed(passed: &[PassedOver]) -> String {
    passed.iter().map(|one| format!("\n- {}: {}", one.name, one.why)).collect()
}

/// As findings show places.
fn place(at: Option<&Location>) -> String {
    let path = at.and_then(|at| Some((at.path.as_ref()?, at.line?)));
    path.map(|(path, line)| format!(" ({path}:{line})")).unwrap_or_default()
}

impl CredentialError {
    /// Whether the job has not what the source needs.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Of a source that says no.
    pub(super) fn refused(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), fix: fix.into() }
    }

    /// For `map_err` behind a discreet client: names what was being done.
    pub(super) fn doing(what: impl Into<String>) -> impl FnOnce(HttpError) -> Self {
        let doing = what.into();
        move |source| Self::Request { doing, source }
    }
}

impl Advise for CredentialError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Absent { fix, .. } | Self::Refused { fix, .. } => fix.clone(),
            Self::Request { source, .. } => match source {
                HttpError::Status(_) | HttpError::Garbage { .. } | HttpError::TooLarge { .. } => {
                    "look at the address and at what answers there (a proxy?), and run it again"
                }
                _ => "check the address, the network and the proxy (HTTPS_PROXY), and run it again",
            }
            .into(),
            Self::Nowhere { passed } => {
                let fixes = passed.iter().map(|one| format!("- {}: {}", one.name, one.fix));
                let fixes: Vec<_> = fixes.collect();
                format!("do one of these:\n{}", fixes.join("\n"))
            }
            Self::Unmasked(failure) => return failure.advice().map(str::to_owned),
            Self::Source { source, .. } => return source.fix(),
        })
    }
}
