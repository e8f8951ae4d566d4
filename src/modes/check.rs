//! `check`: tests, inventory, evidence, gates, report. Sends nothing to the Hub, needs no secret.

use crate::context::Event;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::policy::Policy;
use crate::release::{self, Versioning};

use super::call::Call;
use super::test_command::TestRuns;
use super::weigh;

pub(super) fn run(call: &Call) -> Result<Exit, Failure> {
    call.refuse_emergency("check")?;
    let policy = weigh::policy(call)?;
    let tag = call.settings.tag.as_deref().or(call.context.tag.as_deref());
    let versioning = tag.map_or(Versioning::Untagged, |tag| release::read_tag(tag, &policy));
    let mut exit = Exit::Pass;
    let mut test_runs = TestRuns::default();
    for model in models(call, &policy, &versioning)? {
        let tests = test_runs.of(call, &policy, model)?;
        let mut gathered =
            weigh::gather(call, policy.clone(), model, versioning.clone(), tests, false)?;
        gathered.search(call)?;
        if asks_github(call) {
            super::hub::runtime()?.block_on(gathered.ask_github(call));
        }
        let verdict = gathered.weigh(&gathered.card(call, None)?, None);
        exit = exit.max(call.tell(gathered.report(call, "check", verdict))?);
    }
    Ok(exit)
}

/// Whether GitHub can be asked where the version comes from. In a pull request nothing is approved or
/// merged yet: that is known when the version is released.
fn asks_github(call: &Call) -> bool {
    let has_token = call.context.github.as_ref().is_some_and(|runner| runner.token.is_some());
    has_token && !matches!(call.context.event, Event::PullRequest { .. })
}

/// Which models to weigh: the tag's, else the one that was asked for, else all.
fn models(call: &Call, policy: &Policy, versioning: &Versioning) -> Result<Vec<usize>, Failure> {
    match (versioning, call.settings.model.as_deref()) {
        (Versioning::Release(release), _) => {
            weigh::index_of(policy, &release.model).map(|index| vec![index])
        }
        (_, Some(name)) => weigh::index_of(policy, name).map(|index| vec![index]),
        (_, None) => Ok((0..policy.models.len()).collect()),
    }
}
