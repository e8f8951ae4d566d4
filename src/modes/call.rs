//! One call of weighbridge: settings from argv and inputs, the context, the folders.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::context::{Context, Environment, Event};
use crate::exit::Exit;
use crate::failure::{Advise as _, Failure};
use crate::github;
use crate::http::{self, Secret};
use crate::hub::Hub;
use crate::inputs::{OutputFormat, Settings};
use crate::report::{self, Emit, Report};
use crate::signals::{self, Guard};

/// A check run is a courtesy: it may not hold up a release, nor us when we are to stop.
const CHECK_RUN_TIME: Duration = Duration::from_mins(1);
const HURRIED: Duration = Duration::from_secs(2);
/// Longest silence of a server, in seconds.
const ANSWER_TIMEOUT: &str = "WEIGHBRIDGE_ANSWER_TIMEOUT";

/// Everything a mode starts from.
pub(super) struct Call {
    pub(super) env: Environment,
    pub(super) settings: Settings,
    pub(super) context: Context,
    begun: Instant,
}

/// Leave to write, which no pull request gets: without it there are no credentials.
pub(super) struct MayWrite(());

impl Call {
    /// Fills the settings from the action's inputs and reads the context. Every secret is masked
    /// here, before anything else can happen with it.
    pub(super) fn new(env: &Environment, mut settings: Settings) -> Result<Self, Failure> {
        signals::listen();
        settings
            .fill(|name| env.input(name))
            .map_err(|error| Failure::advised("bad input", &error))?;
        let context = Context::read(env, env.input("github-token").and_then(Secret::new))?;
        let call = Self { env: env.clone(), settings, context, begun: Instant::now() };
        call.mask_stored()?;
        Ok(call)
    }

    /// The policy file.
    pub(super) fn policy_path(&self) -> PathBuf {
        let named = self.settings.policy.as_deref().unwrap_or(Path::new("weighbridge.yml"));
        self.context.workspace.join(named)
    }

