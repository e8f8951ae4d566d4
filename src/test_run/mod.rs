//! Runs the policy's test command, on this machine or in an image, before anything is weighed.
//!
//! The command is the repository's own code: it gets no secret in its environment, its output is
//! handed on line by line for others to fence, and whatever it leaves running is ended.

mod engine;
mod environment;
mod error;
mod host;
mod image;
mod lines;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

pub use error::TestRunError;

use crate::context::{Environment, Event};
use crate::policy::TestCommand;
use lines::Lines;

/// A test command that was run, or was not to be.
#[derive(Debug, Clone)]
pub struct TestRun {
    /// The command, the image and their limits.
    pub settings: TestCommand,
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
    /// The last line that it printed and that says something.
    pub last_line: Option<String>,
    /// Reports that stood there before, and when they were written: one that is still as old is not
    /// of this run.
    pub stood: BTreeMap<String, SystemTime>,
}

/// How a test command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an exit code.
    Exit(i32),
    /// By a signal, of this number.
    Signal(i32),
    /// It was ended: its time was up.
    TimedOut,
    /// It was not run.
    Refused(Refusal),
}

/// Why a command is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `pull_request_target`: a stranger's code would meet the repository's own secrets.
    PullRequestTarget,
    /// A fork's pull request, and the policy does not say that its code may be run.
    Fork,
    /// An event that anybody can cause, and that runs beside the repository's own secrets; what is
    /// checked out then may be anybody's too.
    Anybody,
    /// An event that is not known: the same may be true of it.
    Unknown,
}

/// Where a command is run.
pub struct Surroundings<'a> {
    /// The folder of the policy file; the command starts there.
    pub folder: &'a Path,
    /// The workspace: all that an image is given of this machine.
    pub workspace: &'a Path,
    /// Our own environment; what is passed on is listed by name.
    pub env: &'a Environment,
    /// What happened: strangers' code is not run.
    pub event: &'a Event,
    /// The reports that stand there, and when they were written.
    pub reports: BTreeMap<String, SystemTime>,
}

/// Runs the command, handing each line of its output to `show`.
///
/// # Errors
///
/// It could not be started, or we were stopped while it ran. That it failed is no error.
pub async fn run(
    settings: &TestCommand,
    around: &Surroundings<'_>,
    show: &mut (dyn FnMut(&str) + Send),
) -> Result<TestRun, TestRunError> {
    let clock = Instant::now();
    let mut lines = Lines::new(show);
    let end = match (refusal(settings, around.event), &settings.image) {
        (Some(refusal), _) => End::Refused(refusal),
        (None, Some(image)) => image::run(settings, image, around, &mut lines).await?,
        (None, None) => host::run(settings, around, &mut lines).await?,
    };
    let settings = settings.clone();
    let stood = around.reports.clone();
    Ok(TestRun { settings, end, took: clock.elapsed(), last_line: lines.end(), stood })
}

/// Why the command may not be run for this event.
fn refusal(settings: &TestCommand, event: &Event) -> Option<Refusal> {
    match event {
        Event::PullRequest { target: true, .. } => Some(Refusal::PullRequestTarget),
        Event::PullRequest { fork: true, .. } if !settings.on_forks => Some(Refusal::Fork),
        Event::ByAnyone(_) => Some(Refusal::Anybody),
        Event::Unknown(_) => Some(Refusal::Unknown),
        Event::TagPush
        | Event::BranchPush
        | Event::PullRequest { .. }
        | Event::MergeGroup
        | Event::Dispatch
        | Event::Schedule
        | Event::Other(_) => None,
    }
}
