//! What a version must pass.

use std::collections::BTreeSet;

use super::{Check, Layers, glob};
use crate::hub::licenses;
use crate::policy::{Benchmark, Gates, HubScan, Pattern, TestsGate, VersionGate, raw};

/// Where test tools and CI templates leave JUnit XML; searched when the policy names no pattern.
const USUAL_REPORTS: [&str; 3] = ["reports/**/*.xml", "test-results/**/*.xml", "junit*.xml"];

/// The Hub's scan of a large repository takes minutes, not hours.
const LONGEST_SCAN_SECONDS: u64 = 7200;

impl Check<'_> {
    pub(super) fn gates(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> Gates {
        let version = gates.get(|own| own.version.as_ref()?.allow_older);
        let benchmarks_key = self.key(model, "gates/benchmarks");
        let benchmarks = gates.get(|own| own.benchmarks.as_deref()).unwrap_or_default();
        self.benchmarks_told_apart(&benchmarks_key, benchmarks);
        Gates {
            version: VersionGate { allow_older: version.unwrap_or(false) },
            tests: self.tests(gates, model),
            benchmarks: benchmarks
                .iter()
                .enumerate()
                .map(|(index, one)| self.benchmark(one, &format!("{benchmarks_key}/{index}")))
                .collect(),
            hub_scan: self.hub_scan(gates, model),
            licenses: self.licenses(gates, model),
        }
    }

    fn tests(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> TestsGate {
        let key = self.key(model, "gates/tests/reports");
        let reports = match gates.get(|own| own.tests.as_ref()?.reports.as_ref()) {
            Some(reports) => self.patterns(&key, Some(reports)),
            None => usual_reports(),
        };
        let required = gates.get(|own| own.tests.as_ref()?.required).unwrap_or(true);
        let at = self.key(model, "gates/tests");
        TestsGate { required, reports, at: self.at(&at) }
    }

    fn hub_scan(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> HubScan {
        let timeout = gates.get(|own| own.hub_scan.as_ref()?.timeout).unwrap_or(600);
        if !(1..=LONGEST_SCAN_SECONDS).contains(&timeout) {
            let key = self.key(model, "gates/hub-scan/timeout");
            let help = format!("expected seconds from 1 to {LONGEST_SCAN_SECONDS}");
            self.wrong(&key, format!("`timeout` is {timeout} seconds"), help);
        }
        let wait = gates.get(|own| own.hub_scan.as_ref()?.wait).unwrap_or(false);
        HubScan { wait, timeout_seconds: timeout }
    }

    fn licenses(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> Vec<String> {
        let key = self.key(model, "gates/licenses/allowed");
        let allowed = gates.get(|own| own.licenses.as_ref()?.allowed.as_deref());
        let allowed = allowed.unwrap_or_default();
        for (index, id) in allowed.iter().enumerate().filter(|(_, id)| !licenses::is_known(id)) {
            let help = match licenses::closest(id) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "expected an id of https://huggingface.co/docs/hub/repositories-licenses".into()
                }
            };
            self.wrong(&format!("{key}/{index}"), format!("the Hub knows no licence `{id}`"), help);
        }
        allowed.to_vec()
    }

    fn benchmarks_told_apart(&mut self, key: &str, benchmarks: &[raw::Benchmark]) {
        let mut seen = BTreeSet::new();
        for (index, one) in benchmarks.iter().enumerate() {
            if !seen.insert((&one.metric, &one.dataset, &one.split)) {
                let message = format!("the metric `{}` is bounded twice", one.metric);
                let help = "put `min` and `max` into one entry, or tell them apart by `dataset` and `split`";
                self.wrong(&format!("{key}/{index}"), message, help);
            }
        }
    }

    fn benchmark(&mut self, benchmark: &raw::Benchmark, key: &str) -> Benchmark {
        self.said(&format!("{key}/metric"), &benchmark.metric);
        let file = benchmark.file.as_deref().unwrap_or("metrics.json");
        let file = self.relative(&format!("{key}/file"), file);
        let pointer = match &benchmark.pointer {
            Some(pointer) => pointer.clone(),
            None => format!("/{}", benchmark.metric.replace('~', "~0").replace('/', "~1")),
        };
        self.pointer(&format!("{key}/pointer"), &pointer);
        if let (Some(min), Some(max)) = (benchmark.min, benchmark.max)
            && min > max
        {
            let message = format!("`min` ({min}) is greater than `max` ({max}): no value can pass");
            self.wrong(&format!("{key}/min"), message, "swap the two, or remove one");
        }
        Benchmark {
            metric: benchmark.metric.clone(),
            file,
            pointer,
            min: benchmark.min,
            max: benchmark.max,
            dataset: benchmark.dataset.clone(),
            split: benchmark.split.clone(),
            at_min: self.at(&format!("{key}/min")),
            at_max: self.at(&format!("{key}/max")),
        }
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

fn usual_reports() -> Vec<Pattern> {
    // Fixed patterns: a test reads them all.
    USUAL_REPORTS.iter().filter_map(|text| glob(text).ok()).collect()
}
