//! How far a version steps, and how far it should by what changed since the one before.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::Deserialize;

use super::{few, is_written_for_us};
use crate::digest::Digest;
use crate::finding::{Finding, Level, Location, Rule};
use crate::gates::Load;
use crate::inventory::{Artifact, Interface, Named, unsharded};
use crate::release::{Published, Release};

pub(super) const TOO_SMALL: Rule = Rule {
    id: "version-bump-too-small",
    level: Level::Error,
    summary: "the version steps less far than what changed deserves",
    reason: "Whoever pins `1.x` relies on every 1.x taking the same inputs and giving the same labels; other tensors, labels, inputs or formats are a major step, other weights a minor one.",
    fix: "release it as the version that it deserves: `git tag v<next> && git push origin v<next>`",
    example: "v1.0.1 with retrained weights after v1.0.0",
};

pub(super) const TOO_LARGE: Rule = Rule {
    id: "version-bump-too-large",
    level: Level::Note,
    summary: "the version steps further than what changed deserves",
    reason: "A major step tells everybody to look at their code; told without need it is not heard the next time.",
    fix: "release it as the version that it deserves, or leave it: nobody is harmed",
    example: "v2.0.0 with another README after v1.0.0",
};

/// How far a version steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Patch,
    Minor,
    Major,
}

impl Step {
    fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// From one version to another; `None` between two candidates of one version.
    fn between(before: &Version, now: &Version) -> Option<Self> {
        if before.major != now.major {
            Some(Self::Major)
        } else if before.minor != now.minor {
            Some(Self::Minor)
        } else {
            (before.patch != now.patch).then_some(Self::Patch)
        }
    }

    /// Before 1.0.0 everything is one place further right (<https://semver.org/#spec-item-4>).
    fn after(self, before: &Version) -> Self {
        match self {
            Self::Major if before.major == 0 => Self::Minor,
            Self::Minor if before.major == 0 => Self::Patch,
            other => other,
        }
    }

    /// The first version this far from `before` that nobody has, with the prerelease of `now`.
    fn next(self, before: &Version, now: &Version, taken: &[Version]) -> Version {
        let mut next = before.clone();
        // One more than are taken: one of them is free, unless the numbers themselves end.
        for _ in 0..=taken.len() {
            match self {
                Self::Major => next = Version::new(next.major.saturating_add(1), 0, 0),
                Self::Minor => next = Version::new(next.major, next.minor.saturating_add(1), 0),
                Self::Patch => {
                    next = Version::new(next.major, next.minor, next.patch.saturating_add(1));
                }
            }
            next.pre = now.pre.clone();
            if !taken.contains(&next) {
                break;
            }
        }
        next
    }
}

/// What of a release record is compared. Records of older programs have no interface.
#[derive(Debug, Deserialize)]
struct Before {
    files: Vec<File>,
    #[serde(default)]
    interface: Option<Interface>,
}

#[derive(Debug, Deserialize)]
struct File {
    path: String,
    sha256: Digest,
    format: String,
}

/// What changed, and how far that should step.
struct Deserved {
    step: Step,
    why: String,
    /// Nothing could have changed beside it that nobody sees.
    certain: bool,
}

/// What there is to say of the step, if the version before is known: for the gate's line, and a
/// finding.
pub(super) fn judge(
    load: &Load<'_>,
    release: &Release,
    published: &Published,
) -> Option<(String, Option<Finding>)> {
    let version = &release.version;
    let last = published.last_before(version)?;
    let before: Before = serde_json::from_slice(published.records.get(last)?).ok()?;
    let stepped = Step::between(last, version)?;
    let deserved = deserved(load, &before);
    let (wanted, why) = (deserved.step.after(last), deserved.why);
    let note = format!("{} since {last}: {why}", wanted.as_str());
    let says = |what: &str| {
        format!(
            "since {last} {why}: that deserves a {} version {what}, and {version} is a {} one",
            wanted.as_str(),
            stepped.as_str()
        )
    };
    let becomes_stable = last.major == 0 && version.major > 0;
    let (rule, message) = if stepped < wanted {
        (&TOO_SMALL, says("at least"))
    } else if stepped > wanted && deserved.certain && !becomes_stable {
        (&TOO_LARGE, says("at most"))
    } else {
        return Some((note, None));
    };
    let tag = tag(release, &wanted.next(last, version, &published.versions));
    let fix = format!(
        "release it as `git tag {tag} && git push origin {tag}`; \
         `rules: {{{}: off}}` where versions mean something else",
        rule.id
    );
    let at = Location::file(&load.policy.file);
    Some((note, Some(Finding::new(rule, message, at).with_fix(fix))))
}

