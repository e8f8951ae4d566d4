//! Values in commands that people are told to paste. What an identity says of a job may have been
//! chosen by whoever named a branch, and such a name may hold any command.

/// A text as one word of a shell.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_one_word() {
        for text in
            ["", "plain/word:1", "two words", "x';touch $(id)`id`;'", "'", "\"$HOME\"", "…", "-n\\"]
        {
            let script = format!("printf %s {}", word(text));
            let run = std::process::Command::new("sh").args(["-c", &script]).output();
            let run = run.expect("a shell");
            assert_eq!(String::from_utf8_lossy(&run.stdout), text, "{script}");
        }
    }
}
