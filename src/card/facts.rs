//! What the template may show: plain facts, gathered once. Strings are escaped where they are
//! printed; those that are Markdown already say so by their name (`…_markdown`).

use serde::Serialize;

use super::lineage::LineageFacts;
use super::prose::prose;
use super::trend::Trend;
use super::{CardInput, change, changelog, details, usage};
use crate::evidence::measured;
use crate::hub::licenses;
use crate::inventory::Artifact;
use crate::own_files::CHART;
use crate::policy::{Benchmark, Section};

/// Rows of a table that are shown; the release record has them all.
const MAX_ROWS: usize = 200;

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    name: String,
    description: Option<String>,
    release: Option<ReleaseFacts>,
    repo: String,
    revision: String,
    license: Option<LicenseFacts>,
    base_models: Vec<String>,
    /// The file that names them, where nobody else does.
    base_models_file: Option<String>,
    base_model_relation: Option<String>,
    details: Vec<details::Row>,
    training_details: Vec<details::Row>,
    datasets: Vec<String>,
    metrics: Vec<MetricFacts>,
    /// The last release, where it had one of the metrics.
    last_version: Option<String>,
    chart: Option<ChartFacts>,
    parameters: Vec<details::Parameters>,
    files: Vec<FileFacts>,
    files_beyond: usize,
    file_count: usize,
    total_size: String,
    manifest_digest: String,
    usage_markdown: String,
    verify_markdown: String,
    training: TrainingFacts,
    emergency_markdown: Option<String>,
    lineage: LineageFacts,
    history: Vec<changelog::Entry>,
    history_beyond: usize,
    statements: Vec<StatementFacts>,
    unstated: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct ReleaseFacts {
    version: String,
    tag: String,
    channel: &'static str,
}

#[derive(Debug, Serialize)]
struct LicenseFacts {
    id: String,
    name: String,
    spdx: Option<&'static str>,
    link: Option<String>,
}

#[derive(Debug, Serialize)]
struct MetricFacts {
    name: String,
    value: String,
    /// Its value in the last release, and the change since.
    before: Option<String>,
    change: Option<String>,
    bound: String,
    verdict: &'static str,
    dataset: Option<String>,
    /// Its configuration, split and revision, as far as they are stated: `de, test, revision 1.0`.
    part: Option<String>,
    config: Option<String>,
    split: Option<String>,
    revision: Option<String>,
    source: String,
    digest: Option<String>,
}

#[derive(Debug, Serialize)]
struct ChartFacts {
    path: &'static str,
    alt: String,
}

