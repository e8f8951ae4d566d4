//! The policy's test command: run once, before anything is weighed, its output shown as it comes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::evidence;
use crate::failure::Failure;
use crate::policy::{Policy, TestCommand};
use crate::report::{self, Foreign};
use crate::test_run::{self, Surroundings, TestRun};

use super::call::Call;
use super::weigh;

/// The test commands of a call. Models that share one share its run.
#[derive(Default)]
pub(super) struct TestRuns(Vec<TestRun>);

impl TestRuns {
    /// Runs a model's test command, unless another model's was the same; `None` where the policy
    /// has none.
    pub(super) fn of(
        &mut self,
        call: &Call,
        policy: &Policy,
        model: usize,
    ) -> Result<Option<TestRun>, Failure> {
        let Some(settings) = &policy.models[model].gates.tests.run else { return Ok(None) };
        if let Some(run) = self.0.iter().find(|run| run.settings == *settings) {
            return Ok(Some(run.clone()));
        }
        let (folder, workspace) = places(call)?;
        let around = Surroundings {
            folder: &folder,
            workspace: &workspace,
            env: &call.env,
            event: &call.context.event,
            reports: reports(call, policy, settings),
        };
        if settings.image.is_none() && call.has_secrets() {
            // It is not in the command's own environment, but whose child we are has it too.
            report::aside(
                "· tests on this machine can read the token, or the leave to get one, from the shell that \
                 started this; name an `image`, or give it to the release alone",
            );
        }
        let title = title(settings);
        let run = super::hub::runtime()?.block_on(async {
            let output = Foreign::begin(call.context.github.is_some(), &title)?;
            let ran = test_run::run(settings, &around, &mut |line| output.line(line)).await;
            drop(output);
            ran.map_err(|error| Failure::advised("the tests cannot be run", &error))
        })?;
        self.0.push(run.clone());
        Ok(Some(run))
    }
}

/// The reports that the models which share a command have from before.
fn reports(call: &Call, policy: &Policy, settings: &TestCommand) -> BTreeMap<String, SystemTime> {
    let base = weigh::base(call);
    let shown = call.shown(&base);
    let sharing = policy.models.iter().filter(|one| one.gates.tests.run.as_ref() == Some(settings));
    sharing.flat_map(|model| evidence::reports_there(&base, &shown, model)).collect()
}

/// The command's first line, and where it runs.
fn title(settings: &TestCommand) -> String {
    let mut lines = settings.command.trim().lines();
    let first = lines.next().unwrap_or_default();
    let more = if lines.next().is_some() { " …" } else { "" };
    let place = settings.image.as_ref().map(|image| format!(" (in {image})")).unwrap_or_default();
    format!("tests: {first}{more}{place}")
}

/// The policy's folder, and the workspace around it: both as they really are, for a mount needs
/// the path that the engine sees.
fn places(call: &Call) -> Result<(PathBuf, PathBuf), Failure> {
    let real = |path: PathBuf| {
        path.canonicalize().map_err(|error| {
            Failure::new(format!("cannot find the folder `{}`", path.display())).because(&error)
        })
    };
    let folder = real(weigh::base(call))?;
    let workspace = real(call.context.workspace.clone())?;
    let around = if folder.starts_with(&workspace) { workspace } else { folder.clone() };
    Ok((folder, around))
}
