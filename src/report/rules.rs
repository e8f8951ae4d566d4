//! The rule table.

use std::fmt::Write as _;

use crate::finding::Rule;
use crate::markdown::{code, text as cell};

/// A gate's name with one of its rules.
pub type Entry = (&'static str, &'static Rule);

/// As docs/rules.md.
pub fn markdown(rules: &[Entry]) -> String {
    let mut text = String::from(
        "# Rules\n\nEvery thing a gate can say. `rules:` in weighbridge.yml raises or lowers one (`error`, `warning`, `note`,\n`off`), `allow:` lets one finding through for a while. Made by `weighbridge rules --format markdown`.\n",
    );
    let mut gate = "";
    for (name, rule) in rules {
        if *name != gate {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(text, "\n## Gate `{name}`");
            gate = name;
        }
        let _ = writeln!(
            text,
            "\n### `{}` ({})\n\n{}.",
            rule.id,
            rule.level.as_str(),
            cell(&capital(rule.summary))
        );
        let _ = writeln!(
            text,
            "\n- Why: {}\n- Example: {}\n- Fix:",
            cell(rule.reason),
            code(rule.example)
        );
        for line in rule.fix.lines() {
            let _ = writeln!(text, "  {}<br>", code(line));
        }
    }
    text
}

/// For a terminal.
pub fn text(rules: &[Entry]) -> String {
    let width = rules.iter().map(|(_, rule)| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (gate, rule) in rules {
        let _ = writeln!(
            text,
            "{:<10} {:<width$} {:<8} {}",
            gate,
            rule.id,
            rule.level.as_str(),
            rule.summary
        );
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
