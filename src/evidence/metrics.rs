//! Finds the numbers that the policy asks for: each file is read once, whatever is asked of it.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Base, EvidenceFile, FileError};
use super::gather::find;
use super::pipeline::Pipeline;
use super::results::{self, Number, On, Results};
use super::{Lineage, Metric, MetricValue, Slice, before, json_metric, scores};
use crate::digest::Md5;
use crate::finding::Location;
use crate::policy::{Benchmark, Pattern, Place};
use crate::source::SourceFile;

/// Most numbers that a card is held against.
const MAX_NUMBERS: usize = 100_000;

/// Largest file that is read as a whole for what it says beside a number that a pointer leads to.
const MAX_BESIDE: usize = 8 * 1024 * 1024;

/// A file, and what it holds once somebody asked for names in it.
struct Read {
    file: Result<EvidenceFile, FileError>,
    results: Option<Result<Results, String>>,
}

/// The files of results that were read so far.
pub(super) struct Metrics<'b> {
    base: &'b Base,
    /// Files of metrics that the pipeline names.
    named: Vec<String>,
    read: BTreeMap<String, Read>,
}

impl<'b> Metrics<'b> {
    pub(super) fn new(base: &'b Base, named: Vec<String>) -> Self {
        Self { base, named, read: BTreeMap::new() }
    }

    /// The MD5 of the files that were read and are pinned.
    pub(super) fn pinned(&self, pipeline: &Pipeline) -> BTreeMap<String, Md5> {
        let files = self.read.values().filter_map(|read| read.file.as_ref().ok());
        let known = pipeline.pinned_files();
        let pinned = files.filter(|file| known.contains(file.shown.as_str()));
        pinned.map(|file| (file.shown.clone(), Md5::of(&file.bytes))).collect()
    }

    /// What the files say of one benchmark. Whatever is wrong with them is said in its value.
    pub(super) fn read(&mut self, benchmark: &Benchmark) -> Metric {
        let earlier = before::in_workspace(self.base, benchmark);
        let metric = match self.file_of(benchmark) {
            Ok(path) => self.read_in(&path, benchmark),
            Err(why) => missing(benchmark, self.base.shown(&benchmark.file), why),
        };
        Metric { earlier, ..metric }
    }

    /// Every finite number of the files that were read, each file's in its order.
    pub(super) fn numbers(self) -> Vec<(String, f64)> {
        let results = self.read.into_values().filter_map(|read| {
            let file = read.file.ok()?;
            read.results.unwrap_or_else(|| results::read(&file)).ok()
        });
        let numbers = results.flat_map(|results| results.numbers);
        let finite = numbers.filter_map(|number| match number.value {
            MetricValue::Number(value) => Some((number.metric, value)),
            _ => None,
        });
        finite.take(MAX_NUMBERS).collect()
    }

    /// The file that is meant: named, or the only one of several that has the metric.
    fn file_of(&mut self, benchmark: &Benchmark) -> Result<String, String> {
        let path = &benchmark.file;
        if benchmark.file_is_default && !self.named.is_empty() {
            let files: BTreeSet<_> = self.named.iter().chain([path]).cloned().collect();
            let is_there = |file: &String| self.base.folder.join(file).is_file();
            let files: Vec<_> = files.into_iter().filter(is_there).collect();
            if files.is_empty() {
                return Ok(path.clone());
            }
            return self.holder(files, "`dvc.yaml` names", benchmark);
        }
        if !path.contains(['*', '?', '[', '{']) {
            return Ok(path.clone());
        }
        let glob = globset::GlobBuilder::new(path).literal_separator(true).build();
        let glob = glob.map_err(|error| format!("`{path}` is no pattern: {error}"))?;
        let pattern = Pattern { text: path.clone(), glob: glob.compile_matcher() };
        let mut beyond = Vec::new();
        let matches = find(self.base, &[pattern], &mut beyond);
        if let Some(beyond) = beyond.first() {
            return Err(beyond.why.clone());
        }
        if matches.is_empty() {
            return Err(format!("no file matches `{path}`"));
        }
        self.holder(matches.into_iter().collect(), &format!("match `{path}`"), benchmark)
    }

