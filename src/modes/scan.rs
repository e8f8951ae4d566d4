//! `scan`: the scanner alone, on files and folders, with no policy.

use std::path::Path;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::{Level, Tally};
use crate::gates;
use crate::inputs::{Scan, ScanFormat};
use crate::inventory;
use crate::markdown;
use crate::report::{self, progress};
use crate::scan::{self, Stream, Subject, Window};

pub(super) fn run(arguments: &Scan, color: bool) -> Result<Exit, Failure> {
    if arguments.explain {
        for path in &arguments.paths {
            report::print(&explain(path)?)?;
        }
    }
    let watch = progress::Weighing::new();
    let inventory = inventory::take_paths(&arguments.paths, &|bytes| watch.read(bytes))
        .map_err(|error| Failure::advised("cannot scan", &error))?;
    let findings = gates::scan::findings(&inventory);
    match arguments.format {
        ScanFormat::Text => report::print(&report::scan::text(&findings, &inventory, color))?,
        ScanFormat::Json => report::print_data(&report::scan::json(&findings, &inventory))?,
        ScanFormat::Sarif => report::print_data(&report::scan::sarif(&findings))?,
    }
    let tally = Tally::of(&findings);
    let failing = match Level::from(arguments.fail_on) {
        Level::Error => tally.errors,
        Level::Warning => tally.errors + tally.warnings,
        Level::Note => findings.len(),
    };
    Ok(if failing == 0 { Exit::Pass } else { Exit::Blocked })
}

/// What the pickles of a file do, in order.
fn explain(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot explain {}", path.display()))
            .because(&error)
            .fix("name a file: `weighbridge scan --explain model/model.pkl`")
    };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let beside = file.try_clone().map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let name = path.to_string_lossy();
    let window = Some(Window::new(&beside, size));
    let subject = Subject { name: &name, size: Some(size), window };
    let (_, story) = scan::explain(&mut Stream::new(&mut file), &subject).map_err(failed)?;
    let story = if story.is_empty() { "  there is no pickle in it\n".to_owned() } else { story };
    Ok(format!("{}\n{story}\n", markdown::line(&name)))
}
