//! What DVC recorded of the pipeline that made the model: the stages of `dvc.lock`, the pins of
//! `.dvc` files, and the metrics that `dvc.yaml` names. <https://dvc.org/doc/user-guide/project-structure>

mod paths;
mod read;
mod search;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use paths::Paths;
pub use paths::Pinned;

use super::{Base, Unreadable};
use crate::digest::Md5;
use crate::finding::Location;
use crate::machine_path;
use crate::policy::Model;

/// A pipeline as it was recorded.
#[derive(Debug, Clone, Default)]
pub struct Pipeline {
    /// The stages that ran, by file and in its order.
    pub stages: Vec<Stage>,
    /// Files that are pinned without a stage.
    pub pins: Vec<Pin>,
    /// Files of metrics that `dvc.yaml` names, relative to the policy's folder.
    pub metrics: Vec<String>,
    /// Files of DVC that cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// The MD5 of evidence files that are pinned, by path.
    pub evidence: BTreeMap<String, Md5>,
}

/// A stage of a `dvc.lock`.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Where it is recorded.
    pub at: Location,
    /// What it read.
    pub deps: Vec<Pin>,
    /// What it wrote.
    pub outs: Vec<Pin>,
    /// Parameters that it read, as `file:name` and shown value.
    pub params: Vec<(String, String)>,
}

/// A file or folder with the digest of its content.
#[derive(Debug, Clone)]
pub struct Pin {
    /// Path relative to the workspace, or an address.
    pub path: String,
    /// The MD5, where that is what was recorded.
    pub md5: Option<Md5>,
    /// Whether it is a folder, whose MD5 is that of a list of its files.
    pub is_folder: bool,
    /// Whether a text was hashed with other line ends, as DVC did before version 3.
    pub is_legacy: bool,
    /// Bytes.
    pub size: Option<u64>,
    /// Where it was imported from.
    pub from: Option<String>,
    /// Where it is pinned.
    pub at: Location,
    /// Where it lies as seen from the artifact folder.
    pub reach: Reach,
}

/// Where a pinned path lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// In the artifact folder, at a path relative to it; empty for the folder itself.
    Inside(String),
    /// It is a folder around the artifact folder.
    Around,
    /// Elsewhere.
    Elsewhere,
}

impl Pipeline {
    pub(super) fn read(base: &Base, model: &Model) -> Self {
        let artifact = base.shown(&model.path);
        let mut reading = read::Reading::new(base, &artifact);
        for file in search::files(base) {
            reading.take(&file);
        }
        reading.finish()
    }

    /// Whether nothing of DVC was found.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty() && self.pins.is_empty() && self.unreadable.is_empty()
    }

    /// Every pin with the stage it belongs to: what stages wrote, what they read, the rest.
    pub fn all(&self) -> impl Iterator<Item = (&Pin, Option<&Stage>)> {
        let outs =
            self.stages.iter().flat_map(|stage| stage.outs.iter().map(move |pin| (pin, stage)));
        let deps =
            self.stages.iter().flat_map(|stage| stage.deps.iter().map(move |pin| (pin, stage)));
        let rest = self.pins.iter().map(|pin| (pin, None));
        outs.chain(deps).map(|(pin, stage)| (pin, Some(stage))).chain(rest)
    }

    /// The paths of the artifact folder that are pinned.
    pub fn pinned(&self) -> Pinned<'_> {
        Pinned::of(self)
    }

    /// The files outside it that are pinned, by path.
    pub(super) fn pinned_files(&self) -> BTreeSet<&str> {
        let files = self.all().filter(|(pin, _)| pin.md5.is_some() && !pin.is_folder);
        files.map(|(pin, _)| pin.path.as_str()).collect()
    }

    /// The stages behind the artifact and the evidence, in recorded order.
    pub fn behind<'p>(&'p self, evidence: &BTreeSet<&str>) -> Vec<&'p Stage> {
        let mut wanted = vec![false; self.stages.len()];
        let mut open: Vec<usize> = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            let makes =
                |pin: &Pin| pin.reach != Reach::Elsewhere || evidence.contains(pin.path.as_str());
            if stage.outs.iter().any(makes) {
                open.push(index);
            }
        }
        let outs = self.stages.iter().enumerate();
        let outs = outs.flat_map(|(index, stage)| stage.outs.iter().map(move |out| (out, index)));
        let mut makers = Paths::of(outs.map(|(out, index)| (out.path.as_str(), index)));
        let mut asked = BTreeSet::new();
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut wanted[index], true) {
                continue;
            }
            for dep in self.stages[index].deps.iter().filter(|dep| asked.insert(dep.path.as_str()))
            {
                // Taken out, so that no way is gone twice.
                let made: Vec<_> = makers.overlapping(&dep.path).collect();
                open.extend(made.into_iter().flat_map(|path| makers.take(path)));
            }
        }
        let wanted = self.stages.iter().zip(wanted);
        wanted.filter(|(_, wanted)| *wanted).map(|(stage, _)| stage).collect()
    }

    /// What went into these stages from outside: what they read and no stage wrote. Pins without a
    /// stage stand for themselves, and tell where they were imported from.
    pub fn inputs<'p>(&'p self, stages: &[&'p Stage]) -> Vec<&'p Pin> {
        let outs = self.stages.iter().flat_map(|stage| &stage.outs);
        let outs = Paths::of(outs.map(|out| (out.path.as_str(), ())));
        let made = |dep: &Pin| outs.overlapping(&dep.path).next().is_some();
        let mut known = BTreeMap::new();
        for pin in &self.pins {
            known.entry((pin.path.as_str(), pin.md5)).or_insert(pin);
        }
        let mut seen = BTreeSet::new();
        let deps = stages.iter().flat_map(|stage| &stage.deps).filter(|dep| !made(dep));
        let alone = self.pins.iter().filter(|pin| pin.reach != Reach::Elsewhere);
        deps.map(|dep| known.get(&(dep.path.as_str(), dep.md5)).copied().unwrap_or(dep))
            .chain(alone)
            .filter(|pin| seen.insert(pin.path.as_str()))
            .collect()
    }
}

impl Pin {
    /// The path as it may be published.
    pub fn told(&self) -> String {
        machine_path::name_of(&self.path).unwrap_or_else(|| "…".into())
    }

    /// The MD5 as DVC writes it.
    pub fn md5_as_written(&self) -> Option<String> {
        let ending = if self.is_folder { ".dir" } else { "" };
        self.md5.map(|md5| format!("{md5}{ending}"))
    }
}

/// The part of a path that lies below a folder; empty for the folder itself.
pub fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() {
        return (!path.starts_with("../") && path != "..").then_some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}
