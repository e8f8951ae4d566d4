use jiff::civil::date;

use super::*;
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::inventory::{Artifact, Inventory};
use crate::policy;
use crate::rel_path::RelPath;
use crate::release::{GitFacts, Published, Versioning};
use crate::scan::Format;

/// `rule at: message` of each finding for a model with `keys`, the file's other `sections` and the
/// artifact `files`; the note comes last.
///
/// Every licence file is the MIT licence of Acme, and states no other.
fn weigh(keys: &str, sections: &str, files: &[&str]) -> (Vec<String>, String) {
    let text = mit();
    let files: Vec<_> = files.iter().map(|path| (*path, text.as_str())).collect();
    weigh_with(keys, sections, &files, "", &[])
}

/// The MIT licence, as Acme gives it.
fn mit() -> String {
    texts::text_of("mit").replace("<year> <copyright holders>", "2026 Acme")
}

/// The same with the files' texts, the finished card, and what the Hub tells of licences.
fn weigh_with(
    keys: &str,
    sections: &str,
    files: &[(&str, &str)],
    card: &str,
    on_hub: &[(&str, &str)],
) -> (Vec<String>, String) {
    let text = format!("model: {{name: churn, owner: acme{keys}}}\n{sections}");
    weigh_policy(&text, files, card, on_hub)
}

