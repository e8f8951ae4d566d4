//! Lists of packages that are installed beside a model.

use crate::finding::{Level, Rule};
use crate::scan::Detection;

pub(in crate::scan) const FOREIGN: Rule = Rule {
    id: "foreign-packages",
    level: Level::Error,
    summary: "a package list that installs from somewhere else than a package index",
    reason: "Installing runs the package's code; what stands at an address can change at any time.",
    fix: "name released packages with their versions",
    example: "--index-url http://packages.example.net/simple",
};

/// Indexes of the projects themselves.
const KNOWN: [&str; 6] = [
    "https://pypi.org/",
    "https://download.pytorch.org/",
    "https://pypi.nvidia.com",
    "https://pypi.ngc.nvidia.com",
    "https://data.pyg.org/",
    "https://storage.googleapis.com/jax-releases/",
];

/// Lines that install from elsewhere.
pub(super) fn scan(text: &str) -> Vec<Detection> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line.starts_with('#') {
            continue;
        }
        let index = line.starts_with("--index-url")
            || line.starts_with("--extra-index-url")
            || line.starts_with("-i ")
            || line.starts_with("--find-links")
            || line.starts_with("-f ");
        let address = ["http://", "https://", "ftp://", "file://"]
            .iter()
            .filter_map(|scheme| line.find(scheme))
            .min()
            .map(|at| &line[at..]);
        let Some(address) = address else { continue };
        let known = address.starts_with("https://")
            && (KNOWN.iter().any(|place| address.starts_with(place))
                || !index && address.starts_with("https://github.com/"));
        if !known || line.starts_with("--trusted-host") {
            let line_number = u32::try_from(number + 1).unwrap_or(u32::MAX);
            found.push(Detection::on_line(
                &FOREIGN,
                format!("it installs from `{address:.100}`"),
                line_number,
                1,
            ));
        }
    }
    found
}
