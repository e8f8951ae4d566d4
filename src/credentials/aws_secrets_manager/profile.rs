//! The files `credentials` and `config` of AWS's programs.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// One profile: what both files say of it.
#[derive(Default)]
pub(super) struct Profile(BTreeMap<String, Zeroizing<String>>);

impl Profile {
    /// The profile `name`; what `credentials` says comes before what `config` says.
    pub(super) fn of(name: &str, credentials: &str, config: &str) -> Option<Self> {
        // Only in `config` do the names have a word before them, and `default` may go without.
        let plain = |section: &str| unquoted(section) == name;
        let worded = |section: &str| {
            let bare = section.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t']));
            bare.map_or(section == name && name == "default", |bare| unquoted(bare.trim()) == name)
        };
        let config = section(config, worded);
        let credentials = section(credentials, plain);
        if config.is_none() && credentials.is_none() {
            return None;
        }
        let (mut values, credentials) =
            (config.unwrap_or_default(), credentials.unwrap_or_default());
        // Keys are of one file: half of each would be nobody's.
        let has_keys = credentials.contains_key(KEYS[0]);
        if has_keys {
            values.retain(|key, _| !KEYS.contains(&key.as_str()));
        }
        values.extend(credentials);
        if has_keys {
            values.retain(|key, _| AFTER_KEYS.iter().all(|(after, _)| key != after));
        }
        Some(Self(values))
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }

    /// What it says of how to get keys that weighbridge does not do, and that AWS's own programs do
    /// rather than take keys of the profile itself.
    pub(super) fn asks_for(&self) -> Option<&'static str> {
        let mut kinds = BEFORE_KEYS.iter().chain(&AFTER_KEYS);
        kinds.find(|(key, _)| self.get(key).is_some()).map(|(_, kind)| *kind)
    }
}

/// What comes before keys in `credentials`, and what after them.
const BEFORE_KEYS: [(&str, &str); 4] = [
    ("web_identity_token_file", "a role and a token's file"),
    ("role_arn", "another role"),
    ("sso_session", "single sign-on"),
    ("sso_start_url", "single sign-on"),
];
const AFTER_KEYS: [(&str, &str); 2] = [
    ("login_session", "a login in the browser"),
    ("credential_process", "a program that prints credentials"),
];

/// What AWS's keys stand under; the third is of those that are for a while.
const KEYS: [&str; 3] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// Names with blanks in them stand in quotes.
fn unquoted(name: &str) -> &str {
    let inside = |mark| name.strip_prefix(mark)?.strip_suffix(mark);
    inside('"').or_else(|| inside('\'')).unwrap_or(name)
}

/// The keys and values of every section that is meant.
fn section(
    text: &str,
    meant: impl Fn(&str) -> bool,
) -> Option<BTreeMap<String, Zeroizing<String>>> {
    let mut found = None;
    let mut inside = false;
    for line in text.lines() {
        // What is set in belongs to the key before it (`s3 =`): none of ours.
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            inside = rest.split_once(']').is_some_and(|(name, _)| meant(name.trim()));
            if inside {
                found.get_or_insert_with(BTreeMap::new);
            }
        } else if let (true, Some((key, value)), Some(values)) =
            (inside, line.split_once('='), &mut found)
        {
            let comment =
                [" #", "\t#", " ;", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
            let value = value[..comment.unwrap_or(value.len())].trim();
            values.insert(key.trim().to_lowercase(), Zeroizing::new(value.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "\
# comment
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key=of/default= ; comment
[train]
AWS_ACCESS_KEY_ID = AKIATRAIN
aws_secret_access_key = of train#1
[half]
aws_access_key_id = AKIANEW
aws_secret_access_key = new
";
    const CONFIG: &str = "\
[default]
region = eu-west-1
s3 =
  region = nowhere
[profile train]
region = eu-central-1
aws_access_key_id = AKIACONFIG
[signed]
region = not-a-profile
[profile signed]
sso_session = acme
[profile\tboss]
role_arn = arn:aws:iam::1:role/boss
aws_access_key_id = AKIAOFTHEBOSS
aws_secret_access_key = leads to the role
[profile 'two words']
region = us-east-1
[profile half]
aws_access_key_id = AKIAOLD
aws_secret_access_key = old
aws_session_token = of the old ones
credential_process = keys
[profile robot]
credential_process = keys
aws_access_key_id = AKIAROBOT
aws_secret_access_key = comes after the program
";

    #[test]
    fn both_files_make_one_profile() {
        for (name, key, expected) in [
            ("default", "aws_access_key_id", Some("AKIADEFAULT")),
            ("default", "aws_secret_access_key", Some("of/default=")),
            ("default", "region", Some("eu-west-1")),
            ("train", "aws_access_key_id", Some("AKIATRAIN")),
            ("train", "aws_secret_access_key", Some("of train#1")),
            ("train", "region", Some("eu-central-1")),
            ("signed", "region", None),
            ("two words", "region", Some("us-east-1")),
            ("half", "aws_secret_access_key", Some("new")),
            ("half", "aws_session_token", None),
        ] {
            let profile = Profile::of(name, CREDENTIALS, CONFIG).expect(name);
            assert_eq!(profile.get(key), expected, "{name} {key}");
        }
        assert!(Profile::of("other", CREDENTIALS, CONFIG).is_none());
        let asks = |name| Profile::of(name, CREDENTIALS, CONFIG).expect(name).asks_for();
        assert_eq!(asks("default"), None);
        assert_eq!(asks("signed"), Some("single sign-on"));
        assert_eq!(asks("boss"), Some("another role"), "botocore takes its keys to that role");
        assert_eq!(asks("robot"), Some("a program that prints credentials"));
        assert_eq!(asks("half"), None, "keys in `credentials` come before a program");
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        for text in [
            "[",
            "[]",
            "=",
            "[default",
            "[default]\n=\n#",
            "\u{FEFF}[default]\na",
            "[default]\r\na=b\r\n",
        ] {
            let _ = Profile::of("default", text, text);
        }
    }
}
