//! Where the numbers and the files come from, as far as evidence and pipeline tell.

use serde::Serialize;

use super::CardInput;
use crate::evidence::{Pin, Source};

/// Rows of each kind that are shown; the release record has them all.
const MAX_ROWS: usize = 20;

/// What the card tells of it.
#[derive(Debug, Serialize)]
pub(super) struct LineageFacts {
    sources: Vec<SourceFacts>,
    sources_beyond: usize,
    stages: Vec<StageFacts>,
    stages_beyond: usize,
    inputs: Vec<InputFacts>,
    inputs_beyond: usize,
}

/// A file of evidence and its run.
#[derive(Debug, Serialize)]
struct SourceFacts {
    file: String,
    tool: Option<String>,
    run: Option<String>,
    commit: Option<String>,
    model: Option<String>,
    datasets: Vec<String>,
}

#[derive(Debug, Serialize)]
struct StageFacts {
    name: String,
    file: String,
}

#[derive(Debug, Serialize)]
struct InputFacts {
    path: String,
    md5: Option<String>,
    file: String,
}

impl LineageFacts {
    pub(super) fn of(input: &CardInput<'_>) -> Self {
        let sources = input.evidence.sources();
        let (stages, inputs) = input.evidence.pipeline_behind();
        let file = |at: &crate::finding::Location| at.path.clone().unwrap_or_default();
        Self {
            sources_beyond: sources.len().saturating_sub(MAX_ROWS),
            sources: sources.iter().take(MAX_ROWS).map(SourceFacts::of).collect(),
            stages_beyond: stages.len().saturating_sub(MAX_ROWS),
            stages: stages
                .iter()
                .take(MAX_ROWS)
                .map(|stage| StageFacts { name: stage.name.clone(), file: file(&stage.at) })
                .collect(),
            inputs_beyond: inputs.len().saturating_sub(MAX_ROWS),
            inputs: inputs
                .iter()
                .take(MAX_ROWS)
                .map(|pin: &&Pin| InputFacts {
                    path: pin.told(),
                    md5: pin.md5_as_written(),
                    file: file(&pin.at),
                })
                .collect(),
        }
    }
}

impl SourceFacts {
    fn of(source: &Source<'_>) -> Self {
        let lineage = source.lineage;
        let mut datasets: Vec<_> = source.datasets.iter().map(|name| (*name).to_owned()).collect();
        datasets.truncate(MAX_ROWS);
        Self {
            file: source.file.to_owned(),
            tool: lineage.tool.clone(),
            run: lineage.run.clone(),
            commit: lineage.commit.clone(),
            model: lineage.model.clone(),
            datasets,
        }
    }
}
