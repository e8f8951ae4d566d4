//! Tag grammar: which git tags name a release, and of which model.
//!
//! `v1.2.3` and `1.2.3` (the only model), `name/v1.2.3` (monorepo), `name@v1.2.3` (also GTO,
//! <https://dvc.org/doc/gto>). Versions are SemVer 2 (<https://semver.org>).

use semver::Version;

use super::{Channel, Release, Versioning};
use crate::policy::{Policy, TagGrammar};

/// Reads a tag under the policy's grammar and models.
pub fn read_tag(tag: &str, policy: &Policy) -> Versioning {
    match parse(tag, policy) {
        Ok(release) => Versioning::Release(release),
        Err(why) => Versioning::Unreadable { tag: tag.to_owned(), why },
    }
}

fn parse(tag: &str, policy: &Policy) -> Result<Release, String> {
    if tag.len() > 250 || tag.chars().any(char::is_control) {
        return Err("it is longer than a git tag can be, or holds control characters".into());
    }
    let (shape, name, version) = split(tag);
    let allowed = matches!(policy.tags, TagGrammar::Auto) || policy.tags == shape;
    if !allowed {
        return Err(format!("the policy's `tags:` asks for the shape {}", example(policy.tags)));
    }
    let version = version_of(version)?;
    let model = match name {
        Some(name) => policy.models.iter().find(|model| model.name == name).ok_or_else(|| {
            let known: Vec<_> = policy.models.iter().map(|model| model.name.as_str()).collect();
            format!("the policy has no model `{name}`; it has {}", known.join(", "))
        })?,
        None if policy.models.len() == 1 => &policy.models[0],
        None => {
            let first = &policy.models[0].name;
            return Err(format!("it does not say which model: write `{first}/v{version}`"));
        }
    };
    let channel = Channel::of(&version);
    Ok(Release { tag: tag.to_owned(), model: model.name.clone(), version, channel })
}

/// Shape, model name and version text.
fn split(tag: &str) -> (TagGrammar, Option<&str>, &str) {
    if let Some((name, version)) = tag.rsplit_once('@') {
        // GTO may write the folder before the name: `models/churn=churn@v1.0.0`.
        let name = name.rsplit_once('=').map_or(name, |(_, name)| name);
        return (TagGrammar::At, Some(name), version);
    }
    match tag.rsplit_once('/') {
        Some((name, version)) => (TagGrammar::Slash, Some(name), version),
        None => (TagGrammar::Plain, None, tag),
    }
}

fn version_of(text: &str) -> Result<Version, String> {
    let bare = text.strip_prefix('v').unwrap_or(text);
    Version::parse(bare).map_err(|error| {
        if text.contains(['#', '!']) {
            return "GTO's stage and cancel tags (`#stage`, `!`) do not name a release".into();
        }
        match semver_spelling(bare) {
            Some(spelling) => format!("`{text}` is not SemVer 2: write `v{spelling}`"),
            None => {
                format!("`{text}` is not a SemVer 2 version ({error}): write for example `v1.2.3`")
            }
        }
    })
}

/// The SemVer spelling of a near miss: PEP 440 (`1.2.0rc1`, `1.2.0.dev3`) or a short version.
fn semver_spelling(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(digits);
    let mut parts: Vec<&str> = numbers.split('.').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return None;
    }
    parts.resize(parts.len().max(3), "0");
    let word: String = rest.chars().filter(char::is_ascii_alphabetic).collect();
    let count: String = rest.chars().filter(char::is_ascii_digit).collect();
    let word = match word.as_str() {
        "a" => "alpha",
        "b" => "beta",
        other => other,
    };
    let core = parts.get(..3)?.join(".");
    let spelling = match (word, count.as_str()) {
        ("", "") => core,
        (word, "") => format!("{core}-{word}"),
        (word, count) => format!("{core}-{word}.{count}"),
    };
    Version::parse(&spelling).is_ok().then_some(spelling)
}

fn example(grammar: TagGrammar) -> &'static str {
    match grammar {
        TagGrammar::Auto | TagGrammar::Plain => "`v1.2.3`",
        TagGrammar::Slash => "`name/v1.2.3`",
        TagGrammar::At => "`name@v1.2.3`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(models: &str) -> Policy {
        let list: String =
            models.split(' ').map(|name| format!("  - {{name: {name}, owner: o}}\n")).collect();
        crate::policy::parse("p", &format!("models:\n{list}"), &[]).expect("valid")
    }

    fn why(tag: &str, models: &str) -> String {
        match read_tag(tag, &policy(models)) {
            Versioning::Unreadable { why, .. } => why,
            other => panic!("{tag} was read as {other:?}"),
        }
    }

    #[test]
    fn every_shape_names_its_model() {
        for (tag, model) in [
            ("churn/v1.2.3", "churn"),
            ("fraud@v1.2.3", "fraud"),
            ("fraud@1.2.3", "fraud"),
            ("models/churn=churn@v1.2.3", "churn"),
        ] {
            let Versioning::Release(release) = read_tag(tag, &policy("churn fraud")) else {
                panic!("{tag}")
            };
            assert_eq!((release.model.as_str(), release.version), (model, Version::new(1, 2, 3)));
        }
        assert!(matches!(read_tag("1.2.3", &policy("churn")), Versioning::Release(_)));
    }

    #[test]
    fn what_is_no_release_says_what_would_be_one() {
        assert!(why("v1.2.0rc1", "churn").contains("write `v1.2.0-rc.1`"));
        assert!(why("v1.2", "churn").contains("write `v1.2.0`"));
        assert!(why("latest", "churn").contains("`v1.2.3`"));
        assert!(why("v1.0.0", "churn fraud").contains("write `churn/v1.0.0`"));
        assert!(why("spam/v1.0.0", "churn fraud").contains("churn, fraud"));
        assert!(why("churn@v1.0.0#prod", "churn").contains("GTO"));
        assert!(why("v1.0.0\n::error::x", "churn").contains("control"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(major in 0u64..99, minor in 0u64..99, patch in 0u64..99, pre in "(|-rc\\.[1-9]|-alpha|-dev\\.[1-9])") {
            let version = format!("{major}.{minor}.{patch}{pre}");
            for tag in [format!("v{version}"), version.clone(), format!("churn/v{version}"), format!("churn@v{version}")] {
                let Versioning::Release(release) = read_tag(&tag, &policy("churn")) else { panic!("{tag}") };
                prop_assert_eq!(release.version.to_string(), version.clone());
                prop_assert_eq!(release.hub_tag(), format!("v{version}"));
            }
        }

        #[test]
        fn no_text_panics(tag in "\\PC{0,60}") {
            read_tag(&tag, &policy("churn"));
        }
    }
}