    /// A path as findings show it: relative to the workspace where it lies inside.
    pub(super) fn shown(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.context.workspace).unwrap_or(path);
        let parts: Vec<_> =
            relative.iter().map(|part| part.to_string_lossy()).filter(|part| part != ".").collect();
        parts.join("/").replace("//", "/")
    }

    /// A client whose every wait is bounded by the run's one deadline.
    pub(super) fn http(&self) -> Result<http::Client, Failure> {
        let minutes = self.settings.timeout.unwrap_or(120);
        let all = Duration::from_secs(u64::from(minutes) * 60);
        let mut options = http::ClientOptions {
            deadline: all.saturating_sub(self.begun.elapsed()),
            waits: std::sync::Arc::new(|wait| report::aside(&format!("· {wait}"))),
            ..http::ClientOptions::default()
        };
        if let Some(seconds) = self.env.get(ANSWER_TIMEOUT) {
            let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0);
            let seconds = seconds.ok_or_else(|| {
                Failure::new(format!("{ANSWER_TIMEOUT} is no number of seconds"))
                    .fix(format!("give whole seconds, such as {ANSWER_TIMEOUT}=90, or unset it"))
            })?;
            options.answer_timeout = Duration::from_secs(seconds);
        }
        http::Client::new(options)
            .map_err(|error| Failure::new("cannot start the HTTP client").because(&error))
    }

    /// The Hub at `endpoint`, with the token if there is one.
    pub(super) fn hub(&self, endpoint: &str, token: Option<Secret>) -> Result<Hub, Failure> {
        Hub::new(self.http()?, endpoint, token)
            .map_err(|error| Failure::advised("cannot use the Hub", &error))
    }

    /// Writing modes refuse where people without write access can start a run: their code has not been
    /// reviewed, and secrets must never meet it.
    pub(super) fn refuse_outsiders(&self, mode: &str) -> Result<MayWrite, Failure> {
        let why = match &self.context.event {
            Event::PullRequest { number, target, .. } => {
                let event = if *target { "pull_request_target" } else { "pull_request" };
                format!("`{event}` (number {number}): unreviewed code would be published")
            }
            Event::MergeGroup => "`merge_group`: what is not merged yet would be published".into(),
            Event::ByAnyone(event) => {
                let event: String = event.chars().take(60).collect();
                format!("`{event}`: people who may not write to the repository can cause it")
            }
            Event::Unknown(event) if event.is_empty() => {
                "an event that the CI does not name: nobody knows who can cause it".into()
            }
            Event::Unknown(event) => {
                let event: String = event.chars().take(60).collect();
                format!(
                    "`{event}`: it is none of the events that only people who may write can cause"
                )
            }
            Event::TagPush
            | Event::BranchPush
            | Event::Dispatch
            | Event::Schedule
            | Event::Other(_) => return Ok(MayWrite(())),
        };
        Err(Failure::new(format!("`{mode}` does not run under {why}")).fix(
            "use `mode: check` (or `auto`) there, and release on a tag push or a manual dispatch",
        ))
    }

    /// Parts stand for files that other modes weigh themselves.
    pub(super) fn refuse_parts(&self, mode: &str) -> Result<(), Failure> {
        if self.settings.parts.is_none() {
            return Ok(());
        }
        Err(Failure::new(format!("`{mode}` takes no parts: it weighs the files themselves"))
            .fix("give `--parts` (input `parts`) to `release` or `check`"))
    }

    /// Modes that publish nothing have nothing to pass over.
    pub(super) fn refuse_emergency(&self, mode: &str) -> Result<(), Failure> {
        if self.settings.emergency.is_none() {
            return Ok(());
        }
        Err(Failure::new(format!("`{mode}` takes no emergency: it releases nothing"))
            .fix("give `--emergency` (input `emergency`) to `release`"))
    }

    /// The name of the check run.
    pub(super) fn check_name(&self) -> &str {
        self.settings.check_name.as_deref().unwrap_or("weighbridge")
    }

    /// Whether the console may use colour.
    pub(super) fn color(&self) -> bool {
        super::color(&self.env)
    }

    /// Tells the report everywhere, and makes the check run where GitHub lets us.
    pub(super) fn tell(&self, mut report: Report) -> Result<Exit, Failure> {
        if let Some(note) = self.check_run(&report) {
            report.notes.push(note);
        }
        let github = self.context.github.as_ref();
        let folder = self.report_dir();
        // A relative folder lies in the workspace, under whatever name each step has for that.
        let told = self.settings.report_dir.as_deref().unwrap_or(&folder);
        let json = self.settings.format == Some(OutputFormat::Json);
        report::emit(&report, &Emit { github, folder: &folder, told, json, color: self.color() })?;
        if github.is_none() {
            report::aside(&format!("Report: {}", folder.join("report.json").display()));
        }
        if let Some(failure) = report.failure {
            return Err(failure);
        }
        if let Some((gate, broken)) = report.verdict.broken().next() {
            let failure =
                Failure::new(format!("the gate `{gate}` could not do its work")).because(broken);
            return Err(match broken.advice() {
                Some(fix) => failure.fix(fix),
                None => failure,
            });
        }
        Ok(if report.verdict.passed() { Exit::Pass } else { Exit::Blocked })
    }

    /// Makes the check run; a note where that was not possible. The job's exit code is the gate,
    /// so nothing here can change the verdict.
    fn check_run(&self, report: &Report) -> Option<String> {
        // A share says nothing of the whole, which is what a check run stands for.
        if report.shard.is_some() {
            return None;
        }
        let runner = self.context.github.as_ref()?;
        let (token, repository) = (runner.token.as_ref()?, self.context.repository.as_deref()?);
        let commit = self.context.checked_commit()?;
        let name = self.check_name();
        // Several models in one repository get a check each.
        let name =
            if report.several { format!("{name} ({})", report.model) } else { name.to_owned() };
        let client = match self.http() {
            Ok(client) => client,
            Err(failure) => return Some(failure.to_string()),
        };
        let run = report::check_run(report);
        let guard = Guard::new();
        let made = super::hub::runtime().ok()?.block_on(async {
            let made = async {
                let github = github::Client::new(&client, &runner.api_url, token, repository)?;
                github::create_check_run(&github, commit, &name, &run).await
            };
            let hurried = async {
                guard.interrupted().await;
                tokio::time::sleep(HURRIED).await;
            };
            tokio::select! {
                made = made => Some(made),
                () = hurried => None,
                () = tokio::time::sleep(CHECK_RUN_TIME) => None,
            }
        });
        match made {
            Some(Ok(())) => None,
            Some(Err(error)) => Some(match error.fix() {
                Some(fix) => format!("no check run: {error}; {fix}"),
                None => format!("no check run: {error}"),
            }),
            None => Some("no check run: GitHub did not answer in time".into()),
        }
    }

    /// Where reports go: the setting, else the runner's temporary folder, else the user's cache.
    pub(super) fn report_dir(&self) -> PathBuf {
        let runner = self.context.github.as_ref().and_then(|runner| runner.temp.clone());
        match &self.settings.report_dir {
            Some(dir) => self.context.workspace.join(dir),
            None => match runner {
                Some(temp) => temp.join("weighbridge"),
                None => self.cache().join("weighbridge/reports"),
            },
        }
    }

    /// The user's own cache folder (XDG Base Directory Specification): in one that all users
    /// share, another could have laid the folder before us. Without a home there is nobody else
    /// either.
    pub(super) fn cache(&self) -> PathBuf {
        let named =
            |name: &str| self.env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        named("XDG_CACHE_HOME")
            .or_else(|| named("HOME").map(|home| home.join(".cache")))
            .or_else(|| named("LOCALAPPDATA"))
            .unwrap_or_else(std::env::temp_dir)
    }
}
