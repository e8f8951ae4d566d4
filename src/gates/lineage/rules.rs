//! The rules of the lineage gate.

use crate::finding::{Level, Rule};

/// Every rule.
pub(super) const ALL: [&Rule; 5] = [&DIFFERS, &MISSING, &UNVERIFIED, &UNREADABLE, &MACHINE_PATH];

pub(super) const DIFFERS: Rule = Rule {
    id: "dvc-pin-differs",
    level: Level::Error,
    summary: "a file is not the one that DVC recorded",
    reason: "What is published, or what it was judged by, is not what the pipeline made: a file that was \
             changed by hand, an old checkout, or a lock that nobody wrote anew.",
    fix: "bring back what was recorded with `dvc checkout`; or record what is there with `dvc repro` or \
          `dvc commit`, and commit the `dvc.lock` or `.dvc` file",
    example: "model.bin of another md5 than its entry under `outs` in dvc.lock",
};

pub(super) const MISSING: Rule = Rule {
    id: "dvc-pin-missing",
    level: Level::Warning,
    summary: "a file that DVC recorded in the artifact folder is not there",
    reason: "The pipeline made it as a part of the model; a checkout without `dvc pull` lacks it.",
    fix: "run `dvc pull` before this step; what is not to be published goes into `exclude`",
    example: "outs of dvc.lock names model/model.bin, and the folder has only config.json",
};

pub(super) const UNVERIFIED: Rule = Rule {
    id: "dvc-pin-unverified",
    level: Level::Note,
    summary: "a pin cannot be compared with what is published",
    reason: "Nothing says that they differ, and nothing says that they do not.",
    fix: "pin exactly what is published: the files, or a folder of which no file is excluded",
    example: "an output `model` in dvc.lock with `exclude: [\"*.log\"]`",
};

pub(super) const UNREADABLE: Rule = Rule {
    id: "dvc-unreadable",
    level: Level::Warning,
    summary: "a file of DVC cannot be read",
    reason: "What it pins is not compared, and its stages are on no card.",
    fix: "resolve the conflict or the mistake at this line; `dvc status` reads the same file",
    example: "<<<<<<< HEAD in dvc.lock",
};

pub(super) const MACHINE_PATH: Rule = Rule {
    id: "machine-path",
    level: Level::Warning,
    summary: "a file that would be published names a path of the machine that made it",
    reason: "It tells a user's name and folders to every reader, and leads nowhere for any of them.",
    fix: "remove the value, or write a path relative to the repository or an id on the Hub",
    example: "\"_name_or_path\": \"/home/ada/checkpoint-500\" in config.json",
};
