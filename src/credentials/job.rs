//! What the job that started us has for sources to work with.

use super::{CredentialError, IdTokens, Masked, Masker};
use crate::context::Environment;

/// The job: its variables, its identity, and the mask through which every secret goes.
#[derive(Clone)]
pub struct Job {
    env: Environment,
    /// Its identity.
    pub ids: IdTokens,
    /// Makes secrets.
    pub masker: Masker,
}

impl Job {
    /// The job with these variables.
    pub fn new(env: &Environment, ids: IdTokens, masker: Masker) -> Self {
        Self { env: env.clone(), ids, masker }
    }

    /// A variable that is no secret; `None` when unset or empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name)
    }

    /// A variable that holds a secret.
    pub(super) fn secret(&self, name: &str) -> Result<Option<Masked>, CredentialError> {
        match self.env.get(name) {
            Some(value) => self.masker.secret(value),
            None => Ok(None),
        }
    }

    /// An input of the action that holds a secret.
    pub(super) fn secret_input(&self, name: &str) -> Result<Option<Masked>, CredentialError> {
        match self.env.input(name) {
            Some(value) => self.masker.secret(value),
            None => Ok(None),
        }
    }
}
