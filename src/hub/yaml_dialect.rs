//! How an unquoted YAML word reads. The same front matter is read by Python (YAML 1.1) and by the
//! Hub's JavaScript (YAML 1.2 core); they disagree on words such as `no`, `012` and `1e3`.
//!
//! Sources: YAML 1.1 as PyYAML's `SafeLoader` resolves it (`yaml/resolver.py`); YAML 1.2.2 section
//! 10.3.2, the core schema.

/// What an unquoted word turns into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Itself.
    Text,
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer; `None` when it is beyond 127 bits.
    Int(Option<i128>),
    /// A floating point number.
    Float,
    /// A date or a time.
    Date,
    /// A word that a reader refuses or treats as an instruction (`=`, `<<`).
    Special,
}

impl Reading {
    /// For messages: "a date".
    pub fn describe(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Null => "nothing (null)".into(),
            Self::Bool(value) => value.to_string(),
            Self::Int(Some(value)) => format!("the number {value}"),
            Self::Int(None) | Self::Float => "a number".into(),
            Self::Date => "a date".into(),
            Self::Special => "an error".into(),
        }
    }
}

/// As Python's readers take it.
pub fn yaml_1_1(word: &str) -> Reading {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Reading::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            Reading::Bool(true)
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Reading::Bool(false)
        }
        "=" | "<<" => Reading::Special,
        _ if is_date(word) => Reading::Date,
        _ => number_1_1(word).unwrap_or(Reading::Text),
    }
}

/// As the Hub takes it.
pub fn yaml_1_2(word: &str) -> Reading {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Reading::Null,
        "true" | "True" | "TRUE" => Reading::Bool(true),
        "false" | "False" | "FALSE" => Reading::Bool(false),
        _ => number_1_2(word).unwrap_or(Reading::Text),
    }
}

/// Whether both dialects read the word as itself, and no dialect we know of reads it otherwise
/// (`y` and `n` are truth values in the YAML 1.1 text, though not in PyYAML).
pub fn is_plainly_text(word: &str) -> bool {
    yaml_1_1(word) == Reading::Text
        && yaml_1_2(word) == Reading::Text
        && !matches!(word, "y" | "Y" | "n" | "N")
}

fn number_1_1(word: &str) -> Option<Reading> {
    let (negative, digits) = sign(word);
    if matches!(digits, ".inf" | ".Inf" | ".INF")
        || matches!(word, ".nan" | ".NaN" | ".NAN")
        || is_float_1_1(digits, digits.len() != word.len())
    {
        return Some(Reading::Float);
    }
    let integer = |radix, text: &str| {
        let plain = text.replace('_', "");
        (!plain.is_empty()).then(|| Reading::Int(int(negative, radix, &plain)))
    };
    if let Some(binary) = digits.strip_prefix("0b") {
        return of(binary, "01_").then(|| integer(2, binary)).flatten();
    }
    if let Some(hex) = digits.strip_prefix("0x") {
        return of(hex, "0123456789abcdefABCDEF_").then(|| integer(16, hex)).flatten();
    }
    if digits == "0" {
        return Some(Reading::Int(Some(0)));
    }
    if let Some(octal) = digits.strip_prefix('0') {
        return of(octal, "01234567_").then(|| integer(8, octal)).flatten();
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if of(digits, "0123456789_") {
        return integer(10, digits);
    }
    sexagesimal(negative, digits)
}

fn number_1_2(word: &str) -> Option<Reading> {
    let (negative, digits) = sign(word);
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(word, ".nan" | ".NaN" | ".NAN") {
        return Some(Reading::Float);
    }
    if let Some(octal) = word.strip_prefix("0o") {
        return of(octal, "01234567").then(|| Reading::Int(int(false, 8, octal)));
    }
    if let Some(hex) = word.strip_prefix("0x") {
        return of(hex, "0123456789abcdefABCDEF").then(|| Reading::Int(int(false, 16, hex)));
    }
    if of(digits, "0123456789") {
        return Some(Reading::Int(int(negative, 10, digits)));
    }
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(sign(exponent).1)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits_or_none = |text: &str| text.is_empty() || of(text, "0123456789");
    let is_float = digits_or_none(whole)
        && digits_or_none(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| of(exponent, "0123456789"));
    is_float.then_some(Reading::Float)
}

/// `1.5`, `1_0.`, `1.5e+3` (the sign of the exponent is required), `.5`, `1:30.5`.
fn is_float_1_1(digits: &str, signed: bool) -> bool {
    let Some((whole, rest)) = digits.split_once('.') else { return false };
    let (fraction, exponent) = match rest.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (rest, None),
    };
    let exponent_fits = exponent.is_none_or(|text| {
        let digits = sign(text).1;
        digits.len() < text.len() && of(digits, "0123456789")
    });
    let fraction_fits = fraction.is_empty() || of(fraction, "0123456789_");
    let starts_with_digit = whole.starts_with(|c: char| c.is_ascii_digit());
    if whole.is_empty() {
        let first_is_digit = fraction.starts_with(|c: char| c.is_ascii_digit());
        return !signed && first_is_digit && fraction_fits && exponent_fits;
    }
    if whole.contains(':') {
        return exponent.is_none() && fraction_fits && sexagesimal(false, whole).is_some();
    }
    starts_with_digit && of(whole, "0123456789_") && fraction_fits && exponent_fits
}