    /// The only one of several files that has the metric; `why` says why they are looked into.
    fn holder(
        &mut self,
        files: Vec<String>,
        why: &str,
        benchmark: &Benchmark,
    ) -> Result<String, String> {
        let holders: Vec<_> =
            files.iter().filter(|path| self.holds(path, benchmark)).cloned().collect();
        let place = &benchmark.place;
        match (&holders[..], files.len()) {
            ([only], _) => Ok(only.clone()),
            // Its own message says what the only file has instead.
            ([], 1) => Ok(files.into_iter().next().unwrap_or_default()),
            ([], count) => Err(format!("none of the {count} files that {why} has {place}")),
            (several, _) => Err(format!(
                "{} files that {why} have {place}: narrow `file` to one of {}",
                several.len(),
                shortened(several)
            )),
        }
    }

    fn holds(&mut self, path: &str, benchmark: &Benchmark) -> bool {
        !matches!(self.read_in(path, benchmark).value, MetricValue::Missing(_))
    }

    fn read_in(&mut self, path: &str, benchmark: &Benchmark) -> Metric {
        let base = self.base;
        let read = self
            .read
            .entry(path.to_owned())
            .or_insert_with(|| Read { file: base.read(path), results: None });
        let shown = base.shown(path);
        let file = match &read.file {
            Ok(file) => file,
            Err(error) => return missing(benchmark, shown.clone(), format!("{shown}: {error}")),
        };
        let metric = Metric {
            sha256: Some(file.sha256),
            modified: file.modified,
            ..missing(benchmark, shown.clone(), String::new())
        };
        let named = match &benchmark.place {
            Place::Pointer(pointer) if has_pointers(file) => {
                let (value, at) = json_metric::read(file, pointer);
                let pointer = pointer.clone();
                let metric = Metric { value, at, pointer, ..metric };
                if file.bytes.len() > MAX_BESIDE {
                    return metric;
                }
                let results = read.results.get_or_insert_with(|| results::read(file)).as_ref();
                let Ok(results) = results else { return metric };
                let number = beside(results, &metric.pointer, &metric.value);
                return Metric {
                    number: number
                        .map(|number| scores::with_samples(base, path, number, benchmark)),
                    partial: results.partial.clone(),
                    lineage: results.lineage.clone(),
                    ..metric
                };
            }
            Place::Pointer(_) => None,
            Place::Named(named) => Some(named),
        };
        let results = match read.results.get_or_insert_with(|| results::read(file)) {
            Ok(results) => results,
            Err(why) => {
                return Metric { value: MetricValue::Missing(format!("{shown}: {why}")), ..metric };
            }
        };
        let number = match (named, &benchmark.place) {
            (Some(named), _) => results::select(results, named, On::of(benchmark)),
            (None, Place::Pointer(pointer)) => at_pointer(results, pointer),
            (None, Place::Named(_)) => Err("it has no name".into()),
        };
        let metric = Metric {
            slices: match (named, &number) {
                (Some(_), Ok(number)) => slices(results, number),
                _ => Ok(Vec::new()),
            },
            partial: results.partial.clone(),
            lineage: results.lineage.clone(),
            ..metric
        };
        match number {
            Ok(number) => Metric {
                value: number.value.clone(),
                at: place(file, number),
                pointer: number.pointer.clone(),
                number: Some(scores::with_samples(base, path, number.clone(), benchmark)),
                ..metric
            },
            Err(why) => Metric { value: MetricValue::Missing(format!("{shown}: {why}")), ..metric },
        }
    }
}

fn missing(benchmark: &Benchmark, shown: String, why: String) -> Metric {
    let pointer = match &benchmark.place {
        Place::Pointer(pointer) => pointer.clone(),
        Place::Named(_) => String::new(),
    };
    Metric {
        name: benchmark.metric.clone(),
        value: MetricValue::Missing(why),
        at: Location::file(&shown),
        file: shown,
        sha256: None,
        modified: None,
        pointer,
        number: None,
        slices: Ok(Vec::new()),
        partial: None,
        lineage: Lineage::default(),
        earlier: before::Earlier::NotCompared,
    }
}

