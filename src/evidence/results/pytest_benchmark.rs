//! pytest-benchmark, `--benchmark-json`: statistics of each benchmark, in seconds.
//! <https://pytest-benchmark.readthedocs.io/en/latest/usage.html>

use super::document::Document;
use super::{Lineage, Number, Reader, Results, Spot, count};

pub(super) const READER: Reader = Reader {
    format: "pytest-benchmark",
    written_by: "pytest-benchmark (`--benchmark-json=…`)",
    claims: |document| document.has(&["machine_info", "benchmarks"]),
    read,
};

fn read(document: &Document<'_>) -> Result<Results, String> {
    let root = document.map().ok_or("no map")?;
    let mut numbers = Vec::new();
    for benchmark in root.get("benchmarks").iter().flat_map(Spot::items) {
        let Some(stats) = benchmark.get("stats") else { continue };
        let rounds = count(stats.get("rounds"));
        for metric in ["mean", "median", "min", "max", "stddev", "ops"] {
            let Some(number) = stats.get(metric).and_then(|spot| spot.number(metric)) else {
                continue;
            };
            numbers.push(Number {
                task: benchmark.text_at(&["fullname"]),
                stderr: if metric == "mean" { error_of_mean(&stats, rounds) } else { None },
                samples: rounds,
                unit: Some(if metric == "ops" { "1/s" } else { "s" }.into()),
                ..number
            });
        }
        for (metric, spot) in benchmark.get("extra_info").iter().flat_map(Spot::entries) {
            let number = spot.number(metric);
            numbers.extend(
                number.map(|number| Number { task: benchmark.text_at(&["fullname"]), ..number }),
            );
        }
    }
    let lineage = Lineage {
        tool: root.text_at(&["version"]).map(|version| format!("pytest-benchmark {version}")),
        commit: root.text_at(&["commit_info", "id"]).filter(|id| id != "unversioned"),
        ..Lineage::default()
    };
    Ok(Results { numbers, lineage, ..Results::default() })
}

fn error_of_mean(stats: &Spot<'_>, rounds: Option<u64>) -> Option<f64> {
    let deviation = stats.get("stddev")?.float()?;
    #[expect(clippy::cast_precision_loss, reason = "rounds are few")]
    let rounds = rounds.filter(|rounds| *rounds > 1)? as f64;
    Some(deviation / rounds.sqrt())
}
