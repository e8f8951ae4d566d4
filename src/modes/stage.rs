//! `stage`: one share of a release, weighed and brought to the Hub, where nobody sees it before the
//! release that takes its part.

use std::sync::Arc;

use crate::evidence;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::{Cleared, Finding, Outcome, Overrides, Verdict, Weighing};
use crate::gates::{Judgement, scan, token};
use crate::hub::Hub;
use crate::hub::wire::WhoAmI;
use crate::inputs::Stage;
use crate::inventory::{self, Shard, Share};
use crate::parts;
use crate::policy::Model;
use crate::publish::{self, PublishError};
use crate::release::{self, GitFacts, Versioning};
use crate::report::{Report, Staged, progress};

use super::call::Call;
use super::credentials::Entrance;
use super::network::Network;
use super::parts::{Of, binding};
use super::weigh;

pub(super) fn run(call: &Call, arguments: &Stage) -> Result<Exit, Failure> {
    let leave = call.refuse_outsiders("stage")?;
    call.refuse_parts("stage")?;
    call.refuse_emergency("stage")?;
    let shard = shard(call, arguments)?;
    let policy = weigh::policy(call)?;
    let entrance = (!call.settings.dry_run)
        .then(|| Entrance::new(call, &leave, &policy, "stage"))
        .transpose()?;
    let versioning = release::read_tag(&super::release::tag(call, &policy)?, &policy);
    let Versioning::Release(release) = &versioning else {
        return Err(Failure::new("the tag names no version, so nothing is brought for it")
            .fix("see what is wrong with it: `weighbridge check --tag TAG`"));
    };
    let model = &policy.models[weigh::index_of(&policy, &release.model)?];
    let target = release::target(model, release)
        .map_err(|error| Failure::advised("the release has no place to go", &error))?;
    let git = GitFacts::read(&weigh::base(call))
        .map_err(|error| Failure::advised("cannot read the git repository", &error))?;
    let commit = weigh::commit(call, &git);
    // The run's time begins now, not when the weighing is done.

    let network = Network::start()?;
    let open =
        |entrance: Entrance<'_>| network.unless_stopped(entrance.open(&target.repo), stopped);
    let opened = entrance.map(open).transpose()?;
    let weighed = take(call, model, shard)?;
    // A dry run asks the Hub nothing.
    let holder = match &opened {
        None => None,
        Some(opened) => network.unless_stopped(super::release::holder(&opened.hub), stopped)?,
    };
    let today = jiff::Zoned::now().date();
    // Whether the repository is there yet is not asked here.
    let (settings, exists) = (&model.gates.token, false);
    let work = token::Work { policy: &policy, settings, target: Some(&target), exists, today };
    let verdict = judge(&weighed, holder.as_ref(), &work);
    let cleared = verdict.clear(weighed.inventory.manifest_digest());
    let mut report = Report {
        mode: "stage",
        policy: policy.file.clone(),
        model: model.name.clone(),
        several: policy.models.len() > 1,
        versioning: versioning.clone(),
        target: Some(target.clone()),
        commit: commit.clone(),
        verdict,
        inventory: weighed.inventory.clone(),
        metrics: Vec::new(),
        publication: None,
        failure: None,
        shard: Some(shard.to_string()),
        staged: None,
        plan: None,
        audit: None,
        notes: opened.iter().filter_map(|opened| opened.note.clone()).collect(),
    };
    if let Some(cleared) = cleared {
        let of = Of { model, release, target: &target, commit };
        let hub = opened.map(|opened| opened.hub);
        let bringing = bring(call, hub.as_ref(), shard, &weighed, cleared, &of);
        match network.unless_stopped(bringing, stopped) {
            Ok(staged) => report.staged = Some(staged),
            Err(failure) => report.failure = Some(failure),
        }
    }
    call.tell(report)
}

/// A signal came before the part was written.
fn stopped() -> Failure {
    Failure::advised("the share was not brought", &PublishError::Interrupted)
}

