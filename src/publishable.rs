//! What of a setting may be published: not what its name calls a secret, nor what looks like one.

use crate::machine_path;

/// Words by which a setting's name says that it is nobody's business.
const SECRET: [&str; 15] = [
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "dsn",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "token",
];

/// Longest text that counts as a word.
const LONGEST_WORD: usize = 64;
/// From so many letters and digits on, a run of both is no word of anybody's.
const RANDOM_FROM: usize = 20;

/// Whether a setting is nobody's business, by its name. A switch never is, and of numbers only what
/// is called a password or a secret: `pad_token_id: 0` and `num_key_value_heads: 8` are neither.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    if ["true", "false"].contains(&value) {
        return false;
    }
    let is_number = value.parse::<f64>().is_ok();
    let may_be_number = |secret: &str| !["token", "key"].contains(&secret);
    let says = |word: &str| {
        let named = SECRET.iter().filter(|secret| word == **secret || joined(word, secret));
        named.copied().any(|secret| !is_number || may_be_number(secret))
    };
    let words = words(name);
    let mut words = words.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(says)
}

/// A name in lower case, with its words apart where only capitals tell them apart: `accessKey`.
pub(crate) fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.chars() {
        if was_lower && c.is_ascii_uppercase() {
            words.push('_');
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        words.extend(c.to_lowercase());
    }
    words
}

/// `apikey`, `hftoken`, `dbpassword`: the longer words may stand behind another.
fn joined(word: &str, secret: &str) -> bool {
    let beside = ["key", "auth", "dsn", "pass", "pwd"].contains(&secret);
    if beside { word == format!("api{secret}") } else { word.ends_with(secret) }
}

/// A text that may be shown: paths of the machine that trained tell nobody anything, and an address
/// with a name before the host may hold a password. Tokens of a known shape in files of the artifact
/// never come this far: the scanner blocks the file that holds one.
pub(crate) fn shown(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_path = machine_path::is_one(text)
        || machine_path::scrub(text) != text
        || ["/", "./", "../", "~", "\\\\", "$"].iter().any(|start| text.starts_with(start))
        || text.contains("$HOME");
    let is_private = is_path || (text.contains("://") && text.contains('@'));
    let is_private = is_private || text.to_lowercase().starts_with("bearer ");
    (!text.is_empty() && !is_private).then_some(text)
}

/// A text of a file that no scanner saw: only one short word, as an option's name or a model's is
/// (`adamw_torch`, `acme/churn-7b`), and none that looks made up by a machine.
pub(crate) fn word(text: &str) -> Option<&str> {
    let text = shown(text)?;
    let is_word = text.len() <= LONGEST_WORD
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./+".contains(&byte));
    (is_word && !is_random(text)).then_some(text)
}

/// Whether it looks like a key: a long run of letters and digits, hexadecimal groups as of a UUID, or
/// parts in which capitals, letters and digits take turns as in base64.
fn is_random(text: &str) -> bool {
    let has_digit = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    if text.len() < RANDOM_FROM || !has_digit(text) {
        return false;
    }
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let parts = || text.split(|c: char| !c.is_ascii_alphanumeric());
    let mixed: usize = parts().filter(|part| turns(part) > 2).map(str::len).sum();
    is_hex || mixed > 11 || parts().any(|part| part.len() >= RANDOM_FROM && has_digit(part))
}

/// How often a part goes from small letters to capitals, or between letters and digits.
fn turns(part: &str) -> usize {
    let turns = |pair: &[u8]| {
        let (one, other) = (pair[0], pair[1]);
        one.is_ascii_digit() != other.is_ascii_digit()
            || one.is_ascii_lowercase() && other.is_ascii_uppercase()
    };
    part.as_bytes().windows(2).filter(|pair| turns(pair)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for (name, value, secret) in [
            ("hf_auth", "x", true),
            ("db.password", "x", true),
            ("dbpassword", "x", true),
            ("accessKey", "x", true),
            ("API-KEY", "x", true),
            ("apikey", "x", true),
            ("db_pass", "hunter2", true),
            ("password", "123456", true),
            ("pad_token_id", "0", false),
            ("num_key_value_heads", "8", false),
            ("use_auth", "true", false),
            ("tokenizer", "bert", false),
            ("author", "ada", false),
            ("compass", "north", false),
            ("monkey", "x", false),
        ] {
            assert_eq!(is_secret(name, value), secret, "{name}: {value}");
        }
    }

    #[test]
    fn words_and_what_is_none() {
        for text in [
            "adamw_torch",
            "first",
            "google/bert-base",
            "meta-llama/Llama-3.1-8B-Instruct",
            "DeepSeek-R1-Distill-Qwen-7B",
            "LlamaForCausalLM",
            "data/train.csv",
            "2024-01-02",
            "1e-4",
        ] {
            assert_eq!(word(text), Some(text));
        }
        for text in [
            "0123456789abcdef0123456789abcdef01234567",
            concat!("hf", "_abcdefghijklmnopqrstuvwxyz0123456789"),
            "postgres://user:pw@host/db",
            "postgres://host/db",
            "user@host",
            "user:pw",
            "/home/ada lovelace/secret-project/x",
            "see /home/ada lovelace/secret/x",
            "123e4567-e89b-12d3-a456-426614174000",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "./out",
            "~/x",
            "two words",
            "",
        ] {
            assert_eq!(word(text), None, "{text}");
        }
    }
}
