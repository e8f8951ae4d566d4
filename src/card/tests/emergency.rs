use crate::card::EmergencyNote;
use crate::digest::Digest;
use crate::finding::{
    Claim, Emergency, Finding, Level, Location, Outcome, Overrides, Permit, Rule, Verdict, Weighing,
};

use super::*;

const RULE: Rule = Rule {
    id: "review-missing",
    level: Level::Error,
    summary: "s",
    reason: "r",
    fix: "f",
    example: "e",
};

/// What a run says that was started for a reason, and in which gates found something.
fn judged(reason: &str, found: &[&'static str]) -> Verdict {
    let weighings = ["review", "approval"].map(|gate| Weighing {
        gate,
        outcome: Outcome::Judged("looked".into()),
        findings: found
            .iter()
            .filter(|name| **name == gate)
            .map(|_| Finding::new(&RULE, "no approval", Location::release()))
            .collect(),
    });
    let permit =
        Permit { who: vec!["ada".into()], gates: vec!["review".into(), "approval".into()] };
    let claim = Claim {
        reason,
        actor: Some("ada"),
        triggering_actor: None,
        tells_triggering: false,
        by_hand: true,
    };
    let granted = Emergency::grant(Some(&permit), &claim).expect("granted");
    let today = jiff::civil::date(2026, 1, 2);
    Verdict::judge(weighings.into(), &Overrides::default(), today).passing_over(granted)
}

#[test]
fn who_passed_over_what_and_why_stands_where_it_comes_from() {
    let sample = sample();
    let verdict = judged("INC-7: <b>all</b> customers | [x](https://evil.example)", &["review"]);
    assert!(verdict.clear(Digest::of(b"")).is_some());
    let note = EmergencyNote::of(&verdict).expect("review was passed over");
    let line = "> **Released in an emergency.** ada passed over gates that block otherwise: `review` \
                (`review-missing`). The reason given: INC-7: \\<b\\>all\\</b\\> customers \\| \
                \\[x\\](https\\://evil.example)";
    let told = CardInput { emergency: Some(&note), ..sample.input() };
    let card = write(&told).expect("written");
    let expected = format!("## Where it comes from\n\n{line}\n\n- Commit: ");
    assert!(card.contains(&expected), "{card}");

    // A template of one's own cannot leave it out, and neither can a README kept by hand.
    for template in
        ["# {{ name }}\n", "{% extends \"weighbridge\" %}{% block provenance %}{% endblock %}"]
    {
        for readme in [None, Some("# By hand\n")] {
            let input = CardInput { template: Some(template), readme, ..told };
            let card = write(&input).expect("written");
            assert_eq!(card.matches(line).count(), 1, "{template} {readme:?}: {card}");
        }
    }
    let readme = write(&CardInput { readme: Some("# By hand\n"), ..told }).expect("written");
    assert_eq!(write(&CardInput { readme: Some(&readme), ..told }).expect("written"), readme);
}

#[test]
fn an_emergency_that_passed_over_nothing_is_none() {
    let verdict = judged("INC-7: the model in production fails", &[]);
    assert_eq!(EmergencyNote::of(&verdict), None);
    let without = write(&sample().input()).expect("written");
    assert!(!without.contains("emergency"), "{without}");
}