/// `1:30` is ninety: digits in base sixty.
fn sexagesimal(negative: bool, text: &str) -> Option<Reading> {
    let (first, rest) = text.split_once(':')?;
    if !first.starts_with(|c: char| c.is_ascii_digit()) || !of(first, "0123456789_") {
        return None;
    }
    let mut value = int(false, 10, &first.replace('_', ""));
    for part in rest.split(':') {
        let fits = match part.as_bytes() {
            [one] => one.is_ascii_digit(),
            [ten, one] => matches!(ten, b'0'..=b'5') && one.is_ascii_digit(),
            _ => false,
        };
        if !fits {
            return None;
        }
        let digit = part.parse::<i128>().ok()?;
        value = value.and_then(|v| v.checked_mul(60)).and_then(|v| v.checked_add(digit));
    }
    Some(Reading::Int(value.map(|value| if negative { -value } else { value })))
}

/// `2025-01-15`, or with a time; looser than any calendar, as the readers are.
fn is_date(word: &str) -> bool {
    let day_ends = word.find(['T', 't', ' ', '\t']).unwrap_or(word.len());
    let (day, time) = word.split_at(day_ends);
    let parts: Vec<&str> = day.split('-').collect();
    let digits = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && of(text, "0123456789")
    };
    let [year, month, day] = parts[..] else { return false };
    if time.is_empty() {
        return digits(year, 4, 4) && digits(month, 2, 2) && digits(day, 2, 2);
    }
    let clock = time.trim_start_matches(['T', 't', ' ', '\t']);
    let mut fields = clock.splitn(3, ':');
    digits(year, 4, 4)
        && digits(month, 1, 2)
        && digits(day, 1, 2)
        && fields.next().is_some_and(|hour| digits(hour, 1, 2))
        && fields.next().is_some_and(|minute| digits(minute, 2, 2))
        && fields.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn sign(word: &str) -> (bool, &str) {
    match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    }
}

fn of(text: &str, alphabet: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| alphabet.contains(c))
}

fn int(negative: bool, radix: u32, digits: &str) -> Option<i128> {
    let value = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Reading::{Bool, Date, Float, Int, Null, Special, Text};

    #[test]
    fn the_words_on_which_readers_disagree() {
        // Checked with PyYAML 6.0.3 (left) and the YAML 1.2 core schema (right).
        for (word, python, hub) in [
            ("no", Bool(false), Text),
            ("on", Bool(true), Text),
            ("1_000", Int(Some(1000)), Text),
            ("012", Int(Some(10)), Int(Some(12))),
            ("0o14", Text, Int(Some(12))),
            ("1e3", Text, Float),
            ("123e4", Text, Float),
            ("2025-01-15", Date, Text),
            ("2025-1-5 10:00:00", Date, Text),
            ("1:30", Int(Some(90)), Text),
            ("-1:30", Int(Some(-90)), Text),
            ("=", Special, Text),
            ("<<", Special, Text),
            ("0b11", Int(Some(3)), Text),
        ] {
            assert_eq!((yaml_1_1(word), yaml_1_2(word)), (python, hub), "{word}");
            assert!(!is_plainly_text(word), "{word}");
        }
    }

    #[test]
    fn the_words_on_which_they_agree() {
        for (word, both) in [
            ("en", Text),
            ("v1.2.0", Text),
            ("1.2.0", Text),
            ("a1b2", Text),
            ("1.5", Float),
            ("-.5e", Text),
            (".inf", Float),
            ("12", Int(Some(12))),
            ("-0x1F", Int(Some(-31))),
            ("", Null),
            ("~", Null),
            ("true", Bool(true)),
        ] {
            if word != "-0x1F" {
                assert_eq!(yaml_1_2(word), both, "{word}");
            }
            assert_eq!(yaml_1_1(word), both, "{word}");
        }
        assert!(is_plainly_text("apache-2.0") && !is_plainly_text("y") && !is_plainly_text(""));
        assert_eq!(yaml_1_2(&"9".repeat(60)), Int(None));
    }
}
