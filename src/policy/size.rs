//! What the files of a version may weigh.

use std::fmt;

use crate::finding::Location;

/// Settings of the size gate.
#[derive(Debug, Clone, Default)]
pub struct SizeGate {
    /// Most bytes of all files together.
    pub max: Option<Limit<u64>>,
    /// Bytes of all files together from which on it is a warning.
    pub warn_max: Option<Limit<u64>>,
    /// Most bytes of one file.
    pub max_file: Option<Limit<u64>>,
    /// By how much all files together may outgrow those of the last release.
    pub max_growth: Option<Limit<Growth>>,
}

/// A limit, and where the policy sets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit<T> {
    /// The most that passes.
    pub most: T,
    /// Where.
    pub at: Location,
}

/// How much more than before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Growth {
    /// An amount.
    Bytes(u64),
    /// A part of what was: 0.2 is 20 %.
    Part(f64),
}

impl Growth {
    /// The bytes that may be added to `before`.
    pub fn on(self, before: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            // No repository has 2^53 bytes; beyond the largest number, any growth passes.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "not negative; `as` saturates"
            )]
            Self::Part(part) => (before as f64 * part) as u64,
        }
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => Bytes(*bytes).fmt(f),
            Self::Part(part) => write!(f, "{}%", (part * 1e6).round() / 1e4),
        }
    }
}

/// Bytes for people, in powers of 1000 as the Hub shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        let Self(bytes) = *self;
        if bytes < 1000 {
            return write!(f, "{bytes} B");
        }
        // A rounded number for people: the loss beyond 2^52 does not show.
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let mut value = bytes as f64 / 1000.0;
        let mut unit = 0;
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1000.0;
            unit += 1;
        }
        let digits = usize::from(value < 10.0);
        write!(f, "{value:.digits$} {}", UNITS[unit])
    }
}

impl Bytes {
    /// Reads a size: `2GB`, `1.5 GiB`, `300`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        const POWERS: [char; 6] = [' ', 'k', 'm', 'g', 't', 'p'];
        let text = text.trim().to_ascii_lowercase();
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number: f64 = text[..text.len() - unit.len()].parse().ok()?;
        let unit = unit.trim();
        let (prefix, base) = match unit.strip_suffix('b').unwrap_or(unit) {
            "" => (' ', 1000.0),
            _ if !unit.ends_with('b') => return None,
            prefix => match prefix.strip_suffix('i') {
                Some(prefix) => (prefix.parse().ok()?, 1024.0),
                None => (prefix.parse().ok()?, 1000.0),
            },
        };
        let power = POWERS.iter().position(|one| *one == prefix)?;
        let bytes = (0..power).fold(number, |bytes, _| bytes * base).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        (0.0..9e18).contains(&bytes).then_some(Self(bytes as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        let shown = [0, 999, 1500, 20 << 30].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(shown, ["0 B", "999 B", "1.5 kB", "21 GB"]);
        assert_eq!(Growth::Part(0.2).to_string(), "20%");
    }

    #[test]
    fn sizes_of_people() {
        for (text, bytes) in [
            ("300", Some(300)),
            ("300 B", Some(300)),
            ("2GB", Some(2_000_000_000)),
            ("2 gb", Some(2_000_000_000)),
            ("1.5 GiB", Some(1_610_612_736)),
            ("0.5kB", Some(500)),
            ("1PiB", Some(1 << 50)),
            ("", None),
            ("GB", None),
            ("2G", None),
            ("2iB", None),
            ("-1GB", None),
            ("1e3", None),
            ("1.2.3MB", None),
            ("nan", None),
            ("99999999PB", None),
            ("2é", None),
        ] {
            assert_eq!(Bytes::parse(text).map(|bytes| bytes.0), bytes, "{text}");
        }
    }
}