#[derive(Debug, Serialize)]
struct FileFacts {
    path: String,
    format: &'static str,
    size: String,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct TrainingFacts {
    commit: Option<String>,
    commit_url: Option<String>,
    repository: Option<String>,
    run_url: Option<String>,
}

#[derive(Debug, Serialize)]
struct StatementFacts {
    key: &'static str,
    title: &'static str,
    text_markdown: Option<String>,
    by: String,
    date: String,
    of_compliance: bool,
}

impl Facts {
    pub(super) fn of(input: &CardInput<'_>) -> Self {
        let model = input.model;
        let repo = match input.target {
            Some(target) => target.repo.to_string(),
            // Without a version there is no place yet; the first stage names the owner.
            None => model.stages.first().map_or_else(
                || model.name.clone(),
                |stage| format!("{}/{}", stage.namespace, model.name),
            ),
        };
        let revision =
            input.release.map_or_else(|| "main".to_owned(), crate::release::Release::hub_tag);
        let (statements, unstated) = statements(input);
        // Later versions are no history of this one: released again, it has the same card.
        let so_far = |entry: &&crate::release::HistoryEntry| {
            input.release.is_none_or(|release| entry.version <= release.version)
        };
        let (history, history_beyond) = changelog::entries(input.history.iter().filter(so_far));
        let metrics = metrics(input);
        let last = input.evidence.history.last().map(|last| last.version.to_string());
        let files = &input.inventory.files;
        let known = input.inventory.known();
        let weights = input.inventory.weights(input.library().as_deref());
        let bases = input.bases();
        Self {
            name: model.name.clone(),
            description: model.description.clone(),
            release: input.release.map(|release| ReleaseFacts {
                version: release.version.to_string(),
                tag: release.hub_tag(),
                channel: release.channel.as_str(),
            }),
            usage_markdown: usage::snippets(input, &repo, &revision),
            verify_markdown: usage::verify(&repo, &revision),
            repo,
            revision,
            license: license(input),
            base_models_file: bases.file().map(str::to_owned),
            base_models: bases.ids,
            base_model_relation: bases.relation,
            details: details::of_model(&known, &weights),
            training_details: details::rows(&known.training),
            datasets: model.datasets.clone(),
            last_version: last.filter(|_| metrics.iter().any(|metric| metric.before.is_some())),
            metrics,
            chart: Trend::of(model, input.release, input.evidence)
                .map(|trend| ChartFacts { path: CHART, alt: trend.alt() }),
            parameters: details::parameters(&weights),
            files: files.iter().take(MAX_ROWS).map(FileFacts::of).collect(),
            files_beyond: files.len().saturating_sub(MAX_ROWS),
            file_count: files.len(),
            total_size: size(input.inventory.bytes()),
            manifest_digest: input.inventory.manifest_digest().to_string(),
            training: training(input),
            emergency_markdown: input.emergency.map(|note| note.markdown().to_owned()),
            lineage: LineageFacts::of(input),
            history,
            history_beyond,
            statements,
            unstated,
        }
    }
}

fn license(input: &CardInput<'_>) -> Option<LicenseFacts> {
    let license = input.model.license.as_ref()?;
    let known = licenses::name(&license.id).map(str::to_owned);
    Some(LicenseFacts {
        id: license.id.clone(),
        name: license.name.clone().or(known).unwrap_or_else(|| license.id.clone()),
        spdx: licenses::spdx(&license.id),
        link: license.link.clone(),
    })
}

fn metrics(input: &CardInput<'_>) -> Vec<MetricFacts> {
    let short = |digest: crate::digest::Digest| digest.to_string()[..12].to_owned();
    let last = input.evidence.history.last();
    let rows = measured(input.model, input.evidence).into_iter().enumerate().take(MAX_ROWS);
    rows.map(|(index, row)| {
        let since = change::since(last, index, &row);
        let (before, change) = since.map(|since| (since.before, since.change)).unzip();
        MetricFacts {
            name: row.name(),
            value: row.value(),
            before,
            change,
            bound: row.bound(),
            verdict: match (row.passed(), row.bound().is_empty()) {
                (true, true) => "not bounded",
                (true, false) => "passed",
                (false, _) => "failed",
            },
            dataset: row.benchmark.dataset.clone(),
            part: part(row.benchmark),
            config: row.benchmark.config.clone(),
            split: row.benchmark.split.clone(),
            revision: row.benchmark.revision.clone(),
            source: row.source(),
            digest: row.metric.and_then(|metric| metric.sha256).map(short),
        }
    })
    .collect()
}

fn part(of: &Benchmark) -> Option<String> {
    let revision = of.short_revision().map(|revision| format!("revision {revision}"));
    let parts: Vec<_> =
        [of.config.clone(), of.split.clone(), revision].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

impl FileFacts {
    fn of(file: &Artifact) -> Self {
        Self {
            path: file.path.to_string(),
            format: file.format.as_str(),
            size: size(file.size),
            sha256: file.sha256.to_string(),
        }
    }
}

fn training(input: &CardInput<'_>) -> TrainingFacts {
    // The run's address names the server: `https://host/owner/name/actions/runs/1`.
    let commit_url = || {
        let (repository, run, commit) = (input.repository?, input.run_url?, input.commit?);
        let (server, _) = run.split_once(&format!("/{repository}/"))?;
        Some(format!("{server}/{repository}/commit/{commit}"))
    };
    TrainingFacts {
        commit: input.commit.map(str::to_owned),
        commit_url: commit_url(),
        repository: input.repository.map(str::to_owned),
        run_url: input.run_url.map(str::to_owned),
    }
}

/// The statements in card order, those that are due but missing among them without a text; and the
/// titles of the sections that nobody has to state and nobody did.
fn statements(input: &CardInput<'_>) -> (Vec<StatementFacts>, Vec<&'static str>) {
    const EXPECTED: [Section; 4] =
        [Section::IntendedUse, Section::TrainingData, Section::Limitations, Section::Bias];
    let settings = &input.model.card;
    let mut shown = Vec::new();
    let mut unstated = Vec::new();
    let here = input.target.and_then(|target| input.model.stage(&target.stage));
    let required = |section| input.model.requires(section, here);
    for section in Section::ALL {
        let statement = settings.statements.get(&section);
        if statement.is_none() && section.is_of_compliance() && !required(section) {
            continue;
        }
        if statement.is_none() && !EXPECTED.contains(&section) && !required(section) {
            unstated.push(section.title());
            continue;
        }
        shown.push(StatementFacts {
            of_compliance: section.is_of_compliance(),
            key: section.key(),
            title: section.title(),
            text_markdown: statement.map(|statement| prose(&statement.text)),
            by: statement.map(|statement| statement.by.clone()).unwrap_or_default(),
            date: statement.map(|statement| statement.date.to_string()).unwrap_or_default(),
        });
    }
    if input.readme.is_some() {
        // What the policy does not state, the author's own text may; the card gate knows.
        shown.retain(|statement| statement.text_markdown.is_some());
        unstated.clear();
    }
    (shown, unstated)
}

/// Bytes as the Hub shows them: decimal units, one digit after the point. The space is one at which
/// no line breaks.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*unit);
            format!("{}.{}\u{A0}{name}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes}\u{A0}B"),
    }
}

/// `22713216` → `22,713,216`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(size(0), "0\u{A0}B");
        assert_eq!(size(999), "999\u{A0}B");
        assert_eq!(size(90_900_000), "90.9\u{A0}MB");
        assert_eq!(size(u64::MAX), "18446744.0\u{A0}TB");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(22_713_216), "22,713,216");
    }
}
