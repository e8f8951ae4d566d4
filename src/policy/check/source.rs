//! Where a version has to come from, and who may pass over that.

use super::{Check, Layers, suggest};
use crate::finding::{NEVER_PASSED_OVER, PASSED_OVER, Permit};
use crate::policy::source::{Asked, ProtectionGate, ReviewGate, SourceGates, TagSignatureGate};
use crate::policy::{Stage, raw};

/// Nobody has more reviewers; a larger number is a slip.
const MOST_APPROVALS: u32 = 10;

impl Check<'_> {
    pub(super) fn source_gates(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
        stages: &[Stage],
    ) -> SourceGates {
        SourceGates {
            review: self.review(gates, model, stages),
            status_checks: self.status_checks(gates, model, stages),
            tag_signature: self.tag_signature(gates, model, stages),
            approval: self.approval(gates, model, stages),
            protection: self.protection(gates, model, stages),
        }
    }

    fn review(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
        stages: &[Stage],
    ) -> Option<Asked<ReviewGate>> {
        gates.get(|own| own.review.as_ref())?;
        let key = self.key(model, "gates/review/approvals");
        let approvals = gates.get(|own| own.review.as_ref()?.approvals).unwrap_or(1);
        if !(1..=MOST_APPROVALS).contains(&approvals) {
            let help = format!("expected a number from 1 to {MOST_APPROVALS}");
            self.wrong(&key, format!("`approvals` is {approvals}"), help);
        }
        let team = gates.get(|own| own.review.as_ref()?.team.as_deref());
        if let Some(team) = team {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            if team.is_empty() || !team.chars().all(fits) {
                let key = self.key(model, "gates/review/team");
                let help = "expected the last part of the team's address: `ml-reviewers`";
                self.wrong(&key, format!("`{team}` is no team's slug"), help);
            }
        }
        let own = gates.get(|own| own.review.as_ref()?.branch.as_deref());
        if let Some(branch) = own {
            let key = self.key(model, "gates/review/branch");
            self.said(&key, branch);
        }
        // One branch is meant where one is named.
        let branch = own.or_else(|| gates.get(|own| own.protection.as_ref()?.branch.as_deref()));
        let what = ReviewGate {
            approvals: approvals as usize,
            team: team.map(str::to_owned),
            branch: branch.map(str::to_owned),
            machines: self.machines(gates, model),
        };
        let of = gates.get(|own| own.review.as_ref()?.stages.as_deref());
        Some(self.asked(what, model, "gates/review", of, stages))
    }

    /// Addresses as they are compared: nobody writes theirs in one case only.
    fn machines(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> Vec<String> {
        let machines =
            gates.get(|own| own.review.as_ref()?.machines.as_deref()).unwrap_or_default();
        let key = self.key(model, "gates/review/machines");
        for (index, address) in machines.iter().enumerate() {
            let whole = address.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty() && !host.is_empty() && !host.contains('@')
            });
            if address.to_lowercase().ends_with("@users.noreply.github.com") {
                let message = format!("`{address}` tells its account already");
                let help = "remove it: GitHub gave the address, and a bot's approval never counts";
                self.wrong(&format!("{key}/{index}"), message, help);
            } else if !whole || address.contains(|c: char| c.is_whitespace() || "<>*".contains(c)) {
                let message = format!("`{address}` is no address");
                let help = "write one address as the tool signs: `agent@tools.example`";
                self.wrong(&format!("{key}/{index}"), message, help);
            }
        }
        machines.iter().map(|address| address.to_lowercase()).collect()
    }

    fn status_checks(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
        stages: &[Stage],
    ) -> Option<Asked<Vec<String>>> {
        gates.get(|own| own.status_checks.as_ref())?;
        let required = gates.get(|own| own.status_checks.as_ref()?.required.as_deref());
        let key = self.key(model, "gates/status-checks/required");
        if required.is_some_and(<[String]>::is_empty) {
            let help = "name the checks, or leave `required` out: then all that ran are asked";
            self.wrong(&key, "`required` names no check", help);
        }
        for (index, name) in required.unwrap_or_default().iter().enumerate() {
            self.said(&format!("{key}/{index}"), name);
        }
        let what = required.unwrap_or_default().to_vec();
        let of = gates.get(|own| own.status_checks.as_ref()?.stages.as_deref());
        Some(self.asked(what, model, "gates/status-checks", of, stages))
    }

    fn tag_signature(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
        stages: &[Stage],
    ) -> Option<Asked<TagSignatureGate>> {
        gates.get(|own| own.tag_signature.as_ref())?;
        let annotated = gates.get(|own| own.tag_signature.as_ref()?.annotated).unwrap_or(true);
        let signed = gates.get(|own| own.tag_signature.as_ref()?.signed).unwrap_or(false);
        if !annotated && !signed {
            let key = self.key(model, "gates/tag-signature/annotated");
            let help = "remove `tag-signature`, or ask for one of the two";
            self.wrong(&key, "neither `annotated` nor `signed` is asked for", help);
        }
        let what = TagSignatureGate { annotated, signed };
        let of = gates.get(|own| own.tag_signature.as_ref()?.stages.as_deref());
        Some(self.asked(what, model, "gates/tag-signature", of, stages))
    }

    fn approval(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
        stages: &[Stage],
    ) -> Option<Asked<String>> {
        let environment = gates.get(|own| Some(own.approval.as_ref()?.environment.as_str()))?;
        let key = self.key(model, "gates/approval/environment");
        self.said(&key, environment);
        let of = gates.get(|own| own.approval.as_ref()?.stages.as_deref());
        Some(self.asked(environment.to_owned(), model, "gates/approval", of, stages))
    }

    fn protection(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
        stages: &[Stage],
    ) -> Option<Asked<ProtectionGate>> {
        gates.get(|own| own.protection.as_ref())?;
        let branch = gates.get(|own| own.protection.as_ref()?.branch.as_deref());
        if let Some(branch) = branch {
            let key = self.key(model, "gates/protection/branch");
            self.said(&key, branch);
        }
        let tag = gates.get(|own| own.protection.as_ref()?.tag).unwrap_or(true);
        let what = ProtectionGate { branch: branch.map(str::to_owned), tag };
        let of = gates.get(|own| own.protection.as_ref()?.stages.as_deref());
        Some(self.asked(what, model, "gates/protection", of, stages))
    }

    /// What is asked, of the stages that are named: a name that no stage has asks of nothing.
    fn asked<T>(
        &mut self,
        what: T,
        model: &str,
        gate: &str,
        of: Option<&[String]>,
        stages: &[Stage],
    ) -> Asked<T> {
        let key = self.key(model, &format!("{gate}/stages"));
        if of.is_some_and(<[String]>::is_empty) {
            let help = "name stages, or leave `stages` out: then it is asked of all";
            self.wrong(&key, "`stages` names none", help);
        }
        let known: Vec<_> = stages.iter().map(|stage| stage.name.as_str()).collect();
        let of = of.unwrap_or_default();
        for (index, name) in of.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let help = suggest(name, &known, format!("expected {}", known.join(", ")));
                let message = format!("the model has no stage `{name}`");
                self.wrong(&format!("{key}/{index}"), message, help);
            }
        }
        let at = self.key(model, gate);
        Asked { what, stages: of.to_vec(), at: self.at(&at) }
    }

    /// Who may pass over which gates.
    pub(super) fn emergency(&mut self, file: &raw::File) -> Option<Permit> {
        let raw::EmergencyPermit { who, gates } = file.emergency.as_ref()?;
        for (name, list) in [("who", who), ("gates", gates)] {
            if list.is_empty() {
                let key = format!("emergency/{name}");
                self.wrong(&key, format!("`{name}` is empty"), "name some, or remove `emergency`");
            }
        }
        for (index, login) in who.iter().enumerate() {
            let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if login.is_empty() || !login.chars().all(fits) {
                let message = format!("`{login}` is no login of a person");
                let help =
                    "write it as the CI tells it, without `@`: `ada`; teams and bots may not";
                self.wrong(&format!("emergency/who/{index}"), message, help);
            }
        }
        for (index, gate) in gates.iter().enumerate() {
            let key = format!("emergency/gates/{index}");
            if NEVER_PASSED_OVER.contains(&gate.as_str()) {
                let message = format!("the gate `{gate}` can never be passed over");
                let help = "remove it; one finding can be allowed for a while: see `allow`";
                self.wrong(&key, message, help);
            } else if !PASSED_OVER.contains(&gate.as_str()) {
                let help =
                    suggest(gate, &PASSED_OVER, format!("expected {}", PASSED_OVER.join(", ")));
                self.wrong(&key, format!("there is no gate `{gate}`"), help);
            }
        }
        Some(Permit { who: who.clone(), gates: gates.clone() })
    }
}

#[cfg(test)]
mod tests;
