//! `release`: the whole way, from the tag to a version on the Hub that was read back.

use std::sync::Arc;

use crate::card::EmergencyNote;
use crate::context::Event;
use crate::digest::Digest;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::{Emergency, Verdict};
use crate::http::blotted;
use crate::hub::Hub;
use crate::hub::query_files::ADDED;
use crate::hub::wire::WhoAmI;
use crate::own_files::{CARD, RECORD};
use crate::policy::Policy;
use crate::provenance;
use crate::publish::{self, Document, Plan, PublishError, Receipt, Remote, Unfinished};
use crate::rel_path::RelPath;
use crate::release::{self, GitFacts, Published, Target, Versioning};
use crate::report::{Publication, PublishedFiles, Report, progress};
use crate::signals::Guard;

use super::audit::Trail;
use super::call::Call;
use super::credentials::{Entrance, Opened};
use super::network::Network;
use super::source;
use super::test_command::TestRuns;
use super::weigh::{self, Gathered};

pub(super) fn run(call: &Call) -> Result<Exit, Failure> {
    let leave = call.refuse_outsiders("release")?;
    through(call, "release", |policy| Entrance::new(call, &leave, policy, "release"))
}

/// How often a card is written: a reason could only disturb what the card gate finds in it.
const MOST_CARDS: usize = 3;
/// What stands on the Hub before publishing begins.
const UNSENT: &str = "it is as it was, nothing was sent";

/// The way through, against any Hub; `rehearse` takes it too.
pub(super) fn through<'a>(
    call: &Call,
    mode: &'static str,
    entrance: impl FnOnce(&Policy) -> Result<Entrance<'a>, Failure>,
) -> Result<Exit, Failure> {
    let rehearsal = mode == "rehearse";
    let policy = weigh::policy(call)?;
    let emergency = source::emergency(call, &policy)?;
    let entrance = entrance(&policy)?;
    let versioning = release::read_tag(&tag(call, &policy)?, &policy);
    let model = model(call, &policy, &versioning)?;
    let tests = TestRuns::default().of(call, &policy, model)?;
    let runtime = Network::start()?;
    // After the tests, whose output may keep a mask from being heard, and before the long work.
    let target = weigh::target(&policy.models[model], &versioning)?;
    let open = |target: Target| runtime.unless_stopped(entrance.open(&target.repo), stopped);
    let opened = target.map(open).transpose()?;
    let mut gathered = weigh::gather(call, policy, model, versioning, tests, rehearsal)?;
    gathered.search(call)?;

    // A rehearsal that writes nothing has no Hub with a log.
    let log = gathered.policy.audit_log.as_ref().filter(|_| !rehearsal || !call.settings.dry_run);
    let trail = match (log, &opened) {
        (Some(log), Some(opened)) => {
            runtime.unless_stopped(async { Ok(Trail::of(opened, log).await) }, stopped)?
        }
        _ => None,
    };
    let (remote, holder) = match (&gathered.target, &opened) {
        (Some(target), Some(Opened { hub, .. })) => {
            let looks = async {
                let remote = look(hub, target, &gathered).await?;
                let reach = match &trail {
                    Some(trail) => Some(trail.reach(rehearsal).await),
                    None => None,
                };
                // At last: the scopes of a token name the repositories that are there by then.
                Ok((remote, reach, holder(hub).await?))
            };
            let (remote, reach, holder) = runtime.unless_stopped(looks, stopped)?;
            gathered.audit_log = reach;
            (Some(remote), holder)
        }
        _ => (None, None),
    };
    gathered.holder = holder;
    // A rehearsal may make its version up, and GitHub knows nothing of it.
    if !rehearsal {
        let asks = async {
            gathered.ask_github(call).await;
            Ok(())
        };
        runtime.unless_stopped(asks, stopped)?;
    }
    let published = remote.as_ref().map(|remote| &remote.published);
    if let Some(published) = published {
        gathered.compare(published);
    }
    let (card, verdict) = judged(call, &gathered, published, emergency.as_ref())?;
    let query_file = gathered.query_file(call);
    let manifest = gathered.inventory.manifest_digest();
    let cleared = verdict.clear(manifest);
    let mut report = gathered.report(call, mode, verdict);
    report.notes.extend(opened.iter().filter_map(|opened| opened.note.clone()));
    let (Some(target), Some(release), Some(mut remote), Some(Opened { hub, pages, .. })) =
        (&gathered.target, gathered.release(), remote, opened)
    else {
        return call.tell(report);
    };

    if cleared.is_some() || call.settings.dry_run {
        let looks = async {
            let files = &gathered.inventory.files;
            publish::look_into(&hub, &target.repo, &mut remote, gathered.model(), files).await;
            Ok(())
        };
        runtime.unless_stopped(looks, stopped)?;
    }
    let documents = documents(call, &gathered, card, query_file, &report)?;
    let policy = &gathered.model().publish;
    let notes = provenance::emergency_notes(&report.verdict, gathered.notes());
    let notes = notes.map(|notes| blotted(&notes).into_owned());
    let plan =
        publish::plan(&gathered.inventory, &documents, target, release, &remote, policy, notes);
    if call.settings.dry_run {
        report.plan = Some(plan.view());
        return call.tell(report);
    }
    let Some(cleared) = cleared else { return call.tell(report) };

    // Until all is told: who is asked to stop has something to say.
    let guard = Guard::new();
    let ended = publish(&runtime, &hub, &plan, cleared, &gathered, &guard);
    if let Some(trail) = &trail {
        runtime.block_on(trail.leave(call, &gathered, &remote, &ended, &mut report));
    }
    match ended {
        Ok(receipt) => report.publication = Some(publication(receipt, &pages)),
        Err(unfinished) => report.failure = Some(failure(&unfinished, &plan)),
    }
    call.tell(report)
}

