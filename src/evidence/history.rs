//! What the versions before this one measured. It is shown and never judged: a metric that the
//! policy does not compare is beside its own past all the same.

use std::collections::BTreeMap;

use semver::Version;

use super::MetricValue;
use super::before::{as_file, find};
use super::results;
use crate::policy::Benchmark;

/// How many earlier versions are looked at: with this one they make thirty.
pub const EARLIER: usize = 29;

/// The versions of the channel before this one. Only lower versions count, whenever they were
/// released: the same tag released again has the same past.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Those whose record could be read, oldest first.
    pub releases: Vec<Released>,
    /// Those that have no record, or none that can be read.
    pub unread: Vec<Version>,
    /// How many older ones were not looked at.
    pub older: usize,
}

/// A version on the Hub.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    /// The version.
    pub version: Version,
    /// The metrics that the policy names, in its order.
    pub values: Vec<Option<Was>>,
}

/// What a metric was.
#[derive(Debug, Clone, PartialEq)]
pub struct Was {
    /// The number.
    pub value: f64,
    /// Its unit, where it is known.
    pub unit: Option<String>,
}

impl Released {
    /// What the metric was that stands at `index` in the policy.
    pub fn was(&self, index: usize) -> Option<&Was> {
        self.values.get(index)?.as_ref()
    }
}

impl History {
    /// Takes what the records (`weighbridge.json`, by version) say of the versions `before`, which
    /// are in order, the newest first.
    pub fn of(
        benchmarks: &[Benchmark],
        before: &[&Version],
        records: &BTreeMap<Version, Vec<u8>>,
    ) -> Self {
        let mut history = Self { older: before.len().saturating_sub(EARLIER), ..Self::default() };
        for version in before.iter().take(EARLIER).rev().copied() {
            let record = records.get(version).and_then(|record| read(record, version, benchmarks));
            match record {
                Some(values) => {
                    history.releases.push(Released { version: version.clone(), values });
                }
                None => history.unread.push(version.clone()),
            }
        }
        history
    }

    /// The version right before this one, if its record could be read.
    pub fn last(&self) -> Option<&Released> {
        let is_last = |one: &&Released| self.unread.iter().all(|unread| *unread < one.version);
        self.releases.last().filter(is_last)
    }
}

fn read(record: &[u8], version: &Version, benchmarks: &[Benchmark]) -> Option<Vec<Option<Was>>> {
    let results = results::read(&as_file(record, version)).ok()?;
    if results.format != results::RECORD {
        return None;
    }
    let was = |benchmark| {
        let number = find(&results, benchmark).ok()?;
        match number.value {
            MetricValue::Number(value) => Some(Was { value, unit: number.unit.clone() }),
            _ => None,
        }
    };
    Some(benchmarks.iter().map(was).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;

    const POLICY: &str = "model:\n  name: churn\n  owner: acme\n  gates:\n    benchmarks:\n      \
                          - {metric: acc, dataset: d}\n      - {metric: f1, task: b, file: x.json}\n      \
                          - {metric: loss, pointer: /deep/loss, file: x.json}\n";

    fn record(metrics: &str) -> Vec<u8> {
        format!(
            "{{\"manifest_digest\": \"\", \"weighbridge\": \"0.1.0\", \"metrics\": [{metrics}]}}"
        )
        .into_bytes()
    }

    #[test]
    fn by_version_and_by_the_names_of_the_policy() {
        let policy = policy::parse("weighbridge.yml", POLICY, &[]).expect("valid");
        let benchmarks = &policy.models[0].gates.benchmarks;
        let version = |text: &str| Version::parse(text).expect("a version");
        let (one, two, three) = (version("1.0.0"), version("1.1.0"), version("1.2.0"));
        let records = BTreeMap::from([
            (
                one.clone(),
                record(
                    r#"{"name": "acc", "value": 0.5, "dataset": "d"},
                       {"name": "f1", "value": 1, "task": "a"}, {"name": "f1", "value": 2, "task": "b", "unit": "s"},
                       {"name": "loss", "value": null}"#,
                ),
            ),
            (two.clone(), record(r#"{"name": "acc", "value": 0.6, "dataset": "other"}"#)),
            (three.clone(), b"{\"acc\": 0.7}".to_vec()),
        ]);
        let history = History::of(benchmarks, &[&two, &one], &records);
        let [first, last] = &history.releases[..] else { panic!("{history:?}") };
        assert_eq!((&first.version, &last.version), (&one, &two));
        let was = |value, unit: Option<&str>| Some(Was { value, unit: unit.map(str::to_owned) });
        assert_eq!(first.values, [was(0.5, None), was(2.0, Some("s")), None]);
        assert_eq!(last.values, [None, None, None], "measured on something else");
        assert_eq!(history.last().map(|last| &last.version), Some(&two));

        let history = History::of(benchmarks, &[&three, &one], &records);
        assert_eq!(history.unread, [three], "only a record tells of a version");
        assert_eq!(history.last(), None, "the version before the last is not the last");
    }

    #[test]
    fn other_parts_of_a_dataset_are_other_numbers() {
        let values = |asked: &str, metrics: &str| {
            let policy = format!(
                "model: {{name: churn, owner: acme, gates: {{benchmarks: [{{metric: acc, dataset: d{asked}}}]}}}}"
            );
            let policy = policy::parse("weighbridge.yml", &policy, &[]).expect("valid");
            let version = Version::new(1, 0, 0);
            let records = BTreeMap::from([(version.clone(), record(metrics))]);
            let history = History::of(&policy.models[0].gates.benchmarks, &[&version], &records);
            history.releases[0].values[0].as_ref().map(|was| was.value)
        };
        let plain = r#"{"name": "acc", "value": 1, "dataset": "d"}"#;
        let of_de =
            r#"{"name": "acc", "value": 2, "dataset": "d", "config": "de", "revision": "r1"}"#;
        let both = format!("{plain}, {of_de}");
        for (asked, metrics, value) in [
            (", config: de", of_de, Some(2.0)),
            (", config: en", of_de, None),
            (", config: de, revision: r2", of_de, None),
            (", config: de, revision: r1", &both, Some(2.0)),
            ("", &both, Some(1.0)),
            (", config: en", &both, Some(1.0)),
            // Records of older programs do not say it.
            (", config: de", plain, Some(1.0)),
        ] {
            assert_eq!(values(asked, metrics), value, "{asked} in {metrics}");
        }
    }

    #[test]
    fn the_newest_are_looked_at_and_the_others_counted() {
        let versions: Vec<_> = (0..40).rev().map(|minor| Version::new(1, minor, 0)).collect();
        let before: Vec<_> = versions.iter().collect();
        let history = History::of(&[], &before, &BTreeMap::new());
        assert_eq!((history.unread.len(), history.older), (EARLIER, 11));
        assert_eq!(history.unread.last(), Some(&Version::new(1, 39, 0)));
    }
}
