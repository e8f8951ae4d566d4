//! The files of a log, by month: `2026-11.jsonl`, and where one grows large `2026-11.2.jsonl`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::Offset;

/// A file's name. Their order is the order of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    year: i16,
    month: i8,
    part: u32,
}

/// A name that is none of a log's.
#[derive(Debug)]
pub(super) struct NotOurs;

impl FileName {
    /// The first file of the month of `time`.
    pub(super) fn of(time: Timestamp) -> Self {
        let date = Offset::UTC.to_datetime(time).date();
        Self { year: date.year(), month: date.month(), part: 1 }
    }

    /// The file behind this one in the same month.
    pub(super) fn next(self) -> Self {
        Self { part: self.part.saturating_add(1), ..self }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)?;
        if self.part > 1 {
            write!(f, ".{}", self.part)?;
        }
        f.write_str(".jsonl")
    }
}

impl FromStr for FileName {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let stem = text.strip_suffix(".jsonl").ok_or(NotOurs)?;
        let (month, part) = stem.split_once('.').unwrap_or((stem, "1"));
        let (year, month) = month.split_once('-').ok_or(NotOurs)?;
        let number = |_| NotOurs;
        let name = Self {
            year: year.parse().map_err(number)?,
            month: month.parse().map_err(number)?,
            part: part.parse().map_err(number)?,
        };
        // Each file has one name.
        let is_month = (0..=9999).contains(&name.year) && (1..=12).contains(&name.month);
        if is_month && name.to_string() == text { Ok(name) } else { Err(NotOurs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_order() {
        let mut names: Vec<FileName> = [
            "2026-11.jsonl",
            "2026-11.10.jsonl",
            "2026-11.2.jsonl",
            "2025-12.jsonl",
            "2026-12.jsonl",
        ]
        .map(|name| name.parse().expect(name))
        .into();
        names.sort();
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "2025-12.jsonl",
                "2026-11.jsonl",
                "2026-11.2.jsonl",
                "2026-11.10.jsonl",
                "2026-12.jsonl"
            ]
        );
        for other in [
            "README.md",
            "2026-13.jsonl",
            "2026-00.jsonl",
            "2026-1.jsonl",
            "2026-11.1.jsonl",
            "2026-11.02.jsonl",
            "2026-11.jsonl.bak",
            "+026-11.jsonl",
            "audit/2026-11.jsonl",
        ] {
            assert!(other.parse::<FileName>().is_err(), "{other}");
        }
        let time: Timestamp = "2026-11-30T23:59:59Z".parse().expect("a time");
        assert_eq!(FileName::of(time).to_string(), "2026-11.jsonl");
        assert_eq!(FileName::of(time).next().to_string(), "2026-11.2.jsonl");
    }
}
