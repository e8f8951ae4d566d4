//! Tag grammar: which git tags name a release, and of which model.
//!
//! `v1.2.3` and `1.2.3` (the only model), `name/v1.2.3` (monorepo), `name@v1.2.3` (also GTO,
//! <https://dvc.org/doc/gto>). Versions are SemVer 2 (<https://semver.org>); [`super::spelling`]
//! knows what other spellings mean.

use semver::Version;

use super::{Channel, Release, Versioning, spelling};
use crate::policy::{Model, Policy, TagGrammar};

/// Git itself takes no longer name in a file system that is in use.
const LONGEST: usize = 250;

/// Reads a tag (its short name, or `refs/tags/…`) under the policy's grammar and models.
pub fn read_tag(tag: &str, policy: &Policy) -> Versioning {
    let tag = tag.strip_prefix("refs/tags/").unwrap_or(tag);
    match parse(tag, policy) {
        Ok(release) => Versioning::Release(release),
        Err(why) => Versioning::Unreadable { tag: tag.to_owned(), why },
    }
}

/// The tag of the highest version among tags of one commit; other tags may stand there too, and so
/// may a release candidate's. Where none names a version, any tag, so that its reader can say why.
/// The error lists the models, when the tags name several and `model` does not choose.
pub fn newest<'a>(
    tags: impl Iterator<Item = &'a str>,
    policy: &Policy,
    model: Option<&str>,
) -> Result<Option<String>, Vec<String>> {
    let (mut releases, mut others) = (Vec::new(), Vec::new());
    for tag in tags {
        match parse(tag, policy) {
            Ok(release) if model.is_none_or(|model| release.model == model) => {
                releases.push(release);
            }
            Ok(_) => {}
            Err(_) => others.push(tag),
        }
    }
    let mut models: Vec<_> = releases.iter().map(|release| release.model.clone()).collect();
    models.sort();
    models.dedup();
    if models.len() > 1 {
        return Err(models);
    }
    let newest = releases.into_iter().max_by(|a, b| a.version.cmp(&b.version));
    Ok(newest.map(|release| release.tag).or_else(|| others.pop().map(str::to_owned)))
}

fn parse(tag: &str, policy: &Policy) -> Result<Release, String> {
    if tag.is_empty() {
        return Err("it is empty".into());
    }
    if tag.len() > LONGEST || tag.chars().any(char::is_control) {
        return Err("it is longer than a git tag can be, or holds control characters".into());
    }
    let parts = Parts::of(tag);
    if let Some(why) = parts.other_purpose() {
        return Err(why.into());
    }
    if !matches!(policy.tags, TagGrammar::Auto) && policy.tags != parts.shape {
        return Err(format!("the policy's `tags:` asks for {}", example(policy.tags, policy)));
    }
    let version = spelling::version(parts.version).map_err(|wrong| {
        let (before, meant) = (parts.before, wrong.meant.as_deref());
        let advice = match meant {
            Some(meant) => format!("write `{before}v{meant}`"),
            None => format!("write for example {}", example(parts.shape, policy)),
        };
        format!("{}: {advice}", wrong.why)
    })?;
    let model = parts.model(policy, &version)?;
    let channel = Channel::of(&version);
    Ok(Release { tag: tag.to_owned(), model: model.name.clone(), version, channel })
}

/// A tag taken apart.
struct Parts<'a> {
    shape: TagGrammar,
    /// Everything before the version, `churn/` for example.
    before: &'a str,
    /// The model it names.
    name: Option<&'a str>,
    version: &'a str,
}

impl<'a> Parts<'a> {
    fn of(tag: &'a str) -> Self {
        // A version holds neither `@` nor `/`, so the last one parts it from the name.
        let Some(mark) = tag.rfind(['@', '/']) else {
            return Self { shape: TagGrammar::Plain, before: "", name: None, version: tag };
        };
        let (before, version) = tag.split_at(mark + 1);
        let name = &tag[..mark];
        if before.ends_with('/') {
            return Self { shape: TagGrammar::Slash, before, name: Some(name), version };
        }
        // GTO may write the folder before the name: `models=churn@v1.0.0`.
        let name = name.rsplit_once('=').map_or(name, |(_, name)| name);
        Self { shape: TagGrammar::At, before, name: Some(name), version }
    }

    /// GTO's tags that name no version.
    fn other_purpose(&self) -> Option<&'static str> {
        if self.version.ends_with('!') || self.version.contains("!#") {
            return Some("GTO's `!` cancels a version; releases are made by `name@v1.2.3`");
        }
        if self.version.contains('#') {
            return Some("GTO's `#` assigns a stage or counts; releases are made by `name@v1.2.3`");
        }
        let of_artifact = self.shape == TagGrammar::At;
        (of_artifact && matches!(self.version, "deprecated" | "created")).then_some(
            "GTO's `@deprecated` and `@created` are about a model as a whole; releases are made by `name@v1.2.3`",
        )
    }

    fn model<'p>(&self, policy: &'p Policy, version: &Version) -> Result<&'p Model, String> {
        let Some(name) = self.name else {
            return match &policy.models[..] {
                [only] => Ok(only),
                models => {
                    let all = models.iter().map(|model| format!("`{}/v{version}`", model.name));
                    let all = all.take(5).collect::<Vec<_>>().join(" or ");
                    Err(format!("it does not say which model: write {all}"))
                }
            };
        };
        policy.models.iter().find(|model| model.name == name).ok_or_else(|| {
            let known: Vec<_> = policy.models.iter().map(|model| model.name.as_str()).collect();
            format!("the policy has no model `{name}`; it has {}", known.join(", "))
        })
    }
}

