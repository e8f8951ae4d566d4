use super::Review as Gate;
use crate::finding::Location;
use crate::gates::sample::Sample;
use crate::github::{
    Elsewhere, Origin, PullRequest, Review, SourceFacts, State, Stranger, Writers,
};
use crate::policy::source::{Asked, ReviewGate};

const HEAD: &str = "1111111111111111111111111111111111111111";
const OLDER: &str = "2222222222222222222222222222222222222222";

fn review(id: u64, by: &str, state: State) -> Review {
    Review {
        id,
        by: Some(by.into()),
        by_id: None,
        machine: false,
        state,
        commit: Some(HEAD.into()),
        at: None,
        may_write: true,
        in_team: None,
    }
}

fn yes(by: &str) -> Review {
    review(1, by, State::Approved)
}

fn pull(reviews: Vec<Review>) -> PullRequest {
    PullRequest {
        number: 7,
        head: HEAD.into(),
        base: "main".into(),
        author: Some("Ada".into()),
        writers: Writers {
            logins: ["ada".into(), "wren".into()].into(),
            ids: [7].into(),
            ..Writers::default()
        },
        reviews,
    }
}

fn weigh(approvals: usize, origin: Origin) -> (Vec<String>, String) {
    let mut sample = Sample::new();
    let what = ReviewGate { approvals, team: None, branch: None, machines: vec![] };
    let at = Location::line("weighbridge.yml", 3);
    sample.model().gates.source.review = Some(Asked { what, stages: Vec::new(), at });
    sample.source = Some(SourceFacts {
        commit: "3333333333333333333333333333333333333333".into(),
        origin: Some(Ok(origin)),
        ..SourceFacts::default()
    });
    sample.weigh(&Gate)
}

#[test]
fn only_approvals_of_others_who_may_write_at_the_head_count() {
    let two = [yes("grace"), yes("linus")];
    let remark = review(2, "grace", State::Remark);
    let no = review(2, "grace", State::ChangesRequested);
    let dismissed = review(1, "grace", State::Dismissed);
    let cases: Vec<(usize, Vec<Review>, Result<&str, &str>)> = vec![
        (1, vec![yes("grace")], Ok("pull request #7, 1 approval: grace")),
        (2, two.to_vec(), Ok("pull request #7, 2 approvals: grace, linus")),
        (1, vec![yes("grace"), remark], Ok("1 approval: grace")),
        (1, vec![no.clone(), yes("grace")], Ok("1 approval: grace")),
        (2, vec![yes("grace"), yes("Grace")], Err("has 1 of 2 approvals")),
        (1, vec![], Err("has 0 of 1 approvals at 111111111111")),
        (1, vec![dismissed], Err("grace (was dismissed)")),
        (1, vec![yes("ada")], Err("ada (opened the pull request)")),
        (1, vec![yes("Wren")], Err("Wren (wrote a commit in it)")),
        (1, vec![Review { by_id: Some(7), ..yes("was-wren") }], Err("wrote a commit in it")),
        (1, vec![Review { by_id: Some(8), ..yes("grace") }], Ok("1 approval: grace")),
        (1, vec![Review { machine: true, ..yes("bot") }], Err("bot (is no person)")),
        (
            1,
            vec![Review { commit: Some(OLDER.into()), ..yes("grace") }],
            Err("grace (looked at an older commit)"),
        ),
        (1, vec![Review { commit: None, ..yes("grace") }], Err("older commit")),
        (1, vec![Review { may_write: false, ..yes("eve") }], Err("eve (may not write")),
        (1, vec![Review { in_team: Some(false), ..yes("grace") }], Err("is not of the team")),
        (1, vec![Review { in_team: Some(true), ..yes("grace") }], Ok("1 approval")),
        (1, vec![Review { by: None, ..yes("") }], Err("0 of 1")),
        (1, vec![yes("grace"), no.clone()], Err("grace (asks for changes)")),
    ];
    for (approvals, reviews, expected) in cases {
        let told = format!("{reviews:?}");
        let origin = Origin { pulls: vec![pull(reviews)], ..Origin::default() };
        let (findings, note) = weigh(approvals, origin);
        match expected {
            Ok(says) => assert!(findings.is_empty() && note.contains(says), "{told} {findings:?}"),
            Err(says) => {
                let missing = findings.first().expect(&told);
                assert!(missing.starts_with("review-missing at weighbridge.yml:3"), "{missing}");
                assert!(missing.contains(says), "{missing}");
            }
        }
    }
}

