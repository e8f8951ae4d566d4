//! What the card says of an emergency in which the version was released.

use std::collections::BTreeSet;

use crate::finding::Verdict;
use crate::markdown;

/// Who passed over which gates and why: one quoted line of Markdown, in which their words are text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyNote(String);

impl EmergencyNote {
    /// Of a verdict; none where nothing was passed over.
    pub fn of(verdict: &Verdict) -> Option<Self> {
        let emergency = verdict.emergency()?;
        let over = verdict.weighings().iter().filter_map(|weighing| {
            let passed = weighing.findings.iter().filter(|finding| finding.passed_over);
            let rules: BTreeSet<_> = passed.map(|finding| finding.rule.id).collect();
            let rules: Vec<_> = rules.into_iter().map(markdown::code).collect();
            let gate = markdown::code(weighing.gate);
            (!rules.is_empty()).then(|| format!("{gate} ({})", rules.join(", ")))
        });
        let over: Vec<_> = over.collect();
        if over.is_empty() {
            return None;
        }
        Some(Self(format!(
            "> **Released in an emergency.** {} passed over gates that block otherwise: {}. The reason \
             given: {}",
            markdown::text(&emergency.by().join(" and ")),
            over.join(", "),
            markdown::text(emergency.reason())
        )))
    }

    /// The line.
    pub(super) fn markdown(&self) -> &str {
        &self.0
    }

    /// A text that has the line, at its end where a template left it out.
    pub(super) fn kept_in(&self, body: String) -> String {
        if body.contains(&self.0) {
            return body;
        }
        format!("{}\n\n{}\n", body.trim_end(), self.0)
    }
}
