//! What a metric was before: in a committed file, or in the record of a published version.

use std::collections::BTreeMap;

use semver::Version;

use super::metrics::{at_pointer, beside, has_pointers};
use super::results::{self, Number, On, Results};
use super::scores::{self, Scores};
use super::{Base, Evidence, EvidenceFile, Metric, MetricValue, json_metric};
use crate::digest::Digest;
use crate::policy::{Before, Benchmark, Named, Place};

/// What a metric was before.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Earlier {
    /// The policy does not compare it.
    #[default]
    NotCompared,
    /// The Hub was not asked, as on a pull request.
    NotAsked,
    /// Nothing came before: there is no earlier version of the channel.
    Nothing,
    /// Something came before, but without this number; the text says why.
    Missing(String),
    /// The number.
    Number {
        /// Where it is from: `1.3.0`, or a file.
        from: String,
        /// The value.
        value: f64,
        /// Its standard error.
        stderr: Option<f64>,
        /// How many samples it was computed from.
        samples: Option<u64>,
        /// The scores that it is the mean of.
        scores: Option<Scores>,
        /// Its unit.
        unit: Option<String>,
    },
}

/// The newest version of the channel that is on the Hub, as its record tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Last {
    /// The version.
    pub version: String,
    /// The metrics that it had.
    pub metrics: Vec<Number>,
    /// The bytes of its files.
    pub bytes: Option<u64>,
}

/// What a benchmark is compared with, as far as files of the workspace hold it.
pub(super) fn in_workspace(base: &Base, benchmark: &Benchmark) -> Earlier {
    match benchmark.no_worse_than.as_ref().map(|than| &than.than) {
        None => Earlier::NotCompared,
        Some(Before::Last | Before::Version(_)) => Earlier::NotAsked,
        Some(Before::File(path)) => match base.read(path) {
            Ok(file) => match number(&file, benchmark) {
                Ok(number) => {
                    let number = scores::with_samples(base, path, number, benchmark);
                    earlier(number, path, &file)
                }
                Err(why) => Earlier::Missing(format!("{}: {why}", file.shown)),
            },
            Err(error) => Earlier::Missing(format!("{}: {error}", base.shown(path))),
        },
    }
}

impl Evidence {
    /// Sets the records of published versions (`weighbridge.json`, by version) beside the metrics.
    /// `last` is the newest version of the channel before this one.
    pub fn compare(
        &mut self,
        benchmarks: &[Benchmark],
        records: &BTreeMap<Version, Vec<u8>>,
        last: Option<&Version>,
    ) {
        for (metric, benchmark) in self.metrics.iter_mut().zip(benchmarks) {
            let version = match benchmark.no_worse_than.as_ref().map(|than| &than.than) {
                Some(Before::Last) => last,
                Some(Before::Version(version)) => Some(version),
                Some(Before::File(_)) | None => continue,
            };
            metric.earlier = match version {
                None => Earlier::Nothing,
                Some(version) => published(records.get(version), version, benchmark),
            };
        }
        self.last = last.and_then(|version| {
            let record = records.get(version)?;
            Some(Last {
                version: version.to_string(),
                metrics: results::read(&as_file(record, version)).ok()?.numbers,
                bytes: results::bytes_in(record),
            })
        });
    }
}

fn published(record: Option<&Vec<u8>>, version: &Version, benchmark: &Benchmark) -> Earlier {
    let Some(record) = record else {
        return Earlier::Missing(format!("version {version} has no release record on the Hub"));
    };
    let file = as_file(record, version);
    match number(&file, benchmark) {
        Ok(number) => earlier(number, &version.to_string(), &file),
        Err(why) => Earlier::Missing(format!("{}: {why}", file.shown)),
    }
}

pub(super) fn as_file(record: &[u8], version: &Version) -> EvidenceFile {
    EvidenceFile {
        shown: format!("weighbridge.json of {version}"),
        bytes: record.to_owned(),
        sha256: Digest::of(record),
        modified: None,
    }
}

fn earlier(number: Number, from: &str, file: &EvidenceFile) -> Earlier {
    match number.value {
        MetricValue::Number(value) => Earlier::Number {
            from: from.to_owned(),
            value,
            stderr: number.stderr,
            samples: number.samples,
            scores: number.scores,
            unit: number.unit,
        },
        MetricValue::NotFinite(text) | MetricValue::NotANumber(text) => {
            Earlier::Missing(format!("{}: it is {text}", file.shown))
        }
        MetricValue::Missing(why) => Earlier::Missing(format!("{}: {why}", file.shown)),
    }
}

/// The number in a file that was written earlier.
fn number(file: &EvidenceFile, benchmark: &Benchmark) -> Result<Number, String> {
    let results = results::read(file);
    let is_record = results.as_ref().is_ok_and(is_record);
    if let (Place::Pointer(pointer), false) = (&benchmark.place, is_record) {
        if has_pointers(file) {
            let (value, _) = json_metric::read(file, pointer);
            let number = results.ok().and_then(|results| beside(&results, pointer, &value));
            return Ok(number.unwrap_or_else(|| Number::new(&benchmark.metric, value, 0)));
        }
        return at_pointer(&results?, pointer).cloned();
    }
    let results = results?;
    find(&results, benchmark).cloned()
}

/// The number that the policy means, in what came before.
pub(super) fn find<'r>(results: &'r Results, benchmark: &Benchmark) -> Result<&'r Number, String> {
    // A record has the policy's own names.
    let named = match &benchmark.place {
        Place::Named(named) if !is_record(results) => named.clone(),
        place => Named {
            key: benchmark.metric.clone(),
            task: as_named(place).and_then(|named| named.task.clone()),
            filter: as_named(place).and_then(|named| named.filter.clone()),
            label: as_named(place).and_then(|named| named.label.clone()),
        },
    };
    results::select(results, &named, On::of(benchmark))
}

fn is_record(results: &Results) -> bool {
    results.format == results::RECORD
}

fn as_named(place: &Place) -> Option<&Named> {
    match place {
        Place::Named(named) => Some(named),
        Place::Pointer(_) => None,
    }
}

impl Metric {
    /// What it was, and where from, when that is known and in the same unit.
    pub fn was(&self) -> Option<(&str, f64)> {
        let Earlier::Number { from, value, .. } = &self.earlier else { return None };
        self.units_apart().is_none().then_some((from, *value))
    }

    /// This unit and the one before, when they are known and others.
    pub(super) fn units_apart(&self) -> Option<(&str, &str)> {
        let Earlier::Number { unit, .. } = &self.earlier else { return None };
        units_apart(self.number.as_ref()?.unit.as_deref(), unit.as_deref())
    }
}

/// Two units, when they are known and others.
pub(super) fn units_apart<'u>(
    now: Option<&'u str>,
    before: Option<&'u str>,
) -> Option<(&'u str, &'u str)> {
    now.zip(before).filter(|(now, before)| now != before)
}
