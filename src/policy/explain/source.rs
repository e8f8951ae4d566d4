//! Where a version has to come from; only what is asked for has rows.

use super::{Table, list};
use crate::finding::Permit;
use crate::policy::source::{Asked, SourceGates};

impl Table<'_> {
    pub(super) fn source(&mut self, gates: &SourceGates) {
        if let Some(gate) = &gates.review {
            self.section("gates/review/approvals", gate.what.approvals.to_string());
            self.section("gates/review/team", gate.what.team.as_deref().unwrap_or("any"));
            let branch = gate.what.branch.as_deref().unwrap_or("the default branch");
            self.section("gates/review/branch", branch);
            self.section("gates/review/machines", list(&gate.what.machines, "none"));
            self.stages_of("review", gate);
        }
        if let Some(gate) = &gates.status_checks {
            self.section("gates/status-checks/required", list(&gate.what, "all that ran"));
            self.stages_of("status-checks", gate);
        }
        if let Some(gate) = &gates.tag_signature {
            self.section("gates/tag-signature/annotated", gate.what.annotated.to_string());
            self.section("gates/tag-signature/signed", gate.what.signed.to_string());
            self.stages_of("tag-signature", gate);
        }
        if let Some(gate) = &gates.approval {
            self.section("gates/approval/environment", &gate.what);
            self.stages_of("approval", gate);
        }
        if let Some(gate) = &gates.protection {
            let branch = gate.what.branch.as_deref().unwrap_or("the default branch");
            self.section("gates/protection/branch", branch);
            self.section("gates/protection/tag", gate.what.tag.to_string());
            self.stages_of("protection", gate);
        }
    }

    fn stages_of<T>(&mut self, gate: &str, asked: &Asked<T>) {
        self.section(&format!("gates/{gate}/stages"), list(&asked.stages, "all"));
    }

    pub(super) fn emergency(&mut self, permit: &Permit) {
        self.row("emergency.who", "emergency/who", permit.who.join(", "));
        self.row("emergency.gates", "emergency/gates", permit.gates.join(", "));
    }
}
