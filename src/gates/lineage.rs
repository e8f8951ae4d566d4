//! Is what is about to be published what the pipeline recorded, and does it tell of nobody's
//! machine?

mod machine_paths;
mod pins;
mod rules;
#[cfg(test)]
mod tests;

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Rule};
use rules::UNREADABLE;

/// Judges pins of DVC, and paths in settings.
pub struct Lineage;

impl Gate for Lineage {
    fn name(&self) -> &'static str {
        "lineage"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        rules::ALL.to_vec()
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let (held, mut findings) = pins::judge(load);
        let unreadable = load.evidence.pipeline.unreadable.iter().map(|file| {
            Finding::new(&UNREADABLE, format!("not readable: {}", file.why), file.at.clone())
        });
        findings.extend(unreadable);
        findings.extend(machine_paths::judge(load));
        if load.evidence.pipeline.is_empty() && findings.is_empty() {
            return Ok(Judgement::skipped("no pipeline is recorded"));
        }
        if load.evidence.pipeline.is_empty() {
            return Ok(Judgement::new("no pipeline is recorded; paths of a machine", findings));
        }
        let s = if held == 1 { "" } else { "s" };
        Ok(Judgement::new(format!("{held} pinned file{s} or folder{s} as recorded"), findings))
    }
}
