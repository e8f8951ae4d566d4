//! `scan`: the scanner alone, on files and folders, with no policy.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::{Level, Tally};
use crate::gates;
use crate::inputs::{Scan, ScanFormat};
use crate::inventory;
use crate::report::{self, progress};

pub(super) fn run(arguments: &Scan, color: bool) -> Result<Exit, Failure> {
    let watch = progress::Weighing::new();
    let inventory = inventory::take_paths(&arguments.paths, &|bytes| watch.read(bytes))
        .map_err(|error| Failure::advised("cannot scan", &error))?;
    let findings = gates::scan::findings(&inventory);
    report::print(&match arguments.format {
        ScanFormat::Text => report::scan::text(&findings, &inventory, color),
        ScanFormat::Json => report::scan::json(&findings, &inventory),
        ScanFormat::Sarif => report::scan::sarif(&findings),
    })?;
    let tally = Tally::of(&findings);
    let failing = match Level::from(arguments.fail_on) {
        Level::Error => tally.errors,
        Level::Warning => tally.errors + tally.warnings,
        Level::Note => findings.len(),
    };
    Ok(if failing == 0 { Exit::Pass } else { Exit::Blocked })
}