/// JSON is read by pointer without holding it.
pub(super) fn has_pointers(file: &EvidenceFile) -> bool {
    let ending = file.shown.rsplit_once('.').map_or("", |(_, ending)| ending);
    !matches!(ending, "yaml" | "yml" | "toml" | "csv" | "tsv")
}

pub(super) fn at_pointer<'r>(results: &'r Results, pointer: &str) -> Result<&'r Number, String> {
    let found = results.numbers.iter().find(|number| number.pointer == pointer);
    found.ok_or_else(|| {
        let known: Vec<_> = results.numbers.iter().map(|number| number.pointer.clone()).collect();
        format!("`{pointer}` leads to no number; there are {}", shortened(&known))
    })
}

/// What a file says beside the value that a pointer leads to.
pub(super) fn beside(results: &Results, pointer: &str, value: &MetricValue) -> Option<Number> {
    let number = at_pointer(results, pointer).ok()?;
    Some(Number { value: value.clone(), ..number.clone() })
}

/// A number by label, or which label cannot be compared and why.
fn slices(results: &Results, whole: &Number) -> Result<Vec<Slice>, String> {
    let mut seen = BTreeSet::new();
    let slice = |(label, number): (&str, &Number)| {
        if !seen.insert(label.to_owned()) {
            return Err(format!("`{label}` is there more than once"));
        }
        match &number.value {
            MetricValue::Number(value) => Ok(Slice { label: label.to_owned(), value: *value }),
            MetricValue::NotFinite(text) | MetricValue::NotANumber(text) => {
                Err(format!("`{label}` is {text}"))
            }
            MetricValue::Missing(why) => Err(format!("`{label}`: {why}")),
        }
    };
    results::slices(results, whole).into_iter().map(slice).collect()
}

fn place(file: &EvidenceFile, number: &Number) -> Location {
    match file.text() {
        Ok(text) => {
            let source = SourceFile::new(&file.shown, text);
            Location::at(&file.shown, source.position(number.at))
        }
        Err(_) => Location::file(&file.shown),
    }
}

fn shortened(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(6).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use crate::evidence::measured;
    use crate::policy;

    /// All that is said of a benchmark of a file.
    fn breaches(text: &str, asked: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("m.csv"), text).expect("writable");
        let policy = format!(
            "model: {{name: churn, owner: acme, path: model, gates: {{benchmarks: [{{file: m.csv, direction: higher, {asked}}}]}}}}"
        );
        let policy = policy::parse("weighbridge.yml", &policy, &[]).expect("valid");
        let model = &policy.models[0];
        let evidence = crate::evidence::gather(folder.path(), "", model);
        format!("{:?}", measured(model, &evidence)[0].breaches())
    }

    #[test]
    fn gaps_are_of_the_very_number() {
        let splits = "id,split,group,right\n0,dev,a,1\n1,dev,b,1\n2,test,a,1\n3,test,b,0\n";
        for (text, asked, said) in [
            (splits, "metric: right, split: test, max-gap: 0.5", "Gap"),
            (splits, "metric: right, split: dev, max-gap: 0.5", "[]"),
            ("id,group,right\n0,a,1\n1,b,0\n", "metric: right, task: gsm8k, max-gap: 0.5", "Gap"),
            (
                "metric,label,value\nf1,,0.9\nf1,a,0.9\nf1,b,0.9\nf1,c,nan\n",
                "metric: f1, max-gap: 0.05",
                "BadLabel(\"`c` is NaN\")",
            ),
            (
                "metric,label,value\nf1,,0.9\nf1,a,0.9\nf1,b,0.9\nf1,b,0.1\n",
                "metric: f1, max-gap: 0.05",
                "BadLabel(\"`b` is there more than once\")",
            ),
            (
                "metric,filter,label,value\nf1,macro,,0.9\nf1,,a,0.9\nf1,,b,0.1\n",
                "metric: f1, filter: macro, max-gap: 0.05",
                "Gap",
            ),
        ] {
            let found = breaches(text, asked);
            assert!(found.contains(said), "{asked}: {found}");
        }
    }
}
