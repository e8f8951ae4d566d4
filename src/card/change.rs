//! What a metric was in the last release, and what became of it since.

use crate::evidence::{Measured, Released, show, show_change};
use crate::policy::Direction;

/// A metric beside itself in the last release, as the card shows it.
pub(super) struct Change {
    pub(super) before: String,
    pub(super) change: String,
}

/// Compares the metric that stands at `index` in the policy. Whether a change is for the better is
/// said only where evidence or policy say which way is.
pub(super) fn since(last: Option<&Released>, index: usize, row: &Measured<'_>) -> Option<Change> {
    let was = last?.was(index)?;
    let unit = was.unit.as_deref().unwrap_or_default();
    let before = format!("{} {unit}", show(was.value)).trim_end().to_owned();
    let change = row.number().map(|now| match row.units_apart(was) {
        Some(_) => "other unit".to_owned(),
        None => in_words(now - was.value, was.value, row.direction()),
    });
    Some(Change { before, change: change.unwrap_or_default() })
}

fn in_words(change: f64, before: f64, better: Option<Direction>) -> String {
    // A hair's breadth is what adding floats in another order makes.
    if change.abs() <= 1e-12 * before.abs().max(1e-300) {
        return format!("{}, same", show_change(0.0));
    }
    let verdict = match better {
        None => "",
        Some(better) if (change > 0.0) == (better == Direction::Higher) => ", better",
        Some(_) => ", worse",
    };
    format!("{}{verdict}", show_change(change))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_judged_only_where_the_direction_is_known() {
        use Direction::{Higher, Lower};
        for (now, before, better, words) in [
            (0.95, 0.9, Some(Higher), "+0.05, better"),
            (0.9, 0.95, Some(Higher), "-0.05, worse"),
            (0.9, 0.95, Some(Lower), "-0.05, better"),
            (20.0, 12.0, Some(Lower), "+8, worse"),
            (20.0, 12.0, None, "+8"),
            (0.1 + 0.2, 0.3, Some(Higher), "±0, same"),
            (0.0, 0.0, None, "±0, same"),
            (2e-9, 1e-9, Some(Lower), "+1e-9, worse"),
        ] {
            assert_eq!(in_words(now - before, before, better), words);
        }
    }
}
