//! Every place that states the licence states the same: the text, the README, the package.

use serde_json::Value as Json;

use super::is_licence_text;
use super::rules::{COPYRIGHT_MISSING, DISAGREES, TEXT_DIFFERS, TEXT_UNKNOWN};
use super::texts::{has_copyright_line, license_of};
use crate::finding::{Finding, Location};
use crate::gates::Load;
use crate::hub::{front_matter, licenses};
use crate::inventory::Artifact;
use crate::policy::License;

/// Every finding on what other files say of the licence.
pub(super) fn judge(load: &Load<'_>, license: &License) -> Vec<Finding> {
    let mut findings = text(load, license);
    let others = readme(load).into_iter().chain(packages(load));
    for (at, said) in others.filter(|(_, said)| !same(said, &license.id)) {
        let message = format!("`{said}` is stated here, and `{}` in the policy", license.id);
        findings.push(Finding::new(&DISAGREES, message, at));
    }
    findings
}

/// The texts at the top of the folder: one of them has to be the licence's.
fn text(load: &Load<'_>, license: &License) -> Vec<Finding> {
    let files = load.inventory.files.iter();
    // What is too large or no UTF-8 is no text of a licence either.
    let texts: Vec<(&Artifact, &str)> = files
        .filter(|file| is_licence_text(file.path.as_str()))
        .map(|file| (file, file.text.as_deref().unwrap_or_default()))
        .collect();
    let found: Vec<_> =
        texts.iter().map(|(file, text)| (*file, license_of(text, Some(&license.id)))).collect();
    let mut findings = Vec::new();
    let mine = found.iter().any(|(_, id)| id.is_some_and(|id| is_text_of(id, &license.id)));
    // Licences without one text: families, and what only a link leads to.
    let has_no_text =
        matches!(license.id.as_str(), "other" | "unknown" | "cc" | "bsd" | "openrail");
    if let Some((file, id)) = found.first().filter(|_| !mine && !has_no_text) {
        let at = Location::file(&file.shown);
        findings.push(match found.iter().find_map(|(file, id)| Some((file, (*id)?))) {
            Some((file, other)) => {
                let message = format!("this is `{other}`, and the policy states `{}`", license.id);
                Finding::new(&TEXT_DIFFERS, message, Location::file(&file.shown))
            }
            None => {
                debug_assert!(id.is_none());
                let message = format!(
                    "this is not the text of `{}`, nor of another licence that is known",
                    license.id
                );
                Finding::new(&TEXT_UNKNOWN, message, at)
            }
        });
    }
    let legal = |file: &&Artifact| {
        is_licence_text(file.path.as_str())
            || file.path.as_str().to_ascii_uppercase().starts_with("NOTICE")
    };
    let mut legal =
        load.inventory.files.iter().filter(legal).filter_map(|file| file.text.as_deref());
    if let Some((file, _)) = texts.first().filter(|_| mine)
        && !legal.any(has_copyright_line)
    {
        let message = "neither here nor in a NOTICE is said who holds the rights";
        findings.push(Finding::new(&COPYRIGHT_MISSING, message, Location::file(&file.shown)));
    }
    findings
}

/// Whether the text of one licence is the text of a stated one: the GNU families have several ids.
fn is_text_of(text: &str, stated: &str) -> bool {
    text == stated
        || match stated {
            "gpl" => matches!(text, "gpl-2.0" | "gpl-3.0" | "agpl-3.0"),
            "lgpl" => matches!(text, "lgpl-2.1" | "lgpl-3.0"),
            // It is the GPL with permissions added to it, and both texts go together.
            "lgpl-3.0" => text == "gpl-3.0",
            _ => false,
        }
}

/// What the README that people keep says.
fn readme(load: &Load<'_>) -> Option<(Location, String)> {
    let readme = load.readme?;
    let (license, line) = front_matter::value(&readme.text, "license")?;
    Some((Location::line(&readme.path, line), license.as_text()?.to_owned()))
}

/// What package metadata in the folder says: spaCy's `meta.json`, Python's `pyproject.toml`.
fn packages(load: &Load<'_>) -> Vec<(Location, String)> {
    let text = |path: &str| {
        let file = load.inventory.get(path)?;
        Some((Location::file(&file.shown), file.text.as_deref()?))
    };
    let spacy = text("meta.json").and_then(|(at, text)| {
        let meta: Json = serde_json::from_str(text).ok()?;
        Some((at, meta.get("license")?.as_str()?.to_owned()))
    });
    let python = text("pyproject.toml").and_then(|(at, text)| {
        let package: toml::Table = toml::from_str(text).ok()?;
        let license = package.get("project")?.get("license")?;
        let said = license.as_str().or_else(|| license.get("text")?.as_str())?;
        Some((at, said.to_owned()))
    });
    spacy.into_iter().chain(python).filter(|(_, said)| !said.trim().is_empty()).collect()
}

/// Whether two spellings mean one licence: the Hub's id, the SPDX id, the name.
fn same(said: &str, id: &str) -> bool {
    let word = |text: &str| {
        let lower = text.trim().to_lowercase();
        let bare =
            lower.strip_suffix("-or-later").or(lower.strip_suffix("-only")).unwrap_or(&lower);
        bare.replace(" license", "").replace([' ', '_'], "-")
    };
    let spdx = licenses::spdx(id).unwrap_or(id);
    let name = licenses::name(id).unwrap_or(id);
    [id, spdx, name].iter().any(|known| word(known) == word(said))
}
