//! Is the licence set and known, is it the one whose text lies there, does it keep to the licences of
//! what the model was made from, and may the repository be seen by whom it can be seen?

mod ancestry;
mod rules;
mod statements;
mod terms;
#[cfg(test)]
mod tests;
mod texts;

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Rule};
use crate::hub::licenses;
use crate::policy::{License as Stated, Visibility};
use rules::{
    FILE_MISSING, MISSING, NOT_ALLOWED, OTHER_INCOMPLETE, PUBLIC_WITHOUT_REASON, SENSITIVE_PUBLIC,
    UNKNOWN,
};

/// The licence and visibility gate.
pub struct License;

impl Gate for License {
    fn name(&self) -> &'static str {
        "license"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        rules::ALL.to_vec()
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
                if licenses::is_known(&license.id) {
                    findings.extend(statements::judge(load, license));
                    findings.extend(ancestry::judge(load, license));
                }
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
            if load.model.sensitive {
                let message = format!(
                    "`{}` is sensitive, and the stage `{}` is public",
                    load.model.name, stage.name
                );
                findings.push(Finding::new(&SENSITIVE_PUBLIC, message, stage.at.clone()));
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
    let allowed = &load.model.gates.licenses.allowed;
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