fn shard(call: &Call, arguments: &Stage) -> Result<Shard, Failure> {
    let example = "`--shard 3/8` (input `shard: ${{ matrix.shard }}/8`)";
    let named = arguments.shard.as_deref().or_else(|| call.env.input("shard"));
    let named = named.ok_or_else(|| {
        Failure::new("no share is named").fix(format!("say which of how many: {example}"))
    })?;
    named.parse().map_err(|error: inventory::NoShard| {
        Failure::new("bad input").because(&error).fix(format!("give it as {example}"))
    })
}

/// Weighs the share; which files a pipeline pins is read first, as for the whole.
fn take(call: &Call, model: &Model, shard: Shard) -> Result<Share, Failure> {
    let base = weigh::base(call);
    let evidence = evidence::gather(&base, &call.shown(&base), model);
    let pinned = evidence.pipeline.pinned();
    let shown = weigh::shown_folder(call, model);
    let watch = progress::Weighing::new();
    let asked = inventory::Asked { pinned: &|path| pinned.holds(path), sealed: true };
    inventory::take_share(
        &base.join(&model.path),
        &shown,
        &model.include,
        &model.exclude,
        shard,
        &asked,
        &|bytes| watch.read(bytes),
    )
    .map_err(|error| Failure::advised(format!("cannot weigh `{shown}`"), &error))
}

/// What the scan gate says of the share, and the token gate of the token: what they block is brought
/// nowhere. All other gates weigh the whole, at the release.
fn judge(share: &Share, holder: Option<&WhoAmI>, work: &token::Work<'_>) -> Verdict {
    let findings = scan::findings(&share.inventory);
    let files = share.inventory.files.len();
    let note = format!("{files} of {} files", share.listing.files.len());
    let mut weighings = vec![Weighing { gate: "scan", outcome: Outcome::Judged(note), findings }];
    if let Some(holder) = holder {
        let Judgement { note, findings, .. } = token::judge(holder, work);
        weighings.push(Weighing { gate: "token", outcome: Outcome::Judged(note), findings });
    }
    let findings = weighings.iter().flat_map(|weighing| &weighing.findings);
    let overrides = concerning(&work.policy.overrides, &findings.collect::<Vec<_>>());
    Verdict::judge(weighings, &overrides, work.today)
}

/// The overrides without the allowances that cover nothing here, and may do so in another share.
fn concerning(overrides: &Overrides, findings: &[&Finding]) -> Overrides {
    let mut overrides = overrides.clone();
    overrides.allowances.retain(|one| findings.iter().any(|finding| one.covers(finding)));
    overrides
}

/// Brings the share to the Hub and writes its part; a dry run, which has no Hub, only writes.
async fn bring(
    call: &Call,
    hub: Option<&Hub>,
    shard: Shard,
    weighed: &Share,
    cleared: Cleared,
    of: &Of<'_>,
) -> Result<Staged, Failure> {
    let binding = binding(call, of)?;
    let reports = call.report_dir();
    let brought = match hub {
        None => publish::Brought::default(),
        Some(hub) => {
            let progress: Arc<dyn publish::Progress> = Arc::new(progress::Publishing::new());
            publish::stage(hub, of.target, of.release, weighed, of.model, cleared, &progress)
                .await
                .map_err(|error| Failure::advised("the share could not be brought", &error))?
        }
    };
    let written = parts::write(&reports, shard, &binding, weighed, &brought.small)
        .await
        .map_err(|error| Failure::advised("the part could not be written", &error))?;
    // As the steps after this one find it: see `Call::tell`.
    let told = call.settings.report_dir.as_deref().unwrap_or(&reports);
    Ok(Staged {
        part: parts::folder_of(told, shard).display().to_string(),
        digest: written.digest.to_string(),
        already_published: brought.already_published,
        bytes_sent: brought.uploaded.bytes,
    })
}
