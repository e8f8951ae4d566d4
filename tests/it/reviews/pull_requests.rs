//! Histories of pull requests: who wrote, who reviewed, and where they went.

use super::{Case, OLDER, by, case, pull};
use crate::support::github::{Commit, Memory, Pull};

/// A commit by nobody GitHub knows.
fn strange(memory: &mut Memory, email: &'static str, message: &'static str) {
    let commit = Commit { account: None, email, message };
    pull(memory).commits.push(commit);
}

/// A commit of ada's with somebody else.
fn together(memory: &mut Memory, message: &'static str) {
    let commit = Commit { message, ..by("ada", "ada@acme.com") };
    pull(memory).commits.push(commit);
}

/// Another pull request of the same head, into a branch, with an objection.
fn rival<'a>(memory: &'a mut Memory, base: &'static str) -> &'a mut Pull {
    let mut rival =
        Pull { number: 6, merged: None, base, reviews: Vec::new(), ..pull(memory).clone() };
    rival.say("linus", "CHANGES_REQUESTED");
    memory.pulls.insert(0, rival);
    &mut memory.pulls[0]
}

pub(super) const CASES: &[Case] = &[
    case("approved and merged", "review: {}", |_| {}, Ok("pull request #7, 1 approval: grace")),
    case("squashed", "review: {}", |memory| pull(memory).brought.push(OLDER.into()), Ok("#7")),
    case(
        "approved, then dismissed",
        "review: {}",
        |memory| pull(memory).dismiss("grace"),
        Err("grace (was dismissed)"),
    ),
    case(
        "approved at an older head",
        "review: {}",
        |memory| pull(memory).reviews[0].commit = OLDER.into(),
        Err("grace (looked at an older commit)"),
    ),
    case(
        "approved by the author",
        "review: {approvals: 2}",
        |memory| {
            pull(memory).say("ada", "APPROVED");
        },
        Err("has 1 of 2 approvals at 111111111111; not counted: ada (opened the pull request)"),
    ),
    case(
        "approved by somebody who wrote in it",
        "review: {approvals: 2}",
        |memory| {
            pull(memory).say("wren", "APPROVED");
        },
        Err("wren (wrote a commit in it)"),
    ),
    case(
        "approved by a bot",
        "review: {approvals: 2}",
        |memory| {
            pull(memory).say("helper[bot]", "APPROVED");
        },
        Err("helper[bot] (is no person)"),
    ),
    case(
        "approved by a passer-by",
        "review: {approvals: 2}",
        |memory| {
            for who in ["eve", "colin", "nobody"] {
                pull(memory).say(who, "APPROVED");
            }
        },
        Err("colin (may not write to the repository), eve (may"),
    ),
    case(
        "into another branch",
        "review: {}",
        |memory| pull(memory).base = "playground",
        Err("came by pull request #7 into `playground`, and not into `main`"),
    ),
    case(
        "into the branch that is named",
        "review: {branch: release/1.x}",
        |memory| pull(memory).base = "release/1.x",
        Ok("1 approval: grace"),
    ),
    case(
        "into the branch that is protected",
        "protection: {branch: release/1.x}\n  review: {}",
        |memory| pull(memory).base = "release/1.x",
        Ok("1 approval: grace"),
    ),
    case(
        "an objection in another pull request of the same",
        "review: {}",
        |memory| {
            rival(memory, "main");
        },
        Err("linus asked for changes in #6"),
    ),
    case(
        "an objection in one that was merged as well",
        "review: {}",
        |memory| {
            let merged = pull(memory).merged.clone();
            rival(memory, "main").merged = merged;
        },
        Err("linus asked for changes in #6"),
    ),
    case(
        "an objection that is taken back there",
        "review: {}",
        |memory| {
            rival(memory, "main").dismiss("linus");
        },
        Ok("1 approval: grace"),
    ),
    case(
        "an objection of somebody who may only read",
        "review: {}",
        |memory| {
            rival(memory, "main").say("linus", "APPROVED");
            memory.pulls[0].say("eve", "CHANGES_REQUESTED");
        },
        Ok("1 approval: grace"),
    ),
    case(
        "an objection to what goes elsewhere",
        "review: {}",
        |memory| {
            rival(memory, "playground");
        },
        Ok("1 approval: grace"),
    ),
    case(
        "a tool that signs as co-author",
        "review: {machines: [agent@tools.example]}",
        |memory| together(memory, "Tune\n\nCo-authored-by: Agent <agent@tools.example>"),
        Ok("1 approval: grace"),
    ),
    case(
        "a tool with an account, which approves what it signed",
        "review: {machines: [grace@acme.com]}",
        |memory| together(memory, "Tune\n\nCo-authored-by: Grace <grace@acme.com>"),
        Err("grace (wrote a commit in it)"),
    ),
    case(
        "somebody who gives a tool's address as their own",
        "review: {machines: [agent@tools.example]}",
        |memory| {
            let message = "Tune\n\nCo-authored-by: Agent <agent@tools.example>";
            strange(memory, "agent@tools.example", message);
        },
        Err("who may be among those who approved: Monalisa Octocat"),
    ),
    case(
        "a commit of no account",
        "review: {}",
        |memory| strange(memory, "grace@laptop", "Tune"),
        Err("who may be among those who approved: Monalisa Octocat (in 6dcb09b5b578)"),
    ),
    case(
        "a commit of no account, and enough who approved",
        "review: {}",
        |memory| {
            strange(memory, "grace@laptop", "Tune");
            pull(memory).say("linus", "APPROVED");
        },
        Ok("2 approvals: grace, linus"),
    ),
    case(
        "written with who approved",
        "review: {}",
        |memory| together(memory, "Tune\n\nCo-authored-by: Grace <Grace@acme.com>"),
        Err("grace (wrote a commit in it)"),
    ),
    case(
        "written with who approved, by the number of the account",
        "review: {}",
        |memory| together(memory, "co-authored-by: G <514+gh@users.noreply.github.com>"),
        Err("grace (wrote a commit in it)"),
    ),
    case(
        "written with somebody GitHub does not know",
        "review: {}",
        |memory| together(memory, "Tune\n\nCo-authored-by: Robot <robot@acme.com>"),
        Err("who may be among those who approved: Robot (in 6dcb09b5b578)"),
    ),
    case(
        "more commits than GitHub lists",
        "review: {}",
        |memory| pull(memory).commits = vec![by("ada", "ada@acme.com"); 250],
        Err("#7 has 250 commits or more, and GitHub lists no more"),
    ),
    case(
        "changes requested after the approval",
        "review: {}",
        |memory| {
            pull(memory).say("grace", "CHANGES_REQUESTED");
        },
        Err("[review-changes-requested]"),
    ),
    case(
        "a remark after the approval",
        "review: {}",
        |memory| {
            pull(memory).say("grace", "COMMENTED");
        },
        Ok("1 approval: grace"),
    ),
    case(
        "an approval on the second page",
        "review: {approvals: 2}",
        |memory| {
            for _ in 0..150 {
                pull(memory).say("grace", "COMMENTED");
            }
            pull(memory).say("linus", "APPROVED");
        },
        Ok("2 approvals: grace, linus"),
    ),
    case(
        "no pull request",
        "review: {}",
        |memory| memory.pulls.clear(),
        Err("came by no pull request"),
    ),
    case(
        "a pull request that is open",
        "review: {}",
        |memory| {
            let merged = pull(memory).merged.take();
            pull(memory).brought.extend(merged);
        },
        Err("#7, which is not merged"),
    ),
    case(
        "a commit in the middle",
        "review: {}",
        |memory| {
            let merged = pull(memory).merged.replace(OLDER.into());
            pull(memory).brought.extend(merged);
        },
        Err("only a part of pull request #7"),
    ),
    case("of the team", "review: {team: ml}", |_| {}, Ok("1 approval: grace")),
    case(
        "not of the team",
        "review: {team: ml}",
        |memory| memory.team = Some(vec!["linus"]),
        Err("grace (is not of the team)"),
    ),
    case(
        "a team that the token cannot see",
        "review: {team: ml}",
        |memory| memory.team = None,
        Err("GITHUB_TOKEN cannot read teams"),
    ),
];
