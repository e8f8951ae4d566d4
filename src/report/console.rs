//! For people: the verdict first, then why, then the fix.

use std::fmt::Write as _;

use super::{End, MetricRow, Report, emergency};
use crate::finding::{Finding, Level, NOT_ASKED, Outcome, Weighing};
use crate::markdown;
use crate::policy::Bytes;
use crate::release::Versioning;

/// Widest line.
const WIDTH: usize = 100;
/// Columns of a narrow terminal.
const TERMINAL: usize = 80;

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn level(self, level: Level) -> String {
        match level {
            Level::Error => self.with("1;31", "error"),
            Level::Warning => self.with("1;33", "warning"),
            Level::Note => self.with("1;36", "note"),
        }
    }
}

/// The report as text.
pub(super) fn render(report: &Report, color: bool) -> String {
    let paint = Paint(color);
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "{}", headline(report, paint));
    if let Some(told) = emergency::told(&report.verdict) {
        let _ =
            writeln!(text, "\n{}", paint.with("1;33", &format!("!!! {} !!!", emergency::HEADING)));
        for line in wrapped(&told) {
            let _ = writeln!(text, "!!! {line}");
        }
    }
    let _ = writeln!(text);
    let asked = report.verdict.weighings().iter().filter(|weighing| !weighing.is_not_asked());
    for weighing in asked {
        let _ = writeln!(text, "  {}", gate(weighing, paint));
    }
    let unasked = report.verdict.not_asked();
    if !unasked.is_empty() {
        let _ = writeln!(text, "  {} {NOT_ASKED}: {}", paint.dim("–"), unasked.join(", "));
    }
    if !report.metrics.is_empty() {
        let _ = writeln!(text);
        for row in &report.metrics {
            write_metric(&mut text, row, paint);
        }
    }
    let findings = report.verdict.findings();
    text.push_str(&self::findings(&findings, color));
    for (finding, reason) in report.verdict.allowed() {
        let line = format!("allowed: {} at {}: {reason}", finding.rule.id, finding.at);
        let _ = writeln!(text, "  {}", paint.dim(&markdown::line(&line)));
    }
    if let Some(plan) = &report.plan {
        let _ = write!(text, "\nPlan for {} ({}), nothing is written:\n", plan.repo_id, plan.tag);
        if plan.already_published {
            let _ = writeln!(text, "  already published");
        }
        for step in &plan.steps {
            let bytes = step.bytes.map(|bytes| format!(" ({})", size(bytes))).unwrap_or_default();
            let how = step.how.as_deref().map(|how| format!(", {how}")).unwrap_or_default();
            let what = markdown::line(&step.what);
            let _ = writeln!(text, "  {:<13} {what}{bytes}{}", step.action, markdown::line(&how));
        }
    }
    if let Some(done) = &report.publication {
        let how =
            if done.already_published { "already published, nothing written" } else { "published" };
        let _ = writeln!(text, "\n{} {} {how}", paint.bold(&done.repo_id), done.tag);
        let files = &done.files;
        let _ = writeln!(
            text,
            "  {} written, {} unchanged, {} deleted; {} sent as large files",
            files.written,
            files.unchanged,
            files.deleted,
            size(done.bytes_sent)
        );
        let _ = writeln!(text, "  {} at {:.12}", done.url, done.revision);
    }
    if let Some(done) = &report.staged {
        let how = if done.already_published {
            "published already, nothing brought".to_owned()
        } else {
            format!("{} brought as large files", size(done.bytes_sent))
        };
        let _ = writeln!(text, "\n{how}");
        let _ = writeln!(text, "  part {}", markdown::line(&done.part));
        let _ = writeln!(text, "  digest {}", done.digest);
    }
    if let Some(failure) = &report.failure {
        let _ = writeln!(text, "\n{}", paint.bold(&markdown::line(failure.what())));
        for line in failure.causes().iter().flat_map(|cause| wrapped(cause)) {
            let _ = writeln!(text, "  {line}");
        }
        for line in failure.stands().iter().flat_map(|(_, stands)| wrapped(stands)) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for line in report.audit.iter().flat_map(|audited| wrapped(&audited.told())) {
        let _ = writeln!(text, "  {line}");
    }
    for note in &report.notes {
        let _ = writeln!(text, "  {}", paint.dim(&markdown::line(note)));
    }
    text
}

