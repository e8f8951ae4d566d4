//! What `card` prints.

use std::fmt::Write as _;

use super::console;
use crate::finding::{Finding, Tally};
use crate::markdown;

/// A part of a card that counts.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is.
    pub what: &'static str,
    /// Its points, of 100 in all.
    pub points: u32,
    /// Whether the card has it.
    pub there: bool,
    /// How it comes onto the card.
    pub hint: &'static str,
}

/// How complete a card is and what is wrong with it, for people.
pub fn text(shown: &str, items: &[Row], findings: &[Finding], color: bool) -> String {
    let paint = console::Paint(color);
    let tally = Tally::of(findings);
    let mut text = String::new();
    let reached: u32 = items.iter().filter(|item| item.there).map(|item| item.points).sum();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        text,
        "{} · {} of 100 points\n",
        paint.bold(&markdown::line(shown)),
        paint.bold(&reached.to_string())
    );
    for item in items {
        let mark = if item.there { "✓" } else { "·" };
        let _ = write!(text, "  {mark} {:<20} {:>2}", item.what, item.points);
        let hint = if item.there { String::new() } else { format!("   {}", item.hint) };
        let _ = writeln!(text, "{}", paint.dim(&hint));
    }
    text += &console::findings(&findings.iter().collect::<Vec<_>>(), color);
    let _ = writeln!(
        text,
        "\n{} errors, {} warnings, {} notes",
        tally.errors, tally.warnings, tally.notes
    );
    text
}
