//! How far the scopes of a token go: to the repositories of the policy, and beyond.
//!
//! Reading is no excess: gated base models are read with the same token. Whatever is not known to be
//! reading counts as writing, and whatever a release is not known to need counts as excess.

use super::{Work, shown};
use crate::hub::wire::{Entity, FineGrained, Scope};
use crate::policy::{Model, Policy, Stage};

/// Things beyond the work that are told of one token.
const MOST_TOLD: usize = 10;
/// Writes contents and settings of a repository.
const WRITE: &str = "repo.write";
/// What a release may do to its repositories beside reading them.
const NEEDED: [&str; 2] = [WRITE, "discussion.write"];

/// How far a token goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// It may write the target, or what the Hub does not name and may be the target.
    pub(super) target: bool,
    /// What it may do beyond its work, in words.
    pub(super) beyond: Vec<String>,
    /// What it may do to things that the Hub does not name, and things to which it may do what the
    /// Hub does not tell.
    pub(super) unnamed: Vec<String>,
}

/// How far these scopes go.
pub(super) fn of(fine: &FineGrained, work: &Work<'_>) -> Reach {
    let mut reach = Reach::default();
    match &fine.scoped {
        Some(scopes) => scopes.iter().for_each(|scope| add(scope, work, &mut reach)),
        None => {
            reach.target = true;
            reach.unnamed.push("no scopes are told".into());
        }
    }
    let everywhere = writes(&fine.global);
    if !everywhere.is_empty() {
        reach.beyond.push(format!("{} everywhere on the Hub", told(&everywhere)));
    }
    for list in [&mut reach.beyond, &mut reach.unnamed] {
        let more = list.len().saturating_sub(MOST_TOLD);
        list.truncate(MOST_TOLD);
        list.extend((more > 0).then(|| format!("and {more} more")));
    }
    reach
}

fn add(scope: &Scope, work: &Work<'_>, reach: &mut Reach) {
    let entity = &scope.entity;
    let Some(permissions) = &scope.permissions else {
        reach.target = true;
        let what = match entity.name.as_deref() {
            Some(name) => words(entity, name),
            None => by_id(entity),
        };
        reach.unnamed.push(format!("permissions that are not told on {what}"));
        return;
    };
    let writes = writes(permissions);
    if writes.is_empty() {
        return;
    }
    let in_repos = writes.contains(&WRITE);
    let Some(name) = entity.name.as_deref() else {
        reach.target |= in_repos;
        reach.unnamed.push(format!("{} on {}", told(&writes), by_id(entity)));
        return;
    };
    let place = place(entity, name);
    reach.target |= in_repos && work.target.is_some_and(|target| covers(entity, name, target));
    let by_policy = match entity.kind.as_str() {
        "model" => is_of_policy(work.policy, name),
        "dataset" => is_its_log(work.policy, name),
        _ => false,
    };
    let allowed = by_policy || work.settings.named(&place);
    let is_beyond = |permission: &&str| !(allowed && NEEDED.contains(permission));
    let beyond: Vec<_> = writes.into_iter().filter(is_beyond).collect();
    if !beyond.is_empty() {
        reach.beyond.push(format!("{} on {}", told(&beyond), words(entity, name)));
    }
}

/// The permissions that are not reading.
fn writes(permissions: &[String]) -> Vec<&str> {
    let all = permissions.iter().map(String::as_str);
    all.filter(|permission| permission.rsplit('.').next() != Some("read")).collect()
}

fn told(permissions: &[&str]) -> String {
    let shown =
        permissions.iter().take(MOST_TOLD).map(|permission| format!("`{}`", shown(permission)));
    shown.collect::<Vec<_>>().join(", ")
}

/// As `gates.token.may-write` names it.
fn place(entity: &Entity, name: &str) -> String {
    match entity.kind.as_str() {
        "model" | "org" | "user" => name.to_owned(),
        kind => format!("{kind}s/{name}"),
    }
}

fn by_id(entity: &Entity) -> String {
    let id = shown(entity.id.as_deref().unwrap_or("no id"));
    let kind = if entity.kind.is_empty() { "thing" } else { entity.kind.as_str() };
    format!("the {} {id}", shown(kind))
}

fn words(entity: &Entity, name: &str) -> String {
    let name = shown(name);
    match entity.kind.as_str() {
        "model" => name,
        "org" => format!("the whole organisation {name}"),
        "user" => format!("everything of the user {name}"),
        "" => format!("the thing {name}"),
        kind => format!("the {} {name}", shown(kind)),
    }
}

/// Whether a scope on this is one on the target too. What is in a resource group is not told.
fn covers(entity: &Entity, name: &str, target: &crate::release::Target) -> bool {
    match entity.kind.as_str() {
        "model" => name.eq_ignore_ascii_case(&target.repo.to_string()),
        "org" | "user" => name.eq_ignore_ascii_case(target.repo.namespace()),
        "resource-group" => true,
        _ => false,
    }
}

/// Whether a repository is one that a release writes, its audit log among them.
pub(super) fn is_its_work(policy: &Policy, repo: &str) -> bool {
    match repo.strip_prefix("datasets/") {
        Some(dataset) => is_its_log(policy, dataset),
        None => is_of_policy(policy, repo),
    }
}

/// Whether a repository is one that some model and stage of the policy goes to: one token may
/// release them all.
fn is_of_policy(policy: &Policy, repo: &str) -> bool {
    let mut stages =
        policy.models.iter().flat_map(|model| model.stages.iter().map(move |s| (model, s)));
    stages.any(|(model, stage)| goes_to(model, stage, repo))
}

/// Whether a dataset is the policy's audit log.
fn is_its_log(policy: &Policy, dataset: &str) -> bool {
    policy.audit_log.as_ref().is_some_and(|log| {
        let (namespace, name) = (log.repository.namespace(), log.repository.name());
        dataset.eq_ignore_ascii_case(&format!("{namespace}/{name}"))
    })
}

fn goes_to(model: &Model, stage: &Stage, repo: &str) -> bool {
    let Some((namespace, name)) = repo.split_once('/') else { return false };
    if !namespace.eq_ignore_ascii_case(&stage.namespace) {
        return false;
    }
    let template = stage.repo_name(&model.name, "{major}");
    // Every major version has a repository of its own, and one token for all of them.
    let before = template.find("{major}").unwrap_or(0);
    let rest = name.get(before..).unwrap_or_default();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let major = &rest[..digits];
    let is_major = template.contains("{major}");
    (!is_major || !major.is_empty())
        && name.eq_ignore_ascii_case(&stage.repo_name(&model.name, major))
}