/// The card, and the verdict on exactly this card. What an emergency passed over stands on it, which
/// only a verdict can know: it is written again until the two agree.
fn judged(
    call: &Call,
    gathered: &Gathered,
    published: Option<&Published>,
    emergency: Option<&Emergency>,
) -> Result<(String, Verdict), Failure> {
    let mut note = None;
    for _ in 0..MOST_CARDS {
        let (card, verdict) = verdict(call, gathered, published, emergency, note.as_ref())?;
        let told = EmergencyNote::of(&verdict);
        if told == note {
            return Ok((card, verdict));
        }
        note = told;
    }
    Err(Failure::new("the card and the verdict on it do not come to agree about the emergency")
        .fix(
            "fix the findings instead of passing them over, or report it: no policy should do this",
        ))
}

fn verdict(
    call: &Call,
    gathered: &Gathered,
    published: Option<&Published>,
    emergency: Option<&Emergency>,
    note: Option<&EmergencyNote>,
) -> Result<(String, Verdict), Failure> {
    let card = gathered.card(call, note)?;
    let verdict = gathered.weigh(&card, published);
    let verdict = match emergency {
        Some(emergency) => verdict.passing_over(emergency.clone()),
        None => verdict,
    };
    Ok((card, verdict))
}

/// A signal came before anything was sent.
fn stopped() -> Failure {
    Failure::advised(
        "the release was stopped before it began to publish",
        &PublishError::Interrupted,
    )
    .standing("nothing", UNSENT)
}

/// The tag of the release: the setting, else the CI event's, else the one on the commit.
pub(super) fn tag(call: &Call, policy: &Policy) -> Result<String, Failure> {
    if let Some(tag) = call.settings.tag.as_deref().or(call.context.tag.as_deref()) {
        return Ok(tag.to_owned());
    }
    let unnamed = Failure::new("no tag names the version to release").fix(
        "push a tag (`git tag v0.1.0 && git push origin v0.1.0`), or give one: `--tag v0.1.0` (input `tag`)",
    );
    // On a dispatch the ref may be any branch: a version must be named, never guessed.
    if call.context.event == Event::Dispatch {
        return Err(unnamed);
    }
    let git = GitFacts::read(&weigh::base(call))
        .map_err(|error| Failure::advised("cannot read the git repository", &error))?;
    match release::newest(git.tags_at_head(), policy, call.settings.model.as_deref()) {
        Ok(tag) => tag.ok_or(unnamed),
        Err(models) => Err(Failure::new(format!(
            "the commit has version tags of several models: {}",
            models.join(", ")
        ))
        .fix("name one: `--model NAME` (input `model`), or `--tag TAG` (input `tag`)")),
    }
}

/// The model that the tag names; for an unreadable tag the one asked for or the first, so that
/// every gate can still say what it has to say.
fn model(call: &Call, policy: &Policy, versioning: &Versioning) -> Result<usize, Failure> {
    match (versioning, call.settings.model.as_deref()) {
        (Versioning::Release(release), _) => weigh::index_of(policy, &release.model),
        (_, Some(name)) => weigh::index_of(policy, name),
        (_, None) => Ok(0),
    }
}

