//! The token of a Hub's requests: one that may be replaced by a fresh one while they go on.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::http::Secret;

/// A token. Its clones are one and the same: each request takes what it is at that moment.
#[derive(Debug, Clone)]
pub struct Token {
    current: Arc<RwLock<Secret>>,
    only: Option<Arc<str>>,
}

/// A token as long as somebody else uses it.
#[derive(Debug)]
pub struct InUse(Weak<RwLock<Secret>>);

impl Token {
    /// A token that was made for one repository: `namespace/name`, or `datasets/namespace/name`.
    pub fn only_for(resource: &str, secret: Secret) -> Self {
        Self { only: Some(resource.into()), ..Self::from(secret) }
    }

    /// What it is now.
    pub fn current(&self) -> Secret {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one repository that it can write; `None` where it may be any. Such a token cannot make
    /// repositories, and has no user.
    pub fn only(&self) -> Option<&str> {
        self.only.as_deref()
    }

    /// For whoever renews it.
    pub fn in_use(&self) -> InUse {
        InUse(Arc::downgrade(&self.current))
    }
}

impl InUse {
    /// Puts a fresh one in its place. Whether anybody is left to use it.
    pub fn replace(&self, fresh: Secret) -> bool {
        let Some(current) = self.0.upgrade() else { return false };
        *current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        true
    }

    /// Whether anybody is left to use it.
    pub fn is(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl From<Secret> for Token {
    fn from(secret: Secret) -> Self {
        Self { current: Arc::new(RwLock::new(secret)), only: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text).expect("a value")
    }

    #[test]
    fn every_clone_has_the_fresh_one_until_nobody_is_left() {
        let token = Token::only_for("acme/churn", secret("first"));
        let (clone, renewed) = (token.clone(), token.in_use());
        assert!(renewed.replace(secret("second")));
        assert_eq!((clone.current().expose(), clone.only()), ("second", Some("acme/churn")));
        drop(token);
        assert!(renewed.is());
        drop(clone);
        assert!(!renewed.is() && !renewed.replace(secret("third")));
        assert_eq!(Token::from(secret("plain")).only(), None);
    }
}
