//! Numbers for people.

/// The longest text that is shown in full where digits beyond the fourth are of no weight.
const SHORT: usize = 10;

/// A number for people: the shortest text that reads back equal, exponents only for the very large
/// and the very small.
pub fn show(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-5..1e15).contains(&size) {
        format!("{number}")
    } else {
        format!("{number:e}")
    }
}

/// A change for people, as [`rounded`] and with its sign: differences of floats end in noise.
pub fn show_change(change: f64) -> String {
    match rounded(change) {
        _ if change == 0.0 => "±0".into(),
        rounded if change > 0.0 => format!("+{rounded}"),
        rounded => rounded,
    }
}

/// A number of little weight: in full where that is short, else to four significant digits, or all
/// before the point. A digit before the point is never made a zero.
pub fn rounded(number: f64) -> String {
    apart(number, &[])
}

/// A number with as many digits as [`rounded`] gives it, and as many more as it takes to stay on its
/// own side of all `others`: 0.99997 is not shown as 1 beside 1.
pub fn apart(number: f64, others: &[f64]) -> String {
    let exact = show(number);
    if exact.len() <= SHORT {
        return exact;
    }
    let on_its_side = |rounded: &f64| {
        others.iter().all(|other| rounded.partial_cmp(other) == number.partial_cmp(other))
    };
    (3..17).map(|digits| cut(number, digits)).find(on_its_side).map_or(exact, show)
}

/// A number with so many digits after the first, or all that stand before the point.
fn cut(number: f64, digits: usize) -> f64 {
    // What is printed as a float reads back as one.
    let text = format!("{number:.digits$e}");
    let exponent = text.split_once('e').and_then(|(_, exponent)| exponent.parse::<usize>().ok());
    let text = match exponent {
        Some(exponent @ ..15) if exponent > digits => format!("{number:.0}"),
        _ => text,
    };
    text.parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_read_back() {
        for (number, text) in
            [(0.9474, "0.9474"), (12.0, "12"), (-0.0, "-0"), (1e300, "1e300"), (2.5e-7, "2.5e-7")]
        {
            assert_eq!(show(number), text);
            assert_eq!(text.parse::<f64>().ok(), Some(number));
        }
    }

    #[test]
    fn changes_have_a_sign_and_no_noise() {
        for (change, text) in [
            (0.3 - 0.1, "+0.2"),
            (0.951 - 0.958, "-0.007"),
            (0.0, "±0"),
            (123_456.0, "+123456"),
            (100_000.5, "+100000.5"),
            (-1.2e-7 - -1e-7, "-2e-8"),
            (-123_556_789.75, "-123556790"),
        ] {
            assert_eq!(show_change(change), text);
        }
    }

    #[test]
    fn what_is_rounded_stays_on_its_side() {
        for (number, others, text) in [
            (0.947_368_421_052_631_5, &[0.0, 1.0][..], "0.9474"),
            (0.999_970_000_001, &[0.0, 1.0], "0.99997"),
            (0.947_368_421_052_631_5, &[0.947_4], "0.94737"),
            (0.947_368_421_052_631_5, &[0.947_368_421_052_631_5], "0.9473684210526315"),
            (0.1 + 0.2, &[0.3], "0.30000000000000004"),
            (1.0 / 3.0, &[], "0.3333"),
            (123_456_789.75, &[], "123456790"),
            (1.234_567_890_123e300, &[], "1.235e300"),
        ] {
            assert_eq!(apart(number, others), text);
        }
    }
}
