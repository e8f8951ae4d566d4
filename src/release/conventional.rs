//! Commits as they tell what changed: by the words of Conventional Commits where they use them
//! (<https://www.conventionalcommits.org/en/v1.0.0/>), in the groups of Keep a Changelog.

use std::fmt::Write as _;

use crate::markdown;

/// Characters of a commit's subject that are shown.
const LONGEST_SUBJECT: usize = 200;
/// Bytes of a commit's message that are looked at.
const LONGEST_MESSAGE: usize = 16 * 1024;
/// Changes that notes list.
const MOST_LISTED: usize = 50;

/// What kind of change a commit makes, in the order of the notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Breaking,
    Added,
    Changed,
    Deprecated,
    Removed,
    Fixed,
    Security,
    Other,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Breaking,
        Self::Added,
        Self::Changed,
        Self::Deprecated,
        Self::Removed,
        Self::Fixed,
        Self::Security,
        Self::Other,
    ];

    /// By the type that a conventional commit begins with.
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "feat" | "feature" | "add" => Self::Added,
            "fix" | "bugfix" | "hotfix" => Self::Fixed,
            "deprecate" => Self::Deprecated,
            "remove" | "revert" => Self::Removed,
            "security" | "sec" => Self::Security,
            "build" | "chore" | "ci" | "docs" | "style" | "test" | "tests" => Self::Other,
            // `perf`, `refactor`, and the words that teams of models add: `data`, `train`, …
            _ => Self::Changed,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Breaking => "Breaking",
            Self::Added => "Added",
            Self::Changed => "Changed",
            Self::Deprecated => "Deprecated",
            Self::Removed => "Removed",
            Self::Fixed => "Fixed",
            Self::Security => "Security",
            Self::Other => "Other",
        }
    }
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    kind: Kind,
    /// Its subject: one line without anything that cannot be seen.
    text: String,
    /// The first digits of its id.
    id: String,
}

/// Reads one commit's message.
pub(super) fn read(id: &str, message: &[u8]) -> Change {
    let message = String::from_utf8_lossy(&message[..message.len().min(LONGEST_MESSAGE)]);
    let subject = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // Many people leave no blank line behind the subject, and the subject still says what it says.
    let parsed = git_conventional::Commit::parse(message.trim())
        .or_else(|_| git_conventional::Commit::parse(subject.trim()));
    let (kind, text) = match parsed {
        Ok(commit) => {
            let kind =
                if commit.breaking() { Kind::Breaking } else { Kind::of(commit.type_().as_str()) };
            let text = match commit.scope() {
                Some(scope) => format!("{scope}: {}", commit.description()),
                None => commit.description().to_owned(),
            };
            (kind, text)
        }
        Err(_) => (Kind::Other, subject.to_owned()),
    };
    let mut text = markdown::line(text.trim());
    if let Some((cut, _)) = text.char_indices().nth(LONGEST_SUBJECT) {
        text.truncate(cut);
        text.push('…');
    }
    if text.is_empty() {
        "(no message)".clone_into(&mut text);
    }
    Change { kind, text, id: id.chars().take(7).collect() }
}

/// Notes in the form of Keep a Changelog, the breaking changes first; `show` writes a commit's
/// subject.
pub(super) fn notes(changes: &[Change], show: fn(&str) -> String) -> String {
    let mut notes = String::new();
    let mut listed = 0;
    for kind in Kind::ALL {
        let of_kind = changes.iter().filter(|change| change.kind == kind);
        for (index, change) in of_kind.take(MOST_LISTED - listed).enumerate() {
            if index == 0 {
                let gap = if notes.is_empty() { "" } else { "\n" };
                // Writing to a String cannot fail, here and below.
                let _ = write!(notes, "{gap}### {}\n\n", kind.title());
            }
            let _ = writeln!(notes, "- {} ({})", show(&change.text), change.id);
            listed += 1;
        }
    }
    if let Some(more) = changes.len().checked_sub(listed).filter(|more| *more > 0) {
        let _ = writeln!(notes, "- and {more} more");
    }
    notes.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::tests::nasty;
    use proptest::prelude::*;

    fn shown(messages: &[&str]) -> String {
        let changes: Vec<_> =
            messages.iter().map(|message| read("abcdef0123", message.as_bytes())).collect();
        notes(&changes, markdown::text)
    }

    #[test]
    fn conventional_commits_by_kind() {
        let messages = [
            "Retrain on March",
            "fix(tokenizer): keep umlauts\n\nSome body.",
            "feat: a third class",
            "data: contracts of 2025",
            "docs: say more",
            "feat!: drop the second output",
            "refactor: one head\n\nBREAKING CHANGE: the output is logits",
        ];
        assert_eq!(
            shown(&messages),
            "### Breaking\n\n- drop the second output (abcdef0)\n- one head (abcdef0)\n\n\
             ### Added\n\n- a third class (abcdef0)\n\n\
             ### Changed\n\n- contracts of 2025 (abcdef0)\n\n\
             ### Fixed\n\n- tokenizer: keep umlauts (abcdef0)\n\n\
             ### Other\n\n- Retrain on March (abcdef0)\n- say more (abcdef0)"
        );
        assert_eq!(shown(&[]), "");
    }

    #[test]
    fn hostile_messages_stay_one_item_each() {
        let long = "x".repeat(1_000_000);
        for (message, expected) in [
            ("a\r::error::forged", "### Other\n\n- a�::error::forged (abcdef0)"),
            ("\n\n::set-output name=a::b\n", "### Other\n\n- ::set-output name=a::b (abcdef0)"),
            ("fix: <img src=x> [a](b)", "### Fixed\n\n- \\<img src=x\\> \\[a\\](b) (abcdef0)"),
            ("## [9.9.9] - 2026-01-01", "### Other\n\n- \\## \\[9.9.9\\] - 2026-01-01 (abcdef0)"),
            ("fix: a\n::error::b", "### Fixed\n\n- a (abcdef0)"),
            ("", "### Other\n\n- (no message) (abcdef0)"),
        ] {
            assert_eq!(shown(&[message]), expected, "{message:?}");
        }
        assert!(shown(&[&long]).chars().count() < LONGEST_SUBJECT + 50);
        let many = shown(&["fix: one"; 1_000]);
        assert_eq!(many.lines().count(), 2 + MOST_LISTED + 1);
        assert!(many.ends_with("- and 950 more"), "{many}");
    }

    proptest! {
        #[test]
        fn no_message_panics_or_breaks_out(message in nasty(), bytes in any::<Vec<u8>>()) {
            for message in [message.as_bytes(), &bytes] {
                let written = notes(&[read("abc", message)], markdown::text);
                prop_assert_eq!(written.lines().count(), 3, "{}", written);
            }
        }
    }
}
