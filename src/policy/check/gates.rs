//! What a version must pass.

use super::{Check, Layers, glob};
use crate::hub::licenses;
use crate::policy::{Gates, HubScan, LicensesGate, Pattern, TestsGate, VersionGate, raw};

/// Where test tools and CI templates leave JUnit XML; searched when the policy names no pattern.
const USUAL_REPORTS: [&str; 3] = ["reports/**/*.xml", "test-results/**/*.xml", "junit*.xml"];

/// The Hub's scan of a large repository takes minutes, not hours.
const LONGEST_SCAN_SECONDS: u64 = 7200;

impl Check<'_> {
    pub(super) fn gates(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> Gates {
        let version = gates.get(|own| own.version.as_ref()?.allow_older);
        Gates {
            version: VersionGate { allow_older: version.unwrap_or(false) },
            tests: self.tests(gates, model),
            benchmarks: self.benchmarks(gates, model),
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

    fn licenses(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> LicensesGate {
        let key = self.key(model, "gates/licenses/allowed");
        let allowed = gates.get(|own| own.licenses.as_ref()?.allowed.as_deref());
        let allowed = allowed.unwrap_or_default().to_vec();
        for (index, id) in allowed.iter().enumerate() {
            self.license_id(&format!("{key}/{index}"), id);
        }
        let key = self.key(model, "gates/licenses/of");
        let of = gates.get(|own| own.licenses.as_ref()?.of.as_ref()).cloned().unwrap_or_default();
        for (name, id) in &of {
            self.license_id(&format!("{key}/{name}"), id);
        }
        LicensesGate { allowed, of }
    }

    fn license_id(&mut self, key: &str, id: &str) {
        if licenses::is_known(id) {
            return;
        }
        let help = match licenses::closest(id) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "expected an id of https://huggingface.co/docs/hub/repositories-licenses".into()
            }
        };
        self.wrong(key, format!("the Hub knows no licence `{id}`"), help);
    }
}

fn usual_reports() -> Vec<Pattern> {
    // Fixed patterns: a test reads them all.
    USUAL_REPORTS.iter().filter_map(|text| glob(text).ok()).collect()
}
