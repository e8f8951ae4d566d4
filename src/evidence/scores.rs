//! A score for each example: what it tells of the mean, and of the mean before.

use std::sync::Arc;

use super::Base;
use super::results::{self, Number, On};
use crate::policy::{Benchmark, Named};

/// The scores of one metric, by the ids of the examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Sorted, each once; shared by the metrics of a file.
    ids: Arc<[String]>,
    /// Finite, in the order of the ids.
    values: Arc<[f64]>,
}

impl Scores {
    /// `ids` are sorted, each once, and there is a value for each.
    pub(super) fn new(ids: Arc<[String]>, values: Vec<f64>) -> Self {
        debug_assert!(ids.len() == values.len() && ids.is_sorted());
        Self { ids, values: values.into() }
    }

    /// Scores in any order.
    ///
    /// # Errors
    ///
    /// An id that stands twice.
    pub(super) fn of(mut scores: Vec<(String, f64)>) -> Result<Self, String> {
        scores.sort_by(|one, other| one.0.cmp(&other.0));
        if let Some(pair) = scores.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(pair[0].0.clone());
        }
        let (ids, values): (Vec<_>, Vec<_>) = scores.into_iter().unzip();
        Ok(Self::new(ids.into(), values))
    }

    /// How many examples there are.
    pub fn count(&self) -> u64 {
        self.values.len() as u64
    }

    /// Their mean; no number without examples.
    pub fn mean(&self) -> f64 {
        mean(&self.values)
    }

    /// The standard error of the mean.
    pub fn stderr(&self) -> Option<f64> {
        error_of_mean(&self.values)
    }

    /// Examples that both have.
    pub fn shared(&self, other: &Self) -> usize {
        self.ids.iter().filter(|id| other.ids.binary_search(id).is_ok()).count()
    }

    /// The differences to another run over the same examples; `None` when the examples are others.
    pub(super) fn differences(&self, other: &Self) -> Option<Vec<f64>> {
        let pairs = self.values.iter().zip(other.values.iter());
        (self.ids == other.ids).then(|| pairs.map(|(one, other)| one - other).collect())
    }
}

/// A number with the scores in the file of samples that its tool wrote beside the results, where a
/// test asks for them or nothing else tells its error. `path` is that of the results.
pub(super) fn with_samples(base: &Base, path: &str, number: Number, asked: &Benchmark) -> Number {
    let tested = asked.no_worse_than.as_ref().is_some_and(|than| than.confidence.is_some());
    if number.scores.is_some() || number.stderr.is_some() && !tested {
        return number;
    }
    let scores = results::samples_beside(path, &number).and_then(|beside| {
        let samples = results::read(&base.read(&beside).ok()?).ok()?;
        let named = Named {
            key: number.metric.clone(),
            task: None,
            filter: number.filter.clone(),
            label: None,
        };
        results::select(&samples, &named, On::default()).ok()?.scores.clone()
    });
    match scores {
        Some(scores) => number.with_scores(scores),
        None => number,
    }
}

/// The mean of numbers; no number of none.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 examples are read")]
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard error of the mean of numbers; of fewer than two there is none.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 examples are read")]
pub(super) fn error_of_mean(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let (mean, count) = (mean(values), values.len() as f64);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (count - 1.0) / count).sqrt()).filter(|error| error.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(scores: &[(&str, f64)]) -> Scores {
        let scores = scores.iter().map(|(id, score)| ((*id).to_owned(), *score)).collect();
        Scores::of(scores).expect("each id once")
    }

    #[test]
    fn means_and_errors() {
        let one = scores(&[("c", 1.0), ("a", 0.0), ("b", 0.0), ("d", 0.0)]);
        assert_eq!((one.count(), one.mean(), one.stderr()), (4, 0.25, Some(0.25)));
        assert_eq!(scores(&[("a", 1.0)]).stderr(), None);
        assert_eq!(scores(&[("a", 1e300), ("b", -1e300)]).stderr(), None, "it is infinite");
        let twice = vec![("b".into(), 1.0), ("a".into(), 1.0), ("b".into(), 0.0)];
        assert_eq!(Scores::of(twice), Err("b".into()));
    }

    #[test]
    fn pairs_are_of_the_same_examples() {
        let before = scores(&[("a", 1.0), ("b", 1.0), ("c", 0.0), ("d", 1.0)]);
        let now = scores(&[("d", 0.0), ("b", 1.0), ("c", 0.0), ("a", 1.0)]);
        assert_eq!(now.differences(&before), Some(vec![0.0, 0.0, 0.0, -1.0]));
        let other = scores(&[("a", 1.0), ("b", 1.0), ("c", 0.0), ("e", 1.0)]);
        assert_eq!((other.differences(&before), other.shared(&before)), (None, 3));
    }
}
