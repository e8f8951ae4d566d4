//! A metric beside all that the policy asks of it.

use std::cmp::Ordering;

use serde::Serialize;

use super::before::units_apart;
use super::compared::{Compared, Side, Test, compared};
use super::shown::{apart, rounded, show, show_change};
use super::{Earlier, Evidence, Metric, MetricValue, Number, Slice, Was};
use crate::policy::{Around, Benchmark, Direction, Model, Place};

/// One bounded metric with what was measured. `metric` is `None` only when nothing was gathered
/// for it.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// What the policy asks for.
    pub benchmark: &'a Benchmark,
    /// What the evidence says.
    pub metric: Option<&'a Metric>,
}

/// Every benchmark of the model with its evidence, in the policy's order.
pub fn measured<'a>(model: &'a Model, evidence: &'a Evidence) -> Vec<Measured<'a>> {
    let mut left: Vec<&Metric> = evidence.metrics.iter().collect();
    model
        .gates
        .benchmarks
        .iter()
        .map(|benchmark| {
            let fits = |metric: &&Metric| metric.name == benchmark.metric;
            let metric = left.iter().position(fits).map(|index| left.remove(index));
            Measured { benchmark, metric }
        })
        .collect()
}

/// A demand that is not met, or that nobody can tell of.
#[derive(Debug, Clone, PartialEq)]
pub enum Breach<'a> {
    /// There is no number; the text says why.
    Missing(&'a str),
    /// NaN or an infinity.
    NotFinite(&'a str),
    /// Something else than a number.
    NotANumber(&'a str),
    /// The run was cut short.
    Partial(&'a str),
    /// Below `min`.
    BelowMin(f64),
    /// Above `max`.
    AboveMax(f64),
    /// Further from `target` than `tolerance`.
    OffTarget(Around),
    /// Worse than before, beyond the tolerance.
    Worse(Compared<'a>),
    /// The labels differ by more than `max-gap`.
    Gap {
        /// The label with the smallest value.
        low: &'a Slice,
        /// The label with the largest value.
        high: &'a Slice,
        /// The largest difference that passes.
        allowed: f64,
    },
    /// `max-gap` is set, and the file has fewer than two labels.
    NoLabels,
    /// `max-gap` is set, and a label has no number, or several; the text says which.
    BadLabel(&'a str),
    /// It is to be compared, and nothing says whether more is better.
    NoDirection,
    /// The file says the opposite of the policy on whether more is better.
    Contradiction(Direction),
    /// Below `warn-min`.
    BelowWarnMin(f64),
    /// Above `warn-max`.
    AboveWarnMax(f64),
    /// It is to be compared, and there is nothing to compare it with.
    NotCompared(&'a str),
    /// The number has another unit than the one that it is compared with: this one's, that one's.
    OtherUnit(&'a str, &'a str),
    /// A confidence is asked for, and a standard error is not known.
    NotTested,
    /// A confidence is asked for, and so few examples changed that no test tells anything.
    FewChanges(usize),
    /// Both sides have scores, and not of the same examples.
    OtherExamples {
        /// Examples that both have.
        shared: usize,
        /// How many this side has, and the one before.
        of: (u64, u64),
    },
    /// The Hub was not asked what came before.
    NotAsked,
}

impl Breach<'_> {
    /// Whether the demand is known not to be met; the rest is doubts.
    pub fn blocks(&self) -> bool {
        !matches!(
            self,
            Self::BelowWarnMin(_)
                | Self::AboveWarnMax(_)
                | Self::NotCompared(_)
                | Self::NotTested
                | Self::FewChanges(_)
                | Self::OtherExamples { .. }
                | Self::NotAsked
        )
    }
}

impl Breach<'_> {
    /// Whether it is to be looked at, though it does not block.
    fn is_doubt(&self) -> bool {
        !self.blocks() && !matches!(self, Self::NotAsked)
    }
}

/// A row of the metrics table, in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricRow {
    /// Name, with the task, filter and label that the policy names.
    pub name: String,
    /// Value as shown.
    pub value: String,
    /// The value before, as shown; empty when it is not compared or not known.
    pub before: String,
    /// The change since, as shown.
    pub delta: String,
    /// The change as a part of the value before: 0.01 is 1 %.
    pub part: Option<f64>,
    /// Whether the change is for the better; `None` without a change, or when nobody says which way
    /// is better.
    pub better: Option<bool>,
    /// The test of whether it is worse, where the policy asks for one and errors are known.
    pub test: Option<Test>,
    /// What is asked, as shown (`≥ 0.9`), empty when nothing is.
    pub bound: String,
    /// Whether the number is there and all that is asked of it holds.
    pub passed: bool,
    /// Whether something about it has to be looked at, though it does not block.
    pub doubtful: bool,
    /// `file:line` it came from.
    pub source: String,
}

impl<'a> Measured<'a> {
    /// The row of the metrics table.
    pub fn row(&self) -> MetricRow {
        let change = self.metric.and_then(Metric::was).zip(self.number());
        MetricRow {
            name: self.name(),
            value: self.value(),
            before: change.map(|((_, before), _)| show(before)).unwrap_or_default(),
            delta: change.map(|((_, before), now)| show_change(now - before)).unwrap_or_default(),
            part: change
                .map(|((_, before), now)| (now - before) / before.abs())
                .filter(|part| part.is_finite()),
            better: self.better(),
            test: self.comparison().and_then(|compared| compared.test),
            bound: self.bound(),
            passed: self.passed(),
            doubtful: self.breaches().iter().any(Breach::is_doubt),
            source: self.source(),
        }
    }

    /// The metric's name, told apart from others of that name.
    pub fn name(&self) -> String {
        let mut name = self.benchmark.metric.clone();
        let mut parts = Vec::new();
        if let Place::Named(named) = &self.benchmark.place {
            parts.extend([&named.task, &named.filter, &named.label]);
        }
        parts.push(&self.benchmark.config);
        let parts = parts.into_iter().flatten().map(String::as_str);
        let parts: Vec<_> = parts.chain(self.benchmark.short_revision()).collect();
        if !parts.is_empty() {
            name += &format!(" ({})", parts.join(", "));
        }
        name
    }

    /// Whether a metric of an earlier release is this one. Names that only one of the two has do not
    /// tell them apart.
    pub fn is_of(&self, earlier: &Number) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| {
            one.is_none() || other.is_none() || one == other
        };
        let names = match &self.benchmark.place {
            Place::Named(named) => {
                same(&named.task, &earlier.task)
                    && same(&named.filter, &earlier.filter)
                    && same(&named.label, &earlier.label)
            }
            Place::Pointer(_) => true,
        };
        names
            && same(&self.benchmark.config, &earlier.config)
            && self.benchmark.metric == earlier.metric
    }

    /// This unit and that of an earlier number, when they are known and others.
    pub fn units_apart<'w>(&'w self, was: &'w Was) -> Option<(&'w str, &'w str)> {
        units_apart(self.metric?.number.as_ref()?.unit.as_deref(), was.unit.as_deref())
    }

    /// The number, when there is a finite one.
    pub fn number(&self) -> Option<f64> {
        match self.metric?.value {
            MetricValue::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Whether the number is there and all that is asked of it holds (bounds inclusive).
    pub fn passed(&self) -> bool {
        self.metric.is_some() && !self.breaches().iter().any(Breach::blocks)
    }

    /// Whether more is better: as the file says, else as the policy says.
    pub fn direction(&self) -> Option<Direction> {
        self.said_by_file().or(self.benchmark.direction)
    }

    fn said_by_file(&self) -> Option<Direction> {
        let higher = self.metric?.number.as_ref()?.higher_is_better?;
        Some(if higher { Direction::Higher } else { Direction::Lower })
    }

    /// All that is not met, and all that cannot be told.
    pub fn breaches(&self) -> Vec<Breach<'a>> {
        let Some(metric) = self.metric else { return Vec::new() };
        let value = match &metric.value {
            MetricValue::Number(value) => *value,
            MetricValue::Missing(why) => return vec![Breach::Missing(why)],
            MetricValue::NotFinite(text) => return vec![Breach::NotFinite(text)],
            MetricValue::NotANumber(text) => return vec![Breach::NotANumber(text)],
        };
        let asked = self.benchmark;
        let mut breaches = Vec::new();
        let partial = metric.partial.as_deref().filter(|_| !asked.allow_partial);
        breaches.extend(partial.map(Breach::Partial));
        breaches.extend(asked.min.filter(|min| value < *min).map(Breach::BelowMin));
        breaches.extend(asked.max.filter(|max| value > *max).map(Breach::AboveMax));
        let off = |around: &Around| {
            (value - around.target).abs() > around.tolerance.around(around.target)
        };
        breaches.extend(asked.target.filter(off).map(Breach::OffTarget));
        breaches.extend(asked.warn_min.filter(|min| value < *min).map(Breach::BelowWarnMin));
        breaches.extend(asked.warn_max.filter(|max| value > *max).map(Breach::AboveWarnMax));
        breaches.extend(self.gap());
        if let (Some(said), Some(policy)) = (self.said_by_file(), asked.direction)
            && said != policy
        {
            breaches.push(Breach::Contradiction(said));
        }
        self.against_earlier(metric, &mut breaches);
        breaches
    }

    fn gap(&self) -> Option<Breach<'a>> {
        let allowed = self.benchmark.max_gap?;
        if let Some(Err(why)) = self.metric.map(|metric| &metric.slices) {
            return Some(Breach::BadLabel(why));
        }
        let Some((low, high)) = self.widest() else { return Some(Breach::NoLabels) };
        (high.value - low.value > allowed).then_some(Breach::Gap { low, high, allowed })
    }

    /// The labels that differ most, where there are two.
    fn widest(&self) -> Option<(&'a Slice, &'a Slice)> {
        let slices = self.metric?.slices.as_ref().ok().filter(|slices| slices.len() > 1)?;
        let by_value = |one: &&Slice, other: &&Slice| one.value.total_cmp(&other.value);
        slices.iter().min_by(by_value).zip(slices.iter().max_by(by_value))
    }

    fn against_earlier(&self, metric: &'a Metric, breaches: &mut Vec<Breach<'a>>) {
        let Some(asked) = &self.benchmark.no_worse_than else { return };
        match &metric.earlier {
            Earlier::NotCompared | Earlier::Nothing => {}
            Earlier::NotAsked => breaches.push(Breach::NotAsked),
            Earlier::Missing(why) => breaches.push(Breach::NotCompared(why)),
            Earlier::Number { scores: before, .. } => {
                if let Some((now, before)) = metric.units_apart() {
                    return breaches.push(Breach::OtherUnit(now, before));
                }
                let Some(compared) = self.comparison() else {
                    return breaches.push(Breach::NoDirection);
                };
                if asked.confidence.is_some() && compared.test.is_none() {
                    breaches.push(compared.few.map_or(Breach::NotTested, Breach::FewChanges));
                }
                let now = metric.number.as_ref().and_then(|number| number.scores.as_ref());
                if let (Some(shared), Some(now), Some(before)) = (compared.shared, now, before) {
                    let of = (now.count(), before.count());
                    breaches.push(Breach::OtherExamples { shared, of });
                }
                if compared.is_worse() {
                    breaches.push(Breach::Worse(compared));
                }
            }
        }
    }

    /// The number beside the one before, where both are there and it is known which way is better.
    fn comparison(&self) -> Option<Compared<'a>> {
        let metric = self.metric?;
        let asked = self.benchmark.no_worse_than.as_ref()?;
        let Earlier::Number { from, value, stderr, samples, scores, .. } = &metric.earlier else {
            return None;
        };
        let number = metric.number.as_ref();
        let now = Side {
            value: self.number()?,
            stderr: number.and_then(|number| number.stderr),
            samples: number.and_then(|number| number.samples),
            scores: number.and_then(|number| number.scores.as_ref()),
        };
        let scores = scores.as_ref();
        let before = Side { value: *value, stderr: *stderr, samples: *samples, scores };
        Some(compared(self.direction()?, &now, &before, from, asked))
    }

    fn better(&self) -> Option<bool> {
        let (_, before) = self.metric?.was()?;
        let (now, direction) = (self.number()?, self.direction()?);
        match now.partial_cmp(&before)? {
            Ordering::Greater => Some(direction == Direction::Higher),
            Ordering::Less => Some(direction == Direction::Lower),
            Ordering::Equal => None,
        }
    }

    /// The unit of the number; empty when the evidence names none.
    pub fn unit(&self) -> &'a str {
        let number = self.metric.and_then(|metric| metric.number.as_ref());
        number.and_then(|number| number.unit.as_deref()).unwrap_or_default()
    }

    /// The value as tables show it.
    pub fn value(&self) -> String {
        match self.metric.map(|metric| &metric.value) {
            Some(MetricValue::Number(number)) => {
                let number = show(*number);
                let detail = self.metric.and_then(|metric| metric.number.as_ref());
                let error = detail.and_then(|detail| detail.stderr).filter(|error| *error > 0.0);
                let error = error.map(|error| format!(" ± {}", rounded(error))).unwrap_or_default();
                format!("{number}{error} {}", self.unit()).trim_end().to_owned()
            }
            Some(MetricValue::NotFinite(text) | MetricValue::NotANumber(text)) => text.clone(),
            Some(MetricValue::Missing(_)) | None => "missing".into(),
        }
    }

    /// What is asked, as tables show it: `≥ 0.9`, `0.2 … 0.4`, `gap 0.05 ≤ 0.1`; empty when nothing is.
    pub fn bound(&self) -> String {
        let asked = self.benchmark;
        let mut bounds = Vec::new();
        let with_unit = |bound: String| format!("{bound} {}", self.unit()).trim_end().to_owned();
        let range = match (asked.min, asked.max) {
            (Some(min), Some(max)) => Some(format!("{} … {}", show(min), show(max))),
            (Some(min), None) => Some(format!("≥ {}", show(min))),
            (None, Some(max)) => Some(format!("≤ {}", show(max))),
            (None, None) => None,
        };
        bounds.extend(range.map(with_unit));
        bounds.extend(
            asked
                .target
                .map(|Around { target, tolerance }| format!("{} ± {tolerance}", show(target))),
        );
        bounds.extend(
            asked
                .no_worse_than
                .as_ref()
                .map(|than| format!("no worse than {} by {}", than.than, than.tolerance)),
        );
        bounds.extend(asked.max_gap.map(|allowed| match self.widest() {
            Some((low, high)) => {
                let gap = apart(high.value - low.value, &[allowed]);
                format!("gap {gap} ≤ {}", show(allowed))
            }
            None => format!("gap ≤ {}", show(allowed)),
        }));
        bounds.join(", ")
    }

    /// `file:line` of the evidence, or the file the policy names.
    pub fn source(&self) -> String {
        match self.metric {
            Some(Metric { at, .. }) => match (&at.path, at.line) {
                (Some(path), Some(line)) => format!("{path}:{line}"),
                (Some(path), None) => path.clone(),
                (None, _) => self.benchmark.file.clone(),
            },
            None => self.benchmark.file.clone(),
        }
    }
}
