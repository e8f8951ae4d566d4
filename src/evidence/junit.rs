//! JUnit XML, as pytest, surefire, jest-junit, gotestsum, CTest and their like write it.
//!
//! There is no standard; this reads what they share: a root `testsuites` or `testsuite`, suites in
//! suites, `testcase` elements with `failure`, `error` or `skipped` children, and properties.
//! Tests are counted one by one, the attributes with totals are not trusted; but totals that tell of
//! failures where none is shown make a report unreadable. A suite that itself failed, before any
//! test of it, is a failure. A document type is
//! never read, entities beyond XML's own five are never expanded.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::junit_place::{Named, place};
use super::{
    Base, EvidenceFile, MAX_FAILURES, TestFailure, TestReader, TestReport, Unreadable, first_lines,
};
use crate::finding::Location;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 64;
/// Bytes of a failure's text that are kept while it is read.
const MAX_TEXT: usize = 64 * 1024;

/// Any JUnit XML.
pub(super) struct JUnit;

impl TestReader for JUnit {
    fn claims(&self, text: &str) -> bool {
        text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']).starts_with('<')
    }

    fn read(&self, file: &EvidenceFile, text: &str, base: &Base) -> Result<TestReport, Unreadable> {
        let mut reader = Reader::from_str(text);
        let mut parse = Parse::new(file, text, base);
        loop {
            let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let step = match reader.read_event() {
                Ok(Event::Eof) => break,
                Ok(event) => parse.take(event, offset),
                Err(error) => Err(format!("not valid XML: {error}")),
            };
            step.map_err(|why| parse.unreadable(offset, why))?;
        }
        parse.finish()
    }
}

/// The state between two events.
struct Parse<'a> {
    file: &'a EvidenceFile,
    source: &'a str,
    base: &'a Base,
    report: TestReport,
    /// Names of the open elements, outermost first.
    open: Vec<String>,
    seen_root: bool,
    by_pytest: bool,
    case: Option<Case>,
    /// Failures and errors that the root's attributes tell of.
    said_to_fail: u64,
    /// A byte offset and its line, from which the next line is counted.
    counted: (usize, u32),
}

/// The `testcase` that is being read.
struct Case {
    named: Named,
    offset: usize,
    /// It stands for a suite that failed as a whole.
    of_suite: bool,
    skipped: bool,
    failures: Vec<Broken>,
}

/// A `failure` or `error` in it.
struct Broken {
    kind: &'static str,
    message: Option<String>,
    text: String,
}

impl<'a> Parse<'a> {
    fn new(file: &'a EvidenceFile, source: &'a str, base: &'a Base) -> Self {
        let report = TestReport::of(file);
        let open = Vec::new();
        Self {
            file,
            source,
            base,
            report,
            open,
            seen_root: false,
            by_pytest: false,
            case: None,
            said_to_fail: 0,
            counted: (0, 1),
        }
    }

