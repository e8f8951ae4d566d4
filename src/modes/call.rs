//! One call of weighbridge: settings from argv and inputs, the context, the folders.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::context::{Context, Environment, Event};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::github;
use crate::http::{self, Secret};
use crate::hub::Hub;
use crate::inputs::{DEFAULT_ENDPOINT, OutputFormat, Settings};
use crate::report::{self, Emit, Report};
use crate::signals;

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
        let call = Self { env: env.clone(), settings, context };
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

    /// The Hub's address.
    pub(super) fn endpoint(&self) -> &str {
        let named = self.settings.hf_endpoint.as_deref();
        named.or_else(|| self.env.get("HF_ENDPOINT")).unwrap_or(DEFAULT_ENDPOINT)
    }

    /// A client whose every wait is bounded by the run's one deadline.
    pub(super) fn http(&self) -> Result<http::Client, Failure> {
        let minutes = self.settings.timeout.unwrap_or(120);
        let mut options = http::ClientOptions {
            deadline: Duration::from_secs(u64::from(minutes) * 60),
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

    /// Writing modes refuse under a pull request: its code has not been reviewed, and secrets
    /// must never meet it.
    pub(super) fn refuse_on_pull_request(&self, mode: &str) -> Result<MayWrite, Failure> {
        let Event::PullRequest { number, target, .. } = &self.context.event else {
            return Ok(MayWrite(()));
        };
        let event = if *target { "pull_request_target" } else { "pull_request" };
        Err(Failure::new(format!(
            "`{mode}` does not run under `{event}` (number {number}): unreviewed code would be published"
        ))
        .fix("use `mode: check` (or `auto`) on pull requests, and release on a tag push"))
    }

    /// Parts stand for files that other modes weigh themselves.
    pub(super) fn refuse_parts(&self, mode: &str) -> Result<(), Failure> {
        if self.settings.parts.is_none() {
            return Ok(());
        }
        Err(Failure::new(format!("`{mode}` takes no parts: it weighs the files themselves"))
            .fix("give `--parts` (input `parts`) to `release` or `check`"))
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
        let name = self.settings.check_name.as_deref().unwrap_or("weighbridge");
        // Several models in one repository get a check each.
        let name =
            if report.several { format!("{name} ({})", report.model) } else { name.to_owned() };
        let place = github::Place { api: &runner.api_url, token, repository, commit, name: &name };
        let client = match self.http() {
            Ok(client) => client,
            Err(failure) => return Some(failure.to_string()),
        };
        let run = report::check_run(report);
        let made = super::hub::runtime().ok()?.block_on(async {
            let made = github::create_check_run(client.reqwest().clone(), &place, &run);
            let time = if signals::asked() { HURRIED } else { CHECK_RUN_TIME };
            tokio::time::timeout(time, made).await
        });
        match made {
            Ok(Ok(github::Outcome::Created)) => None,
            Ok(Ok(github::Outcome::Forbidden(why))) => Some(why),
            Ok(Err(error)) => Some(format!("no check run: {error}")),
            Err(_) => Some("no check run: GitHub did not answer in time".into()),
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
