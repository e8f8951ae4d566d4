//! Where a failed test stands: its own file and line, from whatever the report gives.

use super::Base;
use crate::finding::Location;

/// How a report names a test.
pub(super) struct Named {
    /// `classname`.
    pub class: String,
    /// `name`.
    pub name: String,
    /// `file`, where the producer writes one.
    pub file: Option<String>,
    /// `line`, as written.
    pub line: Option<u32>,
}

impl Named {
    /// `class::name`, for people.
    pub(super) fn shown(&self) -> String {
        let name = match (self.class.is_empty(), self.name.is_empty()) {
            (true, true) => "unnamed test".to_owned(),
            (true, false) => self.name.clone(),
            (false, true) => self.class.clone(),
            (false, false) => format!("{}::{}", self.class, self.name),
        };
        let name = name.replace(char::is_control, " ");
        name.chars().take(300).collect()
    }
}

/// The test's place, the most exact that is known: the line that pytest puts under a traceback,
/// the attributes, the file that the class name spells. `None` when it names no file of this
/// repository.
pub(super) fn place(named: &Named, text: &str, by_pytest: bool, base: &Base) -> Option<Location> {
    let from_attributes = named.file.as_deref().and_then(|file| base.source(file));
    if let Some((file, line)) = traceback_end(text)
        && let Some(shown) = base.source(file)
        && from_attributes.as_ref().is_none_or(|named| *named == shown)
    {
        return Some(Location::line(shown, line));
    }
    if let Some(shown) = from_attributes {
        // pytest counts lines from 0 (`nodes.Item.location`), everybody else from 1.
        let line = named.line.map_or(0, |line| line.saturating_add(u32::from(by_pytest)));
        return Some(Location::line(shown, line));
    }
    if by_pytest { module_file(&named.class, base).map(Location::file) } else { None }
}

/// `tests/test_model.py:11: AssertionError`, the last line of a pytest failure.
fn traceback_end(text: &str) -> Option<(&str, u32)> {
    let last = text.trim_end().lines().next_back()?;
    let (place, error) = last.rsplit_once(": ").or_else(|| Some((last.strip_suffix(':')?, "E")))?;
    let (file, line) = place.rsplit_once(':')?;
    let is_name =
        !error.is_empty() && error.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let line = line.parse().ok().filter(|line| *line > 0 && is_name)?;
    Some((file, line))
}

/// `tests.test_model.TestFairness` → `tests/test_model.py`, if there is such a file.
fn module_file(class: &str, base: &Base) -> Option<String> {
    let mut module = class.get(..class.len().min(1_000))?;
    loop {
        let relative = format!("{}.py", module.replace('.', "/"));
        if let Some(shown) = base.source(&relative)
            && base.holds(&relative)
        {
            return Some(shown);
        }
        module = module.rsplit_once('.')?.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_traceback() {
        let text = "def test():\n>   assert x\n\ntests/test_a.py:11: AssertionError\n";
        assert_eq!(traceback_end(text), Some(("tests/test_a.py", 11)));
        assert_eq!(traceback_end("a.py:3: in helper is wrong"), None);
        assert_eq!(traceback_end("a.py:0: E"), None);
        assert_eq!(traceback_end(""), None);
        assert_eq!(traceback_end("plain text: more"), None);
    }
}