    /// Takes one event that starts at a byte offset.
    fn take(&mut self, event: Event<'_>, offset: usize) -> Result<(), String> {
        match event {
            Event::Start(element) => self.enter(&element, offset),
            Event::Empty(element) => {
                self.enter(&element, offset)?;
                self.leave();
                Ok(())
            }
            Event::End(_) => {
                self.leave();
                Ok(())
            }
            Event::Text(text) => {
                self.text(&text.xml10_content());
                Ok(())
            }
            Event::CData(text) => {
                self.text(&text.xml10_content());
                Ok(())
            }
            Event::GeneralRef(reference) => {
                self.text(&resolve(&reference));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn enter(&mut self, element: &BytesStart<'_>, offset: usize) -> Result<(), String> {
        let local = element.local_name();
        let name = local.as_ref();
        if self.open.is_empty() {
            if self.seen_root {
                return Err("a second root element".into());
            }
            if !matches!(name, "testsuites" | "testsuite") {
                let name: String = name.chars().take(60).collect();
                return Err(format!(
                    "not JUnit XML: the root element is `{name}`, expected `testsuites` or `testsuite`"
                ));
            }
            self.seen_root = true;
            let total = |name| attribute(element, name).and_then(|text| text.trim().parse().ok());
            let totals = ["failures", "errors"].map(|name| total(name).unwrap_or(0u64));
            self.said_to_fail = totals[0].saturating_add(totals[1]);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(format!(
                "elements nested deeper than the {MAX_DEPTH} levels that are read"
            ));
        }
        match name {
            "testsuite" if self.case.is_none() => {
                self.by_pytest |= attribute(element, "name").as_deref() == Some("pytest");
            }
            "testcase" => {
                if self.case.is_some() {
                    return Err("a `testcase` inside a `testcase`".into());
                }
                self.case = Some(Case::new(element, offset));
            }
            "failure" | "error" if self.open.last().is_some_and(|name| name == "testsuite") => {
                // Counted like a test, when it closes.
                self.case = Some(Case::of_suite(offset));
                self.outcome(name, element);
            }
            "property" if self.case.is_none() => self.property(element),
            "failure" | "error" | "skipped" if self.is_childof_case() => {
                self.outcome(name, element);
            }
            _ => {}
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    /// Closes the innermost element; the reader has checked that the names match.
    fn leave(&mut self) {
        let name = self.open.pop();
        let of_suite = self.case.as_ref().is_some_and(|case| case.of_suite)
            && self.open.last().is_some_and(|name| name == "testsuite");
        if (of_suite || name.as_deref() == Some("testcase"))
            && let Some(case) = self.case.take()
        {
            self.count(case);
        }
    }

    fn is_childof_case(&self) -> bool {
        self.open.last().is_some_and(|name| name == "testcase")
    }

    fn outcome(&mut self, name: &str, element: &BytesStart<'_>) {
        let Some(case) = &mut self.case else { return };
        let kind = match name {
            "failure" => "failure",
            "error" => "error",
            _ => {
                case.skipped = true;
                return;
            }
        };
        let message = attribute(element, "message");
        // More than one per test is rare; a flood of them is one test all the same.
        if case.failures.len() < 4 {
            case.failures.push(Broken { kind, message, text: String::new() });
        }
    }

    /// Text inside of a failure; its head and tail are kept.
    fn text(&mut self, text: &str) {
        let inside = self.open.last().is_some_and(|name| name == "failure" || name == "error");
        let case = self.case.as_mut().filter(|_| inside);
        let Some(broken) = case.and_then(|case| case.failures.last_mut()) else { return };
        broken.text.push_str(text);
        if broken.text.len() > MAX_TEXT {
            let head = broken.text.floor_char_boundary(MAX_TEXT / 4);
            let tail = broken.text.ceil_char_boundary(broken.text.len() - MAX_TEXT / 4);
            broken.text.replace_range(head..tail, "\n…\n");
        }
    }

    fn property(&mut self, element: &BytesStart<'_>) {
        let Some(name) = attribute(element, "name") else { return };
        let name: String = name.chars().take(40).collect();
        let name = name.to_lowercase().replace(['-', '.', ' '], "_");
        let names_commit = matches!(
            name.as_str(),
            "commit"
                | "git_commit"
                | "revision"
                | "sha"
                | "git_sha"
                | "commit_sha"
                | "git_revision"
                | "github_sha"
        );
        if names_commit
            && self.report.commit.is_none()
            && let Some(value) = attribute(element, "value")
        {
            let value = value.trim().to_lowercase();
            let is_commit =
                (7..=64).contains(&value.len()) && value.chars().all(|c| c.is_ascii_hexdigit());
            self.report.commit = is_commit.then_some(value);
        }
    }

    fn count(&mut self, case: Case) {
        if case.failures.is_empty() {
            let counter =
                if case.skipped { &mut self.report.skipped } else { &mut self.report.passed };
            *counter += 1;
            return;
        }
        let from = case.failures.len();
        let room = MAX_FAILURES - self.report.failures.len();
        self.report.failures_beyond += from.saturating_sub(room) as u64;
        for broken in case.failures.into_iter().take(room) {
            let at = place(&case.named, &broken.text, self.by_pytest, self.base)
                .unwrap_or_else(|| self.here(case.offset));
            let message = first_lines(broken.message.as_deref().unwrap_or(&broken.text));
            let name = case.named.shown();
            self.report.failures.push(TestFailure { name, kind: broken.kind, message, at });
        }
    }

    fn finish(mut self) -> Result<TestReport, Unreadable> {
        let why = match self.open.last() {
            Some(name) => format!("cut off: the file ends inside of `{name}`"),
            None if !self.seen_root => "not JUnit XML: there is no element at all".to_owned(),
            None if self.said_to_fail > 0 && self.report.failed() == 0 => {
                format!("it tells of {} failed tests and shows none of them", self.said_to_fail)
            }
            None => return Ok(self.report),
        };
        Err(self.unreadable(self.source.len(), why))
    }

    fn unreadable(&mut self, offset: usize, why: String) -> Unreadable {
        Unreadable { at: self.here(offset), why }
    }

    /// The line of the report at a byte offset; offsets are asked for in rising order.
    fn here(&mut self, offset: usize) -> Location {
        let (from, line) = self.counted;
        let offset = offset.clamp(from, self.source.len());
        let passed = self.source.get(from..offset).unwrap_or_default();
        let breaks = passed.matches('\n').count();
        let line = line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.counted = (offset, line);
        Location::line(&self.file.shown, line)
    }
}

impl Case {
    fn new(element: &BytesStart<'_>, offset: usize) -> Self {
        let named = Named {
            class: attribute(element, "classname").unwrap_or_default(),
            name: attribute(element, "name").unwrap_or_default(),
            file: attribute(element, "file").or_else(|| attribute(element, "filepath")),
            line: attribute(element, "line")
                .or_else(|| attribute(element, "lineno"))
                .and_then(|line| line.trim().parse().ok()),
        };
        // CTest and GoogleTest mark tests that did not run by an attribute.
        let skipped = ["status", "result"].into_iter().any(|key| {
            matches!(
                attribute(element, key).as_deref(),
                Some("notrun" | "disabled" | "skipped" | "suppressed")
            )
        });
        Self { named, offset, of_suite: false, skipped, failures: Vec::new() }
    }

    fn of_suite(offset: usize) -> Self {
        let name = "the suite itself".to_owned();
        let named = Named { class: String::new(), name, file: None, line: None };
        Self { named, offset, of_suite: true, skipped: false, failures: Vec::new() }
    }
}

/// An attribute's value, at most 10,000 characters; unknown entities stay as they are written.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found = attributes
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = found
        .normalized_value(XmlVersion::Implicit1_0)
        .map_or_else(|_| found.value.to_string(), std::borrow::Cow::into_owned);
    Some(value.chars().take(10_000).collect())
}

/// A character reference or one of XML's five; anything else stays as it is written.
fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name = reference.xml10_content();
    match name.as_ref() {
        "lt" => "<".into(),
        "gt" => ">".into(),
        "amp" => "&".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        name => format!("&{};", name.chars().take(60).collect::<String>()),
    }
}

#[cfg(test)]
mod tests;
