//! A secret that cannot be printed.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use zeroize::Zeroizing;

use super::forms::{forms, telling};

/// Shorter texts are not blotted out: they stand in half of all words.
const SHORTEST: usize = 8;
/// What stands for a secret in texts that are not ours.
const BLOT: &str = "***";

/// Every secret of this run, for [`blotted`]: what failed is told when who held them is gone.
static KNOWN: Mutex<Known> = Mutex::new(Known { secrets: Vec::new(), blotter: None });

struct Known {
    secrets: Vec<Arc<Zeroizing<String>>>,
    /// For all of them, once it was needed.
    blotter: Option<Arc<Blotter>>,
}

impl Known {
    fn get() -> MutexGuard<'static, Self> {
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token or password. `Debug` shows only that there is one; there is no `Display`; the memory
/// is wiped at the end of the run ([`wipe`]). [`Secret::expose`] is the one way to the value, easy to search for.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes the value; surrounding white space (a classic of pasted tokens) is dropped.
    /// `None` for an empty value.
    pub fn new(value: impl Into<String>) -> Option<Self> {
        let value = Zeroizing::new(value.into());
        let trimmed = value.trim();
        if trimmed.is_empty() {
            return None;
        }
        let mut known = Known::get();
        if let Some(same) = known.secrets.iter().find(|secret| secret.as_str() == trimmed) {
            return Some(Self(same.clone()));
        }
        let value = Arc::new(Zeroizing::new(trimmed.to_owned()));
        known.secrets.push(value.clone());
        known.blotter = None;
        Some(Self(value))
    }

    /// The value, for an `Authorization` header or a mask command and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value in every form that it may take in a log: as it is, encoded, and in parts that are
    /// secrets of their own.
    pub fn forms(&self) -> Vec<Zeroizing<String>> {
        forms(&self.0).into_iter().map(Zeroizing::new).collect()
    }
}

/// A text with every secret of this run blotted out, in every form: a server may repeat what it was
/// told, and its words are shown.
pub fn blotted(text: &str) -> Cow<'_, str> {
    let blotter = {
        let mut known = Known::get();
        match &known.blotter {
            Some(blotter) => blotter.clone(),
            None => {
                let made = Arc::new(Blotter::made_of(&known.secrets, forms));
                known.blotter.insert(made).clone()
            }
        }
    };
    blotter.blotted(text)
}

/// Blots every secret of this run out of many texts.
pub struct Blotter {
    /// `None` where there is none.
    finder: Option<Result<AhoCorasick, BuildError>>,
}

impl Blotter {
    /// For the secrets that there are by now.
    pub fn of_all() -> Self {
        Self::made_of(&Known::get().secrets, forms)
    }

    /// The same, to find what gives a secret away, and nothing that others have in common with it.
    pub fn of_what_tells() -> Self {
        Self::made_of(&Known::get().secrets, telling)
    }

    fn made_of(secrets: &[Arc<Zeroizing<String>>], forms: fn(&str) -> Vec<String>) -> Self {
        let forms = secrets.iter().flat_map(|secret| forms(secret)).map(Zeroizing::new);
        let forms: Vec<_> = forms.filter(|form| form.len() >= SHORTEST).collect();
        let build = || {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(forms.iter().map(|form| form.as_bytes()))
        };
        Self { finder: (!forms.is_empty()).then(build) }
    }

    /// Whether one of them stands in there.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        match &self.finder {
            None => false,
            Some(Ok(finder)) => finder.is_match(bytes),
            Some(Err(_)) => true,
        }
    }

    /// A text without them.
    pub fn blotted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.finder {
            None => Cow::Borrowed(text),
            Some(Ok(finder)) if finder.is_match(text) => {
                Cow::Owned(finder.replace_all(text, &vec![BLOT; finder.patterns_len()]))
            }
            Some(Ok(_)) => Cow::Borrowed(text),
            // A handful of short texts is never too much for the automaton.
            Some(Err(_)) => Cow::Borrowed(BLOT),
        }
    }
}

/// Forgets all secrets, when nothing more will be told: their memory is wiped as soon as nobody holds
/// them.
pub fn wipe() {
    let mut known = Known::get();
    known.secrets.clear();
    known.blotter = None;
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

    #[test]
    fn what_repeats_a_secret_is_blotted_out() {
        let secret = Secret::new("hf_one\"more secret").expect("not empty");
        for form in secret.forms().iter().filter(|form| form.len() >= SHORTEST) {
            let text = format!("you sent {}: no", form.as_str());
            assert_eq!(blotted(&text), "you sent ***: no");
        }
        assert!(matches!(blotted("you sent nothing"), Cow::Borrowed(_)));
        // One that a whole log would be made of is left to the runner's masks.
        let _short = Secret::new("a").expect("not empty");
        assert_eq!(blotted("a cat"), "a cat");
        // What others have in common with it is no sign of it.
        let jwt =
            Secret::new("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl").expect("not empty");
        let finds = |text: &str| Blotter::of_what_tells().finds(text.as_bytes());
        assert!(!finds("eyJhbGciOiJIUzI1NiJ9") && finds("eyJzdWIiOiJ4In0"));
        assert!(finds(jwt.expose()) && blotted("eyJhbGciOiJIUzI1NiJ9") == "***");
        // Who held it may be gone.
        drop(secret);
        assert_eq!(blotted("hf_one\"more secret"), "***");
    }
}
