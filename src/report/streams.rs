//! Standard output and standard error. A runner looks for commands in all that a step prints, on both
//! streams, so what is ours is told from what is not here, at the only way out: a file's name or a
//! server's words in a line of the log must not be one.
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use std::borrow::Cow;
use std::io::{self, Write};

use crate::failure::Failure;
use crate::http::blotted;

/// How the runner's older commands begin, anywhere in a line (actions/runner, `ActionCommand.TryParse`).
const ANYWHERE: &str = "##[";
/// How its commands begin a line (the same, `TryParseV2`).
const AT_BEGIN: &str = "::";

/// A line for people on standard error, beside the report.
pub fn aside(text: &str) {
    told(&defused(text));
}

/// As [`aside`], with commands that stay commands.
pub(super) fn told(text: &str) {
    // A closed standard error must not end a release half way.
    let _ = write_line(&mut io::stderr().lock(), blotted(text).into_owned());
}

/// A secret in a command that hides it, on standard error. Where nobody reads that, nothing is to be hidden.
pub(super) fn secret(command: String) -> Result<(), Failure> {
    unless_unread(write_line(&mut io::stderr().lock(), command), "standard error")
}

/// Text for people on standard output. A pipe that was closed by its reader is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    print_with_secret(&blotted(&defused(text)))
}

/// JSON for programs on standard output: the same data, whatever it looks like.
pub fn print_data(json: &str) -> Result<(), Failure> {
    // No line of it begins with a colon; the other can only stand within a string.
    print_with_secret(&blotted(&json.replace(ANYWHERE, "##\\u005b")))
}

/// A line on standard output that is a command, or begins and ends with some.
pub(super) fn print_command(text: &str) -> Result<(), Failure> {
    print_with_secret(&format!("{}\n", blotted(text).trim_end()))
}

/// As [`print`], with a secret that is meant to be read: that of the embedded Hub, which opens nothing
/// else.
pub fn print_with_secret(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    unless_unread(out.write_all(text.as_bytes()).and_then(|()| out.flush()), "standard output")
}

/// A pipe that was closed by its reader is no failure.
fn unless_unread(written: io::Result<()>, stream: &str) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to {stream}")).because(&error))
        }
        _ => Ok(()),
    }
}

/// Writes a line at once: of the text and its end apart, another stream's line could come between, and
/// a command that does not begin its line is none to the runner.
fn write_line(stream: &mut impl Write, mut line: String) -> io::Result<()> {
    line.push('\n');
    stream.write_all(line.as_bytes())
}

/// Text in which nothing is a command to the runner, by either of its grammars.
fn defused(text: &str) -> Cow<'_, str> {
    let begins = |line: &str| line.trim_start().starts_with(AT_BEGIN);
    // A carriage return ends a line too.
    if !text.contains(ANYWHERE) && !text.split(['\n', '\r']).any(begins) {
        return Cow::Borrowed(text);
    }
    let text = text.replace(ANYWHERE, "## [");
    let lines = text.split_inclusive(['\n', '\r']).map(|line| {
        let rest = line.trim_start();
        let blank = &line[..line.len() - rest.len()];
        match rest.strip_prefix(AT_BEGIN) {
            Some(rest) => format!("{blank}: :{rest}"),
            None => line.to_owned(),
        }
    });
    Cow::Owned(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Keeps each write by itself, as a pipe hands them on.
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_at_once_with_its_end() {
        let mut writes = Writes(Vec::new());
        write_line(&mut writes, "::add-mask::x".to_owned()).expect("memory");
        write_line(&mut writes, "· a\n  b".to_owned()).expect("memory");
        assert_eq!(writes.0, [b"::add-mask::x\n".to_vec(), "· a\n  b\n".into()]);
    }

    #[test]
    fn what_is_no_command_stays_as_it_is() {
        for text in ["", "· a::b ::c\n  d", "# [x] ## y", "a:b\n:c"] {
            assert_eq!(defused(text), text);
        }
        assert_eq!(
            defused("a ##[set-output name=b]c\n \t::d::e"),
            "a ## [set-output name=b]c\n \t: :d::e"
        );
    }

    proptest! {
        #[test]
        fn nothing_is_a_command(text in "([#\\[:\\n\\r\\t a]|\\PC){0,40}") {
            let told = defused(&text);
            prop_assert!(!told.contains("##["), "{told:?}");
            // As .NET reads lines and trims them.
            for line in told.split(['\n', '\r']) {
                prop_assert!(!line.trim_start().starts_with("::"), "{told:?}");
            }
        }
    }
}
