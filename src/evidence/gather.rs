//! Finds the evidence files that a model's policy names, and has each read by its reader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files::{Base, EvidenceFile, FileError};
use super::{Evidence, METRIC_READERS, Metric, MetricValue, TEST_READERS, Unreadable};
use crate::finding::Location;
use crate::policy::{Benchmark, Model, Pattern};

/// Most report files that are read for one model.
const MAX_REPORTS: usize = 1_000;
/// Most names that are looked at while searching for reports.
const MAX_NAMES: usize = 500_000;

/// Gathers what the policy names for `model`. `base` is the folder of the policy file, `shown_base`
/// that folder relative to the workspace (empty for the workspace itself). Never fails as a whole:
/// what cannot be read is listed in [`Evidence::unreadable`], a metric that cannot be found says so.
pub fn gather(base: &Path, shown_base: &str, model: &Model) -> Evidence {
    let base = Base::new(base, shown_base);
    let mut evidence = Evidence::default();
    for path in find_reports(&base, &model.gates.tests.reports, &mut evidence.unreadable) {
        match read_report(&base, &path) {
            Ok(report) => evidence.tests.push(report),
            Err(unreadable) => evidence.unreadable.push(unreadable),
        }
    }
    let mut files = BTreeMap::new();
    for benchmark in &model.gates.benchmarks {
        let file =
            files.entry(benchmark.file.clone()).or_insert_with(|| base.read(&benchmark.file));
        evidence.metrics.push(read_metric(&base, benchmark, file));
    }
    evidence
}

fn read_report(base: &Base, path: &str) -> Result<super::TestReport, Unreadable> {
    let at = || Location::file(base.shown(path));
    let file = base.read(path).map_err(|error| Unreadable { at: at(), why: error.to_string() })?;
    let reader = TEST_READERS.iter().find(|reader| reader.claims(&file));
    let reader = reader.ok_or_else(|| Unreadable {
        at: at(),
        why: "not a test report that is known: expected JUnit XML (`pytest --junitxml=…`)".into(),
    })?;
    reader.read(&file, base)
}

fn read_metric(
    base: &Base,
    benchmark: &Benchmark,
    file: &Result<EvidenceFile, FileError>,
) -> Metric {
    let shown = base.shown(&benchmark.file);
    let (value, at) = match file {
        Ok(file) => {
            let reader = METRIC_READERS.iter().find(|reader| reader.claims(file));
            reader.map_or_else(
                || {
                    (
                        MetricValue::Missing("no reader takes the file".into()),
                        Location::file(&shown),
                    )
                },
                |reader| reader.read(file, &benchmark.pointer),
            )
        }
        Err(error) => (MetricValue::Missing(format!("{shown}: {error}")), Location::file(&shown)),
    };
    let file = file.as_ref().ok();
    Metric {
        name: benchmark.metric.clone(),
        file: shown,
        sha256: file.map(|file| file.sha256),
        modified: file.and_then(|file| file.modified),
        pointer: benchmark.pointer.clone(),
        at,
        value,
    }
}

/// The files that match, relative to the base, sorted. Each pattern is searched only below the
/// folders it spells out; links are not followed and `.git` is not entered.
fn find_reports(
    base: &Base,
    patterns: &[Pattern],
    unreadable: &mut Vec<Unreadable>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut names = 0;
    for pattern in patterns {
        let text = pattern.text.strip_prefix("./").unwrap_or(&pattern.text);
        let start = literal_folder(text);
        let walk = walkdir::WalkDir::new(base.folder.join(start))
            .max_depth(64)
            .into_iter()
            .filter_entry(|entry| entry.file_name() != ".git");
        for entry in walk.filter_map(Result::ok) {
            names += 1;
            if names > MAX_NAMES || found.len() >= MAX_REPORTS {
                unreadable.push(Unreadable {
                    at: Location::release(),
                    why: format!(
                        "the search for test reports stopped at `{text}`, after {MAX_REPORTS} \
                         reports or {MAX_NAMES} names: use narrower patterns"
                    ),
                });
                return found;
            }
            if entry.file_type().is_dir() {
                continue;
            }
            let relative = entry.path().strip_prefix(&base.folder).unwrap_or(entry.path());
            if let Some(relative) = relative.to_str()
                && pattern.glob.is_match(relative)
            {
                found.insert(relative.to_owned());
            }
        }
    }
    found
}

/// The leading folders of a glob that hold no wildcard: `reports/unit` of `reports/unit/*.xml`. A
/// pattern without any wildcard is its own start.
fn literal_folder(pattern: &str) -> &str {
    match pattern.find(['*', '?', '[', '{', '\\']) {
        Some(wild) => pattern[..wild].rsplit_once('/').map_or("", |(folder, _)| folder),
        None => pattern,
    }
}

#[cfg(test)]
mod tests;