/// The tag of another version, in the shape of the release's own.
fn tag(release: &Release, version: &Version) -> String {
    let own = release.version.to_string();
    let before = release.tag.strip_suffix(&own).unwrap_or("v");
    // What a shell would read otherwise is not put into a command to paste.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '@');
    if before.chars().all(plain) { format!("{before}{version}") } else { format!("v{version}") }
}

fn deserved(load: &Load<'_>, before: &Before) -> Deserved {
    let now = Interface::of(load.inventory, load.model);
    let old = before.interface.clone().unwrap_or_default();
    let mut broken = Vec::new();
    if before.interface.is_some() {
        broken.extend(other("the library", old.library.as_ref(), now.library.as_ref()));
        broken.extend(other("the task", old.task.as_ref(), now.task.as_ref()));
        for (what, old, now) in [
            ("tensor", &old.tensors, &now.tensors),
            ("signature", &old.signatures, &now.signatures),
        ] {
            for (file, old) in old {
                broken.extend(now.get(file).and_then(|now| differs(what, file, old, now)));
            }
        }
        broken.extend(match (&old.labels, &now.labels) {
            (Some(old), Some(now)) => differs("label", "config.json", old, now),
            (Some(_), None) => Some("the labels are gone from config.json".into()),
            (None, _) => None,
        });
    }
    let files = Files::compare(load, before);
    broken.extend(files.broken);
    if !broken.is_empty() {
        return Deserved { step: Step::Major, why: few(&broken), certain: true };
    }
    if !files.weights.is_empty() {
        let seen = |path: &String| {
            let group = unsharded(path);
            old.tensors.contains_key(&group) && now.tensors.contains_key(&group)
        };
        let certain = files.weights.keys().all(seen);
        let files: Vec<_> = files.weights.into_values().collect();
        return Deserved { step: Step::Minor, why: few(&files), certain };
    }
    let why = match &files.documents[..] {
        [] => "the files are the same".into(),
        documents => few(documents),
    };
    Deserved { step: Step::Patch, why, certain: true }
}

fn other(what: &str, old: Option<&String>, now: Option<&String>) -> Option<String> {
    let (old, now) = (old?, now?);
    (old != now).then(|| format!("{what} is `{now:.80}`, not `{old:.80}`"))
}

/// What is not the same in two sets of named things, the first three by name where they are known.
fn differs(what: &str, file: &str, old: &Named, now: &Named) -> Option<String> {
    if old.sha256 == now.sha256 {
        return None;
    }
    let known = |named: &Named| named.each.len() == named.count;
    if !known(old) || !known(now) {
        let (old, now) = (old.count, now.count);
        return Some(format!("the {what}s of {file} are others ({old}, now {now})"));
    }
    let gone = old.each.iter().map(|(name, was)| match now.each.get(name) {
        Some(is) if is == was => None,
        Some(is) => Some(format!("`{name:.80}` was {was:.40}, is {is:.40}")),
        None => Some(format!("`{name:.80}` ({was:.40}) is gone")),
    });
    let new = now.each.iter().filter(|(name, _)| !old.each.contains_key(*name));
    let new = new.map(|(name, is)| format!("`{name:.80}` ({is:.40}) is new"));
    let all: Vec<_> = gone.flatten().chain(new).collect();
    let more = match all.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let first = all.into_iter().take(3).collect::<Vec<_>>().join(", ");
    Some(format!("{what}s of {file}: {first}{more}"))
}

/// Files that are not the same on both sides, each with what is the matter.
#[derive(Default)]
struct Files {
    /// Models that are gone or of another format.
    broken: Vec<String>,
    /// Everything that makes the model what it is, by path.
    weights: BTreeMap<String, String>,
    documents: Vec<String>,
}

