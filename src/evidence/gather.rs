//! Finds the evidence files that a model's policy names, and has each read by its reader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::SystemTime;

use super::files::{Base, EvidenceFile};
use super::metrics::Metrics;
use super::pipeline::Pipeline;
use super::{Evidence, TEST_READERS, TestReport, Unreadable};
use crate::finding::Location;
use crate::policy::{CardSource, Model, Pattern};

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
    for path in find(&base, &model.gates.tests.reports, &mut evidence.unreadable) {
        match read_report(&base, &path) {
            Ok(report) => evidence.tests.push(report),
            Err(unreadable) => evidence.unreadable.push(unreadable),
        }
    }
    let pipeline = Pipeline::read(&base, model);
    let mut metrics = Metrics::new(&base, pipeline.metrics.clone());
    evidence.metrics = model.gates.benchmarks.iter().map(|one| metrics.read(one)).collect();
    let pinned = metrics.pinned(&pipeline);
    evidence.pipeline = Pipeline { evidence: pinned, ..pipeline };
    if matches!(model.card.source, CardSource::File(_)) {
        evidence.beside = metrics.numbers();
    }
    evidence
}

/// The test reports that are there, and when they were written.
pub fn reports_there(base: &Path, shown_base: &str, model: &Model) -> BTreeMap<String, SystemTime> {
    let base = Base::new(base, shown_base);
    let found = find(&base, &model.gates.tests.reports, &mut Vec::new());
    let written = found.iter().filter_map(|path| {
        let modified = std::fs::metadata(base.folder.join(path)).ok()?.modified().ok()?;
        Some((base.shown(path), modified))
    });
    written.collect()
}

fn read_report(base: &Base, path: &str) -> Result<TestReport, Unreadable> {
    let file = base.read(path).map_err(|error| Unreadable {
        at: Location::file(base.shown(path)),
        why: error.to_string(),
    })?;
    read_tests(&file, base)
}

/// Reads a test report by its content. Failed tests are placed in the sources below `base`.
///
/// # Errors
///
/// It is no report that is known, or a broken one.
pub fn read_tests(file: &EvidenceFile, base: &Base) -> Result<TestReport, Unreadable> {
    let at = || Location::file(&file.shown);
    let text = file.text().map_err(|error| Unreadable { at: at(), why: error.to_string() })?;
    let reader = TEST_READERS.iter().find(|reader| reader.claims(text));
    let reader = reader.ok_or_else(|| Unreadable {
        at: at(),
        why: "not a test report that is known: expected JUnit XML (`pytest --junitxml=…`) or \
              pytest-json-report"
            .into(),
    })?;
    reader.read(file, text, base)
}

/// The files that match, relative to the base, sorted. Each pattern is searched only below the
/// folders it spells out; links are not followed and `.git` is not entered.
pub(super) fn find(
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
