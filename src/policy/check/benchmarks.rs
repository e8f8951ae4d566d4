//! What is asked of metrics.

use std::collections::BTreeSet;

use super::{Check, Layers, glob};
use crate::policy::{
    Around, Before, Benchmark, Direction, HubBenchmark, Named, NoWorseThan, Place, Tolerance, raw,
};

impl Check<'_> {
    pub(super) fn benchmarks(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
    ) -> Vec<Benchmark> {
        let key = self.key(model, "gates/benchmarks");
        let benchmarks = gates.get(|own| own.benchmarks.as_deref()).unwrap_or_default();
        self.benchmarks_told_apart(&key, benchmarks);
        benchmarks
            .iter()
            .enumerate()
            .map(|(index, one)| self.benchmark(one, &format!("{key}/{index}")))
            .collect()
    }

    fn benchmarks_told_apart(&mut self, key: &str, benchmarks: &[raw::Benchmark]) {
        let mut seen = BTreeSet::new();
        for (index, one) in benchmarks.iter().enumerate() {
            let names = (&one.task, &one.filter, &one.label);
            let on = (&one.dataset, &one.split, &one.config, &one.revision);
            if !seen.insert((&one.metric, on, names)) {
                let message = format!("the metric `{}` is bounded twice", one.metric);
                let help = "put `min` and `max` into one entry, or tell them apart by `dataset`, \
                            `split`, `config`, `revision`, `task`, `filter` or `label`";
                self.wrong(&format!("{key}/{index}"), message, help);
            }
        }
        let mut mapped = BTreeSet::new();
        for (index, one) in benchmarks.iter().enumerate() {
            let Some(on) = &one.hub_benchmark else { continue };
            if !mapped.insert((&on.dataset, &on.task)) {
                let message =
                    format!("two metrics are the result of `{}` of {}", on.task, on.dataset);
                let help = "the Hub takes one value for each task: keep the one that the benchmark asks for";
                self.wrong(&format!("{key}/{index}/hub-benchmark"), message, help);
            }
        }
    }

    fn benchmark(&mut self, benchmark: &raw::Benchmark, key: &str) -> Benchmark {
        self.said(&format!("{key}/metric"), &benchmark.metric);
        let file = benchmark.file.as_deref().unwrap_or("metrics.json");
        let file = self.relative(&format!("{key}/file"), file);
        if let Err(error) = glob(&file) {
            let message = format!("`{file}` is no pattern: {error}");
            self.wrong(
                &format!("{key}/file"),
                message,
                "write a path, or a glob such as `out/**/*.json`",
            );
        }
        let place = self.place(benchmark, key);
        for (low, high) in [("min", "max"), ("warn-min", "warn-max")] {
            let (least, most) = match low {
                "min" => (benchmark.min, benchmark.max),
                _ => (benchmark.warn_min, benchmark.warn_max),
            };
            if let (Some(least), Some(most)) = (least, most)
                && least > most
            {
                let message = format!(
                    "`{low}` ({least}) is greater than `{high}` ({most}): no value can pass"
                );
                self.wrong(&format!("{key}/{low}"), message, "swap the two, or remove one");
            }
        }
        Benchmark {
            metric: benchmark.metric.clone(),
            file,
            file_is_default: benchmark.file.is_none(),
            place,
            min: benchmark.min,
            max: benchmark.max,
            warn_min: benchmark.warn_min,
            warn_max: benchmark.warn_max,
            target: self.target(benchmark, key),
            direction: benchmark.direction.map(|direction| match direction {
                raw::Direction::Higher => Direction::Higher,
                raw::Direction::Lower => Direction::Lower,
            }),
            no_worse_than: benchmark
                .no_worse_than
                .as_ref()
                .map(|than| self.no_worse_than(than, &format!("{key}/no-worse-than"))),
            max_gap: self.not_negative(benchmark.max_gap, &format!("{key}/max-gap")),
            allow_partial: benchmark.allow_partial.unwrap_or(false),
            dataset: benchmark.dataset.clone(),
            split: benchmark.split.clone(),
            config: benchmark.config.clone(),
            revision: benchmark.revision.clone(),
            hub_benchmark: benchmark
                .hub_benchmark
                .as_ref()
                .map(|on| self.hub_benchmark(on, &format!("{key}/hub-benchmark"))),
            at: self.at(key),
            at_min: self.at(&format!("{key}/min")),
            at_max: self.at(&format!("{key}/max")),
        }
    }

    fn hub_benchmark(&mut self, on: &raw::HubBenchmark, key: &str) -> HubBenchmark {
        self.hub_id(&format!("{key}/dataset"), &on.dataset);
        self.said(&format!("{key}/task"), &on.task);
        let raw::HubBenchmark { dataset, task, revision } = on.clone();
        HubBenchmark { dataset, task, revision }
    }

    fn place(&mut self, benchmark: &raw::Benchmark, key: &str) -> Place {
        let named = Named {
            key: benchmark.key.clone().unwrap_or_else(|| benchmark.metric.clone()),
            task: benchmark.task.clone(),
            filter: benchmark.filter.clone(),
            label: benchmark.label.clone(),
        };
        let Some(pointer) = &benchmark.pointer else { return Place::Named(named) };
        self.pointer(&format!("{key}/pointer"), pointer);
        let parts = [&benchmark.key, &benchmark.task, &benchmark.filter, &benchmark.label];
        if parts.iter().any(|part| part.is_some()) {
            let message = "`pointer` and names for the same number";
            let help = "keep `pointer`, or keep `key`, `task`, `filter` and `label`";
            self.wrong(&format!("{key}/pointer"), message, help);
        }
        if benchmark.max_gap.is_some() {
            let message = "`max-gap` compares labels, and `pointer` leads to one number";
            self.wrong(&format!("{key}/max-gap"), message, "use `key` instead of `pointer`");
        }
        Place::Pointer(pointer.clone())
    }

    fn target(&mut self, benchmark: &raw::Benchmark, key: &str) -> Option<Around> {
        let at = format!("{key}/tolerance");
        match (benchmark.target, &benchmark.tolerance) {
            (Some(target), Some(tolerance)) => {
                Some(Around { target, tolerance: self.tolerance(tolerance, &at) })
            }
            (Some(_), None) => {
                let help = "add `tolerance: 0.01` (in the metric's own unit) or `tolerance: 1%`";
                self.wrong(&format!("{key}/target"), "`target` has no `tolerance`", help);
                None
            }
            (None, Some(_)) => {
                let help = "add `target`, or move it into `no-worse-than`";
                self.wrong(&at, "`tolerance` has no `target`", help);
                None
            }
            (None, None) => None,
        }
    }

    fn no_worse_than(&mut self, than: &raw::NoWorseThan, key: &str) -> NoWorseThan {
        let before = match (&than.release, &than.file) {
            (Some(_), Some(_)) => {
                let message = "a release and a file to compare with";
                self.wrong(&format!("{key}/file"), message, "keep one of `release` and `file`");
                Before::Last
            }
            (None, Some(file)) => Before::File(self.relative(&format!("{key}/file"), file)),
            (None, None) => Before::Last,
            (Some(release), None) if release == "last" => Before::Last,
            (Some(release), None) => {
                let version = release.strip_prefix('v').unwrap_or(release);
                match semver::Version::parse(version) {
                    Ok(version) => Before::Version(version),
                    Err(error) => {
                        let message = format!("`{release}` is no version: {error}");
                        let help = "write `last`, or a full version such as `1.4.0`";
                        self.wrong(&format!("{key}/release"), message, help);
                        Before::Last
                    }
                }
            }
        };
        let tolerance = than.tolerance.as_ref().map_or(Tolerance::Absolute(0.0), |tolerance| {
            self.tolerance(tolerance, &format!("{key}/tolerance"))
        });
        let confidence = than.confidence;
        if confidence.is_some_and(|confidence| !(confidence > 0.5 && confidence < 1.0)) {
            let message = "`confidence` is no part between 0.5 and 1";
            self.wrong(&format!("{key}/confidence"), message, "write `confidence: 0.95`");
        }
        NoWorseThan { than: before, tolerance, confidence, at: self.at(key) }
    }

    fn tolerance(&mut self, amount: &raw::Amount, key: &str) -> Tolerance {
        let tolerance = match amount {
            raw::Amount::Number(number) => Some(Tolerance::Absolute(*number)),
            raw::Amount::Text(text) => match text.trim().strip_suffix('%') {
                Some(percent) => {
                    percent.trim().parse().ok().map(|part: f64| Tolerance::Relative(part / 100.0))
                }
                None => text.trim().parse().ok().map(Tolerance::Absolute),
            },
        };
        let amount = tolerance.filter(|tolerance| {
            let (Tolerance::Absolute(amount) | Tolerance::Relative(amount)) = tolerance;
            amount.is_finite() && *amount >= 0.0
        });
        amount.unwrap_or_else(|| {
            let help =
                "write an amount from 0, such as `0.01`, or a part of the value, such as `1%`";
            self.wrong(key, "`tolerance` is no amount", help);
            Tolerance::Absolute(0.0)
        })
    }

    fn not_negative(&mut self, number: Option<f64>, key: &str) -> Option<f64> {
        if number.is_some_and(|number| number < 0.0) {
            self.wrong(key, "it is below 0: no value can pass", "write an amount from 0");
        }
        number
    }

    /// RFC 6901: empty, or `/`-led; `~` only as `~0` and `~1`.
    fn pointer(&mut self, key: &str, pointer: &str) {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            let path = pointer.trim_start_matches(['$', '.']).replace('.', "/");
            let message = format!("`{pointer}` is not a JSON Pointer");
            self.wrong(key, message, format!("write `/{path}`"));
        } else if pointer.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
            let message = format!("`{pointer}` is not a JSON Pointer: `~` stands alone");
            self.wrong(key, message, "write `~0` for `~` and `~1` for `/` in a name");
        }
    }
}
