//! `audit-log`: the chain checked, shown, and a record added that a release had to keep.

use std::io::Read as _;
use std::path::Path;

use crate::audit::{self, Attempt, Depth, Known, Log, LogError, Record, Verification};
use crate::context::Environment;
use crate::digest::Digest;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hub::{RepoId, Shelf};
use crate::inputs::{AuditLog, AuditLogCommand, LogPlace, OutputFormat};
use crate::policy::{FOLDER, Policy};
use crate::report::{self, audit_log as words};

use super::call::Call;
use super::credentials::Entrance;
use super::network::Network;
use super::weigh;

/// Commits of the history that are checked unless more are asked for: a request each.
const COMMITS: usize = 200;
/// Most bytes of a file that is read as a record.
const READ: u64 = 1024 * 1024;
/// What to do with a record that may be in the log.
const AGAIN: &str = "run it again: it looks first, and what is there is not added again";

pub(super) fn run(env: &Environment, arguments: AuditLog) -> Result<Exit, Failure> {
    match arguments.what {
        AuditLogCommand::Verify(asked) => {
            let (call, place) = call(env, asked.place)?;
            let depth = match asked.since {
                Some(commit) => Depth::Since(commit),
                None if asked.all => Depth::All,
                None => Depth::Newest(COMMITS),
            };
            let (shown, found) = verify(&call, &place, asked.head, 0, Some(&depth))?;
            tell(&call, &shown, &found, words::text)
        }
        AuditLogCommand::Show(asked) => {
            let (call, place) = call(env, asked.place)?;
            let (shown, found) = verify(&call, &place, None, usize::from(asked.last), None)?;
            let table = |shown: &str, found: &Verification| {
                format!("{}\n{}", words::table(found), words::text(shown, found))
            };
            tell(&call, &shown, &found, table)
        }
        AuditLogCommand::Append(asked) => {
            let (call, place) = call(env, asked.place)?;
            append(&call, &place, &asked.file)
        }
    }
}

fn call(env: &Environment, mut place: LogPlace) -> Result<(Call, LogPlace), Failure> {
    let settings = std::mem::take(&mut place.settings);
    Ok((Call::new(env, settings)?, place))
}

fn tell(
    call: &Call,
    shown: &str,
    found: &Verification,
    text: impl Fn(&str, &Verification) -> String,
) -> Result<Exit, Failure> {
    match call.settings.format {
        Some(OutputFormat::Json) => report::print_data(&words::json(shown, found))?,
        Some(OutputFormat::Text) | None => report::print(&text(shown, found))?,
    }
    Ok(if found.passed() { Exit::Pass } else { Exit::Blocked })
}

/// What the log is called, and what is found in it.
fn verify(
    call: &Call,
    place: &LogPlace,
    head: Option<Digest>,
    keep: usize,
    depth: Option<&Depth>,
) -> Result<(String, Verification), Failure> {
    let unread = |error: LogError| Failure::advised("the audit log cannot be read", &error);
    if let Some(dir) = &place.dir {
        let folder = call.context.workspace.join(dir);
        let found = audit::verify_folder(&folder, head, keep).map_err(unread)?;
        return Ok((dir.display().to_string(), found));
    }
    let (shown, log) = log(call, place)?;
    let found = Network::start()?.block_on(audit::verify_hub(&log, head, keep, depth));
    Ok((shown, found.map_err(unread)?))
}

