//! A secret that cannot be printed.

use std::fmt;

use zeroize::Zeroizing;

/// A token or password. `Debug` shows only that there is one; there is no `Display`; the memory
/// is wiped when it goes. [`Secret::expose`] is the one way to the value, easy to search for.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the value; surrounding white space (a classic of pasted tokens) is dropped.
    /// `None` for an empty value.
    pub fn new(value: impl Into<String>) -> Option<Self> {
        let value = Zeroizing::new(value.into());
        let trimmed = value.trim();
        (!trimmed.is_empty()).then(|| Self(Zeroizing::new(trimmed.to_owned())))
    }

    /// The value, for an `Authorization` header or a mask command and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_itself() {
        let secret = Secret::new(" hf_verysecret\n").expect("not empty");
        assert_eq!(secret.expose(), "hf_verysecret");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert!(Secret::new(" \n").is_none());
    }
}
