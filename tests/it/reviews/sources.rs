//! Checks, tags, approvals of environments and protection, and a GitHub that does not answer as it should.

use super::{Case, HEAD, Mood, OLDER, case, forbidden};

pub(super) const CASES: &[Case] = &[
    case("checks, named", "status-checks: {required: [tests, lint]}", |_| {}, Ok("2 of 2 green")),
    case("checks, all", "status-checks: {}", |_| {}, Ok("2 of 2 green")),
    case(
        "a check that failed",
        "status-checks: {required: [lint]}",
        |memory| {
            memory.statuses.insert(HEAD.into(), vec![["lint", "failure"]]);
        },
        Err("the check `lint` ended with `failure` on 111111111111"),
    ),
    case(
        "a check that never ran",
        "status-checks: {required: [fuzz]}",
        |_| {},
        Err("`fuzz` did not run"),
    ),
    case(
        "a check of this run",
        "status-checks: {required: [release]}",
        |_| {},
        Err("`release` is of this very run"),
    ),
    case("a signed tag", "tag-signature: {signed: true}", |_| {}, Ok("signature verified")),
    case(
        "an unsigned tag",
        "tag-signature: {signed: true}",
        |memory| memory.tag.iter_mut().for_each(|tag| tag.reason = "unsigned"),
        Err("signature not verified (unsigned)"),
    ),
    case(
        "a light-weight tag",
        "tag-signature: {}",
        |memory| memory.tag.iter_mut().for_each(|tag| tag.annotated = false),
        Err("`v1.0.0` is light-weight"),
    ),
    case(
        "a tag that leads elsewhere",
        "tag-signature: {}",
        |memory| memory.tag.iter_mut().for_each(|tag| tag.commit = OLDER.into()),
        Err("leads to 222222222222 on GitHub"),
    ),
    case(
        "a tag of another name",
        "tag-signature: {signed: true}",
        |memory| memory.tag.iter_mut().for_each(|tag| tag.made_as = "v0.9.0"),
        Err("`v1.0.0` on GitHub is a tag that was made as `v0.9.0`"),
    ),
    case(
        "no tag",
        "tag-signature: {}",
        |memory| memory.tag = None,
        Err("GitHub has no tag of this name"),
    ),
    case(
        "let in by another",
        "approval: {environment: production}",
        |_| {},
        Ok("production: grace"),
    ),
    case(
        "let in by the releaser",
        "approval: {environment: production}",
        |memory| memory.approvals[0][0] = "ada",
        Err("ada both started the run and let it in"),
    ),
    case(
        "let in elsewhere",
        "approval: {environment: production}",
        |memory| memory.approvals[0][2] = "lab",
        Err("nobody let this run into the environment `production`"),
    ),
    case("protected", "protection: {}", |_| {}, Ok("main protected, tag protected")),
    case(
        "an unprotected branch",
        "protection: {branch: release/1.x}",
        |memory| (memory.protected, memory.branch_rules) = (false, vec!["deletion"]),
        Err("the branch `release/1.x` is not protected"),
    ),
    case(
        "the branch's last commit",
        "protection: {}",
        |memory| memory.compared = Some("identical"),
        Ok("main protected"),
    ),
    case(
        "a commit ahead of the branch",
        "protection: {}",
        |memory| memory.compared = Some("ahead"),
        Err("is not on the branch `main`"),
    ),
    case(
        "a commit beside the branch",
        "protection: {}",
        |memory| memory.compared = Some("diverged"),
        Err("is not on the branch `main`"),
    ),
    case(
        "a commit of another history",
        "protection: {}",
        |memory| memory.compared = None,
        Err("[commit-off-branch]"),
    ),
    case(
        "a ruleset that cannot be read",
        "protection: {}",
        |memory| memory.tag_exclude = vec!["refs/tags/[v"],
        Err("taken to protect nothing: refs/tags/[v"),
    ),
    case(
        "a ruleset for other tags",
        "protection: {}",
        |memory| memory.tag_pattern = "refs/tags/release-*",
        Err("[tag-unprotected]"),
    ),
    Case {
        mood: Mood::LimitsOnce,
        ..case("a limit, once", "review: {}", |_| {}, Ok("1 approval: grace"))
    },
    Case {
        mood: Mood::LimitsForADay,
        ..case("a limit for a day", "review: {}", |_| {}, Err("it asks to wait 86400 s"))
    },
    Case {
        mood: Mood::HasNoEnd,
        ..case("a list without an end", "review: {}", |_| {}, Err("it has more than 30 pages"))
    },
    Case {
        mood: Mood::Garbage,
        ..case("garbage", "review: {}", |_| {}, Err("it is not the JSON it should be"))
    },
    forbidden("review: {}", "permissions: {pull-requests: read}"),
    Case {
        mood: Mood::HidesAccess,
        ..forbidden("review: {}", "that of a GitHub App with `Metadata: read`")
    },
    forbidden("tag-signature: {}", "permissions: {contents: read}"),
    forbidden("approval: {environment: production}", "permissions: {actions: read}"),
    forbidden("protection: {branch: main}", "permissions: {contents: read}"),
];
