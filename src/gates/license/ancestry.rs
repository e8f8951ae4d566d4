//! What the licences of base models and datasets ask of the model.

use super::rules::{AGREEMENT_UNMET, BASE_CONFLICT, BASE_UNKNOWN, BASE_UNLISTED, DATASET_CONFLICT};
use super::terms::{Agreement, Terms, conflict, of_family, terms};
use super::texts;
use crate::finding::{Finding, Location, Rule};
use crate::gates::Load;
use crate::inventory::{Base, Bases, Relation, SaidBy};
use crate::policy::License;

/// A licence of something that the model was made from, and who says so.
struct Inherited {
    id: String,
    said_by: &'static str,
}

/// Every finding on what the model was made from.
pub(super) fn judge(load: &Load<'_>, own: &License) -> Vec<Finding> {
    let model = load.model;
    let readme = load.readme.map(|readme| readme.text.as_str());
    let repo = load.target.map(|target| &target.repo);
    // Those that the card will name: what is published was judged.
    let bases = Bases::of(model, readme, load.inventory, repo);
    let at = place(load, &bases.said_by);
    let mut findings = unlisted(load, &bases);
    let mut agreements = Vec::new();
    if let Some(Terms::Agreement(agreement)) = terms(&own.id) {
        agreements.push((own.id.clone(), agreement, &model.base_models_at));
    }
    for base in &bases.ids {
        let licenses = licenses_of(load, base);
        if licenses.is_empty() {
            findings.push(or_not_made_from(&bases, unknown(base, "base model", &at)));
        }
        for license in &licenses {
            let conflict = conflicting(&BASE_CONFLICT, base, license, own, &at);
            findings.extend(conflict.map(|finding| or_not_made_from(&bases, finding)));
            if let Some(Terms::Agreement(agreement)) = terms(&license.id)
                && !agreements.iter().any(|(id, ..)| *id == license.id)
            {
                agreements.push((license.id.clone(), agreement, &at));
            }
        }
    }
    for (id, agreement, at) in agreements {
        findings.extend(unmet(load, &id, agreement, at));
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

/// Where the base models are named.
fn place(load: &Load<'_>, said_by: &SaidBy) -> Location {
    match (said_by, load.readme) {
        (SaidBy::Readme(line), Some(readme)) => Location::line(&readme.path, *line),
        (SaidBy::File(path), _) => in_file(load, path),
        (SaidBy::Policy | SaidBy::Readme(_), _) => load.model.base_models_at.clone(),
    }
}

fn in_file(load: &Load<'_>, path: &str) -> Location {
    Location::file(load.inventory.get(path).map_or(path, |file| &file.shown))
}

/// What a file was loaded from once need not be what the model was made from: people know better.
fn or_not_made_from(bases: &Bases, finding: Finding) -> Finding {
    if bases.file().is_none() {
        return finding;
    }
    let fix = format!(
        "{}; if the model was not made from it, name what it was made from: `base-models: […]`",
        finding.fix
    );
    finding.with_fix(fix)
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
fn unmet(load: &Load<'_>, id: &str, agreement: &Agreement, at: &Location) -> Vec<Finding> {
    let mut missing = Vec::new();
    let mut lacks = |message: String, fix: String| {
        missing.push(Finding::new(&AGREEMENT_UNMET, message, at.clone()).with_fix(fix));
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

/// Base models that the files name and nobody lists: neither the policy nor, where that is silent,
/// the README.
fn unlisted(load: &Load<'_>, bases: &Bases) -> Vec<Finding> {
    let listed = |base: &str| bases.file().is_none() && bases.has(base);
    let by_readme = matches!(bases.said_by, SaidBy::Readme(_));
    let list = if by_readme { "README" } else { "policy" };
    let known = load.inventory.known();
    let stated = known.bases.iter().filter(|base| base.is_stated);
    let finding = |base: &Base| {
        let id = base.id.to_string();
        let how = match base.relation {
            Some(Relation::Adapter) => format!("the adapter was made for `{id}`"),
            Some(Relation::Merge) => format!("the model was merged from `{id}`"),
            _ => format!("the file says that it was made from `{id}`"),
        };
        let message = format!("{how}, which the {list} does not list as a base model");
        let fix = if by_readme {
            format!("add `{id}` to `base_model` of the README's metadata")
        } else {
            format!("add to the model: `base-models: [{id}]`")
        };
        let finding =
            Finding::new(&BASE_UNLISTED, message, in_file(load, &base.file)).with_fix(fix);
        (!listed(&id)).then_some(finding)
    };
    stated.filter_map(finding).collect()
}
