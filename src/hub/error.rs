//! What the Hub refused, and what to do about it.

use crate::failure::Advise;
use crate::http::HttpError;

/// A call to the Hub that failed.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The endpoint is no address.
    #[error("`{0}` is not an http(s) address")]
    BadEndpoint(String),
    /// A request failed.
    #[error("cannot {doing}")]
    Request {
        /// What was being done, as "cannot …" continues.
        doing: String,
        /// Why.
        source: HttpError,
    },
    /// The Hub refuses one object of an upload.
    #[error("the Hub refuses `{path}`: {why}")]
    Object {
        /// Path or digest.
        path: String,
        /// Its words.
        why: String,
    },
    /// A file that was weighed is not there any more as it was.
    #[error("{0}")]
    Moved(String),
    /// The Xet transfer failed.
    #[error("the Xet transfer failed: {0}")]
    Xet(String),
    /// A file is larger than what is read of it.
    #[error("{path}: it is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        path: String,
        /// Bytes.
        limit: usize,
    },
    /// The Hub's answer does not fit the protocol.
    #[error("the Hub's answer does not fit: {0}")]
    Protocol(String),
}

impl HubError {
    /// The failing request's status.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Request { source, .. } => source.status(),
            _ => None,
        }
    }

    /// Whether the Hub may have done it all the same.
    pub fn maybe_done(&self) -> bool {
        match self {
            Self::Request { source, .. } => source.maybe_done(),
            _ => false,
        }
    }
}

/// For `map_err`: names what was being done.
pub(super) fn doing(what: impl Into<String>) -> impl FnOnce(HttpError) -> HubError {
    let doing = what.into();
    move |source| HubError::Request { doing, source }
}

impl Advise for HubError {
    fn fix(&self) -> Option<String> {
        if let Self::BadEndpoint(_) = self {
            return Some("set HF_ENDPOINT (input `hf-endpoint`) to an address such as https://huggingface.co".into());
        }
        let moved = Some("let nothing write to the folder while it is released, then run it again; no commit and no tag were made".to_owned());
        let source = match self {
            Self::Moved(_) => return moved,
            Self::Xet(_) => {
                return Some("check the network and the proxy (HTTPS_PROXY), and run it again: no commit and no tag were made".into());
            }
            Self::Request { source, .. } => source,
            _ => return None,
        };
        if let HttpError::Body(_) = source {
            return moved;
        }
        if let HttpError::Unreachable { .. } = source {
            return Some("check the network, the proxy (HTTPS_PROXY) and the address in HF_ENDPOINT; run it again, nothing is half done".into());
        }
        Some(
            match source.status()? {
                401 => "give a valid token in the input `hf-token` (or HF_TOKEN); make one at https://huggingface.co/settings/tokens",
                403 => "the token may not do this: give it the permission `Write access to contents/settings` for this repository or organisation",
                404 => "check `owner:` in weighbridge.yml: the user or organisation must exist, and the token must be allowed to see the repository",
                409 => "somebody else changed the repository at the same moment: run it again",
                412 => "the branch moved while publishing: run it again, nothing was overwritten",
                413 => "a file is too large for the way the Hub wants it: split it into shards",
                429 => "the Hub's rate limit is used up: run it again after the window (five minutes)",
                500.. => "the Hub has a problem of its own (https://status.huggingface.co): run it again, nothing is half done",
                _ => return None,
            }
            .to_owned(),
        )
    }
}
