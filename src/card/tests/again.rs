//! Writing a card a second time changes nothing, whatever the README was.

use super::*;

/// With metadata from the policy and without any.
#[test]
fn what_was_written_is_written_again() {
    let table = [
        // Nothing but white space and marks.
        ("", ""),
        ("\n", ""),
        ("\t\n", "\t\n"),
        ("\r\n \n", " \n"),
        (" \u{FEFF}\n", " \u{FEFF}\n"),
        ("\u{FEFF}", ""),
        ("\u{FEFF}\u{FEFF}\n\u{FEFF}\r\n", ""),
        ("\u{A0}\n", "\u{A0}\n"),
        // Text with such around it.
        ("\n\u{FEFF}a", "a"),
        ("\u{FEFF}\n\n  a  \r\n\r\n\r\n", "  a  \r\n\r\n\r\n"),
        // Only a front matter, empty or not, behind marks or not.
        ("---\n{}\n---", ""),
        ("---\n{}\n---\n\n\t\n", "\t\n"),
        ("---\nthumbnail: a.png\n---\n", ""),
        ("\u{FEFF}\n\u{FEFF}\u{FEFF}---\r\nlibrary_name: keras\r\n---\r\n\r\na\r\n", "a\r\n"),
        // What would be something else at the head of the file.
        ("---\n{}\n---\n\u{FEFF}a\n", "\u{FEFF}a\n"),
        ("---\n{}\n---\n---\nlibrary_name: keras\n---\na\n", "---\nlibrary_name: keras\n---\na\n"),
        // A fence that nothing closes, or that closes nothing.
        ("---\na\n", "---\na\n"),
        ("---\n---\n", "---\n---\n"),
    ];
    for policy in [POLICY, "model: {name: m, owner: someone}"] {
        let sample = Sample::new(policy, &["model.ubj"]);
        let write = |readme: &str| {
            write(&CardInput { readme: Some(readme), ..sample.input() }).expect("written")
        };
        for (readme, text) in table {
            let once = write(readme);
            let (_, body) = read(&once).expect("metadata that can be read");
            let first = body.find("<!-- weighbridge:begin summary").expect("a part");
            let kept = body[..first].trim_start_matches(['\n', '\r']);
            let added = kept.strip_prefix(text).unwrap_or_else(|| panic!("{readme:?}: {kept:?}"));
            assert!(added.chars().all(|c| c == '\n'), "{readme:?}: {kept:?}");
            assert_eq!(write(&once), once, "{readme:?}");
        }
    }
}