fn example(grammar: TagGrammar, policy: &Policy) -> String {
    let name = policy.models.first().map_or("name", |model| model.name.as_str());
    match grammar {
        TagGrammar::Auto | TagGrammar::Plain if policy.models.len() < 2 => "`v1.2.3`".into(),
        TagGrammar::At => format!("`{name}@v1.2.3`"),
        _ => format!("`{name}/v1.2.3`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(models: &str) -> Policy {
        let list: String = models
            .split(' ')
            .map(|name| format!("  - {{name: {name}, owner: o, path: {name}}}\n"))
            .collect();
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
            ("churn/1.2.3", "churn"),
            ("fraud@v1.2.3", "fraud"),
            ("fraud@1.2.3", "fraud"),
            ("models/churn=churn@v1.2.3", "churn"),
            ("refs/tags/churn/v1.2.3", "churn"),
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
        for (tag, models, expected) in [
            ("v1.2.0rc1", "churn", "write `v1.2.0-rc.1`"),
            ("churn/1.2", "churn fraud", "write `churn/v1.2.0`"),
            ("churn@v1.2", "churn", "write `churn@v1.2.0`"),
            ("latest", "churn", "write for example `v1.2.3`"),
            ("latest", "churn fraud", "write for example `churn/v1.2.3`"),
            ("v1.0.0", "churn fraud", "write `churn/v1.0.0` or `fraud/v1.0.0`"),
            ("spam/v1.0.0", "churn fraud", "no model `spam`; it has churn, fraud"),
            ("a/churn/v1.0.0", "churn", "no model `a/churn`"),
            ("churn#prod", "churn", "GTO's `#` assigns a stage"),
            ("churn@v1.0.0#prod#2", "churn", "GTO's `#` assigns a stage"),
            ("churn@v1.0.0!", "churn", "GTO's `!` cancels"),
            ("churn@v1.0.0!#3", "churn", "GTO's `!` cancels"),
            ("churn@deprecated", "churn", "`@deprecated`"),
            ("v1.0.0\n::error::x", "churn", "control"),
            ("", "churn", "empty"),
        ] {
            let why = why(tag, models);
            assert!(why.contains(expected), "{tag}: {why}");
        }
    }

    #[test]
    fn the_policy_may_ask_for_one_shape() {
        let text = "tags: at\nmodel: {name: churn, owner: o}\n";
        let policy = crate::policy::parse("p", text, &[]).expect("valid");
        assert!(matches!(read_tag("churn@v1.0.0", &policy), Versioning::Release(_)));
        for tag in ["v1.0.0", "churn/v1.0.0"] {
            let Versioning::Unreadable { why, .. } = read_tag(tag, &policy) else {
                panic!("{tag}")
            };
            assert!(why.contains("`churn@v1.2.3`"), "{why}");
        }
    }

    #[test]
    fn of_several_tags_the_highest_version_counts() {
        let tags = ["latest", "v1.10.0", "v1.10.0-rc.1", "v1.9.0", "zzz"];
        let one = |model| newest(tags.into_iter(), &policy("churn"), model);
        assert_eq!(one(None), Ok(Some("v1.10.0".into())));
        assert_eq!(
            newest(["latest"].into_iter(), &policy("churn"), None),
            Ok(Some("latest".into()))
        );
        assert_eq!(newest([].into_iter(), &policy("churn"), None), Ok(None));

        let tags = ["churn/v1.0.0", "fraud/v2.0.0"];
        let both = |model| newest(tags.into_iter(), &policy("churn fraud"), model);
        assert_eq!(both(Some("churn")), Ok(Some("churn/v1.0.0".into())));
        assert_eq!(both(None), Err(vec!["churn".into(), "fraud".into()]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            numbers in any::<[u64; 3]>(),
            pre in "(|-[a-z]{1,6}(\\.[1-9][0-9]{0,3})?|-0|-x-y\\.z)",
            build in "(|\\+[0-9a-z]{1,8})",
            name in "[a-z][a-z0-9]{0,8}((-|_|\\.)[a-z0-9]{1,8})?",
        ) {
            let [major, minor, patch] = numbers;
            let version = format!("{major}.{minor}.{patch}{pre}{build}");
            let policy = policy(&format!("{name} other"));
            for tag in [
                format!("{name}/v{version}"),
                format!("{name}/{version}"),
                format!("{name}@v{version}"),
                format!("{name}@{version}"),
                format!("some/folder={name}@v{version}"),
            ] {
                let Versioning::Release(release) = read_tag(&tag, &policy) else { panic!("{tag}") };
                prop_assert_eq!(&release.model, &name);
                prop_assert_eq!(release.hub_tag(), format!("v{version}"));
                prop_assert_eq!(&release.tag, &tag);
            }
        }

        #[test]
        fn no_text_panics(tag in "[\\PC]{0,60}", near in "(churn[@/=])?v?[0-9.!#a-z@/=+-]{0,30}") {
            for text in [tag, near] {
                if let Versioning::Release(release) = read_tag(&text, &policy("churn")) {
                    // Whatever is read can be written to the Hub and read again.
                    let again = read_tag(&release.hub_tag(), &policy("churn"));
                    let same = matches!(again, Versioning::Release(ref one) if one.version == release.version);
                    prop_assert!(same, "{}", text);
                }
            }
        }
    }
}
