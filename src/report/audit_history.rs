//! What `audit-log verify` prints of the history of the log's repository.

use serde_json::{Value, json};

use crate::audit::{Extent, History, How, Made, Rewrite};
use crate::markdown::line;

/// For people: whether the log only ever grew.
pub(super) fn text(history: &History) -> String {
    let first = history.first.as_ref();
    let rewritten = first.map(|first| rewritten(first, history.rewrites));
    match (&history.extent, rewritten) {
        (Extent::Begin | Extent::At(_), Some(rewritten)) => rewritten,
        (_, rewritten) => rewritten.unwrap_or_default() + &seen(history),
    }
}

/// How far the history was seen.
fn seen(history: &History) -> String {
    let commits = match history.commits {
        1 => "the one commit that was looked at".to_owned(),
        more => format!("each of the {more} commits that were looked at"),
    };
    match &history.extent {
        Extent::Begin => format!("  history: {commits} only added to it, from its beginning on\n"),
        Extent::At(made) if history.commits == 0 => {
            format!("  history: nothing was added since {:.12}\n", made.commit)
        }
        Extent::At(made) => format!(
            "  history: {commits} only added to it; what came before {:.12} was not looked at: `--all`\n",
            made.commit
        ),
        Extent::Squashed(made, records) => format!(
            "squashed: the history begins with {}, which has {} already\n  whether anything was cut off or changed before it cannot be known\n  fix: hold the log against a hash that a release told (`--head SHA256`); if the squash was meant, check from it on: `--since {}`\n",
            shown(made),
            records.map_or_else(|| "records".to_owned(), |records| format!("{records} records")),
            made.commit
        ),
        Extent::Lost(id) => format!(
            "rewritten: the history does not have the commit {} any more: it was squashed or written anew, or the id is mistyped\n  fix: hold the log against a hash that a release told (`--head SHA256`), and ask who may write to the repository\n",
            line(id)
        ),
    }
}

fn rewritten(first: &Rewrite, rewrites: usize) -> String {
    let more = match rewrites - 1 {
        0 => String::new(),
        1 => "  one later commit did so too\n".to_owned(),
        more => format!("  {more} later commits did so too\n"),
    };
    format!(
        "rewritten: by {}\n  {}: {}\n{more}  fix: put back what stood there in the commit before it, and ask who may write to the repository; once that is settled, check from the settled commit on: `--since COMMIT`\n",
        shown(&first.made),
        line(&first.file),
        became(first.how)
    )
}

/// What became of the file.
fn became(how: How) -> String {
    match how {
        How::Removed => "it was removed".to_owned(),
        How::Cut(1) => "its last record was cut off".to_owned(),
        How::Cut(records) => format!("its last {records} records were cut off"),
        How::Changed(Some(number)) => format!("line {number}, and what follows it, became another"),
        How::Changed(None) => "it became another, too large for a file of a log".to_owned(),
    }
}

fn shown(made: &Made) -> String {
    let by = if made.by.is_empty() { "nobody known" } else { &made.by };
    format!(
        "the commit {:.12} of {}, {} (\"{}\")",
        line(&made.commit),
        line(by),
        line(&made.date),
        line(&made.title)
    )
}

/// For programs.
pub(super) fn json(history: &History) -> Value {
    let (extent, made, records) = match &history.extent {
        Extent::Begin => ("begin", None, None),
        Extent::At(made) => ("commit", Some(object(made)), None),
        Extent::Squashed(made, records) => ("squashed", Some(object(made)), *records),
        Extent::Lost(id) => ("lost", Some(json!({"commit": id})), None),
    };
    let first = history.first.as_ref().map(|first| {
        let how = match first.how {
            How::Removed => "removed",
            How::Cut(_) => "cut",
            How::Changed(_) => "changed",
        };
        json!({"by": object(&first.made), "file": first.file, "how": how, "why": became(first.how)})
    });
    json!({
        "commits": history.commits,
        "extent": extent,
        "at": made,
        "records_at": records,
        "rewrites": history.rewrites,
        "first_rewrite": first,
    })
}

fn object(made: &Made) -> Value {
    json!({"commit": made.commit, "title": made.title, "authors": made.by, "date": made.date})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_commit_says_of_itself_forges_no_line() {
        let made = Made {
            commit: "0123456789abcdef".into(),
            title: "mine\n::error::forged".into(),
            by: "eve\u{1b}[2J".into(),
            date: "2026-11-26T01:02:03.000Z\n".into(),
        };
        let first = Rewrite { made, file: "audit/2026-11.jsonl".into(), how: How::Cut(2) };
        let history =
            History { commits: 3, extent: Extent::Begin, first: Some(first), rewrites: 2 };
        let told = text(&history);
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(lines.len(), 4, "{told}");
        assert!(lines[0].starts_with("rewritten: by the commit 0123456789ab of eve"), "{told}");
        assert!(!told.contains('\u{1b}'), "{told}");
        assert!(lines[1].ends_with("its last 2 records were cut off"), "{told}");
        assert_eq!(lines[2], "  one later commit did so too");
    }
}
