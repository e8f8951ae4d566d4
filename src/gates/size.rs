//! What the files weigh: the policy's budgets, and the limits of the Hub.

use std::collections::{BTreeMap, BTreeSet};

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::inventory::Inventory;
use crate::policy::{Bytes, Growth, Limit, SizeGate};
use crate::release::Versioning;

const ABOVE_MAX: Rule = Rule {
    id: "size-above-max",
    level: Level::Error,
    summary: "the files together are larger than `gates.size.max`",
    reason: "Whoever loads the model needs the room and the time for it.",
    fix: "publish less (`include:`, `exclude:`; checkpoints and optimiser states are not needed), \
          quantise, or change `gates.size.max` in a reviewed commit",
    example: "2.4 GB with `max: 2GB`",
};

const DOUBTFUL: Rule = Rule {
    id: "size-doubtful",
    level: Level::Warning,
    summary: "the files together are larger than `gates.size.warn-max`",
    reason: "It passes, and is close to what does not.",
    fix: "look at what grew; the threshold is `gates.size.warn-max`",
    example: "1.9 GB with `warn-max: 1.8GB`",
};

const FILE_ABOVE_MAX: Rule = Rule {
    id: "file-above-max",
    level: Level::Error,
    summary: "a file is larger than `gates.size.max-file`",
    reason: "A large file is fetched, hashed and loaded in one piece.",
    fix: "split it (`save_pretrained(…, max_shard_size=…)`), leave it out with `exclude:`, or change \
          `gates.size.max-file` in a reviewed commit",
    example: "pytorch_model.bin of 700 MB with `max-file: 500MB`",
};

const GROWTH: Rule = Rule {
    id: "size-growth",
    level: Level::Error,
    summary: "the files outgrew those of the last release by more than `gates.size.max-growth`",
    reason: "What was added is often not meant: a checkpoint, a cache, weights in double precision.",
    fix: "compare the files with those of the last version; if the growth is meant, change \
          `gates.size.max-growth` in a reviewed commit or allow this finding with a reason",
    example: "2.4 GB after 1.2 GB in version 1.2.0, with `max-growth: 20%`",
};

const NOT_COMPARED: Rule = Rule {
    id: "size-not-compared",
    level: Level::Warning,
    summary: "the last release does not tell the size of its files",
    reason: "Growth that is never computed is never seen.",
    fix: "nothing, if that version was not published by weighbridge: the next one is compared",
    example: "version 1.2.0 has no weighbridge.json",
};

const HUB_FILE: Rule = Rule {
    id: "hub-file-limit",
    level: Level::Error,
    summary: "a file is larger than the Hub takes",
    reason: "The Hub refuses a file above 500 GB, after hours of sending.",
    fix: "split it: `save_pretrained(…, max_shard_size=\"50GB\")`",
    example: "model.gguf of 610 GB",
};

const HUB_FILE_ADVISED: Rule = Rule {
    id: "hub-file-large",
    level: Level::Warning,
    summary: "a file is larger than the Hub advises",
    reason: "The Hub advises files below 200 GB: a transfer that breaks is repeated in whole.",
    fix: "split it: `save_pretrained(…, max_shard_size=\"50GB\")`",
    example: "model.gguf of 240 GB",
};

const HUB_FOLDER: Rule = Rule {
    id: "hub-folder-crowded",
    level: Level::Warning,
    summary: "a folder has more entries than the Hub advises",
    reason: "The Hub advises at most 10,000 entries in a folder; its pages and clients get slow.",
    fix: "use subfolders, or pack the files into one",
    example: "shards/ with 12,000 files",
};

const HUB_FILES: Rule = Rule {
    id: "hub-many-files",
    level: Level::Warning,
    summary: "there are more files than the Hub advises for a repository",
    reason: "The Hub advises fewer than 100,000 files; commits and downloads take a request for many.",
    fix: "leave out what nobody loads (`exclude:`), or pack the files",
    example: "140,000 files",
};

/// Above this the Hub refuses a file. <https://huggingface.co/docs/hub/storage-limits>
const HUB_FILE_BYTES: u64 = 500_000_000_000;
/// Above this it advises against one, as below.
const HUB_FILE_ADVISED_BYTES: u64 = 200_000_000_000;
const HUB_FOLDER_ENTRIES: usize = 10_000;
const HUB_REPOSITORY_FILES: usize = 100_000;

/// The size gate.
pub struct Size;

