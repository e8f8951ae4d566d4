//! What the licences of base models and datasets ask of the model.

use super::rules::{AGREEMENT_UNMET, BASE_CONFLICT, BASE_UNKNOWN, BASE_UNLISTED, DATASET_CONFLICT};
use super::terms::{Agreement, Terms, conflict, of_family, terms};
use super::texts;
use crate::finding::{Finding, Location, Rule};
use crate::gates::Load;
use crate::inventory::{Base, Relation};
use crate::policy::License;

/// A licence of something that the model was made from, and who says so.
struct Inherited {
    id: String,
    said_by: &'static str,
}

/// Every finding on what the model was made from.
pub(super) fn judge(load: &Load<'_>, own: &License) -> Vec<Finding> {
    let model = load.model;
    let mut findings = unlisted(load);
    let mut agreements = Vec::new();
    if let Some(Terms::Agreement(agreement)) = terms(&own.id) {
        agreements.push((own.id.clone(), agreement));
    }
    for base in &model.base_models {
        let licenses = licenses_of(load, base);
        if licenses.is_empty() {
            findings.push(unknown(base, "base model", &model.base_models_at));
        }
        for license in &licenses {
            findings.extend(conflicting(&BASE_CONFLICT, base, license, own, &model.base_models_at));
            if let Some(Terms::Agreement(agreement)) = terms(&license.id)
                && !agreements.iter().any(|(id, _)| *id == license.id)
            {
                agreements.push((license.id.clone(), agreement));
            }
        }
    }
    for (id, agreement) in agreements {
        findings.extend(unmet(load, &id, agreement));
    }
    for dataset in &model.datasets {
        for license in licenses_of(load, dataset) {
            findings.extend(conflicting(
                &DATASET_CONFLICT,
                dataset,
                &license,
                own,
                &model.datasets_at,
            ));
        }
    }
    findings
}

/// What is known of the licence of a base model or dataset. Several sources may disagree; each
/// counts, so that none can talk another's restriction away.
fn licenses_of(load: &Load<'_>, name: &str) -> Vec<Inherited> {
    let by_policy = load.model.gates.licenses.of.get(name);
    let by_policy = by_policy.map(|id| Inherited { id: id.clone(), said_by: "the policy" });
    let by_family =
        of_family(name).map(|id| Inherited { id: id.to_owned(), said_by: "its makers" });
    let by_hub = load.published.and_then(|published| published.licenses.get(name));
    let by_hub = by_hub.into_iter().flatten();
    let by_hub = by_hub.map(|id| Inherited { id: id.clone(), said_by: "its card on the Hub" });
    let mut all: Vec<Inherited> = Vec::new();
    for one in by_policy.into_iter().chain(by_family).chain(by_hub) {
        // `other` beside a licence that is known adds nothing.
        if terms(&one.id).is_some() && !all.iter().any(|known| known.id == one.id) {
            all.push(one);
        }
    }
    all
}

fn unknown(name: &str, what: &str, at: &Location) -> Finding {
    let message = format!("nobody says which licence the {what} `{name}` is under");
    let fix = format!(
        "look it up, and add `gates: {{licenses: {{of: {{\"{name}\": apache-2.0}}}}}}` with the id it is"
    );
    Finding::new(&BASE_UNKNOWN, message, at.clone()).with_fix(fix)
}

fn conflicting(
    rule: &'static Rule,
    name: &str,
    license: &Inherited,
    own: &License,
    at: &Location,
) -> Option<Finding> {
    let why = conflict(&license.id, &own.id)?;
    let Inherited { id, said_by } = license;
    let message =
        format!("`{name}` is under `{id}` ({said_by}), the model under `{}`: {why}", own.id);
    let fix = match terms(id) {
        Some(Terms::NoDerivatives) => {
            "build on something else, or release what its owner agreed to \
             and record that: `allow: [{rule: …, reason: …}]`"
                .to_owned()
        }
        _ => format!(
            "release under `license: {id}`, or build on something else; an agreement with its owner \
             is recorded by `allow: [{{rule: {}, reason: …}}]`",
            rule.id
        ),
    };
    Some(Finding::new(rule, message, at.clone()).with_fix(fix))
}

/// What an agreement asks for and the release does not have.
fn unmet(load: &Load<'_>, id: &str, agreement: &Agreement) -> Vec<Finding> {
    let mut missing = Vec::new();
    let mut lacks = |message: String, fix: String| {
        let at = load.model.base_models_at.clone();
        missing.push(Finding::new(&AGREEMENT_UNMET, message, at).with_fix(fix));
    };
    let texts = || load.inventory.files.iter().filter_map(|file| file.text.as_deref());
    let squeezed =
        |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if !texts().any(|text| texts::license_of(text, Some(id)) == Some(id)) {
        lacks(
            format!("`{id}` asks for a copy of its agreement, and `{}` has none", load.model.path),
            "copy the agreement from the base model's repository to `LICENSE`".into(),
        );
    }
    let notice = squeezed(agreement.notice);
    if !texts().any(|text| squeezed(text).contains(&notice)) {
        lacks(
            format!("`{id}` asks for a file `NOTICE` with its attribution"),
            format!("add to `NOTICE`: {}", agreement.notice),
        );
    }
    if let Some(shown) = agreement.shown
        && !squeezed(load.card).contains(&shown.to_lowercase())
    {
        lacks(
            format!("`{id}` asks that “{shown}” is shown, and the card does not"),
            format!("add to the model: `description: … {shown}.`"),
        );
    }
    if let Some(begins) = agreement.name_begins {
        let word = |name: &str| name.to_lowercase().replace(['-', '_', '.', ' '], "");
        let name = load.target.map_or(load.model.name.as_str(), |target| target.repo.name());
        if !word(name).starts_with(&word(begins)) {
            lacks(
                format!(
                    "`{id}` asks that the model's name begins with “{begins}”, and it is `{name}`"
                ),
                format!("name the repository `{}-{name}`", begins.replace(' ', "-")),
            );
        }
    }
    missing
}

/// Base models that the files name and the policy, and so the judgement on licences, does not.
fn unlisted(load: &Load<'_>) -> Vec<Finding> {
    let listed = |base: &str| load.model.base_models.iter().any(|id| id.eq_ignore_ascii_case(base));
    let known = load.inventory.known();
    let stated = known.bases.iter().filter(|base| base.is_stated);
    let finding = |base: &Base| {
        let id = base.id.to_string();
        let at = load.inventory.get(&base.file).map_or(&base.file, |file| &file.shown);
        let how = match base.relation {
            Some(Relation::Adapter) => format!("the adapter was made for `{id}`"),
            Some(Relation::Merge) => format!("the model was merged from `{id}`"),
            _ => format!("the file says that it was made from `{id}`"),
        };
        let message = format!("{how}, which the policy does not list as a base model");
        let finding = Finding::new(&BASE_UNLISTED, message, Location::file(at))
            .with_fix(format!("add to the model: `base-models: [{id}]`"));
        (!listed(&id)).then_some(finding)
    };
    stated.filter_map(finding).collect()
}
