//! What holds other files: archives, and single files that are compressed.

pub(super) mod compressed;
pub(super) mod sevenz;
pub(super) mod tar;
pub(super) mod zip;

use crate::finding::{Level, Rule};

pub(super) const DISAGREES: Rule = Rule {
    id: "archive-disagreement",
    level: Level::Error,
    summary: "an archive whose parts do not agree, or that cannot be read to its end",
    reason: "One reader sees other members than another: that is how a payload passes a scanner and reaches a loader (CVE-2025-1944, CVE-2025-1945, CVE-2025-10156).",
    fix: "write the archive again (`torch.save`, `zip`, `tar`) and upload the new one",
    example: "two members named archive/data.pkl",
};

pub(super) const UNREADABLE: Rule = Rule {
    id: "not-looked-into",
    level: Level::Error,
    summary: "a packed file or member that cannot be looked into",
    reason: "What is encrypted or packed in an unusual way is not known to be harmless.",
    fix: "pack it without a password by a usual method, or leave it out with `exclude:`",
    example: "an encrypted member",
};

const ESCAPES: Rule = Rule {
    id: "archive-escape",
    level: Level::Error,
    summary: "an archive member that would be written outside its folder",
    reason: "Unpacking it overwrites files of whoever unpacks.",
    fix: "pack the folder again from inside it, without links",
    example: "a member named ../../.ssh/authorized_keys",
};

/// Why a member's name would leave the folder it is unpacked into.
pub(super) fn escapes(name: &str) -> Option<&'static str> {
    let drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with('/') || name.starts_with('\\') || drive {
        return Some("is an absolute path");
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Some("climbs out of its folder");
    }
    name.contains('\0').then_some("holds a NUL, where readers disagree on its end")
}
