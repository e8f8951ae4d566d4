//! Every form in which a secret may turn up in a log.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::markdown;

/// Shorter forms would mask half the log, and give away nothing.
const SHORTEST: usize = 4;
/// Words between dots are short in much that is no JWT.
const SHORTEST_WORD: usize = 16;
/// What JavaScript's `encodeURIComponent` and most others leave as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The forms of which each gives something away: without the header of a JWT, which stands in every
/// tutorial.
pub(super) fn telling(value: &str) -> Vec<String> {
    let header = value.split_once('.').map_or("", |(header, _)| header);
    forms(value).into_iter().filter(|form| !is_jwt(value) || form != header).collect()
}

fn is_jwt(value: &str) -> bool {
    value.starts_with("eyJ") && value.split('.').count() == 3
}

/// The value, its encodings, and the parts that are secrets of their own.
pub(super) fn forms(value: &str) -> Vec<String> {
    if value.len() < SHORTEST {
        return Vec::new();
    }
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut forms = vec![
        value.to_owned(),
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        utf8_percent_encode(value, COMPONENT).to_string(),
        json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned(),
        markdown::text(value),
    ];
    for engine in [&STANDARD, &URL_SAFE] {
        let whole = engine.encode(value);
        forms.push(whole.trim_end_matches('=').to_owned());
        forms.push(whole);
        // Wherever the value begins within three bytes, as after `user:`.
        forms.extend((0..3).map(|before| {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(value.as_bytes());
            let after = bytes.len() * 8 / 6;
            let encoded = engine.encode(bytes);
            encoded.get((before * 8).div_ceil(6)..after).unwrap_or_default().to_owned()
        }));
    }
    forms.extend(value.lines().map(|line| line.trim().to_owned()));
    let shortest = if is_jwt(value) { SHORTEST } else { SHORTEST_WORD };
    forms.extend(value.split('.').filter(|part| part.len() >= shortest).map(str::to_owned));
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    /// What the runner's log shows of a text.
    fn masked(secret: &str, text: &str) -> String {
        let mut forms = forms(secret);
        // The longest first, as the runner cannot do worse than.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.iter().fold(text.to_owned(), |text, form| text.replace(form.as_str(), "***"))
    }

    #[test]
    fn every_form_is_masked() {
        let secret = "hf_\"quoted\"/token+with.several_long_parts_inside~x";
        for form in [
            secret.to_owned(),
            STANDARD.encode(secret),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            "hf_%22quoted%22%2Ftoken%2Bwith.several_long_parts_inside~x".into(),
            r#"hf_\"quoted\"/token+with.several_long_parts_inside~x"#.into(),
            r#"hf\_"quoted"/token+with.several_long_parts_inside\~x"#.into(),
            "several_long_parts_inside~x".into(),
        ] {
            assert_eq!(masked(secret, &form), "***", "{form}");
        }
        let jwt = "eyJhbGci.eyJzdWIi.c2ln";
        for part in jwt.split('.') {
            assert_eq!(masked(jwt, part), "***");
        }
        let key = "-----BEGIN KEY-----\nMIIEow\nAAB\n-----END KEY-----";
        assert_eq!(masked(key, "key: MIIEow."), "key: ***.");
        assert_eq!(masked(key, "AAB"), "AAB", "three characters are in every text");
        assert!(forms("abc").is_empty());
    }

    proptest! {
        #[test]
        fn no_neighbour_in_base64_uncovers_it(user in "[a-z]{0,7}", token in "hf_[A-Za-z0-9]{20,40}", after in "[a-z]{0,4}") {
            for engine in [&STANDARD, &URL_SAFE] {
                let shown = masked(&token, &engine.encode(format!("{user}:{token}{after}")));
                // Only the characters that share bits with a neighbour are left, at most two.
                let whole = engine.encode(&token);
                for window in whole.as_bytes().windows(8) {
                    prop_assert!(!shown.as_bytes().windows(8).any(|left| left == window), "{shown}");
                }
                prop_assert!(shown.contains("***"), "{shown}");
            }
        }
    }
}
