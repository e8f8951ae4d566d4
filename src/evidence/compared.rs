//! Whether a number is worse than it was: by value, or, where both sides know their standard
//! error, by a one-sided test for the difference of two independent means.

use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::policy::{Direction, NoWorseThan};

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
    /// Samples behind this number and the one before.
    pub samples: (Option<u64>, Option<u64>),
}

/// A one-sided test of whether the number is worse by more than what is allowed (Welch's, with the
/// normal distribution: standard errors of evaluations come from many samples).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The confidence that was asked for.
    pub confidence: f64,
    /// Standard error of the difference.
    pub stderr: f64,
    /// By how much it is worse at least, at that confidence.
    pub at_least: f64,
    /// How likely a difference this large is when it is not worse than allowed.
    pub p_value: f64,
}

impl Compared<'_> {
    /// Whether it is worse than what is allowed; with a test, whether that is shown.
    pub fn is_worse(&self) -> bool {
        match self.test {
            Some(test) => test.at_least > self.allowed,
            // A hair's breadth is what adding floats in another order makes.
            None => self.worse_by - self.allowed > 1e-12 * self.before.abs().max(1.0),
        }
    }
}

/// Compares `now` with `before`, each with its standard error.
pub(super) fn compared<'a>(
    direction: Direction,
    now: (f64, Option<f64>),
    before: (f64, Option<f64>),
    asked: &NoWorseThan,
) -> Compared<'a> {
    let worse_by = match direction {
        Direction::Higher => before.0 - now.0,
        Direction::Lower => now.0 - before.0,
    };
    let allowed = asked.tolerance.around(before.0);
    let test = match (asked.confidence, now.1, before.1) {
        (Some(confidence), Some(one), Some(other)) => {
            test(confidence, worse_by, allowed, one.hypot(other))
        }
        _ => None,
    };
    Compared { from: "", before: before.0, worse_by, allowed, test, samples: (None, None) }
}

fn test(confidence: f64, worse_by: f64, allowed: f64, stderr: f64) -> Option<Test> {
    // Without any error the values speak for themselves.
    let normal = Normal::new(0.0, 1.0).ok().filter(|_| stderr > 0.0 && stderr.is_finite())?;
    let at_least = worse_by - normal.inverse_cdf(confidence) * stderr;
    let p_value = 1.0 - normal.cdf((worse_by - allowed) / stderr);
    Some(Test { confidence, stderr, at_least, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Location;
    use crate::policy::{Before, Tolerance};

    fn asked(tolerance: Tolerance, confidence: Option<f64>) -> NoWorseThan {
        NoWorseThan { than: Before::Last, tolerance, confidence, at: Location::release() }
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
            let compared =
                compared(direction, (now, None), (before, None), &asked(tolerance, None));
            assert_eq!(compared.is_worse(), worse, "{now} after {before}");
        }
    }

    #[test]
    fn by_test_where_errors_are_known() {
        let test = |now: f64, confidence| {
            let asked = asked(Tolerance::Absolute(0.0), Some(confidence));
            compared(Direction::Higher, (now, Some(0.01)), (0.9, Some(0.01)), &asked)
        };
        // The quantile of 95 % is 1.645, times 0.01414: 0.0233.
        assert!(!test(0.88, 0.95).is_worse());
        assert!(test(0.876, 0.95).is_worse());
        assert!(!test(0.876, 0.99).is_worse());
        let seen = test(0.876, 0.95).test.expect("a test");
        assert!((seen.p_value - 0.0448).abs() < 0.001, "{seen:?}");
        assert!((seen.at_least - 0.00074).abs() < 0.0001, "{seen:?}");
        // No error is no test, and the values decide.
        let asked = asked(Tolerance::Absolute(0.0), Some(0.95));
        let exact = compared(Direction::Higher, (0.8, Some(0.0)), (0.9, Some(0.0)), &asked);
        assert!(exact.test.is_none() && exact.is_worse());
    }
}
