//! What a version must pass.

use std::time::Duration;

use super::{Check, Layers, glob};
use crate::hub::licenses;
use crate::policy::{
    ChangelogGate, Gates, HubScan, LicensesGate, Pattern, Stage, TestCommand, TestsGate,
    VersionGate, raw,
};

/// Where test tools and CI templates leave JUnit XML; searched when the policy names no pattern.
const USUAL_REPORTS: [&str; 3] = ["reports/**/*.xml", "test-results/**/*.xml", "junit*.xml"];

/// The Hub's scan of a large repository takes minutes, not hours.
const LONGEST_SCAN_SECONDS: u64 = 7200;

/// A suite that nobody gave a limit ends within this time, or hangs.
const DEFAULT_TEST_SECONDS: u64 = 1800;

/// A job on a hosted runner is ended after six hours.
/// <https://docs.github.com/actions/reference/limits>
const LONGEST_TEST_SECONDS: u64 = 6 * 3600;

impl Check<'_> {
    pub(super) fn gates(
        &mut self,
        gates: &Layers<'_, raw::Gates>,
        model: &str,
        stages: &[Stage],
    ) -> Gates {
        let version = gates.get(|own| own.version.as_ref()?.allow_older);
        Gates {
            version: VersionGate { allow_older: version.unwrap_or(false) },
            naming: self.naming(gates, model),
            changelog: self.changelog(gates, model),
            tests: self.tests(gates, model),
            benchmarks: self.benchmarks(gates, model),
            hub_scan: self.hub_scan(gates, model),
            licenses: self.licenses(gates, model),
            size: self.size(gates, model),
            token: self.token(gates, model),
            source: self.source_gates(gates, model, stages),
        }
    }

    fn changelog(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> ChangelogGate {
        let key = self.key(model, "gates/changelog/file");
        let file = gates.get(|own| own.changelog.as_ref()?.file.as_deref());
        let file = file.map(|file| self.relative(&key, file));
        let required = gates.get(|own| own.changelog.as_ref()?.required).unwrap_or(false);
        ChangelogGate { file, required }
    }

    fn tests(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> TestsGate {
        let key = self.key(model, "gates/tests/reports");
        let reports = match gates.get(|own| own.tests.as_ref()?.reports.as_ref()) {
            Some(reports) => self.patterns(&key, Some(reports)),
            None => usual_reports(),
        };
        let required = gates.get(|own| own.tests.as_ref()?.required).unwrap_or(true);
        let run = self.test_command(gates, model);
        let at = self.key(model, "gates/tests");
        TestsGate { required, reports, run, at: self.at(&at) }
    }

    fn test_command(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> Option<TestCommand> {
        let key = |check: &Self, name: &str| check.key(model, &format!("gates/tests/{name}"));
        let command = gates.get(|own| own.tests.as_ref()?.run.as_deref());
        let image = gates.get(|own| own.tests.as_ref()?.image.as_deref());
        let timeout = gates.get(|own| own.tests.as_ref()?.timeout);
        let on_forks = gates.get(|own| own.tests.as_ref()?.on_forks);
        let Some(command) = command else {
            let given = [
                ("image", image.is_some()),
                ("timeout", timeout.is_some()),
                ("on-forks", on_forks.is_some()),
            ];
            for (name, _) in given.into_iter().filter(|(_, given)| *given) {
                let message = format!("`{name}` is for a command, and there is no `run`");
                self.wrong(&key(self, name), message, "name the command: `run: pytest …`");
            }
            return None;
        };
        let at = key(self, "run");
        self.said(&at, command);
        if let Some(image) = image.filter(|image| !names_an_image(image)) {
            let message = format!("`{image}` does not name an image");
            let help = "expected one as `docker pull` takes it: `python:3.12-slim`";
            self.wrong(&key(self, "image"), message, help);
        }
        let seconds = timeout.unwrap_or(DEFAULT_TEST_SECONDS);
        if !(1..=LONGEST_TEST_SECONDS).contains(&seconds) {
            let help = format!("expected seconds from 1 to {LONGEST_TEST_SECONDS}");
            self.wrong(&key(self, "timeout"), format!("`timeout` is {seconds} seconds"), help);
        }
        Some(TestCommand {
            command: command.to_owned(),
            image: image.map(str::to_owned),
            timeout: Duration::from_secs(seconds),
            on_forks: on_forks.unwrap_or(false),
            at: self.at(&at),
        })
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

/// Whether a text could be an image's name, and nothing that an engine takes for something else.
fn names_an_image(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:@".contains(c))
}

fn usual_reports() -> Vec<Pattern> {
    // Fixed patterns: a test reads them all.
    USUAL_REPORTS.iter().filter_map(|text| glob(text).ok()).collect()
}
