//! Finds the number that the policy means among those of a file.

use std::collections::BTreeSet;

use super::{Number, Results};
use crate::policy::{Benchmark, Named};

/// Names that an answer lists.
const MAX_NAMES: usize = 12;

/// What a number was measured on, as far as the policy says.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::evidence) struct On<'a> {
    dataset: Option<&'a str>,
    split: Option<&'a str>,
    config: Option<&'a str>,
    revision: Option<&'a str>,
}

impl<'a> On<'a> {
    pub(in crate::evidence) fn of(benchmark: &'a Benchmark) -> Self {
        Self {
            dataset: benchmark.dataset.as_deref(),
            split: benchmark.split.as_deref(),
            config: benchmark.config.as_deref(),
            revision: benchmark.revision.as_deref(),
        }
    }
}

/// The one number of these names.
///
/// # Errors
///
/// None, or several, fit; in words, with what there is instead.
pub(in crate::evidence) fn select<'r>(
    results: &'r Results,
    named: &Named,
    on: On<'_>,
) -> Result<&'r Number, String> {
    let of_metric: Vec<_> =
        results.numbers.iter().filter(|number| number.metric == named.key).collect();
    if of_metric.is_empty() {
        return Err(unknown(results, &named.key));
    }
    let mut left = of_metric.clone();
    keep(&mut left, |number| &number.task, named.task.as_deref(), task_is);
    keep(&mut left, |number| &number.dataset, on.dataset, |is, wanted| is == wanted);
    keep(&mut left, |number| &number.split, on.split, |is, wanted| is == wanted);
    keep_or_unsaid(&mut left, |number| &number.config, on.config);
    keep_or_unsaid(&mut left, |number| &number.revision, on.revision);
    keep_or_plain(&mut left, |number| &number.filter, named.filter.as_deref());
    keep_or_plain(&mut left, |number| &number.label, named.label.as_deref());
    match left[..] {
        [] => Err(format!(
            "`{}` is there, but not with these names: {}",
            named.key,
            names(&of_metric, 1)
        )),
        [number] => Ok(number),
        _ => Err(format!(
            "`{}` is there {} times: tell them apart by {}",
            named.key,
            left.len(),
            names(&left, 2)
        )),
    }
}

/// The same number by class or group: of its metric, task, dataset and split, counted as it is; or, as
/// an average over classes has none, not told how.
pub(in crate::evidence) fn slices<'r>(
    results: &'r Results,
    whole: &Number,
) -> Vec<(&'r str, &'r Number)> {
    let same = |number: &Number| {
        number.metric == whole.metric
            && number.task == whole.task
            && number.dataset == whole.dataset
            && number.split == whole.split
    };
    let by_filter = |filter: Option<&str>| -> Vec<_> {
        let numbers = results.numbers.iter();
        let numbers = numbers.filter(|number| number.filter.as_deref() == filter && same(number));
        numbers.filter_map(|number| Some((number.label.as_deref()?, number))).collect()
    };
    let found = by_filter(whole.filter.as_deref());
    if found.is_empty() { by_filter(None) } else { found }
}

type Name = fn(&Number) -> &Option<String>;

/// Keeps those with the wanted name. Where the file names none, the policy's name is its own.
fn keep(left: &mut Vec<&Number>, name: Name, wanted: Option<&str>, is: fn(&str, &str) -> bool) {
    let Some(wanted) = wanted else { return };
    left.retain(|number| name(number).as_deref().is_none_or(|name| is(name, wanted)));
}

/// Keeps those with the wanted name, else those of which the file does not say it; without one, those
/// that have none, where there are such.
fn keep_or_unsaid(left: &mut Vec<&Number>, name: Name, wanted: Option<&str>) {
    let is_there = left.iter().any(|number| name(number).as_deref() == wanted);
    if is_there {
        left.retain(|number| name(number).as_deref() == wanted);
    } else if wanted.is_some() {
        left.retain(|number| name(number).is_none());
    }
}

/// Keeps those with the wanted name; without one, those that have none, where there are such.
fn keep_or_plain(left: &mut Vec<&Number>, name: Name, wanted: Option<&str>) {
    match wanted {
        Some(wanted) => left.retain(|number| name(number).as_deref() == Some(wanted)),
        None if left.iter().any(|number| name(number).is_none()) => {
            left.retain(|number| name(number).is_none());
        }
        None => {}
    }
}

/// pytest's tests may be named without their file.
fn task_is(task: &str, wanted: &str) -> bool {
    task == wanted || task.strip_suffix(wanted).is_some_and(|file| file.ends_with("::"))
}

fn unknown(results: &Results, key: &str) -> String {
    let names: BTreeSet<_> = results.numbers.iter().map(|number| number.metric.as_str()).collect();
    if names.is_empty() {
        return format!("there is no `{key}`: read as {}, it holds no number", results.format);
    }
    let beyond = names.len().saturating_sub(MAX_NAMES);
    let shown: Vec<_> = names.iter().take(MAX_NAMES).map(|name| format!("`{name}`")).collect();
    let more = if beyond > 0 { format!(" and {beyond} more") } else { String::new() };
    format!("there is no `{key}`: read as {}, it has {}{more}", results.format, shown.join(", "))
}

/// The names that numbers have, in the policy's own words: `task` (a, b), `filter` (x, y). Kinds
/// of names of which there are fewer than `least` tell nothing.
fn names(numbers: &[&Number], least: usize) -> String {
    let kinds: [(&str, Name); 7] = [
        ("task", |number| &number.task),
        ("filter", |number| &number.filter),
        ("label", |number| &number.label),
        ("dataset", |number| &number.dataset),
        ("split", |number| &number.split),
        ("config", |number| &number.config),
        ("revision", |number| &number.revision),
    ];
    let told = kinds.iter().filter_map(|(kind, name)| {
        let names: BTreeSet<_> =
            numbers.iter().filter_map(|number| name(number).as_deref()).collect();
        let shown: Vec<_> = names.iter().take(MAX_NAMES).copied().collect();
        (names.len() >= least).then(|| format!("`{kind}` ({})", shown.join(", ")))
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        "`pointer`: nothing else tells them apart".into()
    } else {
        told.join(", ")
    }
}
