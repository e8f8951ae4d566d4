//! A JSON object that ends with the digest of all that stands before it: whether it is as it was
//! written shows without anything else to hold it against.

use super::Digest;

/// The key.
const KEY: &str = "sha256_before";

/// The object with the digest as its last key, and a line break. `object` is indented JSON with at least
/// one key.
pub fn with_own_digest(object: &str) -> String {
    let open = object.trim_end().strip_suffix('}').unwrap_or(object).trim_end();
    format!("{open}{}", ending(Digest::of(open.as_bytes())))
}

/// Whether a text is as [`with_own_digest`] wrote it, to the last bit.
pub fn has_own_digest(text: &[u8]) -> bool {
    let length = ending(Digest::of(&[])).len();
    let Some((open, end)) = text.len().checked_sub(length).map(|at| text.split_at(at)) else {
        return false;
    };
    end == ending(Digest::of(open)).as_bytes()
}

fn ending(digest: Digest) -> String {
    format!(",\n  \"{KEY}\": \"{digest}\"\n}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_shows() {
        let text = with_own_digest("{\n  \"a\": [\n    1\n  ],\n  \"b\": \"\\u001f\"\n}");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["b"], "\u{1f}");
        assert_eq!(json[KEY].as_str().expect("text").len(), 64);
        assert!(has_own_digest(text.as_bytes()));
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!has_own_digest(&bytes), "bit {bit}");
        }
        for cut in 0..text.len() {
            assert!(!has_own_digest(&text.as_bytes()[..cut]), "{cut} bytes");
        }
    }
}
