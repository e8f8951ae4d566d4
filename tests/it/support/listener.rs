//! Looks for tokens in every form, wherever a person or a machine could read them.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// The shortest piece of a token that counts as seen.
const PIECE: usize = 12;

/// Knows some tokens in every form.
pub(crate) struct Listener(AhoCorasick);

impl Listener {
    pub(crate) fn of<'t>(tokens: impl IntoIterator<Item = &'t str>) -> Self {
        let forms = tokens.into_iter().flat_map(forms);
        Self(AhoCorasick::new(forms).expect("few enough"))
    }

    /// Asserts that no form of any token is in a text.
    #[track_caller]
    pub(crate) fn assert_silent(&self, place: &str, text: &[u8]) {
        if let Some(found) = self.0.find(text) {
            let around = found.start().saturating_sub(300)..(found.end() + 300).min(text.len());
            panic!("{place} tells of a token: {}", String::from_utf8_lossy(&text[around]));
        }
    }
}

/// Every form in which a token could hide: pieces of it as it is, in base64 at each of its three
/// alignments, in hexadecimal, backwards.
fn forms(token: &str) -> Vec<String> {
    let pieces = |text: &[u8], length: usize| {
        let pieces = text.windows(length).map(|piece| String::from_utf8_lossy(piece).into_owned());
        pieces.collect::<Vec<_>>()
    };
    let bytes = token.as_bytes();
    let backwards: Vec<u8> = bytes.iter().rev().copied().collect();
    let mut forms = pieces(bytes, PIECE);
    assert!(!forms.is_empty(), "a token of a test has at least {PIECE} characters");
    forms.extend(pieces(&backwards, PIECE));
    for shift in 0..3 {
        let padded = [&b"xx"[..shift], bytes].concat();
        for encoded in [STANDARD.encode(&padded), URL_SAFE.encode(&padded)] {
            // Both ends depend on what stands beside it.
            forms.extend(pieces(&encoded.as_bytes()[4..encoded.len() - 4], 16));
        }
    }
    let hexadecimal = hex::encode(bytes);
    forms.extend(pieces(hexadecimal.as_bytes(), 2 * PIECE));
    forms.extend(pieces(hexadecimal.to_uppercase().as_bytes(), 2 * PIECE));
    forms
}
