//! The one way in for secrets: nothing that a source gives becomes a secret without being masked.

use std::sync::Arc;

use reqwest::header::HeaderValue;

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

    /// The value as a header that no library logs or keeps in its tables; `what` names it where it
    /// cannot be one.
    pub fn header(&self, what: &str) -> Result<HeaderValue, CredentialError> {
        let printable = |text: &&str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let header = Some(self.expose()).filter(printable).map(HeaderValue::from_str);
        let Some(Ok(mut header)) = header else {
            return Err(CredentialError::refused(
                format!("{what} holds characters that no token has, such as a line break"),
                "store it again: the token alone, on one line",
            ));
        };
        header.set_sensitive(true);
        Ok(header)
    }
}

/// Shows no secret, as [`Secret`] does not.
impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_a_header_is_told_and_not_shown() {
        let masker = Masker::new(|_| Ok(()));
        let header = |text: &str| {
            let secret = masker.secret(text).expect("masked").expect("not empty");
            secret.header("the token in a test")
        };
        let fine = header(" s.of/one+line= \n").expect("a header");
        assert!(fine.is_sensitive() && fine == "s.of/one+line=");
        for text in ["one\nx-other: two", "one\r\ntwo", "one\u{0}", "t\u{f6}ken"] {
            let error = header(text).expect_err(text);
            assert!(error.to_string().starts_with("the token in a test holds"), "{error}");
            assert!(!format!("{error:?}").contains(text), "{error:?}");
        }
    }
}
