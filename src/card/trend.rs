//! How the metrics went over the versions of a channel: what the chart shows, and what it leaves out.

use super::chart::{draw, short};
use crate::evidence::{Evidence, Measured, measured, show};
use crate::policy::{Direction, Model};
use crate::release::Release;

/// Metrics that are drawn.
const MAX_PANELS: usize = 12;
/// Versions that a remark names.
const MAX_NAMED: usize = 3;

/// Everything that is drawn.
#[derive(Debug)]
pub(super) struct Trend {
    /// The versions, the oldest first; this one is the last.
    pub(super) versions: Vec<String>,
    /// One for each metric that at least two versions have.
    pub(super) panels: Vec<Panel>,
    /// What is not shown.
    pub(super) remarks: Vec<String>,
}

/// One metric.
#[derive(Debug)]
pub(super) struct Panel {
    /// Name, told apart from others of that name.
    pub(super) name: String,
    /// The value in each version.
    pub(super) values: Vec<Option<f64>>,
    /// What the policy bounds it by: `≥`, and the value.
    pub(super) bounds: Vec<(&'static str, f64)>,
    /// Which way is better, where that is known.
    pub(super) better: Option<Direction>,
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
            let earlier =
                history.releases.iter().map(|one| one.values.get(index).copied().flatten());
            Panel::of(row, earlier.chain([row.number()]).collect())
        });
        let mut panels: Vec<_> =
            all.filter(|panel| panel.values.iter().flatten().count() >= 2).collect();
        if panels.is_empty() {
            return None;
        }
        let mut remarks = Vec::new();
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
            format!("{} from {} to {}", panel.name, show(first), show(last))
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
    fn of(row: &Measured<'_>, values: Vec<Option<f64>>) -> Self {
        let asked = row.benchmark;
        let target = asked.target.map(|around| around.target);
        let bounds = [("≥", asked.min), ("≤", asked.max), ("wanted", target)];
        Self {
            name: row.name(),
            values,
            bounds: bounds.into_iter().filter_map(|(word, at)| Some((word, at?))).collect(),
            better: row.direction(),
        }
    }
}
