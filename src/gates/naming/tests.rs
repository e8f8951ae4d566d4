use jiff::civil::date;

use super::*;
use crate::evidence::Evidence;
use crate::inventory::Inventory;
use crate::policy;
use crate::release::{Changes, GitFacts, read_tag, target};

const CONVENTION: &str = "{team}-{project}-{model}-v{major}";

/// `rule: message → fix` of each finding, and the note.
fn weigh(policy: &str, tag: Option<&str>) -> (Vec<String>, String) {
    let policy = policy::parse("weighbridge.yml", policy, &[]).expect("valid");
    let versioning = tag.map_or(Versioning::Untagged, |tag| read_tag(tag, &policy));
    let target = match &versioning {
        Versioning::Release(release) => {
            Some(target(&policy.models[0], release).expect("a place to go"))
        }
        _ => None,
    };
    let load = Load {
        policy: &policy,
        model: &policy.models[0],
        versioning: &versioning,
        target: target.as_ref(),
        git: &GitFacts::default(),
        changes: &Changes::default(),
        inventory: &Inventory::default(),
        evidence: &Evidence::default(),
        test_run: None,
        audit_log: None,
        published: None,
        source: None,
        card: "",
        readme: None,
        leaks: None,
        holder: None,
        rehearsal: false,
        today: date(2026, 1, 31),
        checkout: None,
    };
    let judgement = Naming.weigh(&load).expect("pure");
    let show = |finding: &Finding| {
        assert!(Naming.rules().contains(&finding.rule), "{} is declared", finding.rule.id);
        assert!(finding.at.line.is_some(), "it stands somewhere");
        format!("{}: {} → {}", finding.rule.id, finding.message, finding.fix)
    };
    (judgement.findings.iter().map(show).collect(), judgement.note)
}

/// A model whose repository has a name, under a convention.
fn named(name: &str, convention: &str, more: &str) -> String {
    format!(
        "model: {{name: churn-rank, owner: acme}}\nrepository: {{name: \"{name}\"}}\n\
         gates:\n  naming:\n    convention: \"{convention}\"\n{more}"
    )
}

#[test]
fn names_that_follow() {
    let allowed = "    allowed: {team: [risk, risk-eu], project: [churn, eu-churn]}\n";
    for (name, convention, more) in [
        ("risk-churn-xgb-v{major}", CONVENTION, ""),
        ("risk-churn-xgb3-v1", CONVENTION, ""),
        ("{name}", "{name}", ""),
        ("acme.{name}_{stage}", "acme.{name}_{stage}", ""),
        // Either team fits its beginning; only one of them fits the rest.
        ("risk-eu-churn-xgb-v1", CONVENTION, allowed),
        (
            "risk-eu-churn-xgb-v1",
            "{team}-churn-{model}-v{major}",
            "    allowed: {team: [risk, risk-eu]}\n",
        ),
    ] {
        let policy = named(name, convention, more);
        for tag in [None, Some("v1.2.0")] {
            let (findings, note) = weigh(&policy, tag);
            assert_eq!(findings, Vec::<String>::new(), "{name} {convention} {tag:?}");
            assert!(note.starts_with("acme/") && note.ends_with(convention), "{note}");
        }
    }
}

