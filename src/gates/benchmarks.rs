//! Every number that the policy names is there, finite and as good as is asked.

mod rules;

use super::{Gate, Judgement, Load};
use crate::evidence::{
    Breach, Compared, Evidence, Measured, Metric, MetricRow, Slice, measured, rounded, show,
    show_change,
};
use crate::failure::Failure;
use crate::finding::{Finding, Rule};
use crate::policy::{Around, Direction, Model};
use rules::{
    ABOVE_MAX, BELOW_MIN, CONTRADICTION, DOUBTFUL, DROPPED, GAP, MISSING, NO_DIRECTION, NO_LABELS,
    NOT_A_NUMBER, NOT_ASKED, NOT_COMPARED, NOT_FINITE, NOT_TESTED, OFF_TARGET, OTHER_COMMIT,
    OTHER_EXAMPLES, OTHER_UNIT, PARTIAL, UNBOUNDED, WORSE,
};

/// Judges metrics against `gates.benchmarks`.
pub struct Benchmarks;

/// The rows of the metrics table, in the policy's order.
pub fn rows(model: &Model, evidence: &Evidence) -> Vec<MetricRow> {
    measured(model, evidence).iter().map(Measured::row).collect()
}

impl Gate for Benchmarks {
    fn name(&self) -> &'static str {
        "benchmarks"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        rules::ALL.to_vec()
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let rows = measured(load.model, load.evidence);
        let dropped = dropped(load, &rows);
        if rows.is_empty() && dropped.is_empty() {
            let note = "the policy names no benchmark".into();
            return Ok(Judgement { note, findings: Vec::new(), skipped: true });
        }
        let head = load.git.head.as_deref();
        let mut findings: Vec<_> = rows.iter().flat_map(|row| judge(row, head)).collect();
        findings.extend(dropped);
        let passed = rows.iter().filter(|row| row.passed()).count();
        let note = format!("{passed} of {} metrics within bounds", rows.len());
        Ok(Judgement { note, findings, skipped: false })
    }
}

fn judge(row: &Measured<'_>, head: Option<&str>) -> Vec<Finding> {
    let asked = row.benchmark;
    let Some(metric) = row.metric else {
        let message = format!("{}: {} was not read", row.name(), asked.file);
        return vec![Finding::new(&MISSING, message, asked.at_min.clone())];
    };
    let mut findings: Vec<_> =
        row.breaches().iter().map(|breach| said(row, metric, breach)).collect();
    findings.extend(other_commit(row, metric, head));
    if row.number().is_some() && !asked.is_bounded() {
        let message = format!("{} is {} ({}) and has no bound", row.name(), row.value(), metric.at);
        findings.push(Finding::new(&UNBOUNDED, message, asked.at_min.clone()));
    }
    findings
}

/// A breach in words, at the number where there is one, else where the policy asks for it.
fn said(row: &Measured<'_>, metric: &Metric, breach: &Breach<'_>) -> Finding {
    let asked = row.benchmark;
    let name = row.name();
    let (place, at) = (&asked.place, &metric.at);
    let value = format!("{} {}", row.number().map(show).unwrap_or_default(), row.unit());
    let value_at = format!("{name} is {} ({at})", value.trim_end());
    let here = || at.clone();
    match breach {
        Breach::Missing(why) => {
            let message = format!("{name} is missing: {why} (asked for at {})", asked.at_min);
            Finding::new(&MISSING, message, here())
        }
        Breach::NotFinite(text) => {
            Finding::new(&NOT_FINITE, format!("{name} is {text} at {at} ({place})"), here())
        }
        Breach::NotANumber(text) => {
            let message = format!("{name} should be a number, but {text} stands at {at} ({place})");
            Finding::new(&NOT_A_NUMBER, message, here())
        }
        Breach::Partial(why) => Finding::new(&PARTIAL, format!("{value_at}, but {why}"), here()),
        Breach::BelowMin(min) => {
            let set = &asked.at_min;
            let message = format!("{value_at}, below the lowest allowed {} ({set})", show(*min));
            Finding::new(&BELOW_MIN, message, here())
        }
        Breach::AboveMax(max) => {
            let set = &asked.at_max;
            let message = format!("{value_at}, above the highest allowed {} ({set})", show(*max));
            Finding::new(&ABOVE_MAX, message, here())
        }
        Breach::OffTarget(around) => {
            Finding::new(&OFF_TARGET, off_target(row, &value_at, around), here())
        }
        Breach::Worse(compared) => {
            Finding::new(&WORSE, format!("{value_at}, {}", worse(row, compared)), here())
        }
        Breach::Gap { low, high, allowed } => {
            Finding::new(&GAP, gap(row, low, high, *allowed), here())
        }
        Breach::NoLabels => {
            let message = format!("{name}: {} has fewer than two labels of it", metric.file);
            Finding::new(&NO_LABELS, message, asked.at.clone())
        }
        Breach::BadLabel(why) => {
            let message = format!("{name}: its labels cannot be compared: {why} ({})", metric.file);
            Finding::new(&NO_LABELS, message, asked.at.clone())
        }
        Breach::NoDirection => {
            let message =
                format!("{name}: neither {} nor the policy says which way is better", metric.file);
            Finding::new(&NO_DIRECTION, message, asked.at.clone())
        }
        Breach::Contradiction(said) => {
            let said = if *said == Direction::Higher { "higher" } else { "lower" };
            let message = format!(
                "{name}: {} says that {said} is better, the policy the opposite",
                metric.file
            );
            Finding::new(&CONTRADICTION, message, asked.at.clone())
        }
        Breach::BelowWarnMin(min) => {
            let message = format!("{value_at}, below `warn-min` ({})", show(*min));
            Finding::new(&DOUBTFUL, message, here())
        }
        Breach::AboveWarnMax(max) => {
            let message = format!("{value_at}, above `warn-max` ({})", show(*max));
            Finding::new(&DOUBTFUL, message, here())
        }
        Breach::NotCompared(why) => {
            Finding::new(&NOT_COMPARED, format!("{name} is not compared: {why}"), asked.at.clone())
        }
        Breach::OtherUnit(now, before) => {
            let message =
                format!("{name} is in {now} ({at}), and what it is compared with is in {before}");
            Finding::new(&OTHER_UNIT, message, here())
        }
        Breach::OtherExamples { shared, of: (now, before) } => {
            let message = format!(
                "{name} is of other examples than before: {shared} are in both, of {now} now and \
                 {before} before; it is tested unpaired"
            );
            Finding::new(&OTHER_EXAMPLES, message, here())
        }
        Breach::NotTested => {
            let message = format!("{name}: the standard error is not known on both sides");
            Finding::new(&NOT_TESTED, message, asked.at.clone())
        }
        Breach::FewChanges(changed) => {
            let message = format!("{name}: only {changed} examples changed; the values decide");
            Finding::new(&NOT_TESTED, message, asked.at.clone())
        }
        Breach::NotAsked => {
            let than = asked.no_worse_than.as_ref().map(|than| than.than.to_string());
            let than = than.unwrap_or_default();
            let message = format!("{name} is compared with {than} when a release is weighed");
            Finding::new(&NOT_ASKED, message, asked.at.clone())
        }
    }
}

