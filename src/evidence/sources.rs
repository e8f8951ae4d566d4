//! What evidence tells of the runs behind its numbers, file by file: what card and record show.

use std::collections::BTreeSet;

use super::{Evidence, Lineage, Pin, Stage};
use crate::digest::Digest;

/// A file of evidence and the run that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'e> {
    /// Path relative to the workspace.
    pub file: &'e str,
    /// SHA-256 of it.
    pub sha256: Option<Digest>,
    /// The run.
    pub lineage: &'e Lineage,
    /// Every dataset that it names, of the run and of single numbers, sorted.
    pub datasets: Vec<&'e str>,
}

impl Evidence {
    /// The files that tell something of their runs, in the order of the metrics.
    pub fn sources(&self) -> Vec<Source<'_>> {
        let mut seen = BTreeSet::new();
        let first = self.metrics.iter().filter(|metric| seen.insert(metric.file.as_str()));
        let sources = first.map(|metric| {
            let of_file = self.metrics.iter().filter(|other| other.file == metric.file);
            let of_numbers = of_file.filter_map(|other| other.number.as_ref()?.dataset.as_deref());
            let of_run = metric.lineage.datasets.iter().map(String::as_str);
            let datasets: BTreeSet<_> = of_run.chain(of_numbers).collect();
            Source {
                file: &metric.file,
                sha256: metric.sha256,
                lineage: &metric.lineage,
                datasets: datasets.into_iter().collect(),
            }
        });
        sources
            .filter(|source| *source.lineage != Lineage::default() || !source.datasets.is_empty())
            .collect()
    }

    /// The stages of the pipeline behind the model and its numbers, and what went into them.
    pub fn pipeline_behind(&self) -> (Vec<&Stage>, Vec<&Pin>) {
        let files = self.metrics.iter().map(|metric| metric.file.as_str()).collect();
        let stages = self.pipeline.behind(&files);
        let inputs = self.pipeline.inputs(&stages);
        (stages, inputs)
    }
}