#[test]
fn names_that_do_not_say_where_and_what_would() {
    let allowed = "    allowed: {team: [risk, growth]}\n";
    for (name, convention, more, message, near) in [
        (
            "churn",
            CONVENTION,
            "",
            "`churn`, after its end (`churn`) does not follow `{team}-{project}-{model}-v{major}`: `-` is expected",
            "`<team>-<project>-churn-v{major}`",
        ),
        (
            "risk-churn-XGB-v1",
            CONVENTION,
            "",
            "after `risk-churn-`, at `XGB-v1`",
            "\"risk-churn-xgb-v{major}\"",
        ),
        (
            "risk-churn-xgb-big-v1",
            CONVENTION,
            "",
            "after `risk-churn-xgb`, at `-big-v1`",
            "\"risk-churn-xgbbig-v{major}\"",
        ),
        (
            "risk_churn_xgb",
            CONVENTION,
            "",
            "after `risk`, at `_churn_xgb`",
            "\"risk-churn-xgb-v{major}\"",
        ),
        (
            "risk-churn-xgb-v1-final",
            CONVENTION,
            "",
            "at `-final` does not follow `{team}-{project}-{model}-v{major}`: the end",
            "v{major}",
        ),
        (
            "ml-churn-xgb-v1",
            CONVENTION,
            allowed,
            "`ml-churn-xgb-v1` does not follow `{team}-{project}-{model}-v{major}`: risk or growth ({team}) is expected there",
            "<team>-",
        ),
        (
            "churn-growth-xgb",
            CONVENTION,
            allowed,
            "risk or growth ({team})",
            "\"growth-churn-xgb-v{major}\"",
        ),
        ("other", "acme-{name}", "", "`acme-` is expected there", "\"acme-churn-rank\""),
        (
            "churn-dev",
            "churn-{stage}",
            "",
            "after `churn-`, at `dev` does not follow `churn-{stage}`: `production` ({stage})",
            "\"churn-production\"",
        ),
        ("churn-vx", "churn-v{major}", "", "a number ({major})", "\"churn-v{major}\""),
    ] {
        let (findings, _) = weigh(&named(name, convention, more), None);
        let [finding] = &findings[..] else { panic!("{name}: {findings:?}") };
        assert!(finding.starts_with("name-off-convention: "), "{finding}");
        let (said, fix) = finding.split_once(" → ").expect("a fix");
        assert!(said.contains(message), "{message}\n{said}");
        assert!(fix.contains(near), "{near}\n{fix}");
    }
}

#[test]
fn the_major_version_is_the_versions() {
    let fixed = named("risk-churn-xgb-v1", CONVENTION, "");
    assert!(weigh(&fixed, Some("v1.9.0")).0.is_empty());
    let (findings, _) = weigh(&fixed, Some("v2.0.0"));
    assert_eq!(
        findings,
        [
            "name-of-another-major: `acme/risk-churn-xgb-v1` is for versions 1.x, and this is one of 2.x → \
          write `\"risk-churn-xgb-v{major}\"` in the policy: `name:` of `repository:`, `repository:` of a stage"
        ]
    );
    assert!(weigh(&named("risk-churn-xgb-v{major}", CONVENTION, ""), Some("v12.0.0")).0.is_empty());
    for (name, rule) in [
        (
            "risk-v1-churn-rank",
            "name-of-another-major: `acme/risk-v1-churn-rank` is for versions 1.x",
        ),
        ("risk-v1-other", "name-off-convention"),
    ] {
        let (findings, _) = weigh(&named(name, "{team}-v{major}-{name}", ""), Some("v2.0.0"));
        assert!(findings.len() == 1 && findings[0].starts_with(rule), "{findings:?}");
    }
}

#[test]
fn without_a_version_every_stage_is_looked_at() {
    let stages = "model: {name: churn, owner: acme}\nstages:\n  - {name: lab, repository: 'lab-{name}', channels: [staging]}\n  - {name: production, repository: '{name}-v{major}'}\n";
    let asked = format!("{stages}gates: {{naming: {{convention: \"{{name}}-v{{major}}\"}}}}\n");
    let (findings, note) = weigh(&asked, None);
    assert!(findings.len() == 1 && findings[0].contains("`lab-churn`"), "{findings:?}");
    assert_eq!(note, "acme/lab-churn, acme/churn-v1, asked is {name}-v{major}");
    assert!(weigh(&asked, Some("v1.0.0")).0.is_empty(), "a release goes to one");
    assert_eq!(weigh(&asked, Some("v1.0.0-rc.1")).0.len(), 1);
    assert_eq!(weigh(stages, None), (vec![], "acme/lab-churn, acme/churn-v1".into()));
}

#[test]
fn names_that_say_nothing() {
    for (name, generic) in [
        ("model", true),
        ("Model-Final-2", true),
        ("test_v1", true),
        ("v2", true),
        ("churn-final", false),
        ("yolo-v8", false),
    ] {
        let policy = format!("model: {{name: x, owner: acme}}\nrepository: {{name: {name}}}\n");
        let (findings, _) = weigh(&policy, None);
        assert_eq!(findings.len(), usize::from(generic), "{name}: {findings:?}");
        assert!(findings.iter().all(|finding| finding.starts_with("name-generic: `acme/")));
    }
}