/// A metric on one line; where that gets long, what is asked and where it stands on a second.
fn write_metric(text: &mut String, row: &MetricRow, paint: Paint) {
    let mark = match (row.passed, row.doubtful) {
        (true, false) => "✓",
        (true, true) => "!",
        (false, _) => "✗",
    };
    let mut line = format!("{mark} {} = {}", row.name, row.value);
    if !row.before.is_empty() {
        let word = match row.better {
            Some(true) => ", better",
            Some(false) => ", worse",
            None => "",
        };
        line += &format!(", {} since {}{word}", row.delta, row.before);
    }
    let mut asked = String::new();
    if !row.bound.is_empty() {
        asked += &format!(" ({})", row.bound);
    }
    let length = line.chars().count() + asked.chars().count() + row.source.chars().count() + 4;
    let gap = if length > TERMINAL { "\n     " } else { "" };
    let (line, asked) = (markdown::line(&line), markdown::line(&asked));
    let source = paint.dim(&markdown::line(&row.source));
    let _ = writeln!(text, "  {line}{gap}{asked}  {source}");
    if let Some(test) = &row.test {
        let _ = writeln!(text, "      {}", paint.dim(&test.to_string()));
    }
}

fn headline(report: &Report, paint: Paint) -> String {
    let what = match &report.versioning {
        Versioning::Release(release) => format!("{} {}", report.model, release.hub_tag()),
        Versioning::Unreadable { tag, .. } => format!("{} {}", report.model, markdown::line(tag)),
        Versioning::Untagged => report.model.clone(),
    };
    let what = report.shard.iter().fold(what, |what, shard| format!("{what}, share {shard}"));
    let tally = report.verdict.tally();
    let counts = [(tally.errors, "error"), (tally.warnings, "warning"), (tally.notes, "note")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" }))
        .collect::<Vec<_>>()
        .join(", ");
    let verdict = match report.end() {
        End::Pass => paint.with("1;32", "PASS"),
        End::Blocked => paint.with("1;31", "BLOCKED"),
        End::Failed => paint.with("1;31", "FAILED"),
    };
    let counts = if counts.is_empty() { String::new() } else { format!(" · {counts}") };
    let files =
        format!("{} files, {}", report.inventory.files.len(), size(report.inventory.bytes()));
    format!("{verdict} {} · {files}{counts}", paint.bold(&what))
}

fn gate(weighing: &Weighing, paint: Paint) -> String {
    let worst = weighing.findings.iter().map(|finding| finding.level).max();
    let (mark, note) = match (&weighing.outcome, worst) {
        (Outcome::Broken(failure), _) => (paint.with("1;31", "!"), failure.what().to_owned()),
        (Outcome::Skipped(note), None) => (paint.dim("–"), note.clone()),
        (Outcome::Judged(note) | Outcome::Skipped(note), Some(Level::Error)) => {
            (paint.with("31", "✗"), note.clone())
        }
        (Outcome::Judged(note) | Outcome::Skipped(note), Some(Level::Warning)) => {
            (paint.with("33", "!"), note.clone())
        }
        (Outcome::Judged(note) | Outcome::Skipped(note), _) => {
            (paint.with("32", "✓"), note.clone())
        }
    };
    format!("{mark} {:<11} {}", weighing.gate, markdown::line(&note))
}

/// Findings with place, reason and fix.
pub(super) fn findings(findings: &[&Finding], color: bool) -> String {
    let paint = Paint(color);
    let mut text = String::new();
    for finding in findings {
        let _ = write!(
            text,
            "\n{} {}",
            paint.level(finding.level),
            paint.bold(&format!("[{}]", finding.rule.id))
        );
        let _ = writeln!(text, " {}", markdown::line(&finding.at.to_string()));
        for line in wrapped(&finding.message) {
            let _ = writeln!(text, "  {line}");
        }
        let mut lead = "fix: ";
        for fix in finding.fix.lines().flat_map(wrapped) {
            let _ = writeln!(text, "  {}", paint.dim(&format!("{lead}{fix}")));
            lead = "     ";
        }
    }
    text
}

/// Lines of at most [`WIDTH`] columns, cut at blanks where there are any.
fn wrapped(text: &str) -> Vec<String> {
    let clean = markdown::line(text);
    let indent: String = clean.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut line = indent.clone();
    for word in clean.split_whitespace() {
        if line.chars().count() + word.chars().count() > WIDTH && line.len() > indent.len() {
            lines.push(std::mem::replace(&mut line, indent.clone()));
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    Bytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_wrap_and_control_characters_do_not_act() {
        let lines = wrapped(&"word ".repeat(60));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert!(!wrapped("a\x1b[31mb")[0].contains('\x1b'));
    }
}
