//! One report, many renderers, each knowing its medium's limits.

mod audit;
mod audit_history;
pub mod audit_log;
pub mod card;
pub mod catalogue;
mod checks;
mod commands;
mod console;
mod emergency;
mod foreign;
mod json;
mod outputs;
pub mod progress;
pub mod rules;
mod sarif;
pub mod scan;
mod streams;
mod summary;

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::context::GitHubRunner;
pub use crate::evidence::MetricRow;
use crate::failure::Failure;
use crate::finding::Verdict;
use crate::http::{Secret, blotted};
use crate::inventory::Inventory;
use crate::publish::PlanView;
use crate::release::{Target, Versioning};

pub use audit::Audited;
pub use checks::check_run;
pub use foreign::Foreign;
pub use streams::{aside, print, print_data, print_with_secret};

/// Everything a run has to tell.
#[derive(Debug)]
pub struct Report {
    /// `check`, `release`, `stage` or `rehearse`.
    pub mode: &'static str,
    /// The policy file, as shown.
    pub policy: String,
    /// Model name.
    pub model: String,
    /// The policy has other models too.
    pub several: bool,
    /// Whether there is a version.
    pub versioning: Versioning,
    /// Where it goes.
    pub target: Option<Target>,
    /// Commit that was weighed.
    pub commit: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was weighed.
    pub inventory: Inventory,
    /// Metrics with their bounds: name, shown value, shown bound, passed.
    pub metrics: Vec<MetricRow>,
    /// What publishing did, when it ran.
    pub publication: Option<Publication>,
    /// Why publishing did not end, when it began and did not.
    pub failure: Option<Failure>,
    /// The share that was weighed, where it is not the whole.
    pub shard: Option<String>,
    /// What a share brought.
    pub staged: Option<Staged>,
    /// What publishing would do, for a dry run.
    pub plan: Option<PlanView>,
    /// The record in the audit log, where the policy has one and this run wrote something.
    pub audit: Option<Audited>,
    /// Remarks on the run itself ("no checks: write permission, annotations went to the log").
    pub notes: Vec<String>,
}

impl Report {
    /// How the run ended.
    pub fn end(&self) -> End {
        if self.failure.is_some() || self.verdict.broken().next().is_some() {
            End::Failed
        } else if self.verdict.passed() {
            End::Pass
        } else {
            End::Blocked
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every gate passed, and what was to be published is.
    Pass,
    /// A gate said no; nothing was published.
    Blocked,
    /// Weighbridge could not do its work.
    Failed,
}

impl End {
    /// As reports and outputs have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
        }
    }
}

/// What publishing did.
#[derive(Debug, Clone, Serialize)]
pub struct Publication {
    /// Nothing was written: the version was there already.
    pub already_published: bool,
    /// `namespace/name`.
    pub repo_id: String,
    /// Commit on the Hub.
    pub revision: String,
    /// Tag on the Hub.
    pub tag: String,
    /// Page of the version.
    pub url: String,
    /// Digest of `weighbridge.json` as published.
    pub record_digest: String,
    /// Files in the commit, files that were there already, files deleted.
    pub files: PublishedFiles,
    /// Bytes sent through Xet or LFS.
    pub bytes_sent: u64,
}

/// What a share of a release brought to the Hub, and the part that tells of it.
#[derive(Debug, Clone, Serialize)]
pub struct Staged {
    /// The part's folder, as the steps after this one find it.
    pub part: String,
    /// SHA-256 over its content.
    pub digest: String,
    /// The version is on the Hub already, so that nothing was brought.
    pub already_published: bool,
    /// Bytes sent through Xet or LFS.
    pub bytes_sent: u64,
}

/// Counts of files.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PublishedFiles {
    /// Added or changed.
    pub written: usize,
    /// Already there with the same digest.
    pub unchanged: usize,
    /// Deleted because this version does not have them.
    pub deleted: usize,
}

/// Where a report goes.
#[derive(Debug, Clone)]
pub struct Emit<'a> {
    /// GitHub's runner, if that is where we are.
    pub github: Option<&'a GitHubRunner>,
    /// Folder for report.json and report.sarif; made if missing.
    pub folder: &'a Path,
    /// That folder as the steps after this one find it: a container has its own names.
    pub told: &'a Path,
    /// Whether standard output gets the JSON report in the place of the text for people.
    pub json: bool,
    /// Whether the console may use colour.
    pub color: bool,
}

