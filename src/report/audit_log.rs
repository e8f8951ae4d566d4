//! What `audit-log` prints.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::audit_history as history;
use crate::audit::{Appended, Entry, Record, Verification};
use crate::markdown::line;

/// What verification found, for people.
pub fn text(place: &str, found: &Verification) -> String {
    let (records, files) = (found.chain.records(), found.files);
    let head = found.chain.head().map(|head| head.to_string());
    let mut text = match (&found.broken, &head) {
        (Some(broken), _) => format!(
            "broken: {}\n  {records} records before it hold\n  fix: restore the file as it stood in the history of its repository before that line was changed\n",
            line(&broken.to_string())
        ),
        (None, None) => format!("{}: it has no record\n", line(place)),
        (None, Some(head)) => format!(
            "{}: {records} records in {files} files, the chain is whole\n  head {head}\n",
            line(place)
        ),
    };
    // Writing to a String cannot fail, here and below.
    match found.holds {
        Some(true) => text.push_str("  the record with the hash that was asked for is in it\n"),
        Some(false) if found.broken.is_none() => text.push_str(
            "  the record with the hash that was asked for is not in it: it was cut off, or the log is another\n  fix: look for it in the history of the repository\n",
        ),
        Some(false) | None => {}
    }
    text.extend(found.history.as_ref().map(history::text));
    text
}

/// As one JSON object.
pub fn json(place: &str, found: &Verification) -> String {
    let broken = found.broken.as_ref().map(
        |broken| json!({"file": broken.file, "line": broken.line, "why": broken.flaw.to_string()}),
    );
    let verdict = match (found.chain_holds(), found.passed()) {
        (false, _) => "broken",
        (true, false) => "rewritten",
        (true, true) => "whole",
    };
    let newest: Vec<_> = found.newest.iter().filter_map(shown).collect();
    let object = json!({
        "schema": "weighbridge-audit-log/1",
        "log": place,
        "verdict": verdict,
        "files": found.files,
        "records": found.chain.records(),
        "head": found.chain.head(),
        "holds": found.holds,
        "broken": broken,
        "history": found.history.as_ref().map(history::json),
        "newest": newest,
    });
    format!("{object:#}\n")
}

/// A line of the log as JSON; one of a newer program is shown as far as it can be read.
fn shown(entry: &Entry) -> Option<Value> {
    let mut object = json!({"sequence": entry.sequence, "sha256": entry.digest});
    let record: Value = serde_json::from_str(&entry.record).ok()?;
    object["record"] = record;
    Some(object)
}

/// The newest records as a table for a terminal.
pub fn table(found: &Verification) -> String {
    let mut rows = vec![
        ["record", "time", "what", "outcome", "by", "repository", "commit"].map(str::to_owned),
    ];
    for entry in &found.newest {
        let Ok(record) = serde_json::from_str::<Record>(&entry.record) else {
            let mut row = [const { String::new() }; 7];
            row[0] = entry.sequence.to_string();
            row[2] = "of a newer program".into();
            rows.push(row);
            continue;
        };
        let after: String = record.after.as_deref().unwrap_or("?").chars().take(12).collect();
        rows.push([
            entry.sequence.to_string(),
            record.time.to_string(),
            line(&format!("{} {}", record.model, record.version)),
            record.outcome.as_str().to_owned(),
            line(record.actor.as_deref().unwrap_or("nobody known")),
            line(&record.repo_id),
            line(&after),
        ]);
    }
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..7).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

/// What `audit-log append` did.
pub fn appended(repository: &str, appended: &Appended, was_there: bool) -> String {
    let how = if was_there { "was in the log already" } else { "is in the log" };
    format!(
        "record {} {how}: {repository}/{}, sha256 {}\n",
        appended.sequence,
        line(&appended.file),
        appended.digest
    )
}
