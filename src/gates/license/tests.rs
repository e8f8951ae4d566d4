use jiff::civil::date;

use super::*;
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::inventory::{Artifact, Inventory};
use crate::policy;
use crate::rel_path::RelPath;
use crate::release::{GitFacts, Versioning};
use crate::scan::Format;

/// `rule at: message` of each finding for a model with `keys`, the file's other `sections` and the
/// artifact `files`; the note comes last.
fn weigh(keys: &str, sections: &str, files: &[&str]) -> (Vec<String>, String) {
    let text = format!("model: {{name: churn, owner: acme{keys}}}\n{sections}");
    let policy = policy::parse("w.yml", &text, &[]).expect("valid");
    let artifact = |path: &&str| Artifact {
        path: RelPath::parse(path).expect("a path"),
        on_disk: path.into(),
        shown: (*path).into(),
        size: 0,
        sha256: Digest::of(b""),
        git_oid: String::new(),
        sample: Vec::new(),
        format: Format::TEXT,
        detections: Vec::new(),
        tensors: None,
    };
    let inventory =
        Inventory { files: files.iter().map(artifact).collect(), ..Inventory::default() };
    let load = Load {
        policy: &policy,
        model: &policy.models[0],
        versioning: &Versioning::Untagged,
        target: None,
        git: &GitFacts::default(),
        inventory: &inventory,
        evidence: &Evidence::default(),
        published: None,
        card: "",
        readme: None,
        rehearsal: false,
        today: date(2026, 1, 31),
        checkout: None,
    };
    let judgement = License.weigh(&load).expect("pure");
    let show = |finding: &Finding| {
        assert!(License.rules().contains(&finding.rule), "{} is declared", finding.rule.id);
        format!("{} {}: {} [{}]", finding.rule.id, finding.at, finding.message, finding.fix)
    };
    (judgement.findings.iter().map(show).collect(), judgement.note)
}

#[track_caller]
fn one(found: (Vec<String>, String), rule: &str, part: &str) {
    let findings = found.0;
    let says = findings.len() == 1
        && findings[0].starts_with(&format!("{rule} w.yml:"))
        && findings[0].contains(part);
    assert!(says, "{rule} {part}: {findings:?}");
}

const TEXT: &[&str] = &["LICENSE"];

#[test]
fn a_known_licence_with_its_text_passes() {
    let (findings, note) = weigh(", license: mit", "", TEXT);
    assert_eq!((findings, note.as_str()), (Vec::new(), "mit, private"));
}

#[test]
fn license_missing() {
    one(weigh("", "", TEXT), "license-missing", "the model `churn` has no licence");
}

#[test]
fn license_unknown() {
    one(
        weigh(", license: Apache-2.0", "", TEXT),
        "license-unknown",
        "[write `license: apache-2.0`]",
    );
    one(weigh(", license: qqqq", "", TEXT), "license-unknown", "repositories-licenses");
}

#[test]
fn license_other_incomplete() {
    let rule = "license-other-incomplete";
    one(weigh(", license: other", "", TEXT), rule, "needs `license-name` and `license-link`");
    one(weigh(", license: other, license-name: x", "", TEXT), rule, "needs");
    let linked = |link: &str| {
        weigh(&format!(", license: other, license-name: x, license-link: {link}"), "", TEXT)
    };
    one(linked("LICENSE.md"), rule, "`LICENSE.md`, which is not in `model`");
    assert_eq!(linked("LICENSE").0, Vec::<String>::new());
    assert_eq!(linked("https://example.org/licence").0, Vec::<String>::new());
}

#[test]
fn license_not_allowed() {
    let allowed = "gates: {licenses: {allowed: [apache-2.0, mit]}}\n";
    one(weigh(", license: gpl-3.0", allowed, TEXT), "license-not-allowed", "apache-2.0, mit");
    assert_eq!(weigh(", license: mit", allowed, TEXT).0, Vec::<String>::new());
}

#[test]
fn license_file_missing() {
    let rule = "license-file-missing";
    one(weigh(", license: mit", "", &["model.bin"]), rule, "`model` holds no LICENSE file");
    one(weigh(", license: mit", "", &["NOTICE", "vendor/LICENSE"]), rule, "LICENSE");
    for name in ["LICENSE.txt", "licence", "COPYING.LESSER"] {
        assert_eq!(weigh(", license: mit", "", &[name]).0, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn public_without_reason() {
    let rule = "public-without-reason";
    let public = |more: &str| {
        weigh(", license: mit", &format!("repository: {{visibility: public{more}}}\n"), TEXT)
    };
    one(public(""), rule, "`production` is public without a reason");
    one(public(", public-reason: ' '"), rule, "public");
    let (findings, note) = public(", public-reason: Approved by the board.");
    assert_eq!((findings, note.as_str()), (Vec::new(), "mit, public"));
}
