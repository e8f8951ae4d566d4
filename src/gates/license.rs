//! Is the licence set and known, and may the repository be seen by whom it can be seen?

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Rule};
use crate::hub::licenses;
use crate::policy::{License as Stated, Visibility};

const MISSING: Rule = Rule {
    id: "license-missing",
    level: Level::Error,
    summary: "the policy names no licence",
    reason: "Without a licence nobody may use the model, and nobody can tell what the releaser meant.",
    fix: "add `license: apache-2.0` (or another Hub licence id) to the model in weighbridge.yml",
    example: "model: {name: churn, owner: acme}",
};

const UNKNOWN: Rule = Rule {
    id: "license-unknown",
    level: Level::Error,
    summary: "the licence is not one that the Hub knows",
    reason: "The Hub refuses a card with a licence outside its list.",
    fix: "use an id of https://huggingface.co/docs/hub/repositories-licenses, or `other` with `license-name` and `license-link`",
    example: "license: Apache-2.0-or-later",
};

const OTHER_INCOMPLETE: Rule = Rule {
    id: "license-other-incomplete",
    level: Level::Error,
    summary: "`license: other` without a name and a link",
    reason: "`other` says nothing by itself: readers need the name and the text.",
    fix: "add `license-name: my-license` and `license-link: LICENSE`",
    example: "license: other",
};

const NOT_ALLOWED: Rule = Rule {
    id: "license-not-allowed",
    level: Level::Error,
    summary: "the licence is not among those this repository releases under",
    reason: "The organisation decided which licences it releases models under.",
    fix: "change the licence, or add it to `gates: {licenses: {allowed: […]}}` after review",
    example: "license: gpl-3.0 with allowed: [apache-2.0, mit]",
};

const FILE_MISSING: Rule = Rule {
    id: "license-file-missing",
    level: Level::Warning,
    summary: "the published folder has no licence text",
    reason: "Most licences ask that their text goes with the work.",
    fix: "copy the licence's text to `LICENSE` in the model's folder",
    example: "a folder without LICENSE, LICENCE or COPYING",
};

const PUBLIC_WITHOUT_REASON: Rule = Rule {
    id: "public-without-reason",
    level: Level::Error,
    summary: "the repository is public and the policy does not say why",
    reason: "What is public cannot be taken back: it is a decision, and the policy records it.",
    fix: "add `public-reason: …` beside `visibility: public`, or remove `visibility: public`",
    example: "repository: {visibility: public}",
};

/// The licence and visibility gate.
pub struct License;

impl Gate for License {
    fn name(&self) -> &'static str {
        "license"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![
            &MISSING,
            &UNKNOWN,
            &OTHER_INCOMPLETE,
            &NOT_ALLOWED,
            &FILE_MISSING,
            &PUBLIC_WITHOUT_REASON,
        ]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let mut findings = Vec::new();
        let note = match &load.model.license {
            None => {
                let message = format!("the model `{}` has no licence", load.model.name);
                findings.push(Finding::new(&MISSING, message, load.model.at.clone()));
                "no licence".to_owned()
            }
            Some(license) => {
                stated(load, license, &mut findings);
                license.id.clone()
            }
        };
        if !load.inventory.files.iter().any(|file| is_licence_text(file.path.as_str())) {
            let message = format!("`{}` holds no LICENSE file", load.model.path);
            findings.push(Finding::new(&FILE_MISSING, message, load.model.at.clone()));
        }
        let mut visibility = "private";
        for stage in &load.model.stages {
            let Visibility::Public { reason } = &stage.visibility else { continue };
            visibility = "public";
            if reason.trim().is_empty() {
                let message = format!("the stage `{}` is public without a reason", stage.name);
                findings.push(Finding::new(&PUBLIC_WITHOUT_REASON, message, stage.at.clone()));
            }
        }
        Ok(Judgement::new(format!("{note}, {visibility}"), findings))
    }
}

/// `LICENSE`, `LICENSE-MIT.txt`, `COPYING`, … at the top of the folder; a NOTICE is no licence.
fn is_licence_text(path: &str) -> bool {
    let upper = path.to_ascii_uppercase();
    let named = ["LICENSE", "LICENCE", "COPYING"].iter().any(|name| upper.starts_with(name));
    named && !path.contains('/')
}

fn stated(load: &Load<'_>, license: &Stated, findings: &mut Vec<Finding>) {
    let at = || license.at.clone();
    if !licenses::is_known(&license.id) {
        let message = format!("the Hub knows no licence `{}`", license.id);
        let mut finding = Finding::new(&UNKNOWN, message, at());
        if let Some(near) = licenses::closest(&license.id) {
            finding = finding.with_fix(format!("write `license: {near}`"));
        }
        findings.push(finding);
    }
    if license.id == "other"
        && let Some(why) = incomplete(load, license)
    {
        findings.push(Finding::new(&OTHER_INCOMPLETE, why, at()));
    }
    let allowed = &load.model.gates.licenses;
    if !allowed.is_empty() && !allowed.contains(&license.id) {
        let message =
            format!("`{}` is not among the allowed licences: {}", license.id, allowed.join(", "));
        findings.push(Finding::new(&NOT_ALLOWED, message, at()));
    }
}

/// What `license: other` lacks: a name, a link, or the file it links to.
fn incomplete(load: &Load<'_>, license: &Stated) -> Option<String> {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (Some(_), Some(link)) = (said(&license.name), said(&license.link)) else {
        return Some("`license: other` needs `license-name` and `license-link`".into());
    };
    let is_address = link.starts_with("https://") || link.starts_with("http://");
    (!is_address && load.inventory.get(&link).is_none())
        .then(|| format!("`license-link` names `{link}`, which is not in `{}`", load.model.path))
}

#[cfg(test)]
mod tests;