/// Whose the token is, if there is one.
pub(super) async fn holder(hub: &Hub) -> Result<Option<WhoAmI>, Failure> {
    if !hub.has_token() {
        return Ok(None);
    }
    // One that was made for a single repository has no user.
    if hub.only().is_some() {
        return Ok(None);
    }
    let holder = hub.whoami().await.map_err(|error| {
        Failure::advised("cannot tell whose the Hub token is", &error).standing("nothing", UNSENT)
    })?;
    Ok(Some(holder.clone()))
}

async fn look(hub: &Hub, target: &Target, gathered: &Gathered) -> Result<Remote, Failure> {
    let Some(release) = gathered.release() else { return Err(Failure::new("no release")) };
    let asked = gathered.model().gates.benchmarks.iter();
    let compared: Vec<_> = asked.filter_map(|one| one.no_worse_than.as_ref()?.version()).collect();
    let mut remote = publish::look(hub, target, release, &compared).await.map_err(|error| {
        Failure::advised(format!("cannot look at {} on the Hub", target.repo), &error)
            .standing("nothing", UNSENT)
    })?;
    let model = gathered.model();
    remote.published.kept = remote.kept(&model.publish);
    remote.published.licenses =
        publish::licenses(hub, &gathered.bases().ids, &model.datasets).await;
    Ok(remote)
}

/// The files weighbridge itself adds: the card with what goes beside it, the release record, and
/// where the Hub would count no downloads the file by which it does.
fn documents(
    call: &Call,
    gathered: &Gathered,
    card: String,
    query_file: Option<String>,
    report: &Report,
) -> Result<Vec<Document>, Failure> {
    let path =
        |name: &str| RelPath::parse(name).map_err(|error| Failure::new(name).because(&error));
    let query_file = query_file.map(|text| (ADDED, text));
    let beside = gathered.beside_card(call).into_iter().chain(query_file);
    let beside: Vec<_> = beside.map(|(name, text)| (name, blotted(&text).into_owned())).collect();
    let texts = [(CARD, &card)].into_iter().chain(beside.iter().map(|(name, text)| (*name, text)));
    let digests: Vec<_> = texts.map(|(name, text)| (name, Digest::of(text.as_bytes()))).collect();
    let record = provenance::record(&provenance::RecordInput {
        model: gathered.model(),
        release: gathered.release(),
        target: gathered.target.as_ref(),
        commit: report.commit.as_deref(),
        repository: call.context.repository.as_deref(),
        run_url: call.context.run_url.as_deref(),
        actor: call.context.actor.as_deref(),
        verdict: &report.verdict,
        source: gathered.source.as_ref(),
        evidence: &gathered.evidence,
        inventory: &gathered.inventory,
        documents: &digests,
    });
    let mut documents = vec![
        Document { path: path(CARD)?, bytes: card.into_bytes() },
        Document { path: path(RECORD)?, bytes: record.to_bytes() },
    ];
    for (name, text) in beside {
        documents.push(Document { path: path(name)?, bytes: text.into_bytes() });
    }
    Ok(documents)
}

fn publish(
    runtime: &Network,
    hub: &Hub,
    plan: &Plan,
    cleared: crate::finding::Cleared,
    gathered: &Gathered,
    guard: &Guard,
) -> Result<Receipt, Unfinished> {
    let progress: Arc<dyn publish::Progress> = Arc::new(progress::Publishing::new());
    let scan = &gathered.model().gates.hub_scan;
    let publishing = publish::publish(hub, plan, cleared, scan, &progress, guard.interrupted());
    runtime.block_on(publishing)
}

fn failure(unfinished: &Unfinished, plan: &Plan) -> Failure {
    let standing = &unfinished.standing;
    Failure::advised("the version could not be published", &unfinished.error)
        .standing(standing.as_str(), standing.words(plan))
}

fn publication(receipt: Receipt, pages: &str) -> Publication {
    Publication {
        already_published: receipt.already_published,
        url: format!("{pages}/{}/tree/{}", receipt.repo_id, receipt.tag),
        repo_id: receipt.repo_id,
        revision: receipt.revision,
        tag: receipt.tag,
        record_digest: receipt.record_digest,
        files: PublishedFiles {
            written: receipt.written,
            unchanged: receipt.unchanged,
            deleted: receipt.deleted,
        },
        bytes_sent: receipt.bytes_sent,
    }
}
