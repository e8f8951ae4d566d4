//! Whether a number is worse than it was: by value, or, where errors are known, by a one-sided test.
//! With the scores of the same examples on both sides the test is paired, which sees differences
//! that are far smaller than what two separate means can show. Of scores that are right or wrong it
//! is exact: few changes say little, however many examples stayed the same.

use std::fmt;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::beta_reg;

use super::scores::{Scores, error_of_mean};
use crate::policy::{Direction, NoWorseThan};

/// What is known of a number on one side of a comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) value: f64,
    pub(super) stderr: Option<f64>,
    pub(super) samples: Option<u64>,
    pub(super) scores: Option<&'a Scores>,
}

/// A number beside the one before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared<'a> {
    /// Where the earlier one is from.
    pub from: &'a str,
    /// The value before.
    pub before: f64,
    /// By how much it is worse; below 0 when it is better.
    pub worse_by: f64,
    /// By how much it may be worse.
    pub allowed: f64,
    /// The test, where there is one.
    pub test: Option<Test>,
    /// Examples that both sides have, where both have scores and they are not of the same examples.
    pub shared: Option<usize>,
    /// Examples that changed, where a test is asked for and they are too few for one.
    pub few: Option<usize>,
}

/// A one-sided test of whether the number is worse by more than what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Test {
    /// Which.
    pub method: Method,
    /// Samples behind this number.
    pub samples: Option<u64>,
    /// Samples behind the one before.
    pub samples_before: Option<u64>,
    /// Degrees of freedom of Student's t distribution; the normal one without.
    pub degrees_of_freedom: Option<f64>,
    /// The confidence that was asked for.
    pub confidence: f64,
    /// Standard error of the difference.
    pub stderr: f64,
    /// By how much it is worse at least, at that confidence: the end of a one-sided interval.
    pub at_least: f64,
    /// How likely a difference this large is when it is not worse than allowed.
    pub p_value: f64,
}

/// The test for people, in half a sentence: `paired over 400 examples, p = 0.022`.
impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.method, self.samples, self.samples_before) {
            (Method::Sign, Some(examples), _) => write!(f, "sign test over {examples} examples")?,
            (Method::Sign, None, _) => f.write_str("sign test")?,
            (Method::Paired, Some(examples), _) => write!(f, "paired over {examples} examples")?,
            (Method::Paired, None, _) => f.write_str("paired")?,
            (Method::Unpaired, Some(now), Some(before)) => {
                write!(f, "unpaired, {now} and {before} samples")?;
            }
            (Method::Unpaired, ..) => f.write_str("unpaired")?,
        }
        // Below that, the distribution is an approximation of an approximation.
        if self.p_value < 0.001 {
            f.write_str(", p < 0.001")
        } else {
            write!(f, ", p = {:.3}", self.p_value)
        }
    }
}

/// How two means are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By the differences of the same examples.
    Paired,
    /// By how many of the same examples changed to the worse and to the better: exact (McNemar's).
    Sign,
    /// As two independent means (Welch's test).
    Unpaired,
}

impl Compared<'_> {
    /// Whether it is worse than what is allowed; with a test, whether that is shown.
    pub fn is_worse(&self) -> bool {
        let worse_by = self.test.map_or(self.worse_by, |test| test.at_least);
        // A hair's breadth is what adding floats in another order makes.
        worse_by - self.allowed > 1e-12 * self.before.abs().max(1.0)
    }
}

