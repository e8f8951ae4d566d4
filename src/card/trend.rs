//! How the metrics went over the versions of a channel: what the chart shows, and what it leaves out.

use super::chart::{draw, short};
use crate::evidence::{Evidence, Measured, Was, measured, show};
use crate::policy::{Direction, Model, Tolerance};
use crate::release::Release;

/// Metrics that are drawn.
const MAX_PANELS: usize = 12;
/// Characters of a metric's name in a remark.
const NAME: usize = 40;
/// Versions that a remark names.
const MAX_NAMED: usize = 3;

/// Everything that is drawn.
#[derive(Debug, Clone)]
pub(super) struct Trend {
    /// The versions, the oldest first; this one is the last.
    pub(super) versions: Vec<String>,
    /// One for each metric that at least two versions have.
    pub(super) panels: Vec<Panel>,
    /// What is not shown.
    pub(super) remarks: Vec<String>,
}

/// One metric.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    /// Name, told apart from others of that name.
    pub(super) name: String,
    /// The value in each version, all in one unit as far as units are known.
    pub(super) values: Vec<Option<f64>>,
    /// Unit of the last of them; empty when it is not known.
    pub(super) unit: String,
    /// How many values are left out, because they are in another unit.
    pub(super) in_other_unit: usize,
    /// What the policy bounds it by.
    pub(super) bounds: Vec<Bound>,
    /// Which way is better, where that is known.
    pub(super) better: Option<Direction>,
}

/// A bound.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// In words: `≥ 0.9`.
    pub(super) says: String,
    /// One value, or the two between which values are wanted.
    pub(super) at: Vec<f64>,
}

/// The chart of the metrics over the versions, as SVG: when an earlier version has one of them. The
/// same versions and numbers give the same bytes.
pub fn chart(model: &Model, release: Option<&Release>, evidence: &Evidence) -> Option<String> {
    Trend::of(model, release, evidence).map(|trend| draw(&trend))
}

impl Trend {
    /// What there is to draw of a release.
    pub(super) fn of(
        model: &Model,
        release: Option<&Release>,
        evidence: &Evidence,
    ) -> Option<Self> {
        let history = &evidence.history;
        let rows = measured(model, evidence);
        let all = rows.iter().enumerate().map(|(index, row)| {
            let earlier: Vec<_> = history.releases.iter().map(|one| one.was(index)).collect();
            Panel::of(row, &earlier)
        });
        let all: Vec<_> = all.collect();
        let in_other_unit = all.iter().filter(|panel| panel.in_other_unit > 0).map(|panel| {
            let values = if panel.in_other_unit == 1 { "value is" } else { "values are" };
            let name = short(&panel.name, NAME);
            format!("{name}: {} {values} in another unit, and not drawn.", panel.in_other_unit)
        });
        let mut remarks: Vec<_> = in_other_unit.take(MAX_PANELS).collect();
        let is_drawn = |panel: &Panel| panel.values.iter().flatten().count() >= 2;
        let mut panels: Vec<_> = all.into_iter().filter(is_drawn).collect();
        if panels.is_empty() {
            return None;
        }
        if panels.len() > MAX_PANELS {
            remarks.push(format!("{MAX_PANELS} of {} metrics are drawn.", panels.len()));
            panels.truncate(MAX_PANELS);
        }
        if history.older > 0 {
            remarks.push(format!("Versions before these: {}.", history.older));
        }
        if !history.unread.is_empty() {
            let named = history.unread.iter().rev().take(MAX_NAMED);
            let named: Vec<_> = named.map(|version| short(&version.to_string(), 16)).collect();
            let more = match history.unread.len().saturating_sub(MAX_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            remarks.push(format!("No release record to read: {}{more}.", named.join(", ")));
        }
        let mut versions: Vec<_> =
            history.releases.iter().map(|one| one.version.to_string()).collect();
        versions.push(release?.version.to_string());
        Some(Self { versions, panels, remarks })
    }

    /// The chart in words.
    pub(super) fn alt(&self) -> String {
        let ends = |panel: &Panel| {
            let mut known = panel.values.iter().flatten();
            let first = known.next().copied().unwrap_or_default();
            let last = known.next_back().copied().unwrap_or(first);
            let ends =
                format!("{} from {} to {} {}", panel.name, show(first), show(last), panel.unit);
            ends.trim_end().to_owned()
        };
        let metrics: Vec<_> = self.panels.iter().map(ends).collect();
        let (first, last) = (self.versions.first(), self.versions.last());
        let of = |version: Option<&String>| version.cloned().unwrap_or_default();
        let mut alt = format!("Versions {} to {}: {}.", of(first), of(last), metrics.join(", "));
        for remark in &self.remarks {
            alt.push(' ');
            alt.push_str(remark);
        }
        alt
    }
}

impl Panel {
    /// The metric of a row and what it was. All is drawn in the newest unit that is known.
    fn of<'a>(row: &Measured<'a>, earlier: &[Option<&'a Was>]) -> Self {
        let earlier = earlier
            .iter()
            .map(|was| was.map(|was| (was.value, was.unit.as_deref().unwrap_or_default())));
        let mut known: Vec<_> =
            earlier.chain([row.number().map(|value| (value, row.unit()))]).collect();
        let units = known.iter().flatten().map(|(_, unit)| *unit);
        let newest = units.rev().find(|unit| !unit.is_empty()).unwrap_or_default();
        let mut in_other_unit = 0;
        for value in &mut known {
            if value.is_some_and(|(_, unit)| !unit.is_empty() && unit != newest) {
                in_other_unit += 1;
                *value = None;
            }
        }
        let last = known.iter().flatten().next_back();
        Self {
            name: row.name(),
            unit: last.map(|(_, unit)| (*unit).to_owned()).unwrap_or_default(),
            values: known.iter().map(|value| value.map(|(value, _)| value)).collect(),
            in_other_unit,
            bounds: Bound::of(row),
            better: row.direction(),
        }
    }
}

impl Bound {
    /// What is asked of the values; an infinity asks nothing.
    fn of(row: &Measured<'_>) -> Vec<Self> {
        let asked = row.benchmark;
        let line = |word: &str, at: Option<f64>| {
            let at = at.filter(|at| at.is_finite())?;
            Some(Self { says: format!("{word} {}", show(at)), at: vec![at] })
        };
        let target = asked.target.map(|around| {
            let (target, off) = (around.target, around.tolerance.around(around.target));
            let tolerance = match around.tolerance {
                Tolerance::Absolute(amount) => show(amount),
                relative @ Tolerance::Relative(_) => relative.to_string(),
            };
            let says = format!("wanted {} ± {tolerance}", show(target));
            Self { says, at: vec![target - off, target + off] }
        });
        [line("≥", asked.min), line("≤", asked.max), target].into_iter().flatten().collect()
    }
}
