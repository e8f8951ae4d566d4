//! What the scanners saw, and names that could not be weighed.

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Level, Location, Rule};
use crate::inventory::{Inventory, Unweighed};
use crate::own_files;
use crate::scan;

const BAD_LINK: Rule = Rule {
    id: "bad-link",
    level: Level::Error,
    summary: "a symbolic link that leaves the folder, loops or leads nowhere",
    reason: "What would be published is not in the folder: it could be any file of the machine.",
    fix: "replace the link by the file itself, or leave it out with `exclude:`",
    example: "model/weights.bin → /mnt/nas/weights.bin",
};

const BAD_NAME: Rule = Rule {
    id: "bad-file-name",
    level: Level::Error,
    summary: "a file name that cannot be published",
    reason: "Control and direction characters forge what people read; the Hub takes no other names than UTF-8.",
    fix: "rename the file",
    example: "a name with a line break",
};

const NOT_A_FILE: Rule = Rule {
    id: "not-a-file",
    level: Level::Error,
    summary: "a socket, pipe or device among the files",
    reason: "It has no bytes that could be published.",
    fix: "remove it from the model's folder",
    example: "model/agent.sock",
};

const UNREADABLE: Rule = Rule {
    id: "unreadable-file",
    level: Level::Error,
    summary: "a file that could not be read to its end, or that changed while it was read",
    reason: "A file that was not weighed whole is not published, and none is skipped silently.",
    fix: "wait until training has written it, and look at its permissions and the disk",
    example: "a checkpoint that is still being written",
};

const RESERVED: Rule = Rule {
    id: "reserved-file-name",
    level: Level::Error,
    summary: "a file at a name that weighbridge itself writes",
    reason: "The version has weighbridge's own file at this name, so this one would be missing from it.",
    fix: "rename the file, or leave it out: `exclude: [NAME]`",
    example: "model/weighbridge.json written by another tool",
};

/// The scan gate.
pub struct Scan;

impl Gate for Scan {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        let own = [&BAD_LINK, &BAD_NAME, &NOT_A_FILE, &UNREADABLE, &RESERVED];
        scan::rules().into_iter().chain(own).collect()
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        let findings = findings(load.inventory);
        let files = load.inventory.files.len();
        let note = match findings.len() {
            0 => format!("{files} files, nothing found"),
            found => format!("{files} files, {found} findings"),
        };
        Ok(Judgement::new(note, findings))
    }
}

/// Everything the scanners have to say of an inventory.
pub fn findings(inventory: &Inventory) -> Vec<Finding> {
    let mut findings = Vec::new();
    // What is replaced may be the text that the card is made from.
    for file in inventory.weighed() {
        for seen in &file.detections {
            let at = Location {
                path: Some(file.shown.clone()),
                line: seen.line,
                column: seen.column,
                member: seen.member.clone(),
                offset: seen.offset.filter(|offset| *offset > 0),
            };
            let subject = seen.subject.as_deref().unwrap_or_default();
            let fix = seen.rule.fix.replace("PATH", &file.shown).replace("SUBJECT", subject);
            let message = match &seen.evidence {
                Some(evidence) => format!("`{}`: {} ({evidence})", file.shown, seen.message),
                None => format!("`{}`: {}", file.shown, seen.message),
            };
            let mut finding = Finding::new(seen.rule, message, at).with_fix(fix);
            finding.subject.clone_from(&seen.subject);
            finding.digest = Some(file.sha256);
            findings.push(finding);
        }
    }
    findings.extend(inventory.unweighed.iter().filter_map(unweighed));
    findings.extend(reserved(inventory));
    findings
}

/// Files of other tools at our names. A README.md is expected: training tools write one. A folder
/// with a release record is a version that was downloaded, whose other files are ours too.
fn reserved(inventory: &Inventory) -> Vec<Finding> {
    let is_ours = |path: &str| path == own_files::CARD;
    let is_record =
        |path: &str, sample: &[u8]| path == own_files::RECORD && own_files::is_record(sample);
    let replaced = &inventory.replaced;
    if replaced.iter().any(|file| is_record(file.path.as_str(), &file.sample)) {
        return Vec::new();
    }
    let foreign = replaced.iter().filter(|file| !is_ours(file.path.as_str()));
    let finding = foreign.map(|file| {
        let name = own_files::taken(file.path.as_str()).unwrap_or_default();
        let message = format!("`{}`: weighbridge writes `{name}` itself", file.shown);
        let fix = RESERVED.fix.replace("NAME", &format!("\"{name}\""));
        Finding::new(&RESERVED, message, Location::file(&file.shown)).with_fix(fix)
    });
    finding.collect()
}

fn unweighed(name: &Unweighed) -> Option<Finding> {
    let (rule, shown, why) = match name {
        Unweighed::Excluded { .. } => return None,
        Unweighed::BadLink { shown, why } => (&BAD_LINK, shown, why.as_str()),
        Unweighed::BadName { shown, why } => (&BAD_NAME, shown, why.as_str()),
        Unweighed::NotAFile { shown } => (&NOT_A_FILE, shown, "it is no regular file"),
        Unweighed::Unreadable { shown, why } => (&UNREADABLE, shown, why.as_str()),
    };
    Some(Finding::new(rule, format!("`{shown}`: {why}"), Location::file(shown)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_ours_is_refused_unless_the_file_is_ours() {
        let record = br#"{
  "schema": 1,
  "repo_id": null"#;
        for (files, findings) in [
            (&[("README.md", b"# By hand".as_slice())][..], 0),
            (&[("weighbridge.json", b"{\"tonnes\": 7}")], 1),
            (
                &[
                    ("weighbridge-history.svg", b"<svg/>"),
                    (".eval_results/weighbridge.yaml", b"[]"),
                ],
                2,
            ),
            (&[("weighbridge-history.svg", b"<svg/>"), ("weighbridge.json", record)], 0),
            (&[("README.md/a.txt", b"x")], 1),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            for (name, content) in files {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().expect("below")).expect("made");
                std::fs::write(path, content).expect("written");
            }
            std::fs::write(folder.path().join("w.bin"), "x").expect("written");
            let inventory = crate::inventory::take(folder.path(), "m", &[], &[], &|_| {});
            let found = super::findings(&inventory.expect("weighed"));
            assert_eq!(found.len(), findings, "{found:?}");
            assert!(found.iter().all(|finding| finding.rule == &RESERVED), "{found:?}");
        }
    }

    #[test]
    fn what_the_card_is_made_from_is_scanned() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = format!("AKIA{}", "IOSFODNN7EXAMPLF");
        for (name, text) in
            [("README.md", format!("aws_access_key_id = {key}\n")), ("w", "x".into())]
        {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let inventory = crate::inventory::take(folder.path(), "m", &[], &[], &|_| {});
        assert_eq!(super::findings(&inventory.expect("weighed")).len(), 1);
    }
}
