//! The job summary: Markdown on the run's page. GitHub drops the whole of it above 1 MiB, what
//! earlier steps wrote included; so it has a budget and says when it leaves something out.

use std::fmt::Write as _;

use super::console::size;
use super::{End, MetricRow, Report, emergency};
use crate::finding::{Finding, Level, NOT_ASKED, Outcome, Verdict};
use crate::markdown::{code, text as cell};
use crate::release::Versioning;

/// Bytes of all summaries of a job, well under GitHub's 1,048,576.
pub(super) const BUDGET: usize = 900_000;

/// The summary, in at most `budget` bytes: all findings, else the grave ones, else their number.
pub(super) fn render(report: &Report, budget: usize) -> String {
    for least in [Some(Level::Note), Some(Level::Warning), Some(Level::Error), None] {
        let text = with(report, least);
        if text.len() <= budget {
            return text;
        }
    }
    let end = report.end().as_str();
    let emergency = report.verdict.emergency().map(|_| format!(" ({})", emergency::HEADING));
    let emergency = emergency.unwrap_or_default();
    let short = format!(
        "## weighbridge: {end}{emergency}\n\nThe summary did not fit; the whole is in the JSON report.\n"
    );
    if short.len() <= budget { short } else { String::new() }
}

fn with(report: &Report, least: Option<Level>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let verdict = match report.end() {
        End::Pass => "✅ Passed:",
        End::Blocked => "❌ Blocked:",
        End::Failed => "⚠️ Failed:",
    };
    let what = match &report.versioning {
        Versioning::Release(release) => format!("{} {}", report.model, release.hub_tag()),
        Versioning::Unreadable { tag, .. } => format!("{} {tag}", report.model),
        Versioning::Untagged => report.model.clone(),
    };
    let what = report.shard.iter().fold(what, |what, shard| format!("{what}, share {shard}"));
    if let Some(told) = emergency::told(&report.verdict) {
        let _ = writeln!(text, "> [!WARNING]\n> ⚠️ **{}** {}\n", emergency::HEADING, cell(&told));
    }
    let _ = writeln!(text, "## {verdict} {}\n", cell(&what));
    if let Some(failure) = &report.failure {
        let _ = writeln!(text, "{}\n", cell(&failure.to_string()));
        if let Some((_, stands)) = failure.stands() {
            let _ = writeln!(text, "On the Hub: {}\n", cell(stands));
        }
        if let Some(fix) = failure.advice() {
            let _ = writeln!(text, "Fix: {}\n", code(fix));
        }
    }
    if let Some(done) = &report.publication {
        let how = if done.already_published {
            "was published already; nothing was written"
        } else {
            "is published"
        };
        let _ =
            writeln!(text, "[{} {}]({}) {how}.\n", cell(&done.repo_id), cell(&done.tag), done.url);
    }
    if let Some(audited) = &report.audit {
        let mark = if audited.warning().is_some() { "⚠️ " } else { "" };
        let _ = writeln!(text, "{mark}{}.\n", cell(&audited.told()));
    }
    if let Some(done) = &report.staged {
        let how = if done.already_published {
            "The version is published already; nothing was brought".to_owned()
        } else {
            format!("{} brought to the Hub, where nobody sees them yet", size(done.bytes_sent))
        };
        let _ = writeln!(text, "{how}. The part has the digest {}.\n", code(&done.digest));
    }
    let files = report.inventory.files.len();
    let _ = writeln!(text, "{files} files, {}.\n", size(report.inventory.bytes()));
    write_gates(&mut text, &report.verdict);
    write_metrics(&mut text, &report.metrics);
    write_findings(&mut text, &report.verdict.findings(), least);
    for (finding, reason) in report.verdict.allowed() {
        let _ = writeln!(
            text,
            "- allowed: {} at {}: {}",
            code(finding.rule.id),
            code(&finding.at.to_string()),
            cell(reason)
        );
    }
    if let Some(plan) = &report.plan {
        let _ = writeln!(
            text,
            "\n### Plan for {} (nothing is written)\n\n| step | what | size |\n| --- | --- | --- |",
            cell(&plan.repo_id)
        );
        for step in &plan.steps {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                step.action,
                code(&step.what),
                [step.bytes.map(size), step.how.as_deref().map(cell)]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
    }
    for note in &report.notes {
        let _ = writeln!(text, "\n> {}", cell(note));
    }
    text
}

fn write_gates(text: &mut String, verdict: &Verdict) {
    let _ = writeln!(text, "| gate | | |\n| --- | --- | --- |");
    let asked = verdict.weighings().iter().filter(|weighing| !weighing.is_not_asked());
    for weighing in asked {
        let (mark, note) = match &weighing.outcome {
            Outcome::Broken(failure) => ("⚠️", failure.to_string()),
            Outcome::Skipped(note) => ("➖", note.clone()),
            Outcome::Judged(note)
                if weighing.findings.iter().any(|finding| finding.level == Level::Error) =>
            {
                ("❌", note.clone())
            }
            Outcome::Judged(note) => ("✅", note.clone()),
        };
        let _ = writeln!(text, "| {} | {mark} | {} |", weighing.gate, cell(&note));
    }
    let unasked = verdict.not_asked();
    if !unasked.is_empty() {
        let _ = writeln!(text, "| {} | ➖ | {} |", NOT_ASKED, unasked.join(", "));
    }
}

/// The table of metrics; what came before has its columns where it is known.
fn write_metrics(text: &mut String, metrics: &[MetricRow]) {
    if metrics.is_empty() {
        return;
    }
    let compared = metrics.iter().any(|row| !row.before.is_empty());
    let head = if compared {
        "\n| metric | now | before | delta | bound | verdict | source |\n| --- | --- | --- | --- | --- | --- | --- |"
    } else {
        "\n| metric | now | bound | verdict | source |\n| --- | --- | --- | --- | --- |"
    };
    let _ = writeln!(text, "{head}");
    for row in metrics {
        let verdict = match (row.passed, row.doubtful) {
            (true, false) => "✅ pass",
            (true, true) => "⚠️ warn",
            (false, _) => "❌ fail",
        };
        let before = if compared {
            format!(" {} | {} |", cell(&row.before), delta(row))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "| {} | {} |{before} {} | {verdict} | {} |",
            cell(&row.name),
            cell(&row.value),
            cell(&row.bound),
            code(&row.source)
        );
    }
}

/// The change with a small bar, and the test of it: one block for each per cent, at most five,
/// green for the better and red for the worse, where it is known which is which.
fn delta(row: &MetricRow) -> String {
    let blocks = row.part.map_or(0.0, |part| (part.abs() * 100.0).ceil()).min(5.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 5")]
    let blocks = blocks as usize;
    let (block, word) = match row.better {
        Some(true) => ("🟩", "better"),
        Some(false) => ("🟥", "worse"),
        None => ("⬜", ""),
    };
    let change = format!("{} {} {word}", cell(&row.delta), block.repeat(blocks));
    let change = change.split_whitespace().collect::<Vec<_>>().join(" ");
    match &row.test {
        Some(test) => format!("{change}<br>{}", cell(&test.to_string())),
        None => change,
    }
}

fn write_findings(text: &mut String, findings: &[&Finding], least: Option<Level>) {
    let shown: Vec<_> = findings
        .iter()
        .filter(|finding| least.is_some_and(|least| finding.level >= least))
        .collect();
    if !shown.is_empty() {
        text.push_str("\n### Findings\n");
    }
    for finding in &shown {
        let _ = writeln!(
            text,
            "\n- **{}** {} at {}  \n  {}",
            finding.level.as_str(),
            code(finding.rule.id),
            code(&finding.at.to_string()),
            cell(&finding.message)
        );
        for line in finding.fix.lines() {
            let _ = writeln!(text, "  <br>{}", code(line));
        }
    }
    let left = findings.len() - shown.len();
    if left > 0 {
        let _ =
            writeln!(text, "\n{left} more findings did not fit here; they are in the JSON report.");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::{Method, Test};
    use crate::finding::{Location, Overrides, Weighing};
    use crate::inventory::Inventory;
    use crate::report::commands::tests::RULE;

    fn report(findings: Vec<Finding>) -> Report {
        let weighing = Weighing { gate: "scan", outcome: Outcome::Judged("n".into()), findings };
        let today = jiff::civil::date(2026, 1, 2);
        Report {
            mode: "check",
            policy: "weighbridge.yml".into(),
            model: "churn".into(),
            several: false,
            versioning: Versioning::Untagged,
            target: None,
            commit: None,
            verdict: Verdict::judge(vec![weighing], &Overrides::default(), today),
            inventory: Inventory::default(),
            metrics: Vec::new(),
            publication: None,
            failure: None,
            shard: None,
            staged: None,
            plan: None,
            audit: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_table_of_metrics_shows_which_way_they_went() {
        let row = |name: &str, part, better, test| MetricRow {
            name: name.into(),
            value: "0.9".into(),
            before: "0.95".into(),
            delta: "-0.05".into(),
            part,
            better,
            test,
            bound: "≥ 0.8".into(),
            passed: better != Some(false),
            doubtful: better.is_none(),
            source: "m.json:1".into(),
        };
        let paired = Test {
            method: Method::Paired,
            samples: Some(400),
            samples_before: Some(400),
            degrees_of_freedom: Some(399.0),
            confidence: 0.95,
            stderr: 0.01,
            at_least: 0.01,
            p_value: 0.0215,
        };
        let mut table = String::new();
        let rows = [
            row("f1 | x", Some(-0.026), Some(false), Some(paired)),
            row("loss", Some(-0.5), Some(true), None),
            row("drift", None, None, None),
        ];
        write_metrics(&mut table, &rows);
        let lines: Vec<_> = table.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "| f1 \\| x | 0.9 | 0.95 | \\-0.05 🟥🟥🟥 worse<br>paired over 400 examples, p = 0.021 | ≥ 0.8 | ❌ fail | `m.json:1` |",
                "| loss | 0.9 | 0.95 | \\-0.05 🟩🟩🟩🟩🟩 better | ≥ 0.8 | ✅ pass | `m.json:1` |",
                "| drift | 0.9 | 0.95 | \\-0.05 | ≥ 0.8 | ⚠️ warn | `m.json:1` |",
            ]
        );
    }

    proptest! {
        #[test]
        fn the_budget_holds_and_what_is_left_out_is_counted(
            findings in prop::collection::vec(("\\PC{0,60}", "[a-z|`<\\n/]{1,20}", 0u8..3), 0..30),
            budget in 0usize..6000,
        ) {
            let levels = [Level::Note, Level::Warning, Level::Error];
            let findings: Vec<_> = findings.into_iter().map(|(message, path, level)| {
                let mut finding = Finding::new(&RULE, message, Location::file(path));
                finding.level = levels[usize::from(level)];
                finding
            }).collect();
            let count = findings.len();
            let report = report(findings);
            let text = render(&report, budget);
            prop_assert!(text.len() <= budget);
            if render(&report, usize::MAX).len() <= budget {
                prop_assert_eq!(text.matches("\n- **").count(), count);
            } else if text.contains("| gate |") {
                let shown = text.matches("\n- **").count();
                let says = format!("\n{} more findings did not fit here", count - shown);
                prop_assert!(text.contains(&says), "{}", text);
            }
        }
    }
}
