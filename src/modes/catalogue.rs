//! `catalogue`: every model of the policy, where its versions go and who stands for it.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::inputs::OutputFormat;
use crate::policy::{Model, Policy, Stage, Visibility};
use crate::release::{self, Changes, Channel, GitFacts, HistoryEntry, Release};
use crate::report::{self, catalogue, catalogue::Entry};

use super::call::Call;
use super::weigh;

pub(super) fn run(call: &Call) -> Result<Exit, Failure> {
    let policy = weigh::policy(call)?;
    let git = GitFacts::read(&weigh::base(call))
        .map_err(|error| Failure::advised("cannot read the git repository", &error))?;
    let entries: Vec<_> =
        policy.models.iter().flat_map(|model| entries(&policy, model, &git)).collect();
    match call.settings.format {
        Some(OutputFormat::Json) => report::print_data(&catalogue::json(&entries))?,
        Some(OutputFormat::Text) | None => report::print(&catalogue::markdown(&entries))?,
    }
    Ok(Exit::Pass)
}

/// One a stage, with the newest version that goes there.
fn entries(policy: &Policy, model: &Model, git: &GitFacts) -> Vec<Entry> {
    let versions = release::history(policy, model, git, &Changes::default(), None);
    let mut owners: Vec<_> = model.card.statements.values().map(|said| said.by.clone()).collect();
    owners.sort();
    owners.dedup();
    let entry = |stage: &Stage| {
        let newest = versions.iter().find_map(|known| there(model, stage, known));
        let repository = match &newest {
            Some((_, repository)) => repository.clone(),
            None => format!("{}/{}", stage.namespace, stage.repo_name(&model.name, "{major}")),
        };
        Entry {
            model: model.name.clone(),
            description: model.description.clone(),
            stage: stage.name.clone(),
            repository,
            public: stage.visibility != Visibility::Private,
            channels: stage.channels.clone(),
            version: newest.as_ref().map(|(known, _)| known.version.to_string()),
            date: newest.and_then(|(known, _)| known.date).map(|date| date.to_string()),
            task: model.task.clone(),
            library: model.library.clone(),
            license: model.license.as_ref().map(|license| license.id.clone()),
            stated_by: owners.clone(),
        }
    };
    model.stages.iter().map(entry).collect()
}

/// A version with the repository it goes to, if it goes to a stage.
fn there<'a>(
    model: &Model,
    stage: &Stage,
    known: &'a HistoryEntry,
) -> Option<(&'a HistoryEntry, String)> {
    let release = Release {
        tag: String::new(),
        model: model.name.clone(),
        version: known.version.clone(),
        channel: Channel::of(&known.version),
    };
    let target = release::target(model, &release).ok()?;
    (target.stage == stage.name).then(|| (known, target.repo.to_string()))
}
