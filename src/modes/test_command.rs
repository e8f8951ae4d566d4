//! The policy's test command: run once, before anything is weighed, its output shown as it comes.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::policy::{Model, TestCommand};
use crate::report::Foreign;
use crate::test_run::{self, Surroundings, TestRun};

use super::call::Call;
use super::weigh;

/// The test commands of a call. Models that share one share its run.
#[derive(Default)]
pub(super) struct TestRuns(Vec<TestRun>);

impl TestRuns {
    /// Runs a model's test command, unless another model's was the same; `None` where the policy
    /// has none.
    pub(super) fn of(&mut self, call: &Call, model: &Model) -> Result<Option<TestRun>, Failure> {
        let Some(settings) = &model.gates.tests.run else { return Ok(None) };
        if let Some(run) = self.0.iter().find(|run| run.settings == *settings) {
            return Ok(Some(run.clone()));
        }
        let (folder, workspace) = places(call)?;
        let around = Surroundings {
            folder: &folder,
            workspace: &workspace,
            env: &call.env,
            event: &call.context.event,
        };
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
