//! What GitHub is asked of where a version comes from, and the emergency that passes over it.

use crate::context::Ci;
use crate::failure::Failure;
use crate::finding::{Claim, Emergency};
use crate::github::{Asking, Client, SourceFacts, Unknown, Wanted, WantedReview};
use crate::policy::source::{Asked, SourceGates};
use crate::policy::{Model, Policy};
use crate::release::{Release, Target};

use super::call::Call;

/// Where a gate that asks GitHub can be judged.
const NEEDS_GITHUB: &str = "release from GitHub Actions, or restrict the gate with `stages: […]` to those that are released from there";

/// What the policy wants to know of a version that goes to a place.
fn wanted(gates: &SourceGates, target: &Target) -> Wanted {
    fn of<'a, T>(gate: Option<&'a Asked<T>>, target: &Target) -> Option<&'a T> {
        gate.filter(|gate| gate.of_stage(&target.stage)).map(|gate| &gate.what)
    }
    let protection = of(gates.protection.as_ref(), target);
    Wanted {
        review: of(gates.review.as_ref(), target).map(|gate| WantedReview {
            branch: gate.branch.clone(),
            team: gate.team.clone(),
            machines: gate.machines.clone(),
        }),
        checks: of(gates.status_checks.as_ref(), target).is_some(),
        tag: of(gates.tag_signature.as_ref(), target).is_some(),
        approvals: of(gates.approval.as_ref(), target).is_some(),
        protection: protection.map(|gate| (gate.branch.clone(), gate.tag)),
    }
}

/// Asks GitHub what the policy wants to know of a release of a commit, and nothing else. What cannot be
/// asked is told as that, never left out.
pub(super) async fn facts(
    call: &Call,
    model: &Model,
    release: &Release,
    target: &Target,
    commit: Option<&str>,
) -> SourceFacts {
    let wanted = wanted(&model.gates.source, target);
    if wanted.is_nothing() {
        return SourceFacts::default();
    }
    let context = &call.context;
    let (client, commit) = match client(call).and_then(|client| Ok((client, sha(commit)?))) {
        Ok(found) => found,
        Err(why) => return SourceFacts::unknown(&wanted, &why),
    };
    let run = context.github.as_ref().and_then(|runner| runner.run_id);
    let asking = Asking { run, check: call.check_name() };
    let facts = SourceFacts::ask(&client, &wanted, commit, &release.tag, asking).await;
    // Both or nobody: whoever is left out could let in their own run.
    let releasers = [context.actor.clone(), context.triggering_actor.clone()];
    SourceFacts {
        page: context.repository_url().unwrap_or_default(),
        releasers: releasers.into_iter().collect::<Option<_>>().unwrap_or_default(),
        ..facts
    }
}

fn client(call: &Call) -> Result<Client, Unknown> {
    let unknown = |why: &str, fix: &str| Unknown { why: why.into(), fix: fix.into() };
    let Some(runner) = &call.context.github else {
        return Err(unknown(
            "this is no run of GitHub Actions, so there is no GitHub to ask",
            NEEDS_GITHUB,
        ));
    };
    let token = runner.token.as_ref().ok_or_else(|| {
        unknown("there is no token for GitHub", "give `github-token: ${{ github.token }}`")
    })?;
    let repository = call.context.repository.as_deref().filter(|name| {
        // It becomes part of an address.
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        name.split('/').count() == 2
            && name.split('/').all(|part| !part.is_empty() && part.chars().all(fits))
    });
    let repository = repository.ok_or_else(|| {
        unknown("GITHUB_REPOSITORY is not `owner/name`", "run it as a job of GitHub Actions")
    })?;
    let http = call.http().map_err(|failure| unknown(&failure.to_string(), "run it again"))?;
    Client::new(&http, &runner.api_url, token, repository).map_err(|error| Unknown::of(&error))
}

/// A commit that can be asked about.
fn sha(commit: Option<&str>) -> Result<&str, Unknown> {
    let is_sha = |text: &&str| text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    commit.filter(is_sha).ok_or_else(|| Unknown {
        why: "it is not known which commit is weighed".into(),
        fix: "check the repository out with git (`actions/checkout`)".into(),
    })
}

/// The emergency that this call claims, if it claims one; a claim that is not granted ends the run
/// before anything else.
pub(super) fn emergency(call: &Call, policy: &Policy) -> Result<Option<Emergency>, Failure> {
    let Some(reason) = &call.settings.emergency else { return Ok(None) };
    let context = &call.context;
    let claim = Claim {
        reason,
        actor: context.actor.as_deref(),
        triggering_actor: context.triggering_actor.as_deref(),
        tells_triggering: context.ci == Ci::GitHub,
        by_hand: context.by_hand,
    };
    Emergency::grant(policy.emergency.as_ref(), &claim)
        .map(Some)
        .map_err(|refusal| Failure::advised("the emergency is refused", &refusal))
}