/// Tells a report everywhere: files, console, and on GitHub annotations, summary and outputs.
pub fn emit(report: &Report, emit: &Emit<'_>) -> Result<(), Failure> {
    let findings = report.verdict.findings();
    let json = format!("{:#}\n", json::render(report));
    write(emit.folder, "report.json", &json)?;
    let sarif =
        format!("{:#}\n", sarif::render(&findings, &report.policy, report.verdict.emergency()));
    write(emit.folder, "report.sarif", &sarif)?;
    let console = if emit.json { json } else { console::render(report, emit.color) };
    let Some(github) = emit.github else {
        return if emit.json { print_data(&console) } else { print(&console) };
    };
    streams::print_command(&commands::fenced(&console)?)?;
    for line in commands::annotations(&findings, emergency::told(&report.verdict).as_deref()) {
        streams::print_command(&line)?;
    }
    if let Some(warning) = report.audit.as_ref().and_then(Audited::warning) {
        streams::print_command(&commands::warning("weighbridge", &warning))?;
    }
    if let Some(path) = &github.summary {
        let there = std::fs::metadata(path).map_or(0, |found| found.len());
        let left = summary::BUDGET.saturating_sub(usize::try_from(there).unwrap_or(usize::MAX));
        append(path, &summary::render(report, left))?;
    }
    if let Some(path) = &github.output {
        append(path, &outputs::render(&outputs(report, emit.told)))?;
    }
    Ok(())
}

fn outputs(report: &Report, folder: &Path) -> Vec<(&'static str, String)> {
    let done = report.publication.as_ref();
    let version = match &report.versioning {
        Versioning::Release(release) => release.version.to_string(),
        Versioning::Untagged | Versioning::Unreadable { .. } => String::new(),
    };
    let tally = report.verdict.tally();
    vec![
        ("verdict", report.end().as_str().to_owned()),
        ("version", version),
        (
            "repo-id",
            report.target.as_ref().map(|target| target.repo.to_string()).unwrap_or_default(),
        ),
        ("revision", done.map(|done| done.revision.clone()).unwrap_or_default()),
        ("url", done.map(|done| done.url.clone()).unwrap_or_default()),
        ("manifest-digest", report.inventory.manifest_digest().to_string()),
        ("findings", (tally.errors + tally.warnings + tally.notes).to_string()),
        ("report", folder.join("report.json").display().to_string()),
        ("part", report.staged.as_ref().map(|done| done.part.clone()).unwrap_or_default()),
        ("part-digest", report.staged.as_ref().map(|done| done.digest.clone()).unwrap_or_default()),
        ("audit-head", report.audit.as_ref().and_then(Audited::head).unwrap_or_default()),
        ("audit-record", report.audit.as_ref().and_then(Audited::kept).unwrap_or_default()),
        ("sarif", folder.join("report.sarif").display().to_string()),
    ]
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = folder.join(name);
    let written =
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, &*blotted(text)));
    written.map_err(|error| {
        Failure::new(format!("cannot write {}", path.display()))
            .because(&error)
            .fix("give a folder that can be written: `--report-dir DIR` (input `report-dir`)")
    })
}

fn append(path: &Path, text: &str) -> Result<(), Failure> {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(blotted(text).as_bytes()));
    written
        .map_err(|error| Failure::new(format!("cannot write {}", path.display())).because(&error))
}

/// Masks a secret in the runner's log, in every form it may take. On standard error, as the log that it
/// must come before: a runner reads two streams in no order, and act joins them into one.
pub fn mask(secret: &Secret) -> Result<(), Failure> {
    commands::masks(secret).into_iter().try_for_each(streams::secret)
}

/// Something that people should change, though nothing is wrong: on GitHub an annotation too.
pub fn warning(title: &str, text: &str, github: bool) {
    aside(&format!("· {title}: {text}"));
    if github {
        // While nothing of the report is out, whose fence it could come to stand in.
        streams::told(&commands::warning(title, text));
    }
}

/// A failure to do the work: one line, its causes, the fix; on GitHub an annotation too.
pub fn failure(failure: &Failure, github: bool, color: bool) {
    let paint = console::Paint(color);
    let mut text = format!("{} {}\n", paint.level(crate::finding::Level::Error), failure.what());
    for cause in failure.causes() {
        text.push_str(&format!("  because: {}\n", cause.replace('\n', "\n  ")));
    }
    if let Some((_, stands)) = failure.stands() {
        text.push_str(&format!("  on the Hub: {stands}\n"));
    }
    if let Some(fix) = failure.advice() {
        text.push_str(&format!("  fix: {}\n", fix.replace('\n', "\n       ")));
    }
    if github {
        let mut all = failure.to_string();
        if let Some((_, stands)) = failure.stands() {
            all.push_str(&format!("\nOn the Hub: {stands}"));
        }
        if let Some(fix) = failure.advice() {
            all.push_str(&format!("\nFix: {fix}"));
        }
        // Behind the report on the same stream, whose fence it could otherwise come to stand in. There is
        // nowhere left to tell that even this failed.
        let _ = streams::print_command(&commands::error(&all));
    }
    aside(text.trim_end());
}