impl Files {
    fn compare(load: &Load<'_>, before: &Before) -> Self {
        let mut files = Self::default();
        let inventory = &load.inventory.files;
        let here: BTreeMap<_, _> =
            inventory.iter().map(|file| (file.path.as_str(), file)).collect();
        let known: BTreeSet<_> = before.files.iter().map(|old| old.path.as_str()).collect();
        let renamed = is_xgboost_renamed(inventory, &known);
        let stems: BTreeSet<_> = here.keys().map(|path| unsharded(path)).collect();
        for old in before.files.iter().filter(|old| !is_written_for_us(&old.path)) {
            let path = &old.path;
            match here.get(path.as_str()) {
                Some(now) if now.sha256 == old.sha256 => {}
                Some(now) if now.format.as_str() != old.format && is_model(&old.format) => {
                    let now = now.format.as_str();
                    let was = &old.format;
                    files.broken.push(format!("{path:.200} was {was:.40} and is {now}"));
                }
                Some(now) => files.add(path, now.format.as_str(), "changed"),
                None if is_model(&old.format) && !stems.contains(&unsharded(path)) => {
                    files.broken.push(format!("{path:.200} is gone"));
                }
                None if is_usual_model(path) || (renamed && is_weights_in_json(old)) => {
                    files.broken.push(format!("{path:.200} is gone"));
                }
                None => files.add(path, &old.format, "is gone"),
            }
        }
        for (path, now) in here {
            if !known.contains(&path) && !is_written_for_us(path) {
                files.add(path, now.format.as_str(), "is new");
            }
        }
        files
    }

    fn add(&mut self, path: &str, format: &str, what: &str) {
        let told = format!("{path:.200} {what}");
        if is_document(path, format) {
            self.documents.push(told);
        } else {
            self.weights.insert(path.to_owned(), told);
        }
    }
}

/// Whether a format is one that a loader loads, and not text or something unknown.
fn is_model(format: &str) -> bool {
    let none = [
        "data",
        "empty",
        "executable",
        "json",
        "lfs-pointer",
        "text",
        "text-not-utf8",
        "unknown",
        "xml",
    ];
    !none.contains(&format)
}

/// Whether a file has the name under which libraries save a model as text: XGBoost and
/// TensorFlow.js in JSON, LightGBM in lines.
fn is_usual_model(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("model.json" | "model.txt"))
}

/// Whether every model of XGBoost in JSON is under a name that was not there before.
fn is_xgboost_renamed(files: &[Artifact], known: &BTreeSet<&str>) -> bool {
    let begins = |file: &&Artifact| {
        let start = String::from_utf8_lossy(&file.sample);
        let start = start.trim_start().strip_prefix('{').map(str::trim_start);
        start.is_some_and(|start| start.starts_with("\"learner\""))
    };
    let mut models = files.iter().filter(begins).peekable();
    models.peek().is_some() && models.all(|file| !known.contains(file.path.as_str()))
}

/// Whether a file that is gone may have been a model in JSON: nobody kept what stood in it.
fn is_weights_in_json(old: &File) -> bool {
    let name = old.path.rsplit('/').next().unwrap_or_default();
    let settings = ["config", "index", "map", "params", "results", "state", "tokens", "vocab"];
    old.format == "json"
        && !settings.iter().any(|word| name.contains(*word))
        && !is_document(name, "json")
}

/// Whether a file tells of the model and is no part of it.
fn is_document(path: &str, format: &str) -> bool {
    if is_model(format) {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let is_text = !matches!(format, "data" | "executable" | "lfs-pointer" | "unknown");
    let begins = ["changelog", "citation", "copying", "licence", "license", "notice", "readme"];
    let ends = [".gif", ".html", ".jpeg", ".jpg", ".md", ".pdf", ".png", ".rst", ".svg", ".webp"];
    let told = [
        ".gitignore",
        "all_results.json",
        "eval_results.json",
        "requirements.txt",
        "train_results.json",
        "trainer_state.json",
        "training_args.json",
        "use_policy.txt",
    ];
    // `license`, `LICENSE-MIT`, `NOTICE.txt`; `license_plate` is about cars.
    let is_begun = |begin: &&str| {
        let rest = name.strip_prefix(*begin);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    is_text && begins.iter().any(is_begun)
        || ends.iter().any(|end| name.ends_with(end))
        || told.contains(&name.as_str())
}

#[cfg(test)]
mod tests;