/// Compares a number with the one before.
pub(super) fn compared<'a>(
    direction: Direction,
    now: &Side<'_>,
    before: &Side<'_>,
    from: &'a str,
    asked: &NoWorseThan,
) -> Compared<'a> {
    let worse_by = match direction {
        Direction::Higher => before.value - now.value,
        Direction::Lower => now.value - before.value,
    };
    let allowed = asked.tolerance.around(before.value);
    let tested = asked.confidence.map(|confidence| {
        let pairs = Pairs::of(direction, now, before);
        match (&pairs, unpaired(now, before)) {
            (Some(pairs), _) => pairs.test(worse_by, allowed, confidence),
            (None, Some(errors)) => Ok(errors.of(worse_by, allowed, confidence)),
            (None, None) => Err(None),
        }
    });
    let (test, few) = match tested {
        Some(Ok(test)) => (Some(test), None),
        Some(Err(few)) => (None, few),
        None => (None, None),
    };
    let is_unpaired = test.is_some_and(|test| test.method == Method::Unpaired);
    let scores = now.scores.zip(before.scores).filter(|_| is_unpaired);
    let shared = scores.map(|(one, other)| one.shared(other));
    Compared { from, before: before.value, worse_by, allowed, test, shared, few }
}

/// From so many degrees of freedom on, the t distribution is the normal one to four digits.
const NORMAL_FROM: f64 = 10_000.0;

/// What a test rests on.
struct Errors {
    method: Method,
    samples: (Option<u64>, Option<u64>),
    stderr: f64,
    freedom: Option<f64>,
}

/// Fewer changed examples tell nothing by Student's t.
const FEW: usize = 10;
/// Up to so many changed examples the sign test is computed; from there on, t is as good.
const EXACT_TO: usize = 1000;

/// By how much each of the same examples is worse.
struct Pairs {
    differences: Vec<f64>,
    stderr: f64,
}

impl Pairs {
    fn of(direction: Direction, now: &Side<'_>, before: &Side<'_>) -> Option<Self> {
        let (now, before) = (now.scores?, before.scores?);
        let differences = match direction {
            Direction::Higher => before.differences(now)?,
            Direction::Lower => now.differences(before)?,
        };
        let stderr = error_of_mean(&differences)?;
        Some(Self { differences, stderr })
    }

    /// The test that fits, or how many examples changed, where those are too few for one.
    fn test(&self, worse_by: f64, allowed: f64, confidence: f64) -> Result<Test, Option<usize>> {
        let moved = || self.differences.iter().filter(|change| **change != 0.0);
        let changed = moved().count();
        let sizes_equal = moved().all(|change| change.abs().total_cmp(&self.size()).is_eq());
        if allowed == 0.0 && sizes_equal && changed <= EXACT_TO {
            return Ok(self.sign_test(changed, confidence));
        }
        if (1..FEW).contains(&changed) {
            return Err(Some(changed));
        }
        let samples = Some(self.differences.len() as u64);
        let (method, stderr, freedom) = (Method::Paired, self.stderr, degrees(samples));
        let errors = Errors { method, samples: (samples, samples), stderr, freedom };
        Ok(errors.of(worse_by, allowed, confidence))
    }

    /// The size of the first change; 0 without one.
    fn size(&self) -> f64 {
        self.differences.iter().find(|change| **change != 0.0).map_or(0.0, |change| change.abs())
    }

    /// Of the examples that changed, as many should have got better as worse. The least by which the
    /// mean is worse follows from Clopper and Pearson's bound of the part that got worse, which is
    /// above one half exactly where the test shows it.
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand changed")]
    fn sign_test(&self, changed: usize, confidence: f64) -> Test {
        let worse = self.differences.iter().filter(|change| **change > 0.0).count();
        let (all, changed, worse) = (self.differences.len() as f64, changed as f64, worse as f64);
        // How likely at least so many get worse, when each does with this likelihood.
        let tail = |part: f64| beta_reg(worse, changed - worse + 1.0, part);
        let (mut least, mut most) = (0.0, 1.0);
        if worse > 0.0 {
            for _ in 0..60 {
                let middle = f64::midpoint(least, most);
                let bound = if tail(middle) > 1.0 - confidence { &mut most } else { &mut least };
                *bound = middle;
            }
        }
        let samples = Some(self.differences.len() as u64);
        Test {
            method: Method::Sign,
            samples,
            samples_before: samples,
            degrees_of_freedom: None,
            confidence,
            stderr: self.stderr,
            at_least: self.size() * changed / all * (2.0 * least - 1.0),
            p_value: if worse > 0.0 { tail(0.5) } else { 1.0 },
        }
    }
}