fn append(call: &Call, place: &LogPlace, file: &Path) -> Result<Exit, Failure> {
    let leave = call.refuse_outsiders("audit-log append")?;
    if place.dir.is_some() {
        return Err(Failure::new("a record is added on the Hub, not in a folder")
            .fix("leave out `--dir`; the policy or `--repository` says where the log is"));
    }
    let record = kept(&call.context.workspace.join(file), &file.display().to_string())?;
    let policy = policy(call, place)?;
    let (repo, folder) = whose(place, policy.as_ref())?;
    let network = Network::start()?;
    let hub = match &policy {
        Some(policy) => {
            let entrance = Entrance::new(call, &leave, policy, "audit-log append")?;
            network.unless_stopped(entrance.open(&repo), || stopped(&Known::Absent))?.hub
        }
        None => call.hub(&call.endpoint(None)?, call.stored_token())?,
    };
    let (shown, log) = (repo.to_string(), Log::new(hub, repo, &folder));
    let (id, attempt) = (record.id(), Attempt::default());
    let adding = async {
        let added = match log.find(|entry| entry.id == id).await {
            Ok(Some(there)) => Ok((there, true)),
            Ok(None) => log.append(&record, &attempt).await.map(|appended| (appended, false)),
            Err(error) => Err(error),
        };
        added.map_err(|error| unsettled(&attempt.known(), &error))
    };
    let (appended, was_there) = network.unless_stopped(adding, || stopped(&attempt.known()))?;
    report::print(&words::appended(&shown, &appended, was_there))?;
    Ok(Exit::Pass)
}

/// A record that is not known to be in the log.
fn unsettled(known: &Known, error: &LogError) -> Failure {
    let failure = Failure::advised(known.words(), error);
    if *known == Known::Absent { failure } else { failure.fix(AGAIN) }
}

/// A signal came before the record was known to be in the log.
fn stopped(known: &Known) -> Failure {
    Failure::new(format!("{}: somebody asked to stop", known.words())).fix(AGAIN)
}

/// The record in a file.
fn kept(path: &Path, shown: &str) -> Result<Record, Failure> {
    let unread = || Failure::new(format!("cannot read the record `{shown}`"));
    let fix = "give the file that the release kept, as it was written: its output `audit-record` names it";
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(READ).read_to_end(&mut bytes))
        .map_err(|error| unread().because(&error).fix(fix))?;
    Record::parse(&bytes).map_err(|error| unread().because(&error).fix(fix))
}

/// The log on the Hub, to be read, and what it is called.
fn log(call: &Call, place: &LogPlace) -> Result<(String, Log), Failure> {
    let policy = policy(call, place)?;
    let (repo, folder) = whose(place, policy.as_ref())?;
    // Where somebody else's policy may name the Hub, no token goes there.
    let token = call.stored_token().filter(|_| match call.refuse_outsiders("a token") {
        Ok(_) => true,
        Err(why) => {
            report::aside(&format!("· the log is read without a token: {}", why.what()));
            false
        }
    });
    let hub = call.hub(&call.endpoint(policy.as_ref())?, token)?;
    Ok((repo.to_string(), Log::new(hub, repo, &folder)))
}

/// The policy, without which a log can be named that is not the policy's. One that is there counts: it
/// says which Hub may be told a token.
fn policy(call: &Call, place: &LogPlace) -> Result<Option<Policy>, Failure> {
    if place.repository.is_some() && !call.policy_path().exists() {
        return Ok(None);
    }
    weigh::policy(call).map(Some)
}

/// The repository of the log, and its folder there.
fn whose(place: &LogPlace, policy: Option<&Policy>) -> Result<(RepoId, String), Failure> {
    let (repo, folder) = match &place.repository {
        Some(named) => {
            let bare = named.strip_prefix("datasets/").unwrap_or(named);
            let repo: RepoId = bare.parse().map_err(|error| {
                Failure::new("bad input")
                    .because::<crate::hub::BadRepoId>(&error)
                    .fix("name the repository as `--repository organisation/name`")
            })?;
            (repo.on(Shelf::Datasets), FOLDER.to_owned())
        }
        None => {
            let log = policy.and_then(|policy| policy.audit_log.as_ref()).ok_or_else(|| {
                Failure::new("the policy names no audit log").fix(
                    "name one: `audit-log: {repository: organisation/name}` in weighbridge.yml, or `--repository organisation/name`, or `--dir DIR`",
                )
            })?;
            (log.repository.clone(), log.path.clone())
        }
    };
    let folder = place.path.as_deref().unwrap_or(&folder).trim_matches('/').to_owned();
    let folder = if folder.is_empty() { ".".to_owned() } else { folder };
    Ok((repo, folder))
}