impl Gate for Size {
    fn name(&self) -> &'static str {
        "size"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![
            &ABOVE_MAX,
            &DOUBTFUL,
            &FILE_ABOVE_MAX,
            &GROWTH,
            &NOT_COMPARED,
            &HUB_FILE,
            &HUB_FILE_ADVISED,
            &HUB_FOLDER,
            &HUB_FILES,
        ]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let asked = &load.model.gates.size;
        let bytes = load.inventory.bytes();
        let mut findings = Vec::new();
        findings.extend(total(asked, bytes, &load.model.path));
        findings.extend(files(load.inventory, asked.max_file.as_ref()));
        let mut note = Bytes(bytes).to_string();
        match &asked.max {
            Some(max) => note += &format!(" of {}", Bytes(max.most)),
            None if asked.max_growth.is_some() => {}
            None => note += ", no budget",
        }
        if let Some(growth) = &asked.max_growth {
            let (told, finding) = grown(load, bytes, growth);
            note += &told;
            findings.extend(finding);
        }
        findings.extend(crowded(load.inventory, &load.model.path));
        Ok(Judgement::new(note, findings))
    }
}

fn total(asked: &SizeGate, bytes: u64, folder: &str) -> Option<Finding> {
    let over = |limit: &Option<Limit<u64>>| limit.clone().filter(|limit| bytes > limit.most);
    let (rule, Limit { most, at }) = match (over(&asked.max), over(&asked.warn_max)) {
        (Some(max), _) => (&ABOVE_MAX, max),
        (None, Some(warn)) => (&DOUBTFUL, warn),
        (None, None) => return None,
    };
    let message = format!(
        "the files of `{folder}` have {}, {} more than {} ({at})",
        Bytes(bytes),
        Bytes(bytes - most),
        Bytes(most),
    );
    Some(Finding::new(rule, message, at))
}

fn files(inventory: &Inventory, max: Option<&Limit<u64>>) -> Vec<Finding> {
    let judge = |file: &crate::inventory::Artifact| {
        let (rule, most, set) = if file.size > HUB_FILE_BYTES {
            (&HUB_FILE, HUB_FILE_BYTES, "the Hub takes no larger file".to_owned())
        } else if let Some(max) = max.filter(|max| file.size > max.most) {
            (&FILE_ABOVE_MAX, max.most, max.at.to_string())
        } else if file.size > HUB_FILE_ADVISED_BYTES {
            (&HUB_FILE_ADVISED, HUB_FILE_ADVISED_BYTES, "as the Hub advises".to_owned())
        } else {
            return None;
        };
        let message = format!(
            "`{}` has {}, {} more than {} ({set})",
            file.shown,
            Bytes(file.size),
            Bytes(file.size - most),
            Bytes(most)
        );
        let mut finding = Finding::new(rule, message, Location::file(&file.shown));
        finding.digest = Some(file.sha256);
        Some(finding)
    };
    inventory.files.iter().filter_map(judge).collect()
}

/// How much was added since the last release: for the note, and as a finding.
fn grown(load: &Load<'_>, bytes: u64, growth: &Limit<Growth>) -> (String, Option<Finding>) {
    let (Some(published), Versioning::Release(release)) = (load.published, load.versioning) else {
        return ("; growth is compared when a release is weighed".into(), None);
    };
    let Some(version) = published.last_before(&release.version) else {
        return ("; no earlier version".into(), None);
    };
    let Some(before) = load.evidence.last.as_ref().and_then(|last| last.bytes) else {
        let message = format!("version {version} on the Hub has no record of its files' sizes");
        return (String::new(), Some(Finding::new(&NOT_COMPARED, message, growth.at.clone())));
    };
    let told = format!(", {} in {version}", Bytes(before));
    let allowed = growth.most.on(before);
    let added = bytes.saturating_sub(before);
    if added <= allowed {
        return (told, None);
    }
    let message = format!(
        "the files have {}, {} more than in version {version}; {} may be added ({}, {})",
        Bytes(bytes),
        Bytes(added),
        Bytes(allowed),
        growth.most,
        growth.at
    );
    (told, Some(Finding::new(&GROWTH, message, growth.at.clone())))
}

/// Folders and repositories with more in them than the Hub advises.
fn crowded(inventory: &Inventory, folder: &str) -> Vec<Finding> {
    let mut entries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in &inventory.files {
        let mut path = file.path.as_str();
        while let Some((parent, name)) = path.rsplit_once('/') {
            entries.entry(parent).or_default().insert(name);
            path = parent;
        }
        entries.entry("").or_default().insert(path);
    }
    let crowds = entries.iter().filter(|(_, names)| names.len() > HUB_FOLDER_ENTRIES);
    let mut findings: Vec<_> = crowds
        .map(|(inside, names)| {
            let shown =
                if inside.is_empty() { folder.into() } else { format!("{folder}/{inside}") };
            let message = format!("`{shown}` has {} entries", names.len());
            Finding::new(&HUB_FOLDER, message, Location::file(shown))
        })
        .collect();
    if inventory.files.len() > HUB_REPOSITORY_FILES {
        let message = format!("`{folder}` has {} files", inventory.files.len());
        findings.push(Finding::new(&HUB_FILES, message, Location::file(folder)));
    }
    findings
}

#[cfg(test)]
mod tests;