#[test]
fn an_objection_of_somebody_who_may_write_stands() {
    let objection = review(2, "linus", State::ChangesRequested);
    let weigh = |objection: Review| {
        let pulls = vec![pull(vec![yes("grace"), objection])];
        weigh(1, Origin { pulls, ..Origin::default() }).0
    };
    let says = "review-changes-requested at weighbridge.yml:3: linus asked for changes in #7";
    assert_eq!(weigh(objection.clone()), [says]);
    // It stands until it is taken back, whatever was pushed since.
    assert_eq!(weigh(Review { commit: Some(OLDER.into()), ..objection.clone() }), [says]);
    for harmless in [
        Review { may_write: false, ..objection.clone() },
        Review { machine: true, ..objection.clone() },
        Review { state: State::Dismissed, ..objection },
    ] {
        assert!(weigh(harmless).is_empty());
    }
}

#[test]
fn an_objection_is_not_outdone_by_another_pull_request_of_the_same() {
    let clean = || PullRequest { number: 8, ..pull(vec![yes("grace")]) };
    let objection = review(2, "linus", State::ChangesRequested);
    let says = "review-changes-requested at weighbridge.yml:3: linus asked for changes in #7";
    let at_older = Review { commit: Some(OLDER.into()), ..objection.clone() };
    let moved_on =
        |objection: &Review| PullRequest { head: OLDER.into(), ..pull(vec![objection.clone()]) };
    for (pulls, beside, expected) in [
        (vec![pull(vec![yes("grace"), objection.clone()]), clean()], vec![], &[says][..]),
        (vec![clean(), pull(vec![yes("grace"), objection.clone()])], vec![], &[says]),
        (vec![clean()], vec![pull(vec![objection.clone()])], &[says]),
        (vec![clean()], vec![pull(vec![at_older.clone()])], &[says]),
        // One that has moved on since, as long as it was about the same commit.
        (vec![clean()], vec![moved_on(&objection)], &[says]),
        (vec![clean()], vec![moved_on(&at_older)], &[]),
        (vec![clean()], vec![pull(vec![yes("linus")])], &[]),
    ] {
        let told = format!("{pulls:?} {beside:?}");
        let (findings, _) = weigh(1, Origin { pulls, beside, ..Origin::default() });
        assert_eq!(findings, expected, "{told}");
    }
}

#[test]
fn writers_who_are_not_known_may_be_those_who_approved() {
    let by = |name: &str| Stranger { name: name.into(), commit: OLDER.into() };
    for (approvals, strangers, cut_off, says) in [
        (1, vec![], false, None),
        (1, vec![by("gh")], false, Some("among those who approved: gh (in 222222222222)")),
        (2, vec![by("gh")], false, Some("GitHub tells no account")),
        // Whoever of the three it is, two others are left.
        (3, vec![by("gh")], false, None),
        (3, vec![by("gh"), by("lt")], false, Some("gh (in 222222222222), lt (in")),
        (3, vec![], true, Some("#7 has 250 commits or more")),
    ] {
        let names = ["grace", "linus", "mary"].into_iter().take(approvals).map(yes);
        let mut pull = pull(names.collect());
        (pull.writers.strangers, pull.writers.cut_off) = (strangers, cut_off);
        let needed = approvals.min(2);
        let (findings, _) = weigh(needed, Origin { pulls: vec![pull], ..Origin::default() });
        match says {
            None => assert!(findings.is_empty(), "{findings:?}"),
            Some(says) => {
                assert!(findings[0].starts_with("review-writers-unknown"), "{findings:?}");
                assert!(findings[0].contains(says), "{findings:?}");
            }
        }
    }
}

#[test]
fn a_commit_that_came_by_no_pull_request_is_told_from_one_that_is_half_of_one() {
    for (origin, says) in [
        (Origin::default(), "333333333333 came by no pull request"),
        (Origin { unmerged: Some(9), ..Origin::default() }, "#9, which is not merged"),
        (Origin { part_of: Some(8), ..Origin::default() }, "only a part of pull request #8"),
        (
            Origin {
                elsewhere: Some(Elsewhere { number: 9, into: "dev".into(), wanted: "main".into() }),
                part_of: Some(8),
                ..Origin::default()
            },
            "came by pull request #9 into `dev`, and not into `main`",
        ),
    ] {
        let (findings, _) = weigh(1, origin);
        assert!(findings[0].starts_with("no-pull-request") && findings[0].contains(says));
    }
    // Of two, one that was approved is enough.
    let pulls = vec![pull(Vec::new()), PullRequest { number: 8, ..pull(vec![yes("grace")]) }];
    let (findings, note) = weigh(1, Origin { pulls, ..Origin::default() });
    assert!(findings.is_empty() && note.contains("#8"), "{note}");
}