fn unpaired(now: &Side<'_>, before: &Side<'_>) -> Option<Errors> {
    let (one, other) = (now.stderr?, before.stderr?);
    let stderr = one.hypot(other);
    // Welch and Satterthwaite. Divided by the whole first, or small errors would vanish.
    let freedom = degrees(now.samples).zip(degrees(before.samples)).map(|(first, second)| {
        let part = |error: f64, degrees: f64| (error / stderr).powi(4) / degrees;
        1.0 / (part(one, first) + part(other, second))
    });
    let samples = (now.samples, before.samples);
    let known = stderr.is_finite() && one >= 0.0 && other >= 0.0;
    known.then_some(Errors { method: Method::Unpaired, samples, stderr, freedom })
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 samples")]
fn degrees(samples: Option<u64>) -> Option<f64> {
    samples.filter(|samples| *samples > 1).map(|samples| (samples - 1) as f64)
}

impl Errors {
    fn of(&self, worse_by: f64, allowed: f64, confidence: f64) -> Test {
        let freedom = self.freedom.filter(|freedom| *freedom < NORMAL_FROM);
        let (quantile, p_value) = if self.stderr > 0.0 {
            let beyond = (worse_by - allowed) / self.stderr;
            match freedom.and_then(|freedom| StudentsT::new(0.0, 1.0, freedom).ok()) {
                Some(student) => (quantile(&student, confidence), student.sf(beyond)),
                None => {
                    let normal = Normal::standard();
                    (normal.inverse_cdf(confidence), normal.sf(beyond))
                }
            }
        } else {
            // Without any error the values speak for themselves.
            (0.0, if worse_by > allowed { 0.0 } else { 1.0 })
        };
        Test {
            method: self.method,
            samples: self.samples.0,
            samples_before: self.samples.1,
            degrees_of_freedom: freedom,
            confidence,
            stderr: self.stderr,
            at_least: worse_by - quantile * self.stderr,
            p_value,
        }
    }
}

/// The quantile of a confidence above 0.5, by halving: the inverse of statrs does not end where its
/// numbers get extreme.
fn quantile(student: &StudentsT, confidence: f64) -> f64 {
    let beyond = |at: f64| student.sf(at) > 1.0 - confidence;
    let (mut low, mut high) = (0.0, 1.0);
    while beyond(high) && high < 1e100 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if beyond(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Location;
    use crate::policy::{Before, Tolerance};

    fn asked(tolerance: Tolerance, confidence: Option<f64>) -> NoWorseThan {
        NoWorseThan { than: Before::Last, tolerance, confidence, at: Location::release() }
    }

    fn side(value: f64, stderr: Option<f64>, samples: Option<u64>) -> Side<'static> {
        Side { value, stderr, samples, scores: None }
    }

    #[test]
    fn by_value_in_both_directions() {
        use Direction::{Higher, Lower};
        use Tolerance::{Absolute, Relative};
        for (direction, now, before, tolerance, worse) in [
            (Higher, 0.90, 0.91, Absolute(0.0), true),
            (Higher, 0.91, 0.91, Absolute(0.0), false),
            (Higher, 0.92, 0.91, Absolute(0.0), false),
            (Higher, 0.90, 0.91, Absolute(0.01), false),
            (Higher, 0.89, 0.91, Absolute(0.01), true),
            (Higher, 99.0, 100.0, Relative(0.01), false),
            (Higher, 98.9, 100.0, Relative(0.01), true),
            (Lower, 0.51, 0.50, Absolute(0.0), true),
            (Lower, 0.49, 0.50, Absolute(0.0), false),
            (Higher, 0.1 + 0.2, 0.3, Absolute(0.0), false),
            (Lower, 0.1 + 0.2, 0.3, Absolute(0.0), false),
        ] {
            let (one, other) = (side(now, None, None), side(before, None, None));
            let compared = compared(direction, &one, &other, "", &asked(tolerance, None));
            assert_eq!(compared.is_worse(), worse, "{now} after {before}");
        }
    }

    #[test]
    fn by_test_where_errors_are_known() {
        let test = |now: f64, samples, confidence| {
            let asked = asked(Tolerance::Absolute(0.0), Some(confidence));
            let before = side(0.9, Some(0.01), samples);
            compared(Direction::Higher, &side(now, Some(0.01), samples), &before, "", &asked)
        };
        // The quantile of 95 % is 1.645, times 0.01414: 0.0233.
        assert!(!test(0.88, None, 0.95).is_worse());
        assert!(test(0.876, None, 0.95).is_worse());
        assert!(!test(0.876, None, 0.99).is_worse());
        let seen = test(0.876, None, 0.95).test.expect("a test");
        assert!((seen.p_value - 0.0448).abs() < 0.001, "{seen:?}");
        assert!((seen.at_least - 0.00074).abs() < 0.0001, "{seen:?}");
        // From five samples each, t with 8 degrees of freedom has 1.860 there.
        let few = test(0.876, Some(5), 0.95);
        assert!(!few.is_worse());
        let seen = few.test.expect("a test");
        assert_eq!((seen.method, seen.samples), (Method::Unpaired, Some(5)));
        assert!((seen.degrees_of_freedom.expect("t") - 8.0).abs() < 1e-9, "{seen:?}");
        assert!((seen.at_least - (0.024 - 1.8595 * 0.01 * 2f64.sqrt())).abs() < 1e-5, "{seen:?}");
        // No error: the values decide.
        let asked = asked(Tolerance::Absolute(0.0), Some(0.95));
        for (now, worse) in [(0.8, true), (0.9, false)] {
            let (one, other) = (side(now, Some(0.0), None), side(0.9, Some(0.0), None));
            let exact = compared(Direction::Higher, &one, &other, "", &asked);
            let p_value = if worse { 0.0 } else { 1.0 };
            assert_eq!(exact.test.map(|test| test.p_value), Some(p_value));
            assert_eq!(exact.is_worse(), worse);
        }
    }

    /// Quantiles from `scipy.stats.t.ppf`.
    #[test]
    fn quantiles_and_what_is_extreme() {
        for (freedom, confidence, expected) in [
            (1.0, 0.95, 6.313_751_51),
            (2.5, 0.99, 5.353_111_17),
            (8.0, 0.95, 1.859_548_04),
            (39.0, 0.9, 1.303_638_59),
            (9_999.0, 0.95, 1.645_006_04),
            (1.0, 0.999_999, 318_309.886),
        ] {
            let student = StudentsT::new(0.0, 1.0, freedom).expect("positive");
            let found = quantile(&student, confidence);
            assert!((found / expected - 1.0).abs() < 1e-6, "{freedom} {confidence}: {found}");
        }
        // Whatever a file says of its samples and errors, there is an answer.
        let numbers = [0.0, 5e-324, 1e-300, 0.1, 1e300, f64::MAX];
        let samples = [None, Some(0), Some(2), Some(9_000_000_000_000_000)];
        for (error, confidence) in
            numbers.iter().flat_map(|one| [(*one, 0.51), (*one, 1.0 - 1e-16)])
        {
            for (other, count) in numbers.iter().flat_map(|one| samples.map(|n| (*one, n))) {
                let asked = asked(Tolerance::Absolute(0.0), Some(confidence));
                let (now, before) = (side(0.4, Some(error), count), side(0.5, Some(other), count));
                let compared = compared(Direction::Higher, &now, &before, "", &asked);
                let p_value = compared.test.map(|test| test.p_value);
                assert!(p_value.is_none_or(|p| (0.0..=1.0).contains(&p)), "{compared:?}");
            }
        }
    }

    /// 40 examples, right but for those named.
    fn scores(wrong: &[u32], first: u32) -> Scores {
        let score = |id| (id + first, if wrong.contains(&id) { 0.0 } else { 1.0 });
        let scores = (0..40).map(score).map(|(id, score)| (format!("q{id}"), score));
        Scores::of(scores.collect()).expect("each id once")
    }

    #[test]
    fn the_same_examples_show_what_two_means_cannot() {
        let asked = asked(Tolerance::Absolute(0.0), Some(0.95));
        let compare = |now: &Scores, before: &Scores| {
            let side = |scores: &Scores| side(scores.mean(), scores.stderr(), Some(scores.count()));
            let now = Side { scores: Some(now), ..side(now) };
            let before = Side { scores: Some(before), ..side(before) };
            compared(Direction::Higher, &now, &before, "", &asked)
        };
        let before = scores(&[0, 1, 2, 3, 4, 5], 0);
        // What was wrong still is, and five more are.
        let now = scores(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0);
        let paired = compare(&now, &before);
        let test = paired.test.expect("a test");
        assert_eq!((test.method, test.degrees_of_freedom), (Method::Sign, None));
        // scipy.stats.binomtest(5, 5, alternative="greater"): p = 1/32, part of at least 0.54928.
        assert!((test.p_value - 0.03125).abs() < 1e-9, "{test:?}");
        assert!((test.at_least - 5.0 / 40.0 * (2.0 * 0.549_280_3 - 1.0)).abs() < 1e-6, "{test:?}");
        assert!(paired.is_worse() && paired.shared.is_none());
        // Four could be chance.
        let four = compare(&scores(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0), &before);
        let chance = four.test.expect("a test").p_value;
        assert!(!four.is_worse() && (chance - 0.0625).abs() < 1e-9, "{chance}");
        // The same two means from other examples show nothing.
        let others = compare(&now, &scores(&[0, 1, 2, 3, 4, 5], 1));
        assert_eq!(others.test.map(|test| test.method), Some(Method::Unpaired));
        assert_eq!((others.is_worse(), others.shared), (false, Some(39)));
        // Nothing changed.
        let same = compare(&now, &now.clone());
        assert!(!same.is_worse());
        assert_eq!(same.test.map(|test| (test.method, test.stderr)), Some((Method::Sign, 0.0)));
    }

    #[test]
    fn few_changes_are_tested_exactly_or_not() {
        let scores = |of: &dyn Fn(u32) -> f64| {
            let scores = (0..1000).map(|id| (format!("q{id}"), of(id)));
            Scores::of(scores.collect()).expect("each id once")
        };
        let compare = |now: &dyn Fn(u32) -> f64, tolerance: f64| {
            let (now, before) = (scores(now), scores(&|_| 1.0));
            let of = |scores| Side { scores: Some(scores), ..side(scores.mean(), None, None) };
            let asked = asked(Tolerance::Absolute(tolerance), Some(0.95));
            let compared = compared(Direction::Higher, &of(&now), &of(&before), "", &asked);
            (compared.is_worse(), compared.test, compared.few)
        };
        let three = |id| if id < 3 { 0.0 } else { 1.0 };
        // By t, three of a thousand would be p = 0.042.
        let (worse, test, few) = compare(&three, 0.0);
        let test = test.expect("a test");
        assert_eq!((worse, few, test.method), (false, None, Method::Sign));
        assert!((test.p_value - 0.125).abs() < 1e-9 && test.at_least < 0.0, "{test:?}");
        // With a tolerance, or changes of several sizes, nothing is exact.
        assert_eq!(compare(&three, 0.01), (false, None, Some(3)));
        let sizes = |id| 1.0 - f64::from(9u32.saturating_sub(id)) / 10.0;
        assert_eq!(compare(&sizes, 0.0), (true, None, Some(9)));
        let (_, test, few) = compare(&|id| 1.0 - f64::from(10u32.saturating_sub(id)) / 10.0, 0.0);
        assert_eq!((test.map(|test| test.method), few), (Some(Method::Paired), None));
        assert_eq!(compare(&|_| 1.0, 0.01).1.map(|test| test.p_value), Some(1.0));
    }
}
