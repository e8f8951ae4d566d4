//! Where numbers and files come from: runs, stages, inputs. No path of anybody's machine gets in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::evidence::{Pin, Source, Stage};
use crate::finding::Location;
use crate::machine_path;

/// What a file of evidence tells of the run that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// The file that says so.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: Option<Digest>,
    /// The program and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The run's id in the program that kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The commit of the code that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The model that was measured, under the name that the run had for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Data that the run or a number names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
}

/// A stage of the pipeline behind the model and its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Its name.
    pub name: String,
    /// File and line that record it.
    pub recorded: String,
    /// Parameters that it read, by `file:name`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// What it read.
    pub deps: Vec<PinRecord>,
    /// What it wrote.
    pub outs: Vec<PinRecord>,
}

/// A file or folder as the pipeline pins it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRecord {
    /// Path in the source repository, or an address.
    pub path: String,
    /// MD5 as DVC writes it; `.dir` ends that of a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// File and line that pin it.
    pub recorded: String,
}

impl SourceRecord {
    pub(super) fn of(source: &Source<'_>) -> Self {
        let lineage = source.lineage;
        Self {
            file: source.file.to_owned(),
            sha256: source.sha256,
            tool: lineage.tool.clone(),
            run: lineage.run.clone(),
            commit: lineage.commit.clone(),
            model: lineage.model.clone(),
            datasets: source.datasets.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

impl StageRecord {
    pub(super) fn of(stage: &Stage) -> Self {
        Self {
            name: stage.name.clone(),
            recorded: recorded(&stage.at),
            params: stage.params.iter().cloned().collect(),
            deps: stage.deps.iter().map(PinRecord::of).collect(),
            outs: stage.outs.iter().map(PinRecord::of).collect(),
        }
    }
}

impl PinRecord {
    pub(super) fn of(pin: &Pin) -> Self {
        Self {
            path: pin.told(),
            md5: pin.md5_as_written(),
            size: pin.size,
            from: pin.from.as_deref().and_then(machine_path::name_of),
            recorded: recorded(&pin.at),
        }
    }
}

fn recorded(at: &Location) -> String {
    let path = at.path.as_deref().unwrap_or_default();
    at.line.map_or_else(|| path.to_owned(), |line| format!("{path}:{line}"))
}

/// A JSON Pointer, unless a name in it is a path of a machine.
pub(super) fn pointer(pointer: &str) -> String {
    let step = |step: &str| step.replace("~1", "/").replace("~0", "~");
    let told = !pointer.split('/').any(|part| machine_path::is_one(&step(part)));
    if told { pointer.to_owned() } else { String::new() }
}