fn weigh_policy(
    text: &str,
    files: &[(&str, &str)],
    card: &str,
    on_hub: &[(&str, &str)],
) -> (Vec<String>, String) {
    let policy = policy::parse("w.yml", text, &[]).expect("valid");
    let artifact = |(path, text): &(&str, &str)| Artifact {
        path: RelPath::parse(path).expect("a path"),
        place: crate::inventory::Place::OnDisk(path.into()),
        shown: format!("model/{path}"),
        size: 0,
        sha256: Digest::of(b""),
        git_oid: String::new(),
        md5: None,
        seals: std::sync::Arc::default(),
        sample: Vec::new(),
        format: Format::TEXT,
        detections: Vec::new(),
        tensors: None,
        text: Some((*text).to_owned()),
    };
    let inventory =
        Inventory { files: files.iter().map(artifact).collect(), ..Inventory::default() };
    let licenses = on_hub.iter().map(|(name, id)| ((*name).to_owned(), vec![(*id).to_owned()]));
    let published = Published { licenses: licenses.collect(), ..Published::default() };
    let load = Load {
        policy: &policy,
        model: &policy.models[0],
        versioning: &Versioning::Untagged,
        target: None,
        git: &GitFacts::default(),
        changes: &crate::release::Changes::default(),
        inventory: &inventory,
        evidence: &Evidence::default(),
        test_run: None,
        audit_log: None,
        published: Some(&published),
        source: None,
        card,
        readme: None,
        leaks: None,
        holder: None,
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
    let text = texts::text_of("gpl-3.0");
    one(
        weigh_with(", license: gpl-3.0", allowed, &[("LICENSE", &text)], "", &[]),
        "license-not-allowed",
        "apache-2.0, mit",
    );
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

#[test]
fn license_text_differs() {
    let (findings, _) = weigh(", license: apache-2.0", "", TEXT);
    let expected =
        "license-text-differs model/LICENSE: this is `mit`, and the policy states `apache-2.0`";
    assert!(findings.len() == 1 && findings[0].starts_with(expected), "{findings:?}");
    // One of several is enough: a model may carry the texts of what it was made from.
    let apache = texts::text_of("apache-2.0") + "\nCopyright 2026 Acme\n";
    let mit = texts::text_of("mit");
    let both = [("LICENSE", apache.as_str()), ("LICENSE-MIT", mit.as_str())];
    assert_eq!(weigh_with(", license: mit", "", &both, "", &[]).0, Vec::<String>::new());
}

#[test]
fn license_text_unknown() {
    for text in ["See our website.", "Apache License, Version 2.0", ""] {
        let (findings, _) = weigh_with(", license: mit", "", &[("LICENSE", text)], "", &[]);
        let known =
            findings.len() == 1 && findings[0].starts_with("license-text-unknown model/LICENSE:");
        assert!(known, "{findings:?}");
    }
    // These have no text of their own.
    for keys in [", license: bsd", ", license: other, license-name: x, license-link: LICENSE"] {
        assert_eq!(weigh_with(keys, "", &[("LICENSE", "Ours.")], "", &[]).0, Vec::<String>::new());
    }
}

#[test]
fn license_copyright_missing() {
    let template = texts::text_of("mit");
    let (findings, _) = weigh_with(", license: mit", "", &[("LICENSE", &template)], "", &[]);
    let missing =
        findings.len() == 1 && findings[0].starts_with("license-copyright-missing model/LICENSE:");
    assert!(missing, "{findings:?}");
    let files = [("LICENSE", template.as_str()), ("NOTICE", "Copyright 2026 Acme")];
    assert_eq!(weigh_with(", license: mit", "", &files, "", &[]).0, Vec::<String>::new());
}

#[test]
fn license_disagrees() {
    let text = texts::text_of("mit") + "\nCopyright 2026 Acme\n";
    let with = |path: &str, content: &str| {
        weigh_with(", license: mit", "", &[("LICENSE", &text), (path, content)], "", &[]).0
    };
    for (path, content) in [
        ("meta.json", r#"{"license": "CC BY-SA 3.0"}"#),
        ("pyproject.toml", "[project]\nlicense = \"Apache-2.0\"\n"),
        ("pyproject.toml", "[project]\nlicense = {text = \"BSD\"}\n"),
    ] {
        let findings = with(path, content);
        let said = format!("license-disagrees model/{path}:");
        assert!(findings.len() == 1 && findings[0].starts_with(&said), "{findings:?}");
    }
    for (path, content) in [
        ("meta.json", r#"{"license": "MIT"}"#),
        ("meta.json", r#"{"license": ""}"#),
        ("meta.json", "{"),
        ("pyproject.toml", "[project]\nlicense = \"MIT License\"\n"),
        ("pyproject.toml", "[project\n"),
    ] {
        assert_eq!(with(path, content), Vec::<String>::new(), "{content}");
    }
}

#[test]
fn base_license_conflict() {
    let rule = "base-license-conflict";
    let made_from = |keys: &str, sections: &str, on_hub: &[(&str, &str)]| {
        let text = mit();
        let keys = format!(", license: mit, base-models: [a/b]{keys}");
        weigh_with(&keys, sections, &[("LICENSE", &text)], "", on_hub)
    };
    let of = |id: &str| format!("gates: {{licenses: {{of: {{a/b: {id}}}}}}}\n");
    one(
        made_from("", &of("cc-by-nc-4.0"), &[]),
        rule,
        "`a/b` is under `cc-by-nc-4.0` (the policy), the model under `mit`: ",
    );
    one(made_from("", "", &[("a/b", "gpl-3.0")]), rule, "(its card on the Hub)");
    // The policy cannot talk away what the owner says.
    one(made_from("", &of("mit"), &[("a/b", "cc-by-nd-4.0")]), rule, "forbids passing on");
    for fine in ["mit", "apache-2.0", "cc-by-4.0"] {
        assert_eq!(made_from("", &of(fine), &[]).0, Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn base_license_unknown() {
    let rule = "base-license-unknown";
    let keys = ", license: mit, base-models: [a/b]";
    one(weigh(keys, "", TEXT), rule, "{of: {\"a/b\": apache-2.0}}");
    let text = mit();
    let unclear = weigh_with(keys, "", &[("LICENSE", &text)], "", &[("a/b", "other")]);
    one(unclear, rule, "nobody says");
}

#[test]
fn base_model_unlisted() {
    let text = mit();
    let adapter = |base: &str, keys: &str| {
        let config = format!("{{\"base_model_name_or_path\": \"{base}\"}}");
        let keys = format!(", license: mit{keys}");
        weigh_with(
            &keys,
            "gates: {licenses: {of: {a/b: mit}}}",
            &[("LICENSE", &text), ("adapter_config.json", &config)],
            "",
            &[],
        )
        .0
    };
    let findings = adapter("a/b", "");
    let expected = "base-model-unlisted model/adapter_config.json: the adapter was made for `a/b`";
    assert!(findings.len() == 1 && findings[0].starts_with(expected), "{findings:?}");
    assert!(findings[0].ends_with("[add to the model: `base-models: [a/b]`]"), "{findings:?}");
    assert_eq!(adapter("a/b", ", base-models: [A/b]"), adapter("./out", ", base-models: [A/b]"));
    for path in ["./a", "/home/x/y", "out", "a/b/c", "..\\a/b"] {
        assert_eq!(adapter(path, ""), Vec::<String>::new(), "{path}");
    }
    let merged = "models: [{model: a/b}, {model: c/d}]";
    let files = [("LICENSE", &*text), ("mergekit_config.yml", merged)];
    let keys = ", license: mit, base-models: [a/b]";
    let (findings, _) = weigh_with(keys, "gates: {licenses: {of: {a/b: mit}}}", &files, "", &[]);
    let expected = "base-model-unlisted model/mergekit_config.yml: the model was merged from `c/d`";
    assert!(findings.len() == 1 && findings[0].starts_with(expected), "{findings:?}");
    // Where a configuration was once loaded from need not be listed; it is judged all the same.
    let files = [("LICENSE", &*text), ("config.json", r#"{"_name_or_path": "a/b"}"#)];
    let (findings, _) = weigh_with(", license: mit", "", &files, "", &[("a/b", "mit")]);
    assert_eq!(findings, Vec::<String>::new());
    let (findings, _) = weigh_with(", license: mit", "", &files, "", &[("a/b", "gpl-3.0")]);
    let expected = "base-license-conflict model/config.json: `a/b` is under `gpl-3.0`";
    assert!(findings.len() == 1 && findings[0].starts_with(expected), "{findings:?}");
    let own = ", license: mit, base-models: [c/d]";
    let (findings, _) = weigh_with(own, "", &files, "", &[("a/b", "gpl-3.0"), ("c/d", "mit")]);
    assert_eq!(findings, Vec::<String>::new(), "the card names the policy's alone");
}

#[test]
fn license_agreement_unmet() {
    let rules = |name: &str, files: &[(&str, &str)], card: &str| -> Vec<String> {
        let text = format!(
            "model: {{name: {name}, owner: acme, license: llama3.1, base-models: [meta-llama/Llama-3.1-8B]}}\n"
        );
        weigh_policy(&text, files, card, &[]).0
    };
    let agreement = "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT …\nCopyright © Meta Platforms, Inc. All Rights Reserved.";
    let notice = "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright ©\nMeta Platforms, Inc. All Rights Reserved.\n";
    let unmet = rules("churn", &[("LICENSE", "…")], "");
    for asked in [
        "a copy of its agreement",
        "a file `NOTICE`",
        "“Built with Llama” is shown",
        "name the repository `Llama-churn`",
    ] {
        assert!(
            unmet
                .iter()
                .any(|one| one.starts_with("license-agreement-unmet w.yml:1:")
                    && one.contains(asked)),
            "{asked}: {unmet:#?}"
        );
    }
    let files = [("LICENSE", agreement), ("NOTICE", notice)];
    let card = "# M\n\nBuilt  with\nLlama.\n";
    assert_eq!(rules("llama-churn", &files, card), Vec::<String>::new());
    assert_eq!(rules("Llama-3.1-churn", &files, card), Vec::<String>::new());
}

#[test]
fn dataset_license_conflict() {
    let rule = "dataset-license-conflict";
    let of = "gates: {licenses: {of: {a/data: cc-by-nc-4.0}}}\n";
    one(weigh(", license: mit, datasets: [a/data]", of, TEXT), rule, "forbids commercial use");
    assert_eq!(weigh(", license: mit, datasets: [a/data]", "", TEXT).0, Vec::<String>::new());
}

#[test]
fn sensitive_public() {
    let public = "repository: {visibility: public, public-reason: Approved.}\n";
    one(
        weigh(", license: mit, sensitive: true", public, TEXT),
        "sensitive-public",
        "`production` is public",
    );
    assert_eq!(weigh(", license: mit, sensitive: true", "", TEXT).0, Vec::<String>::new());
}
