//! What `scan` prints.

use serde_json::json;

use super::{console, json, sarif};
use crate::finding::{Finding, Tally};
use crate::inventory::Inventory;

/// For people.
pub fn text(findings: &[Finding], inventory: &Inventory, color: bool) -> String {
    let tally = Tally::of(findings);
    let refs: Vec<_> = findings.iter().collect();
    let clean = if findings.is_empty() { ", nothing found" } else { "" };
    format!(
        "{} files, {}{clean}\n{}\n{} errors, {} warnings, {} notes\n",
        inventory.files.len(),
        console::size(inventory.bytes()),
        console::findings(&refs, color),
        tally.errors,
        tally.warnings,
        tally.notes
    )
}

/// One JSON object.
pub fn json(findings: &[Finding], inventory: &Inventory) -> String {
    let findings: Vec<_> = findings.iter().map(json::finding).collect();
    format!("{:#}\n", json!({"findings": findings, "files": json::files(inventory)}))
}

/// SARIF 2.1.0.
pub fn sarif(findings: &[Finding]) -> String {
    format!("{:#}\n", sarif::render(&findings.iter().collect::<Vec<_>>(), "weighbridge.yml", None))
}
