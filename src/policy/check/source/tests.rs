use crate::policy::parse;
use crate::policy::source::{ProtectionGate, ReviewGate};
use crate::policy::tests::valid;

const MODEL: &str = "model: {name: churn, owner: acme}\n";

#[test]
fn each_gate_is_off_until_its_key_is_there() {
    let gates = |text: &str| valid(&format!("{MODEL}{text}")).models[0].gates.source.clone();
    let off = gates("");
    assert!(off.review.is_none() && off.status_checks.is_none() && off.tag_signature.is_none());
    assert!(off.approval.is_none() && off.protection.is_none());
    let on = gates(
        "gates: {review: {}, status-checks: {}, tag-signature: {}, approval: {environment: live}, protection: {}}\n",
    );
    let review = on.review.expect("on");
    assert_eq!(
        review.what,
        ReviewGate { approvals: 1, team: None, branch: None, machines: vec![] }
    );
    assert_eq!((review.at.line, review.of_stage("anything")), (Some(2), true));
    assert_eq!(on.status_checks.expect("on").what, Vec::<String>::new());
    let tag = on.tag_signature.expect("on").what;
    assert_eq!((tag.annotated, tag.signed), (true, false));
    assert_eq!(on.approval.expect("on").what, "live");
    assert_eq!(on.protection.expect("on").what, ProtectionGate { branch: None, tag: true });
}

#[test]
fn a_model_changes_one_key_and_keeps_the_others() {
    let policy = valid(
        "models:\n  - {name: a, owner: o, path: a}\n  - {name: b, owner: o, path: b, gates: {review: {approvals: 2}}}\nstages: [{name: lab, channels: [staging]}, {name: live}]\ngates: {review: {team: ml, stages: [live]}}\n",
    );
    let of_team = |approvals| ReviewGate {
        approvals,
        team: Some("ml".into()),
        branch: None,
        machines: vec![],
    };
    let review = |index: usize| policy.models[index].gates.source.review.clone().expect("on");
    assert_eq!(review(0).what, of_team(1));
    assert_eq!(review(1).what, of_team(2));
    assert!(review(1).of_stage("live") && !review(1).of_stage("lab"));
}

#[test]
fn a_branch_that_is_named_for_protection_is_meant_for_reviews_too() {
    for (gates, branch) in [
        ("review: {}, protection: {}", None),
        ("review: {}, protection: {branch: release/1.x}", Some("release/1.x")),
        ("review: {branch: main}, protection: {branch: release/1.x}", Some("main")),
    ] {
        let policy = valid(&format!("{MODEL}gates: {{{gates}}}\n"));
        let review = policy.models[0].gates.source.review.clone().expect("on");
        assert_eq!(review.what.branch.as_deref(), branch, "{gates}");
    }
}

#[test]
fn what_cannot_be_meant_is_told() {
    for (text, says) in [
        ("gates: {review: {approvals: 0}}", "`approvals` is 0"),
        ("gates: {review: {approvals: 11}}", "from 1 to 10"),
        ("gates: {review: {team: \"acme/ML team\"}}", "is no team's slug"),
        ("gates: {review: {branch: ' '}}", "`branch` is empty"),
        ("gates: {review: {machines: [agent]}}", "`agent` is no address"),
        (
            "gates: {review: {machines: [7+Bot@users.noreply.github.com]}}",
            "tells its account already",
        ),
        ("gates: {review: {machines: ['@tools.example']}}", "is no address"),
        ("gates: {review: {machines: ['*@tools.example']}}", "is no address"),
        ("gates: {review: {machines: ['A <a@tools.example>']}}", "is no address"),
        ("gates: {review: {stages: [prodution]}}", "did you mean `production`?"),
        ("gates: {approval: {environment: live, stages: []}}", "`stages` names none"),
        ("gates: {approval: {}}", "environment"),
        ("gates: {approval: {environment: ' '}}", "`environment` is empty"),
        ("gates: {status-checks: {required: []}}", "`required` names no check"),
        ("gates: {tag-signature: {annotated: false}}", "neither `annotated` nor `signed`"),
        ("gates: {protection: {branch: ''}}", "`branch` is empty"),
        ("emergency: {who: [], gates: [review]}", "`who` is empty"),
        ("emergency: {who: [ada], gates: []}", "`gates` is empty"),
        ("emergency: {who: ['@acme/ml'], gates: [review]}", "is no login of a person"),
        ("emergency: {who: ['bot[bot]'], gates: [review]}", "is no login of a person"),
        ("emergency: {who: [ada], gates: [scan]}", "`scan` can never be passed over"),
        ("emergency: {who: [ada], gates: [token]}", "`token` can never be passed over"),
        ("emergency: {who: [ada], gates: [version]}", "`version` can never be passed over"),
        ("emergency: {who: [ada], gates: [reveiw]}", "did you mean `review`?"),
    ] {
        let error = parse("weighbridge.yml", &format!("{MODEL}{text}\n"), &[]).expect_err(text);
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
    let fine = "emergency: {who: [ada], gates: [review, tests]}\n";
    assert_eq!(valid(&format!("{MODEL}{fine}")).emergency.expect("listed").who, ["ada"]);
}
