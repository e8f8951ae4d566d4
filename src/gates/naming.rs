//! Is the repository called as the organisation calls its repositories?

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Rule};
use crate::policy::{Convention, Model, Part, Stage};
use crate::release::Versioning;

mod nearest;

const OFF_CONVENTION: Rule = Rule {
    id: "name-off-convention",
    level: Level::Error,
    summary: "a repository's name does not follow the organisation's convention",
    reason: "People find models, and scripts grant rights, by how repositories are called; a published name is hard to change.",
    fix: "set `repository: {name: …}` in the policy to a name that follows `gates.naming.convention`",
    example: "acme/my-churn-model under `{team}-{project}-{model}-v{major}`",
};

const OTHER_MAJOR: Rule = Rule {
    id: "name-of-another-major",
    level: Level::Error,
    summary: "the major version in a repository's name is not the version's",
    reason: "Whoever uses acme/risk-churn-v1 relies on every version in it being a 1.x.",
    fix: "write `{major}` for the number in `repository: {name: …}`",
    example: "v2.0.0 released to acme/risk-churn-v1",
};

const GENERIC: Rule = Rule {
    id: "name-generic",
    level: Level::Note,
    summary: "a repository's name says nothing about the model",
    reason: "Beside a hundred others nobody can tell what it is.",
    fix: "name what the model does: `repository: {name: churn-ranking}`",
    example: "acme/model-final",
};

/// Words that say nothing.
const SAYS_NOTHING: [&str; 19] = [
    "best",
    "checkpoint",
    "copy",
    "default",
    "demo",
    "final",
    "finetuned",
    "latest",
    "model",
    "my",
    "new",
    "old",
    "output",
    "repo",
    "temp",
    "test",
    "tmp",
    "trained",
    "untitled",
];

/// The naming gate.
pub struct Naming;

impl Gate for Naming {
    fn name(&self) -> &'static str {
        "naming"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&OFF_CONVENTION, &OTHER_MAJOR, &GENERIC]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let places = places(load);
        let convention = load.model.gates.naming.as_ref();
        let mut findings = Vec::new();
        for place in &places {
            findings.extend(generic(place));
            findings.extend(convention.and_then(|convention| follows(convention, place)));
        }
        let mut names: Vec<_> = places.iter().map(Place::id).collect();
        names.dedup();
        let names = names.join(", ");
        Ok(Judgement::new(
            match convention {
                Some(convention) => format!("{names}, asked is {}", convention.text),
                None => names,
            },
            findings,
        ))
    }
}

/// A repository that a version goes to.
struct Place<'a> {
    model: &'a Model,
    stage: &'a Stage,
    name: String,
    /// The version's major number, where the name depends on it or a version is there.
    major: Option<u64>,
}

impl Place<'_> {
    fn id(&self) -> String {
        format!("{}/{}", self.stage.namespace, self.name)
    }
}

/// Where the release goes; without a version every place that versions may go to.
fn places<'a>(load: &Load<'a>) -> Vec<Place<'a>> {
    let model = load.model;
    let release = match load.versioning {
        Versioning::Release(release) => Some(release),
        Versioning::Untagged | Versioning::Unreadable { .. } => None,
    };
    if let (Some(target), Some(release)) = (load.target, release) {
        let name = target.repo.name().to_owned();
        let major = Some(release.version.major);
        let stage = model.stage(&target.stage);
        return stage.map(|stage| Place { model, stage, name, major }).into_iter().collect();
    }
    let each = model.stages.iter().map(|stage| {
        let major = stage.repo.contains("{major}").then_some(1);
        Place { model, stage, name: stage.repo_name(&model.name, "1"), major }
    });
    each.collect()
}

fn generic(place: &Place<'_>) -> Option<Finding> {
    let words = place.name.split(|c: char| !c.is_ascii_alphabetic());
    let mut words = words.filter(|word| word.len() > 1).peekable();
    let says = |word: &str| !SAYS_NOTHING.contains(&word.to_ascii_lowercase().as_str());
    if words.peek().is_some() && words.any(says) {
        return None;
    }
    let message = format!("`{}` says nothing about the model", place.id());
    Some(Finding::new(&GENERIC, message, place.stage.at.clone()))
}

