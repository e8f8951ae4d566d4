//! An emergency, told at the top of everything.

use crate::finding::Verdict;

/// How it is headed everywhere.
pub(super) const HEADING: &str = "EMERGENCY";

/// Who passed over what and why, in plain words on one line; `None` where there was no emergency.
pub(super) fn told(verdict: &Verdict) -> Option<String> {
    let emergency = verdict.emergency()?;
    let rules: Vec<_> = verdict.passed_over().iter().map(|finding| finding.rule.id).collect();
    let over = if rules.is_empty() {
        "had nothing to pass over".to_owned()
    } else {
        format!("passed over {}", rules.join(", "))
    };
    Some(format!("{} {over}: {}", emergency.by().join(" and "), emergency.reason()))
}
