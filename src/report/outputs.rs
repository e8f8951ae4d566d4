//! Step outputs: `name<<delimiter` lines in GITHUB_OUTPUT.

use std::fmt::Write as _;

/// Lines for GITHUB_OUTPUT; each value between delimiters that it does not hold.
pub(super) fn render(outputs: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in outputs {
        let delimiter = loop {
            let word: String = std::iter::repeat_with(fastrand::alphanumeric).take(24).collect();
            if !value.contains(&word) {
                break format!("weighbridge_{word}");
            }
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{name}<<{delimiter}\n{value}\n{delimiter}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_value_cannot_end_itself() {
        let text = super::render(&[("verdict", "pass".into()), ("url", "a\nEOF\nforged=1".into())]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("verdict<<weighbridge_") && lines[1] == "pass");
        assert_eq!(lines[2], &lines[0]["verdict<<".len()..]);
        let delimiter = &lines[3]["url<<".len()..];
        assert_eq!(text.matches(delimiter).count(), 2);
    }
}
