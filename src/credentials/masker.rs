//! The one way in for secrets: nothing that a source gives becomes a secret without being masked.

use std::sync::Arc;

use super::CredentialError;
use crate::failure::Failure;
use crate::http::Secret;

/// Masks in the CI's log whatever it makes a secret of.
#[derive(Clone)]
pub struct Masker(Arc<dyn Fn(&Secret) -> Result<(), Failure> + Send + Sync>);

/// A secret that is masked, which only a [`Masker`] makes.
#[derive(Debug, Clone)]
pub struct Masked(Secret);

impl Masker {
    /// `mask` makes a secret and all its forms unreadable in the log, or fails.
    pub fn new(mask: impl Fn(&Secret) -> Result<(), Failure> + Send + Sync + 'static) -> Self {
        Self(Arc::new(mask))
    }

    /// A secret of what a source gave; `None` for an empty text.
    pub fn secret(&self, value: impl Into<String>) -> Result<Option<Masked>, CredentialError> {
        Secret::new(value).map(|secret| self.known(secret)).transpose()
    }

    /// Masks what is a secret already.
    pub fn known(&self, secret: Secret) -> Result<Masked, CredentialError> {
        (self.0)(&secret).map_err(CredentialError::Unmasked)?;
        Ok(Masked(secret))
    }
}

impl Masked {
    /// The secret.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// The value, for a request to whom it is meant for and nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Shows no secret, as [`Secret`] does not.
impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker")
    }
}