fn off_target(row: &Measured<'_>, value_at: &str, around: &Around) -> String {
    format!(
        "{value_at}, not within {} of the wanted {} ({})",
        around.tolerance,
        show(around.target),
        row.benchmark.at
    )
}

/// How far two labels are apart.
fn gap(row: &Measured<'_>, low: &Slice, high: &Slice, allowed: f64) -> String {
    format!(
        "{} is {} for `{}` and {} for `{}`: {} apart, more than the allowed {} ({})",
        row.name(),
        show(low.value),
        low.label,
        show(high.value),
        high.label,
        rounded(high.value - low.value),
        show(allowed),
        row.benchmark.at
    )
}

/// How much worse than before, and how sure that is.
fn worse(row: &Measured<'_>, compared: &Compared<'_>) -> String {
    let change = row.number().map(|now| show_change(now - compared.before)).unwrap_or_default();
    let than = row.benchmark.no_worse_than.as_ref();
    let set = than.map(|than| than.at.to_string()).unwrap_or_default();
    let mut text = format!(
        "worse than {} in {} ({change}; {} is allowed at {set})",
        show(compared.before),
        compared.from,
        rounded(compared.allowed)
    );
    if let Some(test) = compared.test {
        text += &format!(
            "; with {}% confidence by at least {} (one-sided test, {test}, standard error of the \
             difference {})",
            rounded(test.confidence * 100.0),
            rounded(test.at_least),
            rounded(test.stderr)
        );
    }
    text
}

/// Results that name the commit they were measured at, when it is another.
fn other_commit(row: &Measured<'_>, metric: &Metric, head: Option<&str>) -> Option<Finding> {
    let (commit, head) = (metric.lineage.commit.as_deref()?, head?);
    let is_commit = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_commit || head.starts_with(&commit.to_ascii_lowercase()) {
        return None;
    }
    let short = |commit: &str| commit.get(..7).unwrap_or(commit).to_owned();
    let message = format!(
        "{} was measured at commit {}, and {} is weighed ({})",
        row.name(),
        short(commit),
        short(head),
        metric.file
    );
    Some(Finding::new(&OTHER_COMMIT, message, metric.at.clone()))
}

/// Metrics of the last release that nobody asks for any more.
fn dropped(load: &Load<'_>, rows: &[Measured<'_>]) -> Vec<Finding> {
    let Some(last) = &load.evidence.last else { return Vec::new() };
    let gone = last.metrics.iter().filter(|one| !rows.iter().any(|row| row.is_of(one)));
    let at = rows.first().map_or_else(|| load.model.at.clone(), |row| row.benchmark.at.clone());
    gone.map(|one| {
        let parts = [&one.task, &one.filter, &one.label];
        let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
        let of = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        let (version, metric) = (&last.version, &one.metric);
        let message = format!("version {version} had {metric}{of}, and this one does not");
        Finding::new(&DROPPED, message, at.clone())
    })
    .collect()
}

#[cfg(test)]
mod tests;