fn follows(convention: &Convention, place: &Place<'_>) -> Option<Finding> {
    let Err(stop) = walk(convention, place) else { return None };
    let rest = &place.name[stop.at..];
    let (wanted, part) = (wanted(stop.part, place), stop.part);
    let place_in_name = match (stop.at, rest) {
        (0, _) => format!("`{}`", place.name),
        (at, "") => format!("`{}`, after its end (`{}`)", place.name, &place.name[..at]),
        (at, rest) => format!("`{}`, after `{}`, at `{rest}`", place.name, &place.name[..at]),
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    // With any major number it would follow, so the number alone is the matter.
    let another_major = matches!(part, Some(Part::Major))
        && digits > 0
        && walk(convention, &Place { name: place.name.clone(), major: None, ..*place }).is_ok();
    let (rule, message) = if another_major {
        let message = format!(
            "`{}` is for versions {}.x, and this is one of {}.x",
            place.id(),
            &rest[..digits],
            place.major.unwrap_or_default()
        );
        (&OTHER_MAJOR, message)
    } else {
        let message = format!(
            "{place_in_name} does not follow `{}`: {wanted} is expected there",
            convention.text
        );
        (&OFF_CONVENTION, message)
    };
    let near = nearest::name(convention, place);
    let fix = if near.contains('<') {
        format!(
            "call it `{near}`, with words for what stands in `<>`: `name:` of `repository:`, `repository:` of a stage"
        )
    } else {
        format!(
            "write `\"{near}\"` in the policy: `name:` of `repository:`, `repository:` of a stage"
        )
    };
    Some(Finding::new(rule, message, place.stage.at.clone()).with_fix(fix))
}

/// Where a name stops following.
struct Stop<'a> {
    /// Byte of the name.
    at: usize,
    /// The part that was expected there; `None` for the end.
    part: Option<&'a Part>,
}

/// Follows the convention through the name, along every way its words can be cut, all at once.
fn walk<'a>(convention: &'a Convention, place: &Place<'_>) -> Result<(), Stop<'a>> {
    let mut reached = vec![0];
    for part in &convention.parts {
        let furthest = reached.iter().max().copied().unwrap_or_default();
        let mut next = Vec::new();
        for at in reached {
            for length in lengths(part, &place.name[at..], place) {
                if !next.contains(&(at + length)) {
                    next.push(at + length);
                }
            }
        }
        if next.is_empty() {
            return Err(Stop { at: furthest, part: Some(part) });
        }
        reached = next;
    }
    if reached.contains(&place.name.len()) {
        return Ok(());
    }
    Err(Stop { at: reached.into_iter().max().unwrap_or_default(), part: None })
}

/// How many bytes of `rest` a part may take.
fn lengths(part: &Part, rest: &str, place: &Place<'_>) -> Vec<usize> {
    let exactly = |text: &str| rest.starts_with(text).then_some(text.len()).into_iter().collect();
    let run = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
    match part {
        Part::Text(text) => exactly(text),
        Part::Model => exactly(&place.model.name),
        Part::Stage => exactly(&place.stage.name),
        Part::Major => {
            let digits = run(|c| c.is_ascii_digit());
            let right = match place.major {
                Some(major) => rest[..digits] == major.to_string(),
                None => digits > 0,
            };
            right.then_some(digits).into_iter().collect()
        }
        Part::Word { allowed, .. } if allowed.is_empty() => {
            let word = run(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            (word > 0).then_some(word).into_iter().collect()
        }
        Part::Word { allowed, .. } => {
            allowed.iter().filter(|value| rest.starts_with(*value)).map(String::len).collect()
        }
    }
}

/// What is expected, in words.
fn wanted(part: Option<&Part>, place: &Place<'_>) -> String {
    match part {
        None => "the end".into(),
        Some(Part::Text(text)) => format!("`{text}`"),
        Some(part @ Part::Model) => format!("`{}` ({})", place.model.name, part.shown()),
        Some(part @ Part::Stage) => format!("`{}` ({})", place.stage.name, part.shown()),
        Some(part @ Part::Major) => match place.major {
            Some(major) => format!("`{major}` ({})", part.shown()),
            None => format!("a number ({})", part.shown()),
        },
        Some(part @ Part::Word { allowed, .. }) if allowed.is_empty() => {
            format!("a word of lower-case letters and digits ({})", part.shown())
        }
        Some(part @ Part::Word { allowed, .. }) => {
            format!("{} ({})", allowed.join(" or "), part.shown())
        }
    }
}

#[cfg(test)]
mod tests;
